//! A job that a worker runs, as the rest of the party sees it.
//!
//! It hears and tells what a job hears and tells that runs here, and hands it on.
//! What must not be lost is kept as one value, the [`Order`], and said whole to
//! whoever connects; what may be lost is not kept at all.

use std::{
    fs::File,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message as Mail, Recipient,
    SpawnHandle,
};
use entente_protocol::{
    control::{Assignment, Failure, FailureClass, JobReport, Phase, Progress},
    job::PartyName,
};
use entente_wire::{Digest, Encode, Frame, Position, Refusal, SessionId};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Lack, Message, Order, Seen, WorkerId, Workers, posts::State};
use crate::{
    delivery::Received,
    driver::{Standing, Status},
    launch::Plan,
    party::{JobEvent, JobTold},
    telemetry::Meters,
    transport::Link,
};

/// As the job's record says that there is no worker.
const WORKER: &str = "a worker";
/// A worker that has died so often without bringing its job further is not made
/// again: the next one would die too.
const DEATHS: u32 = 6;

/// A connection to a worker. While this lives, it stands.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) orders: watch::Sender<Option<Order>>,
    pub(super) queue: mpsc::Sender<Message>,
    /// Tells the worker to leave.
    pub(super) leave: CancellationToken,
}

/// A worker has connected.
#[derive(Mail)]
#[rtype(result = "()")]
pub(super) struct Came {
    pub(super) line: Line,
    /// Which process it is.
    pub(super) process: u64,
}

/// A worker has said something.
#[derive(Mail)]
#[rtype(result = "()")]
pub(super) struct Heard(pub(super) Message);

/// The connection of this number is gone.
#[derive(Mail)]
#[rtype(result = "()")]
pub(super) struct Gone(pub(super) u64);

/// What there is of the worker.
#[derive(Mail)]
#[rtype(result = "()")]
pub(super) struct Condition(pub(super) Seen);

