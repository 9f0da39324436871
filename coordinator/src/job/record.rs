//! What the coordinator knows of a job and keeps.

use std::sync::Arc;

use entente_protocol::{
    control::{Failure, FailureClass, Phase, Progress},
    job::{JobId, Side, Task},
};
use entente_tls::Identity;
use entente_wire::WireVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Approval, Attempt, JobState, Priority, Sides, Submission, Tenure};
use crate::{clock::Millis, schema::Moment};

/// What the coordinator knows of a job and keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Its identity; sorts by time of submission.
    pub id: JobId,
    /// What to do. Shared: a record is copied with every change, its task never
    /// changes.
    pub task: Arc<Task>,
    /// Grows with every write.
    pub version: u64,
    /// Where it stands.
    pub state: JobState,
    /// Since when.
    pub since: Millis,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When the attempt was given its places first: from then on a party may
    /// have a checkpoint of it.
    pub begun_at: Option<Millis>,
    /// The attempt does not begin before: it waits, since the last one failed.
    pub not_before: Option<Millis>,
    /// The version of the wire format that the attempt is in, since it was given its
    /// places first; before that it says nothing.
    pub wire: u16,
    /// In the attempt exchanges below this number may begin.
    pub granted: u64,
    /// The number of the encryption key that the attempt shall have come to, since
    /// somebody asked; 0 for none in particular.
    pub key_epoch: u32,
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
    /// What each party has answered, before any attempt.
    pub approvals: Sides<Option<Approval>>,
    /// What each party last said of the attempt.
    pub sides: Sides<SideStatus>,
    /// Why the attempt failed, in the order in which it became known.
    pub failures: Vec<FailureRecord>,
    /// The attempts before this one, all of which failed.
    pub attempts: Vec<Attempt>,
    /// The job of which this one does the same again, since somebody said so.
    pub retry_of: Option<JobId>,
    /// How much of a hurry it is in.
    pub priority: Priority,
    /// For how long it has had its places.
    pub tenure: Tenure,
}

/// The version of the wire format of attempts that began before there was
/// another.
pub(crate) const FIRST_WIRE_VERSION: u16 = WireVersion::FIRST.number();

impl JobRecord {
    /// A job that was just submitted.
    pub fn submitted(id: JobId, task: impl Into<Arc<Task>>, by: Identity, at: Millis) -> Self {
        Self {
            id,
            task: task.into(),
            version: 0,
            state: JobState::AwaitingApproval,
            since: at,
            attempt: 1,
            begun_at: None,
            not_before: None,
            wire: FIRST_WIRE_VERSION,
            granted: 0,
            key_epoch: 0,
            submitted_by: by,
            submission: None,
            submitted_at: at,
            started_at: None,
            ended_at: None,
            approvals: Sides::default(),
            sides: Sides::default(),
            failures: Vec::new(),
            attempts: Vec::new(),
            retry_of: None,
            priority: Priority::default(),
            tenure: Tenure::default(),
        }
    }

    /// Whether a party may have a checkpoint of the attempt: it must not be
    /// wished to forget it then, unless nobody wants it any more.
    pub fn has_begun(&self) -> bool {
        self.begun_at.is_some()
    }

    /// Whether both parties have done all there is to do.
    pub fn is_finished(&self) -> bool {
        self.sides.iter().all(SideStatus::is_finished)
    }

    /// What a side has said of why the attempt failed, or that it has not.
    pub fn failure_of(&self, side: Side) -> Option<&FailureRecord> {
        self.failures
            .iter()
            .find(|failure| failure.side == Some(side))
    }

    /// What a side has told of the attempt, if one has.
    pub(crate) fn told<T>(&self, what: fn(&Progress) -> Option<T>) -> Option<T> {
        self.sides.iter().find_map(|side| what(&side.progress))
    }

    /// The exchanges that both parties have done.
    pub fn exchanges_done(&self) -> u64 {
        let done = |side: &SideStatus| side.progress.exchanges_done;
        done(&self.sides.active).min(done(&self.sides.passive))
    }
}

/// What a party last said of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
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

    /// Whether data and keys are there: from then on it waits for its grant
    /// alone.
    pub fn is_prepared(&self) -> bool {
        match &self.phase {
            Some(Phase::Running | Phase::Waiting { .. } | Phase::Finished) => true,
            Some(Phase::Preparing | Phase::Held | Phase::Failed { .. }) | None => false,
        }
    }
}

/// One reason why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureRecord {
    /// When it became known.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
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

    /// That a side gave no reason: it was silent, or had come to rest. A record
    /// that just left it out would leave its reader waiting for it.
    pub fn wordless(side: Side, status: &SideStatus, at: Millis) -> Self {
        let (label, message) = match status.phase {
            Some(Phase::Held) => (Self::AT_REST, "it was at rest, and had nothing to tell"),
            Some(Phase::Finished) => (Self::AT_REST, "it had finished its half"),
            _ => (
                Self::SILENT,
                "it gave no reason in time: its own log may have one",
            ),
        };
        Self {
            at: at.into(),
            side: Some(side),
            class: FailureClass::Retry,
            label: label.into(),
            message: message.into(),
            state: None,
            exchange: status.progress.exchanges_done,
        }
    }

    /// The label of a side that was silent.
    const SILENT: &str = "silent";
    /// The label of a side that was at rest.
    const AT_REST: &str = "at_rest";

    /// Whether it says no more than that there was nothing to say.
    pub fn is_wordless(&self) -> bool {
        [Self::SILENT, Self::AT_REST].contains(&self.label.as_str())
    }
}
