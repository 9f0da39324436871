//! What comes of the effects of a driver: computations and records on their way and
//! back, messages to the peer, news for the party.
//!
//! What a record tells of may be said once the record is kept, and not before: a
//! message that the peer has seen must be there after a crash. So an effect that
//! keeps something goes to the journal first, and the commands behind it wait for
//! its answer; a computation waits for nobody.

use std::{
    mem,
    time::{Duration, Instant},
};

use actix::{ActorContext, AsyncContext, Context, Handler, Message};
use entente_metrics::SENT;
use entente_protocol::Role;
use entente_wire::{Encode, Frame};

use super::{JobActor, message_name};
use crate::{
    backoff::{Backoff, Waits},
    compute::Panicked,
    delivery::{Journal, Leaving, Record},
    driver::{Command, Computed, Effects, Event, Standing, Status, Unkept, Work},
    entropy,
    party::messages::JobTold,
};

/// A computation is back from the pool.
#[derive(Message)]
#[rtype(result = "()")]
struct Ran<R: Role> {
    state: &'static str,
    outcome: Result<(Computed<R>, Duration), Panicked>,
}

/// What the job leaves here is saved, or cannot be.
#[derive(Message)]
#[rtype(result = "()")]
struct Kept(Result<(), String>);

/// The journal is back.
#[derive(Message)]
#[rtype(result = "()")]
struct Committed<R: Role> {
    journal: Box<dyn Journal>,
    outcome: Result<Vec<Command<R>>, Unkept<R>>,
    took: Duration,
}

impl<R: Role> JobActor<R> {
    /// Brings what is pending on its way.
    pub(super) fn settle(&mut self, ctx: &mut Context<Self>) {
        if let Some(work) = self.pending.take_work() {
            self.compute(work, ctx);
        }
        let waits = self.blocked && !self.pending.keeps_nothing();
        if waits || self.pending.is_empty() {
            return;
        }
        // Without one, what is pending follows when it is back.
        let Some(mut journal) = self.journal.take() else {
            return;
        };
        let pending = mem::replace(&mut *self.pending, Effects::new());
        if pending.keeps_nothing() {
            let outcome = pending.commit(&mut *journal);
            self.journal = Some(journal);
            return self.committed(outcome, ctx);
        }
        let (addr, meters) = (ctx.address(), self.meters.clone());
        actix_rt::task::spawn_blocking(move || {
            let checkpoints = pending.records().iter().filter_map(|record| match record {
                Record::Rest(checkpoint) => Some(checkpoint.role.expose().len()),
                _ => None,
            });
            let checkpoints: Vec<usize> = checkpoints.collect();
            let since = Instant::now();
            let outcome = pending.commit(&mut *journal);
            let took = since.elapsed();
            if outcome.is_ok() {
                checkpoints
                    .iter()
                    .for_each(|bytes| meters.checkpoint(*bytes));
            }
            addr.do_send(Committed {
                journal,
                outcome,
                took,
            });
        });
    }

    fn committed(&mut self, outcome: Result<Vec<Command<R>>, Unkept<R>>, ctx: &mut Context<Self>) {
        match outcome {
            Ok(commands) => {
                self.obey(commands, ctx);
            }
            Err(Unkept { mut effects, error }) => {
                let later = mem::replace(&mut *self.pending, Effects::new());
                let at_once = effects.append(later);
                *self.pending = effects;
                self.obey(at_once, ctx);
                self.try_again_later(ctx);
                let (label, span) = (error.label(), self.span.clone());
                span.in_scope(|| tracing::error!(label, %error, "not kept"));
                self.on(Event::CannotKeep(error), ctx);
            }
        }
    }

    fn try_again_later(&mut self, ctx: &mut Context<Self>) {
        let backoff = self.unkept.get_or_insert(Backoff::new(Waits::UNKEPT));
        let wait = backoff.next_wait(&mut entropy::jitter());
        self.blocked = true;
        ctx.run_later(wait, |actor, ctx| {
            actor.blocked = false;
            actor.settle(ctx);
        });
    }

