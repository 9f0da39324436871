//! A job that a worker runs, as the rest of the party sees it.
//!
//! It hears and tells what a job hears and tells that runs here, and hands it on.
//! What must not be lost is kept as one value, the [`Order`], and said whole to
//! whoever connects; what may be lost is not kept at all.

mod frames;
mod mail;
mod standing;

use std::{
    fs::File,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Recipient, SpawnHandle};
use entente_protocol::{control::Progress, job::PartyName};
use entente_wire::{Frame, SessionId};

pub(super) use self::mail::{Came, Condition, Given, Gone, Heard, Line};
use super::{Lack, Linked, Message, Order, Seen, WorkerId, Workers, posts::State};
use crate::{
    driver::{Standing, Status},
    party::{JobEvent, JobTold},
    telemetry::Meters,
    transport::Link,
};

/// A job that a worker runs.
pub(super) struct RemoteJob {
    id: WorkerId,
    session: SessionId,
    peer: PartyName,
    budget: Duration,
    span: tracing::Span,
    workers: Workers,
    party: Recipient<JobTold>,
    meters: Meters,
    _model: Option<File>,
    order: Order,
    link: Option<Link>,
    line: Option<Line>,
    lack: Option<Lack>,
    /// The process that was there last, until it is known to have ended.
    process: Option<u64>,
    deaths: u32,
    /// Exchanges that were done when a worker died last.
    died_at: u64,
    told: Status,
    /// What the meters have heard of; nothing while it is not known how much of it
    /// was before.
    metered: Option<Progress>,
    /// Whether the worker that was there last waited for something else.
    waited: bool,
    /// Since when there is no worker, and what happens if that goes on.
    away: Option<(Instant, SpawnHandle)>,
}

impl RemoteJob {
    /// Starts to wait for its worker.
    pub(super) fn start(given: Given) -> Addr<Self> {
        let Given {
            id,
            plan,
            assignment,
            workers,
            told,
            meters,
            model,
        } = given;
        let begins = assignment.exchanges_done == 0;
        let job = Self {
            id,
            session: plan.session.id(),
            span: plan.span(),
            budget: Duration::from_secs(plan.task.stall_budget_s()),
            peer: plan.peer,
            workers,
            party: told,
            meters,
            _model: model,
            told: Status {
                standing: Standing::Preparing,
                progress: Progress::default(),
                granted: assignment.granted,
            },
            order: Order {
                assignment,
                linked: None,
                revoked: None,
            },
            link: None,
            line: None,
            lack: None,
            process: None,
            deaths: 0,
            died_at: 0,
            metered: begins.then(Progress::default),
            waited: false,
            away: None,
        };
        Actor::start(job)
    }

    /// Tells its worker to leave.
    fn dismisses(&self) {
        if let Some(line) = &self.line {
            line.leave.cancel();
        }
    }

    /// Says the order, whole, to whoever is there.
    fn ordered(&self) {
        if let Some(line) = &self.line {
            line.orders.send_replace(Some(self.order.clone()));
        }
    }
}

impl Actor for RemoteJob {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        tracing::info!(peer = %self.peer, "waits for its worker");
        self.misses(ctx);
    }

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.workers.dismiss(self.id, &ctx.address());
    }
}

impl Handler<JobEvent> for RemoteJob {
    type Result = ();

    fn handle(&mut self, event: JobEvent, ctx: &mut Context<Self>) {
        let assignment = &mut self.order.assignment;
        match event {
            JobEvent::Linked(link) => {
                self.order.linked = Some(Linked {
                    number: link.number(),
                    peer_speaks: link.common().theirs().to_vec(),
                });
                self.link = Some(link);
            }
            JobEvent::Unlinked => {
                self.order.linked = None;
                self.link = None;
            }
            JobEvent::PeerRevoked(why) => self.order.revoked = Some(why),
            JobEvent::Granted(granted) => assignment.granted = granted,
            JobEvent::Hold(hold) => assignment.hold = hold,
            JobEvent::KeyWished(epoch) => assignment.key_epoch = assignment.key_epoch.max(epoch),
            JobEvent::Arrived(received) => return self.arrived(&received),
            JobEvent::Acknowledged(position, digest) => {
                return self.answered(&Frame::Ack {
                    session: self.session,
                    position,
                    digest,
                });
            }
            JobEvent::Refused(position, reason) => {
                return self.answered(&Frame::Refused {
                    session: self.session,
                    position,
                    reason,
                });
            }
            JobEvent::Leave => {
                if !self.workers.stay() {
                    self.dismisses();
                }
                return ctx.stop();
            }
        }
        self.ordered();
    }
}

impl Handler<Came> for RemoteJob {
    type Result = ();

    fn handle(&mut self, Came { line, process }: Came, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        if self.process.is_some_and(|last| last != process) {
            self.died(ctx);
        }
        self.process = Some(process);
        self.lack = None;
        if let Some((_, end)) = self.away.take() {
            ctx.cancel_future(end);
        }
        self.workers.is(self.id, State::Connected);
        // An older connection ends with its line.
        self.line = Some(line);
        self.ordered();
        if !self.is_over() {
            // Until it says more.
            self.tell(Standing::Preparing, self.told.progress);
        }
    }
}

impl Handler<Gone> for RemoteJob {
    type Result = ();

    fn handle(&mut self, Gone(number): Gone, ctx: &mut Context<Self>) {
        if self.line.as_ref().is_none_or(|line| line.number != number) {
            return;
        }
        let _inside = self.span.clone().entered();
        tracing::warn!(connection = number, "the worker is away");
        self.line = None;
        self.workers.is(self.id, State::Starting);
        self.misses(ctx);
        self.workers.ring();
    }
}

impl Handler<Heard> for RemoteJob {
    type Result = ();

    fn handle(&mut self, Heard(message): Heard, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        match message {
            Message::Report(report) => self.reported(*report, ctx),
            Message::Frame(frame) => self.leaves(frame),
            _ => {}
        }
    }
}

impl Handler<Condition> for RemoteJob {
    type Result = ();

    fn handle(&mut self, Condition(seen): Condition, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        let lack = match seen {
            Seen::AtRest | Seen::Alive => None,
            Seen::Lacks(lack) => Some(lack),
            Seen::Ended(how) => {
                tracing::error!(%how, "the worker has ended");
                // Another one is counted by what it does.
                self.process = None;
                self.died(ctx);
                None
            }
        };
        if self.line.is_some() {
            return;
        }
        let state = match &lack {
            None => State::Starting,
            Some(_) => State::Waiting,
        };
        self.workers.is(self.id, state);
        if lack != self.lack {
            if let Some(lack) = &lack {
                tracing::error!(%lack, "has no worker");
            }
            self.lack = lack;
        }
        self.misses(ctx);
    }
}

#[cfg(test)]
mod tests;
