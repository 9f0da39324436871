//! Where workers run: what must be possible there, and no more.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use entente_protocol::job::{JobId, Resources};

/// Of whom a worker is the worker.
///
/// An attempt, not a job: one attempt cannot use what another has left, and two
/// processes must never go on from one journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerId {
    /// The job.
    pub job: JobId,
    /// Which attempt at it.
    pub attempt: u32,
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.job, self.attempt)
    }
}

impl WorkerId {
    /// From how it is written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (job, attempt) = text.rsplit_once('-')?;
        Some(Self {
            job: job.parse().ok()?,
            attempt: attempt.parse().ok()?,
        })
    }
}

/// A worker that there shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: WorkerId,
    /// What its job counts on.
    pub(crate) resources: Resources,
}

/// What there is of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// What it goes on from, and no process.
    AtRest,
    /// A process, or what becomes one by itself.
    Alive,
    /// It becomes a process when somebody has done something about this.
    Lacks(Lack),
    /// A process that has ended, and stays so: how, for this party's log.
    Ended(String),
}

/// What keeps a worker from running. The name is for the job's record, which the
/// other organisation reads; the detail is for this party's log alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", kind.label())]
pub(crate) struct Lack {
    pub(crate) kind: LackKind,
    pub(crate) detail: String,
}

/// A closed set of names.
// Child processes lack little.
#[cfg_attr(not(feature = "kubernetes"), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LackKind {
    /// No node has room for it, or none may have it.
    Unschedulable,
    /// Its image is not there, or must not be had.
    Image,
    /// What is allowed here is used up.
    Quota,
    /// The party may not do what is needed.
    Forbidden,
    /// What it is made from is wrong.
    Template,
    /// It ends again and again.
    Crashes,
    /// Who makes workers does not answer.
    Unreachable,
}

impl LackKind {
    /// As a job's record says it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unschedulable => "no node has room",
            Self::Image => "its image cannot be had",
            Self::Quota => "a quota is used up",
            Self::Forbidden => "the launcher lacks a permission",
            Self::Template => "its template is refused",
            Self::Crashes => "it ends again and again",
            Self::Unreachable => "the cluster does not answer",
        }
    }

    pub(crate) fn with(self, detail: impl ToString) -> Lack {
        Lack {
            kind: self,
            detail: detail.to_string(),
        }
    }
}

/// Makes processes that are workers, and knows which there are.
///
/// Level-triggered: whoever uses it looks, compares with what is wanted, and says
/// what is missing or too much, again and again. Everything may be said twice.
#[async_trait]
pub(crate) trait Cluster: Send + Sync + 'static {
    /// All workers of this party, whoever has made them.
    async fn look(&self) -> Result<BTreeMap<WorkerId, Seen>, Lack>;

    /// Makes a worker, with what it goes on from where that is not there yet.
    async fn make(&self, wanted: &Wanted) -> Result<(), Lack>;

    /// Ends a worker's process. What it goes on from stays.
    async fn stop(&self, id: WorkerId) -> Result<(), Lack>;

    /// Ends a worker, and deletes what it goes on from. Nothing, while it has not
    /// ended.
    async fn forget(&self, id: WorkerId) -> Result<(), Lack>;

    /// Resolves when something may have changed.
    async fn changed(&self);

    /// Whether workers go on while the party is away. Those that do not are told
    /// to leave when it stops.
    fn outlives_party(&self) -> bool;

    /// The party stops.
    async fn close(&self);
}
