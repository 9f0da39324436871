//! Which workers there shall be.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix::{Addr, Recipient};
use entente_metrics::WORKER_STATES;
use entente_protocol::{
    control::Assignment,
    job::{JobId, Task},
};
use tokio::sync::Notify;

use super::{
    Cluster, Parcel, Wanted, WorkerId,
    job::{Given, RemoteJob},
};
use crate::{
    backoff::{Backoff, Waits},
    entropy,
    launch::{LaunchError, Plan},
    models::{ModelError, Models},
    party::{JobHandle, JobTold},
    telemetry::Meters,
};

/// The jobs of a party that run in workers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    cluster: Arc<dyn Cluster>,
    state_dir: PathBuf,
    bell: Notify,
    halts: AtomicBool,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    posts: BTreeMap<WorkerId, Post>,
    /// What the coordinator wished last; nothing before it was heard.
    wished: Option<BTreeMap<JobId, u32>>,
    connections: u64,
}

/// A worker that there shall be, and whoever waits for it.
struct Post {
    wanted: Wanted,
    job: Addr<RemoteJob>,
    needs: Vec<Parcel>,
    makes: [Parcel; 2],
    state: State,
    meters: Meters,
    backoff: Backoff,
    /// Not made again before.
    not_before: Option<Instant>,
}

/// How far a worker is, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Starting,
    Connected,
}

/// Who calls, and what becomes of the call.
pub(super) enum Caller {
    /// Its job runs here.
    Wanted {
        job: Addr<RemoteJob>,
        /// Of this connection.
        number: u64,
        needs: Vec<Parcel>,
        makes: [Parcel; 2],
    },
    /// It is not known yet what is wished.
    TooEarly,
    /// Nobody waits for it.
    Unwanted,
}

impl Workers {
    /// None so far, made where `cluster` makes them.
    pub(crate) fn new(cluster: Arc<dyn Cluster>, state_dir: PathBuf) -> Self {
        Self {
            shared: Arc::new(Shared {
                cluster,
                state_dir,
                bell: Notify::new(),
                halts: AtomicBool::new(false),
                table: Mutex::default(),
            }),
        }
    }

    /// Has a worker run an attempt.
    ///
    /// # Errors
    /// [`LaunchError::Model`]: the model that it asks is not here.
    pub(crate) fn take_on(
        &self,
        plan: &Plan,
        assignment: Assignment,
        told: Recipient<JobTold>,
        meters: &Meters,
    ) -> Result<JobHandle, LaunchError> {
        let id = WorkerId {
            job: plan.id,
            attempt: plan.attempt,
        };
        let model = match &plan.task {
            Task::Train(_) => None,
            Task::Infer(inference) => {
                let asked = &inference.spec().model;
                let version = asked.version;
                let version =
                    version.ok_or_else(|| ModelError::WithoutVersion(asked.name.clone()))?;
                let models = Models::below(&self.shared.state_dir);
                Some(models.hold(&asked.name, version)?)
            }
        };
        let job = RemoteJob::start(Given {
            id,
            plan: plan.clone(),
            assignment,
            workers: self.clone(),
            told,
            meters: meters.clone(),
            model,
        });
        let post = Post {
            wanted: Wanted {
                id,
                resources: *plan.task.resources(),
            },
            job: job.clone(),
            needs: Parcel::needed(&plan.task),
            makes: Parcel::made_by(&plan.task, plan.id),
            state: State::Waiting,
            meters: meters.clone(),
            backoff: Backoff::new(Waits::WORKER),
            not_before: None,
        };
        let mut table = self.table();
        table.posts.insert(id, post);
        count(&table);
        drop(table);
        self.ring();
        Ok(JobHandle::of(job.recipient()))
    }

    /// A job needs its worker no more.
    pub(super) fn dismiss(&self, id: WorkerId, job: &Addr<RemoteJob>) {
        let mut table = self.table();
        // It may have begun again meanwhile.
        if table.posts.get(&id).is_some_and(|post| post.job == *job) {
            let post = table.posts.remove(&id);
            count(&table);
            if let (Some(post), true) = (post, table.posts.is_empty()) {
                post.meters.workers([0; WORKER_STATES.len()]);
            }
        }
        drop(table);
        self.ring();
    }

