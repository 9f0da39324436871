//! An entry of the log, and what its hash is over.

use core::fmt;
use std::str::FromStr;

use entente_protocol::job::JobId;
use entente_tls::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{
    clock::Millis,
    job::{JobRecord, JobState},
    schema::Who,
};

/// What is hashed first, so that no digest of something else is one of these.
const DOMAIN: &str = "entente audit entry 1";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A job was submitted.
    Submitted,
    /// One that had failed or was cancelled was submitted again.
    Retried,
    /// A party has signed it.
    Approved,
    /// A party does not take part in it.
    Rejected,
    /// It began to run, after it had waited for its place.
    Started,
    /// It is to rest.
    Paused,
    /// It is to go on.
    Resumed,
    /// An attempt at it failed; others may follow.
    AttemptFailed,
    /// It is to end.
    Cancelling,
    /// It has ended so.
    Succeeded,
    /// It has ended so.
    Failed,
    /// It has ended so.
    Cancelled,
    /// Nothing new is to begin.
    Drained,
    /// It is to begin again.
    Undrained,
    /// It is to go on under another encryption key.
    KeyRotation,
    /// Somebody asked for what their certificate does not allow.
    Refused,
}

/// Not the name of a deed.
#[derive(Debug, Error)]
#[error("{0:?} is nothing that the audit log tells of")]
pub struct UnknownDeed(String);

impl What {
    const ALL: [Self; 16] = [
        Self::Submitted,
        Self::Retried,
        Self::Approved,
        Self::Rejected,
        Self::Started,
        Self::Paused,
        Self::Resumed,
        Self::AttemptFailed,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Drained,
        Self::Undrained,
        Self::KeyRotation,
        Self::Refused,
    ];

    /// What a transition is, if the log tells of it. That a job lost its place,
    /// was parked, or went on after that is the way of networks, and nobody's
    /// deed.
    pub fn entered(from: JobState, to: JobState) -> Option<Self> {
        Some(match (from, to) {
            (JobState::Reserved, JobState::Running) => Self::Started,
            (_, JobState::Paused) => Self::Paused,
            (JobState::Paused, JobState::Queued) => Self::Resumed,
            (_, JobState::Failing) => Self::AttemptFailed,
            (_, JobState::Cancelling) => Self::Cancelling,
            (_, JobState::Succeeded) => Self::Succeeded,
            (_, JobState::Failed) => Self::Failed,
            (_, JobState::Cancelled) => Self::Cancelled,
            (_, JobState::Rejected) => Self::Rejected,
            (
                _,
                JobState::AwaitingApproval
                | JobState::Queued
                | JobState::Reserved
                | JobState::Running
                | JobState::Parked,
            ) => return None,
        })
    }

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Retried => "retried",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Started => "started",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::AttemptFailed => "attempt_failed",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Drained => "drained",
            Self::Undrained => "undrained",
            Self::KeyRotation => "key_rotation",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

impl FromStr for What {
    type Err = UnknownDeed;

    fn from_str(text: &str) -> Result<Self, UnknownDeed> {
        let what = Self::ALL.into_iter().find(|what| what.label() == text);
        what.ok_or_else(|| UnknownDeed(text.to_owned()))
    }
}

/// Who did what to which job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deed {
    /// When: milliseconds since 1970-01-01 UTC.
    pub at_ms: Millis,
    /// Who; nothing when it was the coordinator, since time had passed or both
    /// parties were ready.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<Who>")]
    pub who: Option<Identity>,
    /// What.
    pub what: What,
    /// To which job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<JobId>,
    /// The digest of its specification, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub spec_digest: Option<String>,
    /// What was refused: method and route.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<String>,
}

impl Deed {
    /// That a job was submitted, or submitted again.
    pub fn submitted(record: &JobRecord) -> Self {
        let what = match record.retry_of {
            Some(_) => What::Retried,
            None => What::Submitted,
        };
        let by = Some(record.submitted_by.clone());
        Self::of(record, what, by, record.submitted_at)
    }

    /// That a job came from a state into the one that it is in, if the log
    /// tells of that.
    pub fn entered(
        from: JobState,
        record: &JobRecord,
        who: Option<Identity>,
        at: Millis,
    ) -> Option<Self> {
        What::entered(from, record.state).map(|what| Self::of(record, what, who, at))
    }

    /// That somebody did something to a job.
    pub fn of(record: &JobRecord, what: What, who: Option<Identity>, at: Millis) -> Self {
        Self {
            at_ms: at,
            who,
            what,
            job: Some(record.id),
            spec_digest: Some(record.task.digest().to_string()),
            call: None,
        }
    }

    /// That somebody did something that is about no job in particular.
    pub fn at_large(what: What, who: Identity, at: Millis) -> Self {
        Self {
            at_ms: at,
            who: Some(who),
            what,
            job: None,
            spec_digest: None,
            call: None,
        }
    }

    /// That somebody asked for what their certificate does not allow.
    pub fn refused(who: Identity, call: String, job: Option<JobId>, at: Millis) -> Self {
        Self {
            at_ms: at,
            who: Some(who),
            what: What::Refused,
            job,
            spec_digest: None,
            call: Some(call),
        }
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// From 1, without gaps.
    pub number: u64,
    /// What it tells.
    #[serde(flatten)]
    pub deed: Deed,
    /// The hash of the entry before, in hexadecimal; zeros before the first.
    pub previous: String,
    /// The hash of this one.
    pub hash: String,
}

impl Entry {
    /// The hash before the first entry.
    pub fn origin() -> String {
        hex::encode([0; 32])
    }

    /// The entry that follows the last one.
    pub fn after(last: Option<(u64, String)>, deed: Deed) -> Self {
        let (number, previous) = last.unwrap_or_else(|| (0, Self::origin()));
        let mut entry = Self {
            number: number.saturating_add(1),
            deed,
            previous,
            hash: String::new(),
        };
        entry.hash = entry.expected_hash();
        entry
    }

    /// What its hash must be: SHA-256 over all else, each part preceded by its
    /// length; what is left out counts as an empty part, which none that is there
    /// can be.
    pub fn expected_hash(&self) -> String {
        let deed = &self.deed;
        let text = |part: Option<String>| part.unwrap_or_default();
        let who = text(deed.who.as_ref().map(ToString::to_string));
        let job = text(deed.job.map(|job| job.to_string()));
        let parts: [&[u8]; 9] = [
            DOMAIN.as_bytes(),
            &self.number.to_be_bytes(),
            &deed.at_ms.0.to_be_bytes(),
            who.as_bytes(),
            deed.what.label().as_bytes(),
            job.as_bytes(),
            deed.spec_digest.as_deref().unwrap_or_default().as_bytes(),
            deed.call.as_deref().unwrap_or_default().as_bytes(),
            self.previous.as_bytes(),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}