    fn compute(&self, work: Work<R>, ctx: &mut Context<Self>) {
        let (state, addr) = (work.state(), ctx.address());
        let timed = move || {
            let since = Instant::now();
            let computed = work.run();
            (computed, since.elapsed())
        };
        let deliver = move |outcome| addr.do_send(Ran { state, outcome });
        self.pool.compute(timed, deliver);
    }

    pub(super) fn obey(&mut self, commands: Vec<Command<R>>, ctx: &mut Context<Self>) {
        for command in commands {
            match command {
                Command::Compute(work) => self.compute(work, ctx),
                Command::Send(leaving) => self.send(leaving),
                Command::Answer(frame) => {
                    if let Frame::Refused { reason, .. } = &frame {
                        self.meters.refused(reason.label());
                    }
                    if let Some(link) = &self.link {
                        link.send(frame.encoded().into());
                    }
                }
                Command::Save(product) => {
                    let (addr, progress) = (ctx.address(), self.driver.progress());
                    let (keeper, span) = (self.keeper.clone(), self.span.clone());
                    actix_rt::task::spawn_blocking(move || {
                        let kept = span.in_scope(|| keeper.keep(&product, &progress));
                        addr.do_send(Kept(kept.map_err(|error| error.to_string())));
                    });
                }
                Command::Tell(status) => self.tell(*status, ctx),
            }
        }
    }

    fn send(&self, Leaving { packet, again }: Leaving) {
        let (name, bytes) = (message_name::<R>(packet.kind), packet.wire_bytes());
        let queued = self
            .link
            .as_ref()
            .is_some_and(|link| link.send(packet.frame));
        if queued {
            self.meters.message(name, SENT, bytes);
            if again {
                self.meters.sent_again();
            }
        }
    }

    fn tell(&mut self, status: Status, ctx: &mut Context<Self>) {
        let span = self.span.clone();
        let _inside = span.enter();
        self.meters.progress(&self.told, &status.progress);
        self.told = status.progress;
        if status.standing.is_over() {
            self.called = None;
        }
        match &status.standing {
            Standing::Finished => tracing::info!("finished"),
            Standing::Failed(failure) => {
                self.meters.failed(&failure.label);
                tracing::error!(
                    label = failure.label,
                    state = failure.state,
                    exchange = failure.exchange,
                    "failed: {}",
                    failure.message
                );
            }
            // It may go on again by now.
            Standing::Held if !self.driver.is_held() => return,
            Standing::Held => {
                tracing::info!("is paused");
                // Closed before anybody hears of it, who may open it again.
                // Role, data and keys go with the driver; what is pending was
                // told to nobody, and comes about again.
                self.journal = None;
                ctx.stop();
            }
            _ => {}
        }
        self.party.do_send(JobTold {
            job: self.plan.id,
            attempt: self.plan.attempt,
            status,
        });
    }
}

impl<R: Role> Handler<Ran<R>> for JobActor<R> {
    type Result = ();

    fn handle(&mut self, ran: Ran<R>, ctx: &mut Context<Self>) {
        let event = match ran.outcome {
            Ok((computed, took)) => {
                self.meters.step(R::PROTOCOL, R::ROLE, ran.state, took);
                Event::Computed(computed)
            }
            Err(panicked) => {
                let _inside = self.span.enter();
                tracing::error!(state = ran.state, %panicked, "a defect");
                Event::Panicked
            }
        };
        self.on(event, ctx);
    }
}

impl<R: Role> Handler<Kept> for JobActor<R> {
    type Result = ();

    fn handle(&mut self, Kept(saved): Kept, ctx: &mut Context<Self>) {
        let event = match saved {
            Ok(()) => Event::Saved,
            Err(problem) => Event::CannotSave(problem),
        };
        self.on(event, ctx);
    }
}

impl<R: Role> Handler<Committed<R>> for JobActor<R> {
    type Result = ();

    fn handle(&mut self, committed: Committed<R>, ctx: &mut Context<Self>) {
        let kept = committed.outcome.is_ok();
        self.meters.committed(kept, committed.took);
        self.journal = Some(committed.journal);
        self.committed(committed.outcome, ctx);
        if kept && self.unkept.take().is_some() {
            self.on(Event::KeptAgain, ctx);
        }
        self.settle(ctx);
    }
}
