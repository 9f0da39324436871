//! What others see of jobs and parties: the API's answers, written by the
//! coordinator and read by its client.

use entente_protocol::{
    KeyState,
    control::{Evaluated, Phase, Progress, Validation},
    job::{JobId, Keep, ModelName, PartyName, Side, Task},
    privacy::Leak,
    session::Correlation,
};
use entente_tls::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Approval, Attempt, FailureRecord, JobRecord, JobState, Priority, Rejection, Sides};
use crate::{
    clock::Millis,
    schema::{Moment, Who},
};

/// What others see of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobView {
    /// Its identity.
    pub id: JobId,
    /// Its name, for people.
    pub name: String,
    /// What is done: `train`, `evaluate` or `predict`.
    pub task: String,
    /// The model that it makes or asks.
    pub model: ModelView,
    /// Where it stands.
    pub state: JobState,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    pub since: OffsetDateTime,
    /// What it waits for, for a person, as the object of "waits for"; nothing
    /// if it does not wait.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waiting_for: Option<String>,
    /// When the attempt will have failed if no exchange is finished before: of a
    /// job that has its places, or had them and stands still.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub fails_at: Option<OffsetDateTime>,
    /// Who submitted it.
    #[schemars(with = "Who")]
    pub submitted_by: Identity,
    /// How much of a hurry it is in.
    #[serde(default)]
    pub priority: Priority,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    pub submitted_at: OffsetDateTime,
    /// When it began to run.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub ended_at: Option<OffsetDateTime>,
    /// The digest of the specification, in hexadecimal.
    pub spec_digest: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What the logs of coordinator and parties call the attempt.
    pub correlation: Correlation,
    /// The attempt does not begin before.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub not_before: Option<OffsetDateTime>,
    /// Exchanges below this number may begin.
    pub granted: u64,
    /// The epochs that were asked for; 0 where nothing is learnt.
    pub epochs: u32,
    /// Which epoch's weights are tested and saved.
    #[serde(default)]
    pub keep: Keep,
    /// Whether training ended before all epochs were done, since none was
    /// better any more.
    #[serde(default)]
    pub stopped_early: bool,
    /// Mean loss over the running epoch, when a party has told one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loss: Option<f64>,
    /// What the validation rows said after the last epoch that is done with
    /// them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation: Option<Validation>,
    /// The same of the best epoch so far, in jobs that select among their
    /// epochs' models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub best: Option<Validation>,
    /// Accuracy on the test rows, when they have been evaluated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_accuracy: Option<f64>,
    /// How well attacks on the gradients of the last full epoch found labels:
    /// areas under their curves.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leak: Option<Leak>,
    /// Which encryption key it is at, as the party says that makes them, and
    /// whether the next one is on its way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyState>,
    /// The number of the key that it shall have come to, since somebody asked; 0
    /// for none in particular.
    #[serde(default)]
    pub key_wished: u32,
    /// What an evaluation has found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evaluation: Option<Evaluated>,
    /// Each party, and what it last said.
    pub sides: Sides<SideView>,
    /// Why the attempt failed, in the order in which it became known.
    pub failures: Vec<FailureRecord>,
    /// Every attempt, the first first; the last is the one that is under way, or
    /// was the last.
    pub attempts: Vec<Attempt>,
    /// The job of which this one does the same again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_of: Option<JobId>,
    /// The job that does the same again as this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retried_as: Option<JobId>,
}

/// The model that a job makes or asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelView {
    /// What it is called.
    pub name: ModelName,
    /// Which one of that name: the job that trains it.
    pub version: JobId,
    /// The side that predictions are for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub results_at: Option<Side>,
}

impl ModelView {
    fn new(record: &JobRecord) -> Self {
        let asked = match &*record.task {
            Task::Train(_) => None,
            Task::Infer(inference) => Some(inference.spec()),
        };
        Self {
            name: record.task.model().clone(),
            // Every job that asks has a version from its submission on.
            version: asked
                .and_then(|asked| asked.model.version)
                .unwrap_or(record.id),
            results_at: asked.and_then(|asked| asked.results_at),
        }
    }
}

