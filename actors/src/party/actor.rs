//! The mailbox of a party: what the coordinator wishes, what jobs tell, what is
//! asked about all of them.
//!
//! Behind it lie the table of jobs, the links and the sessions, which nobody else
//! touches. How a job begins is in [`beginning`], what links bring in [`links`].

mod beginning;
mod links;

use std::{
    collections::BTreeMap,
    mem,
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, MessageResult};
use entente_protocol::{control::Sync, job::PartyName};
use tokio::sync::Notify;

use super::{
    JobHandle,
    messages::{Halt, JobEvent, JobTold, Truth, Wished},
    reconcile::{Step, reconcile},
    sync::WAIT,
    table::{Entry, Holding, Table},
};
use crate::{
    approval::Desk,
    compute::ComputePool,
    config::PartyConfig,
    delivery::Sessions,
    draining::Gate,
    driver::Standing,
    journals::Journals,
    launch::Launch,
    telemetry::{IsDrained, Meters},
    transport::Link,
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
