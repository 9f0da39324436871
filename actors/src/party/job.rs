//! A mailbox round one driver.
//!
//! ```text
//!   event ─▶ driver ─▶ Effects ─▶ pending ──▶ journal, on another thread
//!               │                    ▲                 │
//!               └ work, at once      └ not kept: again └ kept: send, answer, tell
//! ```
//!
//! The mailbox does not wait for the disk. While one commit is under way the
//! effects of further events gather behind it, and are the next: [`effects`].

mod effects;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Recipient, SpawnHandle};
use entente_metrics::{FOR_MESSAGE, RECEIVED};
use entente_protocol::{Role, control::Progress};
use entente_wire::{Kind, read_kind};

use super::messages::{JobEvent, JobTold};
use crate::{
    backoff::Backoff,
    compute::ComputePool,
    delivery::{Journal, Restored},
    driver::{Driver, Effects, Event, Setting},
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
