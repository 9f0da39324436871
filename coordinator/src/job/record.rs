//! What the coordinator knows of a job and keeps.

use entente_protocol::{
    control::{Failure, FailureClass, Phase, Progress},
    job::{JobId, Side, Task},
};
use entente_tls::Identity;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{JobState, Sides, Submission};
use crate::clock::Millis;

/// What the coordinator knows of a job and keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Its identity; sorts by time of submission.
    pub id: JobId,
    /// What to do.
    pub task: Task,
    /// Grows with every write.
    pub version: u64,
    /// Where it stands.
    pub state: JobState,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Exchanges below this number may begin.
    pub granted: u64,
    /// Who submitted it.
    pub submitted_by: Identity,
    /// What makes it the same when it is submitted again.
    pub submission: Option<Submission>,
    /// When.
    pub submitted_at: Millis,
    /// When it began to run.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// What each party last said of it.
    pub sides: Sides<SideStatus>,
    /// Why it failed, in the order in which it became known.
    pub failures: Vec<FailureRecord>,
}

impl JobRecord {
    /// A job that was just submitted.
    pub fn submitted(id: JobId, task: Task, by: Identity, at: Millis) -> Self {
        Self {
            id,
            task,
            version: 0,
            state: JobState::Queued,
            attempt: 1,
            granted: 0,
            submitted_by: by,
            submission: None,
            submitted_at: at,
            started_at: None,
            ended_at: None,
            sides: Sides::default(),
            failures: Vec::new(),
        }
    }

    /// The exchanges that both parties have done.
    pub fn exchanges_done(&self) -> u64 {
        let done = |side: &SideStatus| side.progress.exchanges_done;
        done(&self.sides.active).min(done(&self.sides.passive))
    }
}

/// What a party last said of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideStatus {
    /// Where it stands there; nothing until the party has spoken of it.
    pub phase: Option<Phase>,
    /// How far it is.
    pub progress: Progress,
}

impl SideStatus {
    /// Whether all is done there. It stays so: the half is saved, and a party
    /// that has forgotten what it reported did not lose what it saved.
    pub fn is_finished(&self) -> bool {
        self.phase == Some(Phase::Finished)
    }
}

/// One reason why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRecord {
    /// When it became known.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Where; nothing when the coordinator itself gave the job up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub side: Option<Side>,
    /// Who must act.
    pub class: FailureClass,
    /// The closed label of the error.
    pub label: String,
    /// For a person.
    pub message: String,
    /// The state that the machine was in, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// The exchange that it was in.
    pub exchange: u64,
}

/// A party's words are kept up to this length: it must not fill the store.
const MAX_MESSAGE_CHARS: usize = 2000;
const MAX_LABEL_CHARS: usize = 64;

impl FailureRecord {
    /// What a party says.
    pub fn reported(side: Side, failure: &Failure, at: Millis) -> Self {
        let start = |text: &str, chars| text.chars().take(chars).collect::<String>();
        Self {
            at: at.into(),
            side: Some(side),
            class: failure.class,
            label: start(&failure.label, MAX_LABEL_CHARS),
            message: start(&failure.message, MAX_MESSAGE_CHARS),
            state: failure
                .state
                .as_deref()
                .map(|state| start(state, MAX_LABEL_CHARS)),
            exchange: failure.exchange,
        }
    }

    /// Nothing went on for longer than the job allows.
    pub fn stalled(message: String, exchange: u64, at: Millis) -> Self {
        Self {
            at: at.into(),
            side: None,
            class: FailureClass::Retry,
            label: "stalled".into(),
            message,
            state: None,
            exchange,
        }
    }
}
