//! What parties and coordinator tell each other.
//!
//! Level-triggered, not edge-triggered: each [`Sync`] carries the whole truth
//! of a party, each [`Wish`] the whole wish of the coordinator for it. A lost,
//! late or doubled message costs nothing, a restart of either side needs no
//! replay, and there is no event whose loss wedges a queue. The party asks
//! (it may sit behind NAT), the coordinator holds the answer back until there
//! is news or the wait is over.
//!
//! ```text
//!   party                                   coordinator
//!   Sync { jobs: [running, 41 of 900] } ──▶  compares with its store
//!        ◀── Wish { jobs: [run, granted 64] }
//! ```
//!
//! Rounds are granted in windows: a party begins exchange `k` only while
//! `k < granted`, so the coordinator can hold a job without sitting in the
//! path of its messages. It never sees a ciphertext, key, weight, feature or
//! label.

use entente_wire::WireVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Class, KeyState,
    contract::{Signatures, Signed},
    job::{JobId, Side, TaskSpec},
    privacy::Leak,
};

/// The whole truth of a party. Sent to `POST /v1/sync`; who sends it stands in
/// its certificate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The party's software version.
    pub software: String,
    /// The names of the datasets that it has.
    pub datasets: Vec<String>,
    /// How many jobs it runs at once.
    pub capacity: u32,
    /// Threads that its jobs may count on, all in all; not counted if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threads: Option<u32>,
    /// Memory that its jobs may count on, all in all; not counted if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<u64>,
    /// Whether it is being drained: it goes on with what it has begun, and
    /// begins nothing new.
    #[serde(skip_serializing_if = "core::ops::Not::not", default)]
    pub draining: bool,
    /// The versions of the wire format that it speaks, newest first: 1 alone if
    /// left out.
    #[serde(skip_serializing_if = "is_first_alone", default = "first_alone")]
    pub wire: Vec<u16>,
    /// Every job that it knows of and that the coordinator has not told it to
    /// forget.
    pub jobs: Vec<JobReport>,
    /// What it says to the jobs that were proposed to it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub answers: Vec<Answer>,
    /// The revision of the last wish that it has taken in; 0 for none.
    pub seen_revision: u64,
    /// How long the coordinator may hold the answer back when it has nothing
    /// new.
    pub wait_ms: u64,
}

/// The whole wish of the coordinator for a party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Grows with every change of the wish.
    pub revision: u64,
    /// Every job that the party shall know of. One that is not listed is to be
    /// stopped, if it runs, and forgotten.
    pub jobs: Vec<Assignment>,
    /// Every job that waits for the party's approval, or for its peer's.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub proposals: Vec<Proposal>,
}

/// A job that is to be approved before it may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The job.
    pub job: JobId,
    /// The side that the party would take.
    pub side: Side,
    /// What would be computed.
    pub spec: TaskSpec,
}

/// What a party says to a job that was proposed to it. Said again with every
/// [`Sync`] for as long as the job is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The job.
    pub job: JobId,
    /// What.
    pub decision: Decision,
}

/// Whether a party takes part in a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Decision {
    /// It does, and has signed.
    Approved(Signed),
    /// It does not.
    Rejected {
        /// The rule of its policy that says so: `max_epochs`; `person` if somebody
        /// there has decided.
        rule: String,
        /// For a person. Contains nothing of the policy but the rule's name.
        reason: String,
    },
    /// A person there has to decide.
    NeedsPerson,
}

/// One job as the coordinator wishes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The job.
    pub job: JobId,
    /// Which attempt at it.
    pub attempt: u32,
    /// The version of the wire format that the attempt is in, from its beginning to
    /// its end: 1 if left out. A number, and not one that the coordinator need
    /// know: it never sees a message.
    #[serde(skip_serializing_if = "is_first", default = "first")]
    pub wire: u16,
    /// The side that the party takes.
    pub side: Side,
    /// What to compute. The party checks it by itself.
    pub spec: TaskSpec,
    /// What both parties have signed. Each verifies both: the coordinator's word
    /// counts for nothing.
    #[serde(default)]
    pub signatures: Signatures,
    /// Exchanges below this number may begin.
    pub granted: u64,
    /// The exchanges that this party has reported as done in this attempt. One
    /// that has no checkpoint of an attempt that has begun has lost its state:
    /// it says so, rather than begin the same attempt a second time.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub exchanges_done: u64,
    /// The number of the encryption key that the job shall have come to, at least;
    /// 0 for none in particular. The active party makes another one while it is
    /// at an earlier.
    #[serde(skip_serializing_if = "is_none", default)]
    pub key_epoch: u32,
    /// The job is paused: no further exchange begins, and once the one that
    /// runs is at rest the party keeps its checkpoint and nothing else.
    #[serde(skip_serializing_if = "is_false", default)]
    pub hold: bool,
}