/// One side of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideView {
    /// Who takes it.
    pub party: PartyName,
    /// Where the job stands there; nothing until the party has spoken of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<Phase>,
    /// How far it is there.
    pub progress: Progress,
    /// What it has answered; nothing until it has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approval: Option<ApprovalView>,
}

/// What a party has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum ApprovalView {
    /// It has signed.
    Approved {
        /// When, by its own clock: milliseconds since 1970-01-01 UTC.
        at_ms: u64,
    },
    /// It does not take part.
    Rejected(Rejection),
}

impl From<&Approval> for ApprovalView {
    fn from(approval: &Approval) -> Self {
        match approval {
            Approval::Signed(signed) => Self::Approved {
                at_ms: signed.at_ms,
            },
            Approval::Rejected(rejection) => Self::Rejected(rejection.clone()),
        }
    }
}

impl JobView {
    pub(crate) fn new(
        record: &JobRecord,
        waiting_for: Option<String>,
        fails_at: Option<Millis>,
        retried_as: Option<JobId>,
    ) -> Self {
        let task = &record.task;
        let sides = Sides::from_fn(|side| SideView {
            party: task.party(side).clone(),
            phase: record.sides.of(side).phase.clone(),
            progress: record.sides.of(side).progress,
            approval: record.approvals.of(side).as_ref().map(ApprovalView::from),
        });
        Self {
            id: record.id,
            name: task.name().to_owned(),
            task: task.label().to_owned(),
            model: ModelView::new(record),
            state: record.state,
            since: record.since.into(),
            waiting_for,
            fails_at: fails_at.map(OffsetDateTime::from),
            submitted_by: record.submitted_by.clone(),
            priority: record.priority,
            submitted_at: record.submitted_at.into(),
            started_at: record.started_at.map(OffsetDateTime::from),
            ended_at: record.ended_at.map(OffsetDateTime::from),
            spec_digest: task.digest().to_string(),
            attempt: record.attempt,
            correlation: record.correlation(),
            not_before: record.not_before.map(OffsetDateTime::from),
            granted: record.granted,
            epochs: task.epochs(),
            keep: task.keep(),
            stopped_early: record.sides.iter().any(|side| side.progress.stopped_early),
            loss: record.told(|progress| progress.loss),
            validation: record.told(|progress| progress.validation),
            best: record.told(|progress| progress.best),
            test_accuracy: record.told(|progress| progress.test_accuracy),
            leak: record.told(|progress| progress.leak),
            key: record.told(|progress| progress.key),
            key_wished: record.key_epoch,
            evaluation: record.told(|progress| progress.evaluation),
            sides,
            failures: record.failures.clone(),
            attempts: record.all_attempts(),
            retry_of: record.retry_of,
            retried_as,
        }
    }

    /// How far one side is.
    pub fn progress(&self, side: Side) -> &Progress {
        &self.sides.of(side).progress
    }
}

/// What others see of a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartyView {
    /// Its name.
    pub name: PartyName,
    /// Whether it was heard of lately.
    pub connected: bool,
    /// When it was last heard of.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    pub heard_at: OffsetDateTime,
    /// Its software version.
    pub software: String,
    /// The names of its datasets.
    pub datasets: Vec<String>,
    /// How many jobs it runs at once.
    pub capacity: u32,
    /// Threads that its jobs may count on; nothing if they are not counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threads: Option<u32>,
    /// Memory that its jobs may count on; nothing if it is not counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<u64>,
    /// Whether it is being drained, and begins nothing new.
    #[serde(default)]
    pub draining: bool,
    /// The versions of the wire format that it speaks, newest first.
    #[serde(default)]
    pub wire: Vec<u16>,
    /// How many it runs now.
    pub jobs: u32,
}

/// Whether nothing new begins, and how far that has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrainView {
    /// Whether.
    pub draining: bool,
    /// Since when.
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none",
        default
    )]
    #[schemars(with = "Option<Moment>")]
    pub since: Option<OffsetDateTime>,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<Who>")]
    pub by: Option<Identity>,
    /// Jobs that have begun and go on, or end: drained at 0.
    pub begun: usize,
    /// Jobs that rest until somebody resumes them.
    pub paused: usize,
    /// Jobs that have not begun.
    pub waiting: usize,
}
