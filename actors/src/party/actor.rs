//! The table of jobs and links behind a mailbox.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, MessageResult, StreamHandler};
use entente_protocol::{
    control::{Assignment, Sync},
    job::{JobId, PartyName},
};
use entente_wire::{Encode, Frame, Position, Refusal, SessionId};
use tokio::sync::Notify;

use super::{
    JobHandle, Seat,
    messages::{Halt, JobEvent, JobTold, Prepared, Truth, Wished},
    reconcile::{Step, reconcile},
    sync::WAIT,
    table::{Entry, Table},
};
use crate::{
    compute::ComputePool,
    config::PartyConfig,
    delivery::{MemoryJournal, Sessions},
    driver::Standing,
    launch::{Launch, LaunchError, Plan},
    telemetry::Meters,
    transport::{Arrival, Link, LinkEvent},
};

/// A party: its jobs, and its links.
pub(crate) struct PartyActor {
    own: PartyName,
    config: Arc<PartyConfig>,
    launch: Arc<dyn Launch>,
    pool: ComputePool,
    meters: Meters,
    /// Rung when the coordinator should hear something at once.
    news: Arc<Notify>,
    jobs: Table,
    sessions: Sessions<JobHandle>,
    links: BTreeMap<PartyName, Link>,
    seen_revision: u64,
}

impl PartyActor {
    pub(crate) fn new(
        own: PartyName,
        config: Arc<PartyConfig>,
        launch: Arc<dyn Launch>,
        pool: ComputePool,
        meters: Meters,
        news: Arc<Notify>,
    ) -> Self {
        Self {
            own,
            config,
            launch,
            pool,
            meters,
            news,
            jobs: Table::default(),
            sessions: Sessions::default(),
            links: BTreeMap::new(),
            seen_revision: 0,
        }
    }

    fn begin(&mut self, assignment: &Assignment, ctx: &mut Context<Self>) {
        let (job, attempt) = (assignment.job, assignment.attempt);
        self.jobs.begin(job, attempt);
        let plan = match Plan::check(&self.own, &self.config, assignment) {
            Ok(plan) => plan,
            Err(error) => return self.failed(job, attempt, &error),
        };
        tracing::info!(%job, attempt, side = plan.side.label(), peer = %plan.peer, "prepares");
        let (launch, addr, prepared) = (self.launch.clone(), ctx.address(), plan.clone());
        self.pool.compute(
            move || launch.prepare(&prepared),
            move |outcome| {
                let outcome = outcome.map_err(LaunchError::Panicked).flatten();
                addr.do_send(Prepared { plan, outcome });
            },
        );
    }

    fn failed(&mut self, job: JobId, attempt: u32, error: &LaunchError) {
        tracing::error!(%job, attempt, label = error.label(), %error, "cannot be started");
        if let LaunchError::Panicked(panicked) = error {
            tracing::error!(%job, %panicked, "a defect");
        }
        self.meters.failed(error.label());
        self.jobs.failed(job, attempt, error.failure());
        self.changed();
    }

    /// Takes a job out. Its data, keys and weights go with its driver.
    fn release(&mut self, entry: Entry) {
        if let Some((session, handle)) = entry.runner {
            self.sessions.close(session);
            handle.say(JobEvent::Leave);
        }
    }

    /// Something happened that may change the coordinator's wish.
    fn changed(&self) {
        let standings = self.jobs.entries().map(Entry::standing);
        self.meters.jobs(standings);
        self.news.notify_one();
    }

    fn arrived(&self, from: &PartyName, arrival: Arrival) {
        let (session, position) = match &arrival {
            Arrival::Data(received) => (received.envelope.session, received.envelope.position),
            Arrival::Ack {
                session, position, ..
            }
            | Arrival::Refused {
                session, position, ..
            } => (*session, *position),
        };
        match (self.sessions.route(from, session), arrival) {
            (Ok(job), Arrival::Data(received)) => job.say(JobEvent::Arrived(received)),
            (Ok(job), Arrival::Ack { digest, .. }) => {
                job.say(JobEvent::Acknowledged(position, digest));
            }
            (Ok(job), Arrival::Refused { reason, .. }) => {
                job.say(JobEvent::Refused(position, reason));
            }
            (Err(reason), Arrival::Data(_)) => self.refuse(from, session, position, reason),
            // To answer an answer would be the beginning of a long talk.
            (Err(_), _) => {}
        }
    }

