//! The table of jobs and links behind a mailbox.

use std::{
    collections::BTreeMap,
    mem,
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, MessageResult, StreamHandler};
use entente_protocol::{
    control::{Assignment, Sync},
    job::{JobId, PartyName},
};
use entente_wire::{Encode, Frame, Position, Refusal, SessionId};
use tokio::sync::Notify;

use super::{
    JobHandle, Seat,
    messages::{Distrusted, Halt, JobEvent, JobTold, Prepared, Truth, Wished},
    reconcile::{Step, reconcile},
    sync::WAIT,
    table::{Entry, Holding, Table},
};
use crate::{
    approval::Desk,
    backoff::Waits,
    compute::ComputePool,
    config::PartyConfig,
    delivery::{JournalError, Sessions},
    draining::Gate,
    driver::Standing,
    journals::Journals,
    launch::{self, Beginning, Begun, Launch, LaunchError, Plan},
    spans,
    telemetry::{IsDrained, Meters},
    transport::{Arrival, Link, LinkEvent},
    workers::Workers,
};

/// A party: its jobs, and its links.
pub(crate) struct PartyActor {
    own: PartyName,
    config: Arc<PartyConfig>,
    desk: Desk,
    /// Open or closed, and which it was when it was last looked at.
    gate: Gate,
    draining: bool,
    launch: Arc<dyn Launch>,
    journals: Arc<Journals>,
    /// Who runs jobs, if this process does not.
    workers: Option<Workers>,
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
        config: Arc<PartyConfig>,
        desk: Desk,
        launch: Arc<dyn Launch>,
        journals: Arc<Journals>,
        pool: ComputePool,
        meters: Meters,
        news: Arc<Notify>,
    ) -> Self {
        let gate = Gate::below(&config.party.state_dir);
        let draining = gate.is_closed();
        meters.draining(draining);
        Self {
            own: desk.own().clone(),
            config,
            gate,
            draining,
            desk,
            launch,
            journals,
            workers: None,
            pool,
            meters,
            news,
            jobs: Table::default(),
            sessions: Sessions::default(),
            links: BTreeMap::new(),
            seen_revision: 0,
        }
    }

    /// The same, with workers that run its jobs.
    pub(crate) fn with(self, workers: Option<Workers>) -> Self {
        Self { workers, ..self }
    }

    fn begin(&mut self, assignment: Box<Assignment>, ctx: &mut Context<Self>) {
        let job = assignment.job;
        let beginning = self.jobs.begin(assignment.clone());
        let span = spans::assigned(&assignment);
        let _inside = span.enter();
        let plan = match Plan::check(&self.own, &self.config, &assignment) {
            Ok(plan) => plan,
            Err(error) => return self.failed(job, beginning, &error),
        };
        if let Err(error) = self.desk.admit(&assignment, unix_ms()) {
            return self.failed(job, beginning, &error.into());
        }
        // An attempt ends where it has begun: what it goes on from lies here.
        if let Some(workers) = &self.workers
            && !self.journals.has(job, plan.attempt)
        {
            let told = ctx.address().recipient();
            return match workers.take_on(&plan, *assignment, told, &self.meters) {
                Ok(handle) => self.seated(&plan, beginning, handle),
                Err(error) => self.failed(job, beginning, &error),
            };
        }
        tracing::info!(side = plan.side.label(), peer = %plan.peer, "prepares");
        let (launch, journals) = (self.launch.clone(), self.journals.clone());
        let (config, meters) = (self.config.clone(), self.meters.clone());
        let (addr, prepared) = (ctx.address(), plan.clone());
        let span = span.clone();
        self.pool.compute(
            move || {
                let _inside = span.enter();
                launch::begin(
                    &*launch,
                    &journals,
                    &config,
                    &prepared,
                    &assignment,
                    &meters,
                )
            },
            move |outcome| {
                let outcome = outcome.map_err(LaunchError::Panicked).flatten();
                addr.do_send(Prepared {
                    plan,
                    beginning,
                    outcome,
                });
            },
        );
    }

    /// A job has somebody who runs it: tells it all that it is to know.
    fn seated(&mut self, plan: &Plan, beginning: u64, handle: JobHandle) {
        let Some(entry) = self.jobs.beginning(plan.id, beginning) else {
            return;
        };
        entry.runner = Some((plan.session, handle.clone()));
        if let Some(link) = self.links.get(&plan.peer) {
            handle.say(JobEvent::Linked(link.clone()));
        }
        handle.say(JobEvent::Hold(entry.is_paused()));
        handle.say(JobEvent::KeyWished(entry.key_wished()));
        handle.say(JobEvent::Granted(entry.granted()));
        self.sessions.open(plan.session, plan.peer.clone(), handle);
    }

    fn failed(&mut self, job: JobId, beginning: u64, error: &LaunchError) {
        let Some(entry) = self.jobs.beginning(job, beginning) else {
            return;
        };
        entry.failed(error.failure());
        tracing::error!(label = error.label(), %error, "cannot be started");
        if let LaunchError::Panicked(panicked) = error {
            tracing::error!(%panicked, "a defect");
        }
        self.meters.failed(error.label());
        self.changed();
    }

    /// A job's journal cannot be made or opened: tried again while there is a
    /// chance, as it is for a job that runs.
    fn without_room(
        &mut self,
        plan: &Plan,
        beginning: u64,
        error: JournalError,
        ctx: &mut Context<Self>,
    ) {
        let (job, now) = (plan.id, Instant::now());
        let budget = Duration::from_secs(plan.task.stall_budget_s());
        let entry = self.jobs.beginning(job, beginning);
        let again = entry
            .zip(error.waits_for())
            .and_then(|(entry, what)| entry.waits(now, what, budget));
        let Some(assignment) = again else {
            return self.failed(job, beginning, &LaunchError::Journal(error));
        };
        tracing::error!(label = error.label(), %error, "waits");
        ctx.run_later(Waits::UNKEPT.longest, move |actor, ctx| {
            // Nobody has begun it meanwhile, or taken it away.
            if actor.jobs.beginning(job, beginning).is_some() {
                actor.begin(assignment, ctx);
            }
        });
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
    fn changed(&mut self) {
        self.jobs.measure(Instant::now(), &self.meters);
        let standings = self.jobs.entries().map(Entry::standing);
        self.meters.jobs(standings);
        self.news.notify_one();
    }

    fn arrived(&self, from: &PartyName, arrival: Arrival) {
        let (session, position) = match &arrival {
            Arrival::Data(received) => {
                let envelope = &received.envelope;
                (envelope.session().id(), envelope.position())
            }
            Arrival::Ack {
                session, position, ..
            }
            | Arrival::Refused {
                session, position, ..
            } => (*session, *position),
        };
        let job = match &arrival {
            Arrival::Data(received) => {
                let session = received.envelope.session();
                self.sessions.route_message(from, session)
            }
            _ => self.sessions.route(from, session),
        };
        match (job, arrival) {
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

    /// Whether people have opened or closed it.
    fn look_at_gate(&mut self) -> bool {
        let draining = self.gate.is_closed();
        if draining == self.draining {
            return false;
        }
        self.draining = draining;
        self.meters.draining(draining);
        match draining {
            true => tracing::warn!("is being drained: nothing new begins here"),
            false => tracing::info!("is drained no more"),
        }
        true
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

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(HEARS_PEOPLE, |actor, _| {
            actor.jobs.measure(Instant::now(), &actor.meters);
            if actor.desk.hear_people(unix_ms()) | actor.look_at_gate() {
                actor.news.notify_one();
            }
        });
    }
}

/// How often it is looked whether a person has decided.
const HEARS_PEOPLE: Duration = Duration::from_secs(1);

fn unix_ms() -> u64 {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl StreamHandler<LinkEvent> for PartyActor {
    fn handle(&mut self, event: LinkEvent, ctx: &mut Context<Self>) {
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
            // Its jobs wait for it as for any peer that is not linked: it may have
            // another certificate, or this one may be good again.
            LinkEvent::Revoked { peer, revocation } if revocation.reason.is_harmless() => {
                tracing::info!(%peer, %revocation, "is waited for");
            }
            LinkEvent::Revoked { peer, revocation } => {
                let why = revocation.to_string();
                Handler::handle(self, Distrusted { peer, why }, ctx);
            }
        }
    }

    /// The links end before the party does.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

impl Handler<Wished> for PartyActor {
    type Result = ();

    fn handle(&mut self, Wished(mut wish): Wished, ctx: &mut Context<Self>) {
        // One question is asked at a time, so answers do not overtake each
        // other; a coordinator that begins to count anew is believed.
        self.seen_revision = wish.revision;
        let wished: BTreeMap<_, _> = wish.jobs.iter().map(|one| (one.job, one.attempt)).collect();
        if self.desk.propose(mem::take(&mut wish.proposals), unix_ms()) {
            self.news.notify_one();
        }
        for step in reconcile(&self.jobs.attempts(), wish) {
            match step {
                Step::Forget(job) => {
                    if let Some(entry) = self.jobs.forget(job) {
                        entry
                            .span
                            .in_scope(|| tracing::info!("is not wanted any more"));
                        self.release(entry);
                    }
                }
                Step::Begin(assignment) => self.begin(assignment, ctx),
                Step::Grant(job, granted) => {
                    if let Some(handle) = self.jobs.grant(job, granted) {
                        handle.say(JobEvent::Granted(granted));
                    }
                }
                Step::Key(job, epoch) => {
                    if let Some(handle) = self.jobs.key(job, epoch) {
                        handle.say(JobEvent::KeyWished(epoch));
                    }
                }
                Step::Hold(job, hold) => match self.jobs.hold(job, hold) {
                    None => {}
                    Some(Holding::Tell(handle)) => handle.say(JobEvent::Hold(hold)),
                    Some(Holding::Begin(assignment)) => self.begin(assignment, ctx),
                },
            }
        }
        if let Some(workers) = &self.workers {
            workers.keep_only(wished.clone());
        }
        if let Err(error) = self.journals.keep_only(&wished) {
            tracing::error!(%error, "journals that are not needed any more cannot be deleted");
        }
        self.meters.jobs(self.jobs.entries().map(Entry::standing));
    }
}

impl Handler<Prepared> for PartyActor {
    type Result = ();

    fn handle(&mut self, prepared: Prepared, ctx: &mut Context<Self>) {
        let Prepared {
            plan,
            beginning,
            outcome,
        } = prepared;
        let span = plan.span();
        let _inside = span.enter();
        let job = plan.id;
        let Some(entry) = self.jobs.beginning(job, beginning) else {
            // Not wanted any more: the role is dropped, and wiped.
            return;
        };
        let begun = match outcome {
            Ok(Begun::Ready(begun)) => begun,
            Ok(Begun::Held(progress)) => {
                if let Some(assignment) = entry.let_go(progress) {
                    self.begin(assignment, ctx);
                }
                return self.changed();
            }
            Err(LaunchError::Journal(error)) => {
                return self.without_room(&plan, beginning, error, ctx);
            }
            Err(error) => return self.failed(job, beginning, &error),
        };
        entry.has_room();
        let Beginning {
            ready,
            journal,
            restored,
        } = begun;
        let handle = ready.start(Seat {
            plan: plan.clone(),
            pool: self.pool.clone(),
            journal,
            restored,
            told: ctx.address().recipient(),
            meters: self.meters.clone(),
        });
        self.seated(&plan, beginning, handle);
    }
}

impl Handler<Distrusted> for PartyActor {
    type Result = ();

    fn handle(&mut self, Distrusted { peer, why }: Distrusted, _: &mut Context<Self>) {
        for job in self.sessions.with_peer(&peer) {
            job.say(JobEvent::PeerRevoked(why.clone()));
        }
    }
}

impl Handler<JobTold> for PartyActor {
    type Result = ();

    fn handle(&mut self, told: JobTold, ctx: &mut Context<Self>) {
        let (job, attempt) = (told.job, told.attempt);
        let urgent = self.jobs.told(told);
        if let Some(entry) = self.jobs.attempt(job, attempt)
            && *entry.standing() == Standing::Held
        {
            if let Some((session, _)) = &entry.runner {
                self.sessions.close(*session);
            }
            let progress = entry.progress();
            if let Some(assignment) = entry.let_go(progress) {
                self.begin(assignment, ctx);
            }
        }
        if urgent {
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
            threads: self.config.party.job_threads,
            memory_bytes: self.config.party.job_memory_bytes,
            draining: self.draining,
            wire: self.config.party.spoken.numbers(),
            jobs: self.jobs.report(Instant::now()),
            answers: self.desk.answers(),
            seen_revision: self.seen_revision,
            wait_ms: WAIT.as_millis() as u64,
        })
    }
}

impl Handler<IsDrained> for PartyActor {
    type Result = bool;

    fn handle(&mut self, _: IsDrained, _: &mut Context<Self>) -> bool {
        self.draining
    }
}

impl Handler<Halt> for PartyActor {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Context<Self>) {
        if let Some(workers) = &self.workers {
            workers.halt();
        }
        for entry in self.jobs.take() {
            if !matches!(entry.standing(), Standing::Finished | Standing::Failed(_)) {
                entry.span.in_scope(|| {
                    tracing::warn!("a job is left where it is, and goes on from its journal");
                });
            }
            self.release(entry);
        }
        ctx.stop();
    }
}
