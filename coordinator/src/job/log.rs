//! What happened to a job, for those who ask about it: its log.
//!
//! ```text
//!   1 submitted   2 bank-a approved   3 bank-b approved   4 awaiting_approval → queued
//!   5 queued → reserved   6 reserved → running   7 failed at bank-b: the link was lost
//! ```
//!
//! It follows from the change of a record and is written in its transaction, so it
//! tells neither more nor less than what was done. The audit log is another thing:
//! that one says who answers for what, over all jobs, is hashed and for operators; this
//! one says how a job went, and whoever may see the job may read it. What parties say in it is what the record has
//! of them: redacted by themselves, and no longer than a record's.

use core::fmt;

use entente_protocol::{
    job::{JobId, PartyName, Side},
    session::Correlation,
};
use entente_tls::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Approval, FailureRecord, JobRecord, JobState, Priority};
use crate::{
    clock::Millis,
    schema::{Moment, Who},
};

/// An entry of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// From 1, without gaps.
    pub number: u64,
    /// What it tells.
    #[serde(flatten)]
    pub happening: Happening,
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Happening {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    pub at: OffsetDateTime,
    /// In which attempt.
    pub attempt: u32,
    /// What the logs of coordinator and parties call the attempt.
    pub correlation: Correlation,
    /// Who did it; nothing when it was the coordinator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<Who>")]
    pub by: Option<Identity>,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What may happen to a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// It was submitted.
    Submitted {
        /// How much of a hurry it is in.
        priority: Priority,
        /// The job of which it does the same again.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        retry_of: Option<JobId>,
    },
    /// A party has signed it.
    Approved {
        /// Which.
        party: PartyName,
    },
    /// A party does not take part.
    Rejected {
        /// Which.
        party: PartyName,
        /// The rule of its policy, or `person`.
        rule: String,
        /// For a person, in the party's words.
        reason: String,
    },
    /// It came into another state.
    Entered {
        /// Out of this one.
        from: JobState,
        /// Into this one.
        to: JobState,
        /// What it waits for since, where nothing else here says so.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        why: Option<String>,
    },
    /// A side said why the attempt failed, or did not.
    Failed {
        /// Whose reason it is; nothing when the coordinator gave the attempt up.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        party: Option<PartyName>,
        /// Why.
        failure: FailureRecord,
    },
    /// Another attempt follows.
    AnotherAttempt {
        /// Which.
        next: u32,
        /// What the logs will call it.
        called: Correlation,
        /// Before when it does not begin.
        #[serde(with = "time::serde::rfc3339::option", default)]
        #[schemars(with = "Option<Moment>")]
        not_before: Option<OffsetDateTime>,
    },
}

impl Happening {
    /// That a job was submitted.
    pub fn submitted(record: &JobRecord) -> Self {
        let by = Some(record.submitted_by.clone());
        let what = Happened::Submitted {
            priority: record.priority,
            retry_of: record.retry_of,
        };
        Self::of(record, what, by, record.submitted_at)
    }

    /// Something that happened to a job as it was before.
    pub(super) fn of(before: &JobRecord, what: Happened, by: Option<Identity>, at: Millis) -> Self {
        Self {
            at: at.into(),
            attempt: before.attempt,
            correlation: before.correlation(),
            by,
            what,
        }
    }
}

impl Happened {
    /// What makes the one record of the other, in the order in which a person would
    /// tell it.
    pub(super) fn between(before: &JobRecord, after: &JobRecord) -> Vec<Self> {
        let mut happened = Vec::new();
        for side in [Side::Active, Side::Passive] {
            let party = after.task.party(side);
            if before.approvals.of(side).is_none()
                && let Some(answer) = after.approvals.of(side)
            {
                happened.push(Self::answered(party.clone(), answer));
            }
        }
        // Those of an attempt that is over stand with it.
        let failures = match after.attempts.get(before.attempts.len()) {
            Some(over) => &over.failures,
            None => &after.failures,
        };
        let new = failures
            .iter()
            .filter(|failure| !before.failures.contains(failure));
        happened.extend(new.map(|failure| Self::Failed {
            party: failure.side.map(|side| after.task.party(side).clone()),
            failure: failure.clone(),
        }));
        if before.state != after.state {
            happened.push(Self::Entered {
                from: before.state,
                to: after.state,
                why: None,
            });
        }
        if before.attempt != after.attempt {
            happened.push(Self::AnotherAttempt {
                next: after.attempt,
                called: after.correlation(),
                not_before: after.not_before.map(OffsetDateTime::from),
            });
        }
        happened
    }

    fn answered(party: PartyName, answer: &Approval) -> Self {
        match answer {
            Approval::Signed(_) => Self::Approved { party },
            Approval::Rejected(rejection) => Self::Rejected {
                party,
                rule: rejection.rule.clone(),
                reason: rejection.reason.clone(),
            },
        }
    }
}

/// For a person, in one line.
impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submitted {
                priority,
                retry_of: None,
            } => write!(f, "submitted, priority {priority}"),
            Self::Submitted {
                priority,
                retry_of: Some(of),
            } => write!(f, "submitted, priority {priority}: does {of} again"),
            Self::Approved { party } => write!(f, "{party} has signed it"),
            Self::Rejected {
                party,
                rule,
                reason,
            } => write!(f, "{party} does not take part: {reason} ({rule})"),
            Self::Entered { from, to, why } => {
                write!(f, "{from} -> {to}")?;
                match why {
                    Some(why) => write!(f, ": waits for {why}"),
                    None => Ok(()),
                }
            }
            Self::Failed { party, failure } => {
                match party {
                    Some(party) => write!(f, "{party}")?,
                    None => f.write_str("the coordinator")?,
                }
                let FailureRecord {
                    message, exchange, ..
                } = failure;
                write!(f, ": {message} (exchange {exchange}")?;
                match &failure.state {
                    Some(state) => write!(f, ", {state})"),
                    None => f.write_str(")"),
                }
            }
            Self::AnotherAttempt {
                next,
                called,
                not_before,
            } => {
                write!(f, "attempt {next} follows, correlation {called}")?;
                match not_before {
                    Some(at) => write!(f, ", not before {at}"),
                    None => Ok(()),
                }
            }
        }
    }
}
