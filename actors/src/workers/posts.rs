//! Which workers there shall be.

mod table;

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
use entente_metrics::{Registry, WORKER_STATES};
use entente_protocol::{
    control::Assignment,
    job::{JobId, Task},
};
use tokio::sync::Notify;

pub(super) use self::table::{Caller, Lot, State};
use self::table::{Post, Table};
use super::{
    Cluster, Parcel, Wanted, WorkerId,
    accounts::{Account, Accounts},
    counted::Counted,
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

impl Workers {
    /// None so far, made where `cluster` makes them; what they count is added to
    /// `registry`.
    pub(crate) fn new(cluster: Arc<dyn Cluster>, state_dir: PathBuf, registry: Registry) -> Self {
        Self {
            shared: Arc::new(Shared {
                cluster,
                state_dir,
                bell: Notify::new(),
                halts: AtomicBool::new(false),
                table: Mutex::new(Table::new(Accounts::new(registry))),
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
        table.count();
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
            table.accounts.close(id);
            table.count();
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

    /// How many workers may tell more.
    #[cfg(test)]
    pub(super) fn accounts(&self) -> usize {
        self.table().accounts.count()
    }

    /// Who calls, and the number of the connection.
    pub(super) fn caller(&self, id: WorkerId) -> (u64, Caller) {
        self.table().caller(id)
    }

    /// A worker has told what it has counted.
    pub(super) fn told(&self, account: &Account, counted: &Counted) {
        self.table().accounts.tell(account, counted);
    }

    /// A worker tells nothing more over a connection.
    pub(super) fn tells_no_more(&self, account: &Account) {
        let mut table = self.table();
        let is_wanted = table.posts.contains_key(&account.id);
        table.accounts.leave(account, is_wanted);
    }

    /// How far a worker is.
    pub(super) fn is(&self, id: WorkerId, state: State) {
        let mut table = self.table();
        if let Some(post) = table.posts.get_mut(&id) {
            post.state = state;
        }
        table.count();
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

    /// What is to become of a worker that is there.
    pub(super) fn lot(&self, id: WorkerId) -> Lot {
        self.table().lot(id)
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

    /// A panic elsewhere does not make the table wrong: no change of it can stop in its
    /// middle.
    fn table(&self) -> MutexGuard<'_, Table> {
        let table = self.shared.table.lock();
        table.unwrap_or_else(PoisonError::into_inner)
    }
}