    fn refuse(&self, peer: &PartyName, session: SessionId, position: Position, reason: Refusal) {
        tracing::debug!(%peer, %session, %position, reason = reason.label(), "refused");
        self.meters.refused(reason.label());
        if let Some(link) = self.links.get(peer) {
            let refused = Frame::Refused {
                session,
                position,
                reason,
            };
            link.send(refused.encoded().into());
        }
    }
}

impl Actor for PartyActor {
    type Context = Context<Self>;
}

impl StreamHandler<LinkEvent> for PartyActor {
    fn handle(&mut self, event: LinkEvent, _: &mut Context<Self>) {
        match event {
            // The tasks of two links may be heard in either order; numbers
            // say which link is the newer one.
            LinkEvent::Opened(link) => {
                let current = self.links.get(link.peer()).map(Link::number);
                if current.is_none_or(|current| current < link.number()) {
                    for job in self.sessions.with_peer(link.peer()) {
                        job.say(JobEvent::Linked(link.clone()));
                    }
                    self.meters.link(link.peer(), true);
                    self.links.insert(link.peer().clone(), link);
                }
            }
            LinkEvent::Closed(link) => {
                let current = self.links.get(link.peer()).map(Link::number);
                if current == Some(link.number()) {
                    self.links.remove(link.peer());
                    self.meters.link(link.peer(), false);
                    for job in self.sessions.with_peer(link.peer()) {
                        job.say(JobEvent::Unlinked);
                    }
                }
            }
            LinkEvent::Arrived { from, arrival } => self.arrived(&from, arrival),
        }
    }

    /// The links end before the party does.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

impl Handler<Wished> for PartyActor {
    type Result = ();

    fn handle(&mut self, Wished(wish): Wished, ctx: &mut Context<Self>) {
        // One question is asked at a time, so answers do not overtake each
        // other; a coordinator that begins to count anew is believed.
        self.seen_revision = wish.revision;
        for step in reconcile(&self.jobs.attempts(), wish) {
            match step {
                Step::Forget(job) => {
                    if let Some(entry) = self.jobs.forget(job) {
                        tracing::info!(%job, "is not wanted any more");
                        self.release(entry);
                    }
                }
                Step::Begin(assignment) => self.begin(&assignment, ctx),
                Step::Grant(job, granted) => {
                    if let Some(handle) = self.jobs.grant(job, granted) {
                        handle.say(JobEvent::Granted(granted));
                    }
                }
            }
        }
        self.meters.jobs(self.jobs.entries().map(Entry::standing));
    }
}

impl Handler<Prepared> for PartyActor {
    type Result = ();

    fn handle(&mut self, prepared: Prepared, ctx: &mut Context<Self>) {
        let Prepared { plan, outcome } = prepared;
        let (job, attempt, session) = (plan.id, plan.attempt, plan.session);
        let Some(entry) = self.jobs.attempt(job, attempt) else {
            // Not wanted any more: the role is dropped, and wiped.
            return;
        };
        let ready = match outcome {
            Ok(ready) => ready,
            Err(error) => return self.failed(job, attempt, &error),
        };
        let peer = plan.peer.clone();
        let handle = ready.start(Seat {
            plan,
            pool: self.pool.clone(),
            journal: Box::new(MemoryJournal::new()),
            told: ctx.address().recipient(),
            meters: self.meters.clone(),
        });
        entry.runner = Some((session, handle.clone()));
        if let Some(link) = self.links.get(&peer) {
            handle.say(JobEvent::Linked(link.clone()));
        }
        handle.say(JobEvent::Granted(entry.granted()));
        self.sessions.open(session, peer, handle);
    }
}

impl Handler<JobTold> for PartyActor {
    type Result = ();

    fn handle(&mut self, told: JobTold, _: &mut Context<Self>) {
        if self.jobs.told(told) {
            self.changed();
        }
    }
}

impl Handler<Truth> for PartyActor {
    type Result = MessageResult<Truth>;

    fn handle(&mut self, _: Truth, _: &mut Context<Self>) -> Self::Result {
        MessageResult(Sync {
            software: env!("CARGO_PKG_VERSION").to_owned(),
            datasets: self.config.datasets.names().map(str::to_owned).collect(),
            capacity: self.config.party.capacity,
            jobs: self.jobs.report(Instant::now()),
            seen_revision: self.seen_revision,
            wait_ms: WAIT.as_millis() as u64,
        })
    }
}

impl Handler<Halt> for PartyActor {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Context<Self>) {
        for entry in self.jobs.take() {
            if !matches!(entry.standing(), Standing::Finished | Standing::Failed(_)) {
                tracing::warn!(attempt = entry.attempt, "a job is left unfinished");
            }
            self.release(entry);
        }
        ctx.stop();
    }
}
