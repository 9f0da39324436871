//! A mailbox round one driver.
//!
//! ```text
//!   event ─▶ driver ─▶ Effects ─▶ pending ──▶ journal, on another thread
//!               │                    ▲                 │
//!               └ work, at once      └ not kept: again └ kept: send, answer, tell
//! ```
//!
//! The mailbox does not wait for the disk. While one commit is under way the
//! effects of further events gather behind it, and are the next.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Recipient, SpawnHandle};
use entente_metrics::{FOR_MESSAGE, RECEIVED, SENT};
use entente_protocol::{Role, control::Progress};
use entente_wire::{Encode, Frame, Kind, read_kind};

use super::messages::{JobEvent, JobTold};
use crate::{
    backoff::{Backoff, Waits},
    compute::{ComputePool, Panicked},
    delivery::{Journal, Leaving, Record, Restored},
    driver::{Command, Computed, Driver, Effects, Event, Setting, Standing, Status, Unkept, Work},
    entropy,
    keeping::Keeper,
    launch::Plan,
    rotation::KeyWish,
    telemetry::{Called, Meters, Share, Waited},
    transport::Link,
};

/// What a job is given when it starts.
pub(crate) struct Seat {
    pub(crate) plan: Plan,
    pub(crate) pool: ComputePool,
    pub(crate) journal: Box<dyn Journal>,
    /// From where it goes on, if it has begun before.
    pub(crate) restored: Option<Restored>,
    pub(crate) told: Recipient<JobTold>,
    pub(crate) meters: Meters,
}

impl Seat {
    pub(crate) fn setting(&self) -> Setting {
        Setting {
            session: self.plan.session,
            peer: self.plan.peer.clone(),
            stall_budget: Duration::from_secs(self.plan.task.stall_budget_s()),
            jitter: entropy::jitter(),
        }
    }
}

/// Speaks to a job, whatever its role.
#[derive(Clone, Debug)]
pub(crate) struct JobHandle(Recipient<JobEvent>);

impl JobHandle {
    /// Of whoever runs a job elsewhere.
    pub(crate) fn of(runner: Recipient<JobEvent>) -> Self {
        Self(runner)
    }

    pub(crate) fn say(&self, event: JobEvent) {
        // A job that has left hears nothing, and needs nothing.
        self.0.do_send(event);
    }
}

/// Starts an actor for a driver; `keeper` brings its product to its place.
pub(crate) fn seat<R: Role>(
    driver: Driver<R>,
    keeper: Keeper,
    key_wish: KeyWish,
    seat: Seat,
) -> JobHandle {
    let id = seat.plan.id;
    let actor = JobActor {
        called: Some(
            seat.meters
                .roll()
                .call(id, R::PROTOCOL, R::ROLE, seat.plan.correlation()),
        ),
        outbox: seat.meters.outbox(),
        waited: Waited::nothing(Instant::now()),
        span: seat.plan.span(),
        // Progress of earlier processes is not this one's.
        told: driver.progress(),
        driver: Box::new(driver),
        keeper: Arc::new(keeper),
        key_wish,
        plan: seat.plan,
        pool: seat.pool,
        party: seat.told,
        meters: seat.meters,
        journal: Some(seat.journal),
        pending: Box::new(Effects::new()),
        unkept: None,
        blocked: false,
        link: None,
        timer: None,
    };
    JobHandle(actor.start().recipient())
}

struct JobActor<R: Role> {
    driver: Box<Driver<R>>,
    keeper: Arc<Keeper>,
    key_wish: KeyWish,
    plan: Plan,
    pool: ComputePool,
    party: Recipient<JobTold>,
    meters: Meters,
    /// Away while it keeps something, and gone once the job is held.
    journal: Option<Box<dyn Journal>>,
    /// What waits for the journal.
    pending: Box<Effects<R>>,
    /// Since the journal failed, until it succeeds.
    unkept: Option<Backoff>,
    /// Until the journal is to be tried again.
    blocked: bool,
    link: Option<Link>,
    timer: Option<SpawnHandle>,
    /// Of every line that it logs.
    span: tracing::Span,
    /// What the meters have heard of.
    told: Progress,
    outbox: Share,
    /// For messages of the peer.
    waited: Waited,
    /// Until it is over.
    called: Option<Called>,
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

/// The journal is back.
#[derive(Message)]
#[rtype(result = "()")]
struct Committed<R: Role> {
    journal: Box<dyn Journal>,
    outcome: Result<Vec<Command<R>>, Unkept<R>>,
    took: Duration,
}

impl<R: Role> Actor for JobActor<R> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // Of a wait that lasts nothing else tells.
        ctx.run_interval(MEASURES, |actor, _| actor.measure());
    }
}

/// How often what lasts is measured.
const MEASURES: Duration = Duration::from_secs(5);

impl<R: Role> JobActor<R> {
    fn on(&mut self, event: Event<R>, ctx: &mut Context<Self>) {
        let span = self.span.clone();
        let _inside = span.enter();
        let effects = self.driver.on(Instant::now(), event);
        let at_once = self.pending.append(effects);
        self.obey(at_once, ctx);
        self.settle(ctx);
        self.measure();
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

    fn measure(&mut self) {
        self.outbox.tell(self.driver.unacknowledged());
        let awaited = self.driver.awaits_message().then_some(FOR_MESSAGE);
        self.waited.turn(Instant::now(), awaited, &self.meters);
    }

    /// Brings what is pending on its way.
    fn settle(&mut self, ctx: &mut Context<Self>) {
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

    /// What a new link is to the job. The coordinator's word on which version the
    /// session is in counts for nothing against what both ends have said to each
    /// other; but one that was begun goes on in its own.
    fn linked(&mut self, link: Link) -> Event<R> {
        let (common, version) = (link.common(), self.plan.session.version());
        if !common.has(version) {
            let spoken = common.theirs().to_vec();
            self.link = None;
            return Event::OtherVersions(spoken);
        }
        let newest = common.newest();
        let downgraded = newest > version && !self.driver.has_begun();
        self.link = Some(link);
        match downgraded {
            true => Event::Downgraded(newest),
            false => Event::Linked,
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

    fn obey(&mut self, commands: Vec<Command<R>>, ctx: &mut Context<Self>) {
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

fn message_name<R: Role>(kind: Kind) -> &'static str {
    R::message_name(kind).unwrap_or("unknown")
}

impl<R: Role> Handler<JobEvent> for JobActor<R> {
    type Result = ();

    fn handle(&mut self, event: JobEvent, ctx: &mut Context<Self>) {
        let event = match event {
            JobEvent::Linked(link) => self.linked(link),
            JobEvent::Unlinked => {
                self.link = None;
                Event::Unlinked
            }
            JobEvent::PeerRevoked(revocation) => Event::PeerRevoked(revocation),
            JobEvent::Granted(granted) => Event::Granted(granted),
            JobEvent::Hold(hold) => Event::Hold(hold),
            JobEvent::KeyWished(epoch) => {
                // Heard where the role next comes to rest: nothing else hangs on it.
                self.key_wish.at_least(epoch);
                return;
            }
            JobEvent::Arrived(received) => {
                let kind = read_kind(received.envelope.payload());
                let name = kind.map_or("unknown", message_name::<R>);
                self.meters.message(name, RECEIVED, received.wire_bytes());
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
