//! Where jobs are kept.
//!
//! A store inserts, changes and loads; it decides nothing. Every change is a
//! compare-and-set on the state and version that the writer had seen, so a
//! writer that is behind (a defect) is told so and writes nothing. And it is
//! under the token of a lease that one coordinator has at a time
//! ([`Leases`]), so a coordinator that led once and does not know better writes
//! nothing either. What a store must do beyond its types is said by
//! [`conformance`], which every store passes.

pub mod conformance;
mod lease;
mod location;
mod sql;

#[cfg(test)]
mod memory;

use async_trait::async_trait;
use entente_protocol::job::JobId;
use thiserror::Error;

use crate::{
    audit::{Deed, Entry},
    engine::Draining,
    job::{Change, JobRecord, LogEntry},
};

pub use lease::{Lead, Leases, Taking, Token};
pub use location::{Location, LocationError, Server};
#[cfg(test)]
pub(crate) use memory::MemoryStore;
pub use sql::{Database, SqlStore};

/// Where jobs are kept. What a method has returned from without error is on
/// disk.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Keeps a new job, and adds its submission to the audit log and to its own.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one of this identity, of this
    /// submitter's key, or one that retries the same job.
    async fn insert(&self, record: &JobRecord) -> Result<(), StoreError>;

    /// Changes what is kept of a job, if it is still as the writer saw it, and
    /// adds the change's [deed](Change::deed) to the audit log and its
    /// [happenings](Change::happenings) to the job's: all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not, or there is no such job;
    /// nothing is written then.
    async fn write(&self, change: &Change) -> Result<(), StoreError>;

    /// Keeps that nothing new begins, or that it does again, and adds it to the
    /// audit log: both or neither.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    async fn drain(&self, draining: Option<&Draining>, deed: &Deed) -> Result<(), StoreError>;

    /// Whether nothing new begins.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if that cannot be read.
    async fn draining(&self) -> Result<Option<Draining>, StoreError>;

    /// Adds to the audit log something that goes along with no change of a job.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    async fn append(&self, deed: &Deed) -> Result<(), StoreError>;

    /// The entries of the audit log behind number `after`, so many at most.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] naming an entry that cannot be read.
    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// The entries of a job's log behind number `after`, so many at most.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] naming a job whose log cannot be read.
    async fn log(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<LogEntry>, StoreError>;

    /// All jobs, in order of submission.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] naming a job that cannot be read.
    async fn load(&self) -> Result<Vec<JobRecord>, StoreError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    async fn check(&self) -> Result<(), StoreError>;

    /// Lets go of files and connections. Nothing is asked afterwards.
    async fn close(&self);
}

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A job of this identity is there.
    #[error("job {0} is in the store already; this is a defect, please report it")]
    Exists(JobId),
    /// The job is not as the writer saw it.
    #[error("job {0} was changed by somebody else: does another coordinator use this store?")]
    Conflict(JobId),
    /// Another coordinator leads by now; nothing was written.
    #[error(
        "another coordinator has taken the store over since lease {}: this one stands by", .0.0
    )]
    Deposed(Token),
    /// What is kept cannot be read.
    #[error(
        "the store's record of {job} cannot be read: {problem}; \
         it was written by another version, or the file is damaged: restore a copy"
    )]
    Corrupt {
        /// The job's identity, as it is kept, or an entry of the audit log.
        job: String,
        /// What is wrong.
        problem: String,
    },
    /// The database refused or is not there.
    #[error("the store cannot {action}: {source}")]
    Unavailable {
        /// What was to be done.
        action: &'static str,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// A closed set of names, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Exists(_) => "exists",
            Self::Conflict(_) => "conflict",
            Self::Deposed(_) => "deposed",
            Self::Corrupt { .. } => "corrupt",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}