/// One job as a party sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobReport {
    /// The job.
    pub job: JobId,
    /// Which attempt at it.
    pub attempt: u32,
    /// Where it stands.
    pub phase: Phase,
    /// How far it is.
    pub progress: Progress,
}

/// Where a job stands at a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "phase", rename_all = "snake_case", deny_unknown_fields)]
pub enum Phase {
    /// Data and network are being prepared.
    Preparing,
    /// Exchanges are going on.
    Running,
    /// Nothing can go on until something comes from outside.
    Waiting {
        /// What it waits for, for a person: "bank-b", "a grant of rounds".
        what: String,
        /// Since how long.
        for_ms: u64,
    },
    /// It is paused: its checkpoint is kept, and nothing else is held.
    Held,
    /// All exchanges are done, and what they leave at this party is saved.
    Finished,
    /// It failed here.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// How far a job is at a party.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Exchanges that are done.
    pub exchanges_done: u64,
    /// All exchanges of the job; 0 while unknown.
    pub exchanges: u64,
    /// Training rounds that are done.
    pub rounds_done: u64,
    /// All training rounds; 0 while unknown.
    pub rounds: u64,
    /// The current epoch, from 1; 0 before the first round.
    pub epoch: u32,
    /// Training samples gone through.
    pub samples: u64,
    /// Mean loss over the running epoch (labels' side).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loss: Option<f64>,
    /// What the validation rows said of the network after the last epoch that
    /// is done with them (labels' side).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation: Option<Validation>,
    /// The same of the best epoch so far, in jobs that select among their
    /// epochs' models (labels' side).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub best: Option<Validation>,
    /// Whether training stopped early: `rounds` and `exchanges` are those that
    /// are left of the job then, and `epoch` is the last.
    #[serde(skip_serializing_if = "is_false", default)]
    pub stopped_early: bool,
    /// Accuracy on the test rows, when they have been evaluated (labels'
    /// side).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_accuracy: Option<f64>,
    /// What the gradients of the last full epoch told about labels (labels'
    /// side).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leak: Option<Leak>,
    /// Which encryption key it is at, in jobs whose key may change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyState>,
    /// What an evaluation has found, when all of its rows were seen (labels'
    /// side).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evaluation: Option<Evaluated>,
}

/// How good a model is on the rows of an evaluation. The classes that it mixes
/// up are not told: with their counts, how many rows of each class there are
/// would leave the labels' side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluated {
    /// Rows that it was asked about.
    pub rows: u64,
    /// Mean loss of a row.
    pub loss: f64,
    /// The part of the rows that was classified rightly, 0 to 1.
    pub accuracy: f64,
    /// The area under the ROC curve: of the second class for two, and for more
    /// the mean over classes of each against the rest. Nothing where the rows
    /// are all of one class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auc: Option<f64>,
}

fn is_false(x: &bool) -> bool {
    !x
}

fn is_none(x: &u32) -> bool {
    *x == 0
}

/// The version of whoever does not say one.
fn first() -> u16 {
    WireVersion::FIRST.number()
}

fn is_first(version: &u16) -> bool {
    *version == first()
}

fn first_alone() -> Vec<u16> {
    vec![first()]
}

fn is_first_alone(versions: &[u16]) -> bool {
    versions == [first()]
}

fn is_zero(x: &u64) -> bool {
    *x == 0
}

/// What the validation rows said of the network after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Mean loss of a row.
    pub loss: f64,
    /// The part of the rows that was classified rightly, 0 to 1.
    pub accuracy: f64,
}

/// Why a job failed at a party: redacted, fit for the record that others read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Who must act.
    pub class: FailureClass,
    /// The closed label of the error.
    pub label: String,
    /// For a person. Contains no data of the party.
    pub message: String,
    /// The state that the machine was in, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// The exchange that it was in.
    pub exchange: u64,
}

/// Who must act, as a record says it. See [`Class`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// May succeed when tried again.
    Retry,
    /// The peer broke the protocol.
    Abort,
    /// A person must change the job, the data or the machine.
    Operator,
    /// A defect of the software.
    Bug,
}

impl FailureClass {
    /// A closed set of names, for metrics and logs: those of [`Class`].
    pub fn label(self) -> &'static str {
        match self {
            Self::Retry => Class::Retry.label(),
            Self::Abort => Class::Abort.label(),
            Self::Operator => Class::Operator.label(),
            Self::Bug => Class::Bug.label(),
        }
    }
}

impl From<Class> for FailureClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Retry => Self::Retry,
            Class::Abort => Self::Abort,
            Class::Operator => Self::Operator,
            Class::Bug => Self::Bug,
        }
    }
}