/// What it is given when it starts.
pub(super) struct Given {
    pub(super) id: WorkerId,
    pub(super) plan: Plan,
    pub(super) assignment: Assignment,
    pub(super) workers: Workers,
    pub(super) told: Recipient<JobTold>,
    pub(super) meters: Meters,
    /// Kept from being deleted meanwhile.
    pub(super) model: Option<File>,
}

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
            session: plan.session,
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

    fn is_over(&self) -> bool {
        self.told.standing.is_over()
    }

    /// Says the order, whole, to whoever is there.
    fn ordered(&self) {
        if let Some(line) = &self.line {
            line.orders.send_replace(Some(self.order.clone()));
        }
    }

    fn tell(&mut self, standing: Standing, progress: Progress) {
        let status = Status {
            standing,
            progress,
            granted: self.order.assignment.granted,
        };
        if status == self.told {
            return;
        }
        if let Standing::Failed(failure) = &status.standing
            && !self.is_over()
        {
            self.meters.failed(&failure.label);
            let (label, message) = (&failure.label, &failure.message);
            tracing::error!(label, exchange = failure.exchange, "failed: {message}");
        }
        if status.standing == Standing::Finished && !self.is_over() {
            tracing::info!("finished");
        }
        self.told = status.clone();
        self.party.do_send(JobTold {
            job: self.id.job,
            attempt: self.id.attempt,
            status,
        });
    }

    /// There is no worker: says so, and how long that may go on.
    fn misses(&mut self, ctx: &mut Context<Self>) {
        if self.line.is_some() || self.is_over() {
            return;
        }
        let since = match &self.away {
            Some((since, _)) => *since,
            None => {
                let since = Instant::now();
                self.waited = self.told.standing.is_waiting();
                let budget = self.budget;
                let end = ctx.run_later(budget, |job, ctx| job.gives_up(ctx));
                self.away = Some((since, end));
                since
            }
        };
        let what = match &self.lack {
            None => WORKER.to_owned(),
            Some(lack) => format!("{WORKER} ({})", lack.kind.label()),
        };
        self.tell(Standing::Waiting { what, since }, self.told.progress);
    }

    fn gives_up(&mut self, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        self.away = None;
        if self.order.assignment.hold {
            // It waits for a person, and not for the worker.
            return self.misses(ctx);
        }
        let why = self.lack.as_ref().map_or("it did not connect", |lack| lack.kind.label());
        let message = format!(
            "there was no worker for {} s: {why}. See this party's log, and whether its launcher \
             can make workers",
            self.budget.as_secs()
        );
        self.fails("no_worker", message);
    }

    fn fails(&mut self, label: &str, message: String) {
        let progress = self.told.progress;
        let failure = Failure {
            class: FailureClass::Operator,
            label: label.to_owned(),
            message,
            state: None,
            exchange: progress.exchanges_done,
        };
        self.tell(Standing::Failed(failure), progress);
    }

    /// A process of it has ended that was not told to.
    fn died(&mut self) {
        let done = self.told.progress.exchanges_done;
        if done > self.died_at {
            (self.died_at, self.deaths) = (done, 0);
        }
        // One that only waited was evicted, and has not failed at anything.
        let waited = match self.away {
            Some(_) => self.waited,
            None => self.told.standing.is_waiting(),
        };
        if !waited {
            self.deaths += 1;
        }
        if self.deaths >= DEATHS && !self.is_over() {
            let message = format!(
                "{DEATHS} workers have ended, one after the other, without bringing the job \
                 further: out of memory (resources.memory_bytes), or see this party's log"
            );
            self.fails("worker_dies", message);
        }
    }

    fn reported(&mut self, report: JobReport, ctx: &mut Context<Self>) {
        let is_this = (report.job, report.attempt) == (self.id.job, self.id.attempt);
        if !is_this || self.is_over() {
            return;
        }
        let progress = report.progress;
        if let Some(before) = self.metered {
            self.meters.progress(&before, &progress);
        }
        self.metered = Some(progress);
        let done = &mut self.order.assignment.exchanges_done;
        if progress.exchanges_done > *done {
            *done = progress.exchanges_done;
            self.workers.goes_on(self.id);
        }
        let standing = match report.phase {
            Phase::Preparing => Standing::Preparing,
            Phase::Running => Standing::Running,
            Phase::Waiting { what, for_ms } => Standing::Waiting {
                what,
                since: since(for_ms, &self.told.standing),
            },
            // It may go on again by now.
            Phase::Held if !self.order.assignment.hold => return,
            Phase::Held => Standing::Held,
            Phase::Finished => Standing::Finished,
            Phase::Failed { failure } => Standing::Failed(failure),
        };
        let held = standing == Standing::Held;
        self.tell(standing, progress);
        if held {
            tracing::info!("is paused");
            // Its worker ends, and what it goes on from stays.
            ctx.stop();
        }
    }

    /// A message of the peer, on its way to the worker.
    fn arrived(&self, received: &Arc<Received>) {
        let frame = Frame::of_message(&received.envelope);
        let refused = match &self.line {
            None => Refusal::UnknownSession,
            Some(line) => match line.queue.try_send(Message::Frame(frame)) {
                Ok(()) => return,
                Err(_) => Refusal::Busy,
            },
        };
        if let Some(link) = &self.link {
            let refused = refusal(self.session, received.envelope.position, refused);
            link.send(Arc::new(refused));
        }
    }

    fn answered(&self, frame: &Frame) {
        if let Some(line) = &self.line {
            // The peer says it again if it is asked again.
            let _ = line.queue.try_send(Message::Frame(frame.encoded()));
        }
    }

    /// A frame of the worker, on its way to the peer.
    fn leaves(&self, frame: Vec<u8>) {
        let address = match Frame::address(&frame) {
            Ok(address) if address.session == self.session => address,
            _ => {
                tracing::error!("the worker sends what is not of its session: not handed on");
                return;
            }
        };
        let Some(link) = &self.link else { return };
        if !link.send(Arc::new(frame)) && address.is_message {
            let busy = refusal(self.session, address.position, Refusal::Busy);
            if let Some(line) = &self.line {
                let _ = line.queue.try_send(Message::Frame(busy));
            }
        }
    }
}

fn refusal(session: SessionId, position: Position, reason: Refusal) -> Vec<u8> {
    Frame::Refused {
        session,
        position,
        reason,
    }
    .encoded()
}

/// Since when something is waited for: not another moment with each report.
fn since(for_ms: u64, told: &Standing) -> Instant {
    let now = Instant::now();
    let said = now.checked_sub(Duration::from_millis(for_ms));
    let said = said.unwrap_or(now);
    match told {
        Standing::Waiting { since, .. } if apart(*since, said) < SLACK => *since,
        _ => said,
    }
}

fn apart(one: Instant, other: Instant) -> Duration {
    one.max(other).duration_since(one.min(other))
}

/// How far two sayings of one moment may lie apart.
const SLACK: Duration = Duration::from_secs(2);

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
                self.order.linked = Some(link.number());
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
                return self.answered(&acknowledgement(self.session, position, digest));
            }
            JobEvent::Refused(position, reason) => {
                return self.answered(&Frame::Refused {
                    session: self.session,
                    position,
                    reason,
                });
            }
            JobEvent::Leave => {
                if let Some(line) = self.line.as_ref().filter(|_| !self.workers.stay()) {
                    line.leave.cancel();
                }
                return ctx.stop();
            }
        }
        self.ordered();
    }
}

fn acknowledgement(session: SessionId, position: Position, digest: Digest) -> Frame {
    Frame::Ack {
        session,
        position,
        digest,
    }
}

impl Handler<Came> for RemoteJob {
    type Result = ();

    fn handle(&mut self, Came { line, process }: Came, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        if self.process.is_some_and(|last| last != process) {
            self.died();
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
                self.died();
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
