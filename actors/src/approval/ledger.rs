//! What waits for a person at this party, what people have decided, and what was
//! agreed upon: files below STATE_DIR.
//!
//! ```text
//!   approvals/JOB.proposal.json   the party writes it, while a person is needed
//!   approvals/JOB.decision.json   `entente party approve` or `reject` writes it
//!   contracts/JOB.json            the party writes it, before the job begins
//! ```
//!
//! Files and not a socket: whoever may decide is whoever may write here, which the
//! system checks; a decision is there whether the party runs or not, and is taken in
//! when it starts. Each file is one writer's and there whole or not at all. Decisions
//! and contracts stay when the job is over.
//!
//! A decision names the digest of the specification that the person saw. If the
//! coordinator proposes another one under the same identity, nobody has decided on
//! that.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use entente_protocol::{
    contract::Contract,
    job::{JobId, Side, TaskSpec},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::private_file;

/// A job that waits for a person at this party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The job.
    pub job: JobId,
    /// The side that this party would take.
    pub side: Side,
    /// The digest over the canonical bytes of its specification.
    pub specification: String,
    /// What would be computed.
    pub spec: TaskSpec,
    /// Since when it waits: milliseconds since 1970-01-01 UTC.
    pub since_ms: u64,
}

/// What a person has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// On which job.
    pub job: JobId,
    /// On which specification of it.
    pub specification: String,
    /// Whether this party takes part.
    pub approves: bool,
    /// Who: the user of the operating system. Stays at this party.
    pub by: String,
    /// When: milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// Why. Of a rejection it goes into the job's record, which others read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// Why a decision cannot be made or found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Nothing waits under this identity.
    #[error(
        "job {0} does not wait for a person at this party: `entente party list` shows those that do"
    )]
    NotWaiting(JobId),
    /// Somebody has decided otherwise.
    #[error(
        "{by} has {} job {job} already, which cannot be taken back here: cancel the job, or have \
         it submitted again", if *.approves { "approved" } else { "rejected" }
    )]
    Decided {
        /// The job.
        job: JobId,
        /// Who.
        by: String,
        /// What.
        approves: bool,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says, or what is wrong with the content.
        source: io::Error,
    },
}

/// The files of one party.
#[derive(Debug, Clone)]
pub struct Ledger {
    approvals: PathBuf,
    contracts: PathBuf,
}

/// The longest file that is read: a specification has a MiB at most.
const MAX_BYTES: u64 = 4 << 20;
/// The longest reason that is passed on.
const MAX_REASON_CHARS: usize = 500;

impl Ledger {
    /// Of the party whose `[party] state_dir` this is.
    pub fn below(state_dir: &Path) -> Self {
        Self {
            approvals: state_dir.join("approvals"),
            contracts: state_dir.join("contracts"),
        }
    }

    /// All jobs that wait, oldest first, each with what was decided if the party
    /// has not taken it in yet.
    ///
    /// # Errors
    /// [`LedgerError::File`]
    pub fn waiting(&self) -> Result<Vec<(Waiting, Option<Word>)>, LedgerError> {
        let failed = |source| LedgerError::File {
            path: self.approvals.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.approvals) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut waiting = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let job = name.to_str().and_then(|name| {
                let id = name.strip_suffix(PROPOSAL)?;
                id.parse::<JobId>().ok()
            });
            // The party may withdraw one while the folder is read.
            if let Some(job) = job
                && let Some(found) = self.read(&self.proposal(job))?
            {
                waiting.push((found, self.word(job)?));
            }
        }
        waiting.sort_by_key(|(waiting, _): &(Waiting, _)| (waiting.since_ms, waiting.job));
        Ok(waiting)
    }

    /// One job that waits.
    ///
    /// # Errors
    /// [`LedgerError::NotWaiting`] and [`LedgerError::File`].
    pub fn waits(&self, job: JobId) -> Result<Waiting, LedgerError> {
        let waiting = self.read(&self.proposal(job))?;
        waiting.ok_or(LedgerError::NotWaiting(job))
    }

    /// What a person has decided on a job, if anything.
    ///
    /// # Errors
    /// [`LedgerError::File`]
    pub fn word(&self, job: JobId) -> Result<Option<Word>, LedgerError> {
        self.read(&self.decision(job))
    }

    /// Puts down what a person decides on a job that waits. The same again
    /// changes nothing.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn decide(
        &self,
        job: JobId,
        approves: bool,
        by: String,
        at_ms: u64,
        reason: Option<&str>,
    ) -> Result<Word, LedgerError> {
        let waiting = self.waits(job)?;
        let before = self.word(job)?;
        let of_this = before.filter(|word| word.specification == waiting.specification);
        match of_this {
            Some(word) if word.approves == approves => return Ok(word),
            Some(Word { by, approves, .. }) => {
                return Err(LedgerError::Decided { job, by, approves });
            }
            None => {}
        }
        let printable = |reason: &str| {
            let printable = reason.chars().filter(|c| !c.is_control());
            printable.take(MAX_REASON_CHARS).collect()
        };
        let word = Word {
            job,
            specification: waiting.specification,
            approves,
            by,
            at_ms,
            reason: reason.map(printable),
        };
        self.write(&self.approvals, &format!("{job}{DECISION}"), &word)?;
        Ok(word)
    }

    /// The contract of a job that this party has begun.
    ///
    /// # Errors
    /// [`LedgerError::File`]
    pub fn contract(&self, job: JobId) -> Result<Option<Contract>, LedgerError> {
        self.read(&self.contracts.join(format!("{job}.json")))
    }

    pub(super) fn keep(&self, contract: &Contract) -> Result<(), LedgerError> {
        let name = format!("{}.json", contract.job);
        self.write(&self.contracts, &name, contract)
    }

    pub(super) fn ask(&self, waiting: &Waiting) -> Result<(), LedgerError> {
        let name = format!("{}{PROPOSAL}", waiting.job);
        self.write(&self.approvals, &name, waiting)
    }

    /// Nothing is asked of a person any more. What was decided stays: who has
    /// authorised a job is asked long after it.
    pub(super) fn withdraw(&self, job: JobId) -> Result<(), LedgerError> {
        let path = self.proposal(job);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(LedgerError::File { path, source })
            }
            _ => Ok(()),
        }
    }

    fn proposal(&self, job: JobId) -> PathBuf {
        self.approvals.join(format!("{job}{PROPOSAL}"))
    }

    fn decision(&self, job: JobId) -> PathBuf {
        self.approvals.join(format!("{job}{DECISION}"))
    }

    fn write(
        &self,
        directory: &Path,
        name: &str,
        content: &impl Serialize,
    ) -> Result<(), LedgerError> {
        let write = || -> io::Result<()> {
            let content = serde_json::to_vec_pretty(content)?;
            private_file::make_directory(directory)?;
            private_file::write(directory, name, &content)
        };
        write().map_err(|source| LedgerError::File {
            path: directory.join(name),
            source,
        })
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, LedgerError> {
        let read = || -> io::Result<Option<T>> {
            let length = match fs::metadata(path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            if length > MAX_BYTES {
                return Err(io::Error::other("is larger than any of these files"));
            }
            match fs::read(path) {
                Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        read().map_err(|source| LedgerError::File {
            path: path.to_owned(),
            source,
        })
    }
}

const PROPOSAL: &str = ".proposal.json";
const DECISION: &str = ".decision.json";
