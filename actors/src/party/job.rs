//! A mailbox round one driver.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Recipient, SpawnHandle};
use entente_metrics::{RECEIVED, SENT};
use entente_protocol::{Role, control::Progress};
use entente_wire::{Encode, Frame, read_kind};

use super::messages::{JobEvent, JobTold};
use crate::{
    compute::{ComputePool, Panicked},
    delivery::{Journal, Leaving},
    driver::{Command, Computed, Driver, Effects, Event, Setting, Standing},
    entropy,
    keeping::Keeper,
    launch::Plan,
    telemetry::Meters,
    transport::Link,
};

/// What a job is given when it starts.
pub(crate) struct Seat {
    pub(crate) plan: Plan,
    pub(crate) pool: ComputePool,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) told: Recipient<JobTold>,
    pub(crate) meters: Meters,
}

/// Speaks to a job, whatever its role.
#[derive(Clone, Debug)]
pub(crate) struct JobHandle(Recipient<JobEvent>);

impl JobHandle {
    pub(super) fn say(&self, event: JobEvent) {
        // A job that has left hears nothing, and needs nothing.
        self.0.do_send(event);
    }
}

/// Starts an actor for `role`, whose product `keeper` brings to its place.
pub(crate) fn seat<R: Role>(role: R, keeper: Keeper, seat: Seat) -> JobHandle {
    let setting = Setting {
        session: seat.plan.session,
        peer: seat.plan.peer.clone(),
        stall_budget: Duration::from_secs(seat.plan.task.stall_budget_s()),
        jitter: entropy::jitter(),
    };
    let driver = Box::new(Driver::new(Instant::now(), role, setting));
    let actor = JobActor {
        driver,
        keeper: Arc::new(keeper),
        seat,
        link: None,
        timer: None,
        told: Progress::default(),
    };
    JobHandle(actor.start().recipient())
}

struct JobActor<R: Role> {
    driver: Box<Driver<R>>,
    keeper: Arc<Keeper>,
    seat: Seat,
    link: Option<Link>,
    timer: Option<SpawnHandle>,
    /// What the meters have heard of.
    told: Progress,
}

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

impl<R: Role> Actor for JobActor<R> {
    type Context = Context<Self>;
}

impl<R: Role> JobActor<R> {
    fn on(&mut self, event: Event<R>, ctx: &mut Context<Self>) {
        let effects = self.driver.on(Instant::now(), event);
        self.perform(effects, ctx);
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        self.timer = self.driver.next_tick().map(|at| {
            let wait = at.saturating_duration_since(Instant::now());
            ctx.run_later(wait, |actor, ctx| {
                actor.timer = None;
                actor.on(Event::Tick, ctx);
            })
        });
    }

    fn perform(&mut self, effects: Effects<R>, ctx: &mut Context<Self>) {
        match effects.commit(&mut *self.seat.journal) {
            Ok(commands) => {
                for command in commands {
                    self.obey(command, ctx);
                }
            }
            Err(error) => {
                let failed = self.driver.on(Instant::now(), Event::CannotKeep(error));
                // Nothing is to be kept any more once a job has failed.
                match failed.commit(&mut *self.seat.journal) {
                    Ok(commands) => commands
                        .into_iter()
                        .for_each(|command| self.obey(command, ctx)),
                    Err(error) => tracing::error!(job = %self.seat.plan.id, %error, "lost"),
                }
            }
        }
    }

    fn obey(&mut self, command: Command<R>, ctx: &mut Context<Self>) {
        match command {
            Command::Compute(work) => {
                let (state, addr) = (work.state(), ctx.address());
                let timed = move || {
                    let since = Instant::now();
                    let computed = work.run();
                    (computed, since.elapsed())
                };
                let deliver = move |outcome| addr.do_send(Ran { state, outcome });
                self.seat.pool.compute(timed, deliver);
            }
            Command::Send(Leaving { packet, again }) => {
                let (name, bytes) = (packet.name, packet.wire_bytes());
                let queued = self
                    .link
                    .as_ref()
                    .is_some_and(|link| link.send(packet.frame));
                if queued {
                    self.seat.meters.message(name, SENT, bytes);
                    if again {
                        self.seat.meters.sent_again();
                    }
                }
            }
            Command::Answer(frame) => {
                if let Frame::Refused { reason, .. } = &frame {
                    self.seat.meters.refused(reason.label());
                }
                if let Some(link) = &self.link {
                    link.send(frame.encoded().into());
                }
            }
            Command::Save(product) => {
                let (addr, progress) = (ctx.address(), self.driver.progress());
                let keeper = self.keeper.clone();
                actix_rt::task::spawn_blocking(move || {
                    let kept = keeper.keep(&product, &progress);
                    addr.do_send(Kept(kept.map_err(|error| error.to_string())));
                });
            }
            Command::Tell(status) => {
                let (job, attempt) = (self.seat.plan.id, self.seat.plan.attempt);
                let meters = &self.seat.meters;
                meters.progress(&self.told, &status.progress);
                self.told = status.progress;
                match &status.standing {
                    Standing::Finished => tracing::info!(%job, attempt, "finished"),
                    Standing::Failed(failure) => {
                        meters.failed(&failure.label);
                        tracing::error!(
                            %job, attempt, label = failure.label, state = failure.state,
                            exchange = failure.exchange, "failed: {}", failure.message
                        );
                    }
                    _ => {}
                }
                self.seat.told.do_send(JobTold {
                    job,
                    attempt,
                    status,
                });
            }
        }
    }
}

impl<R: Role> Handler<JobEvent> for JobActor<R> {
    type Result = ();

    fn handle(&mut self, event: JobEvent, ctx: &mut Context<Self>) {
        let event = match event {
            JobEvent::Linked(link) => {
                self.link = Some(link);
                Event::Linked
            }
            JobEvent::Unlinked => {
                self.link = None;
                Event::Unlinked
            }
            JobEvent::Granted(granted) => Event::Granted(granted),
            JobEvent::Arrived(received) => {
                let kind = read_kind(&received.envelope.payload).ok();
                let name = kind.and_then(R::message_name).unwrap_or("unknown");
                self.seat
                    .meters
                    .message(name, RECEIVED, received.wire_bytes());
                Event::Arrived(received)
            }
            JobEvent::Acknowledged(position, digest) => Event::Acknowledged { position, digest },
            JobEvent::Refused(position, reason) => Event::Refused { position, reason },
            JobEvent::Leave => {
                // With the driver go the machine and its secrets. A
                // computation that is under way is dropped where it ends.
                ctx.stop();
                return;
            }
        };
        self.on(event, ctx);
    }
}

impl<R: Role> Handler<Ran<R>> for JobActor<R> {
    type Result = ();

    fn handle(&mut self, ran: Ran<R>, ctx: &mut Context<Self>) {
        let event = match ran.outcome {
            Ok((computed, took)) => {
                self.seat.meters.step(R::PROTOCOL, R::ROLE, ran.state, took);
                Event::Computed(computed)
            }
            Err(panicked) => {
                tracing::error!(job = %self.seat.plan.id, state = ran.state, %panicked, "a defect");
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