    /// What the coordinator wishes: other workers are ended, and what they left is
    /// deleted.
    pub(crate) fn keep_only(&self, wished: BTreeMap<JobId, u32>) {
        let mut table = self.table();
        if table.wished.as_ref() != Some(&wished) {
            table.wished = Some(wished);
            drop(table);
            self.ring();
        }
    }

    /// Who calls.
    pub(super) fn caller(&self, id: WorkerId) -> Caller {
        let mut table = self.table();
        table.connections += 1;
        let number = table.connections;
        match (table.posts.get(&id), &table.wished) {
            (Some(post), _) => Caller::Wanted {
                job: post.job.clone(),
                number,
                needs: post.needs.clone(),
                makes: post.makes,
            },
            (None, None) => Caller::TooEarly,
            (None, Some(_)) => Caller::Unwanted,
        }
    }

    /// How far a worker is.
    pub(super) fn is(&self, id: WorkerId, state: State) {
        let mut table = self.table();
        if let Some(post) = table.posts.get_mut(&id) {
            post.state = state;
        }
        count(&table);
    }

    /// A worker's job has come further than the one before it.
    pub(super) fn goes_on(&self, id: WorkerId) {
        if let Some(post) = self.table().posts.get_mut(&id) {
            post.backoff.reset();
        }
    }

    /// A worker has ended: when it may be made again.
    pub(super) fn ended(&self, id: WorkerId) {
        if let Some(post) = self.table().posts.get_mut(&id) {
            let wait = post.backoff.next_wait(&mut entropy::jitter());
            post.not_before = Instant::now().checked_add(wait);
        }
    }

    /// The workers that there shall be, each with whoever waits for it and how long
    /// it is not to be made yet.
    pub(super) fn wanted(&self) -> Vec<(Wanted, Addr<RemoteJob>, Duration)> {
        let now = Instant::now();
        let table = self.table();
        let posts = table.posts.values();
        posts
            .map(|post| {
                let left = post.not_before.map(|at| at.saturating_duration_since(now));
                (post.wanted, post.job.clone(), left.unwrap_or_default())
            })
            .collect()
    }

    /// What is to become of a worker that is there: if nobody waits for it, it is at
    /// rest if the coordinator wishes its attempt, and else forgotten.
    pub(super) fn lot(&self, id: WorkerId) -> Lot {
        let table = self.table();
        match &table.wished {
            // Asked last, not when the look began: that takes its time, and meanwhile a
            // party that has just come back is told what its workers are there for.
            _ if table.posts.contains_key(&id) => Lot::Stays,
            None => Lot::Stays,
            Some(wished) if wished.get(&id.job) == Some(&id.attempt) => Lot::Rests,
            Some(_) => Lot::Forgotten,
        }
    }

    pub(super) fn cluster(&self) -> &dyn Cluster {
        &*self.shared.cluster
    }

    pub(super) fn state_dir(&self) -> &PathBuf {
        &self.shared.state_dir
    }

    pub(super) fn ring(&self) {
        self.shared.bell.notify_one();
    }

    /// Resolves when it was rung.
    pub(super) async fn rung(&self) {
        self.shared.bell.notified().await;
    }

    /// The party stops, and its jobs leave with it.
    pub(crate) fn halt(&self) {
        self.shared.halts.store(true, Ordering::Relaxed);
    }

    /// Whether workers are left where they are: they find the party that comes.
    pub(super) fn stay(&self) -> bool {
        self.shared.halts.load(Ordering::Relaxed) && self.shared.cluster.outlives_party()
    }

    /// The party has stopped.
    pub(crate) async fn close(&self) {
        self.shared.cluster.close().await;
    }

    /// A panic elsewhere does not make the table wrong: every change of it is one
    /// insertion or removal.
    fn table(&self) -> MutexGuard<'_, Table> {
        let table = self.shared.table.lock();
        table.unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to become of a worker that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lot {
    /// Somebody waits for it, or the coordinator has not been heard yet.
    Stays,
    /// Its process ends, and what it goes on from stays.
    Rests,
    /// All of it goes.
    Forgotten,
}

fn count(table: &Table) {
    let states = [State::Waiting, State::Starting, State::Connected];
    let counts = states.map(|state| {
        let posts = table.posts.values();
        posts.filter(|post| post.state == state).count() as i64
    });
    if let Some(post) = table.posts.values().next() {
        post.meters.workers(counts);
    }
}
