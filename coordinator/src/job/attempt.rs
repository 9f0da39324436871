//! One attempt at a job: from when to when, how far it came, and why it ended.

use entente_protocol::session::Correlation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{FailureRecord, JobRecord};
use crate::schema::Moment;

/// One attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Which, from 1.
    pub number: u32,
    /// What the logs of coordinator and parties call it.
    pub correlation: Correlation,
    /// The version of the wire format that its messages are in; nothing while that
    /// is not known, as its places were not taken yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wire: Option<u16>,
    /// When its places were taken first; nothing while it waits for them.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub from: Option<OffsetDateTime>,
    /// When it ended; nothing while it has not.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub to: Option<OffsetDateTime>,
    /// The exchanges that both parties have done in it.
    pub exchanges_done: u64,
    /// Why it failed: of each side its reason, or that it gave none.
    pub failures: Vec<FailureRecord>,
}

impl JobRecord {
    /// The attempt that is under way, or was the last.
    pub fn current_attempt(&self) -> Attempt {
        let failed_at = self.failures.iter().map(|failure| failure.at).max();
        Attempt {
            number: self.attempt,
            correlation: self.correlation(),
            wire: self.has_begun().then_some(self.wire),
            from: self.begun_at.map(OffsetDateTime::from),
            to: self.ended_at.map(OffsetDateTime::from).or(failed_at),
            exchanges_done: self.exchanges_done(),
            failures: self.failures.clone(),
        }
    }

    /// Every attempt, the first first.
    pub fn all_attempts(&self) -> Vec<Attempt> {
        let mut attempts = self.attempts.clone();
        attempts.push(self.current_attempt());
        attempts
    }

    /// What the logs call the current attempt.
    pub fn correlation(&self) -> Correlation {
        Correlation::of(self.id, self.task.digest(), self.attempt)
    }
}
