//! What a job may be about: to train a model, or to ask one.
//!
//! ```text
//!   task = "train" (or nothing)          task = "evaluate" | "predict"
//!   [network] [training] ...             model = "credit"   [data] ...
//!            │                                    │
//!            ▼                                    ▼
//!      JobSpec ─▶ Job                   InferenceSpec ─▶ Inference
//!            └──────────── Task ──────────────────┘
//! ```
//!
//! Two specifications and not one with many fields that go together or not:
//! a job that asks a model has no learning rate to be wrong, and one that
//! trains has no rows to predict. The network that is asked is not written down
//! again: each party has it beside its half, in the words of the job that trained
//! it, and would believe no other.
//!
//! A training says the same bytes as before there were other tasks, so its
//! digest is the same too.

mod inference;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use entente_wire::Digest;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};

pub use self::inference::{Asked, AskedData, Inference, InferenceSpec, Question, WhichRows};
use super::{Job, JobError, JobSpec, Keep, ModelName, Parties, PartyName, Resources, Side};

/// What a person writes, of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskSpec {
    /// Train a model.
    Train(Box<JobSpec>),
    /// Ask one.
    Infer(Box<InferenceSpec>),
}

/// The key that says which of the two it is.
const TASK: &str = "task";
/// What it says of a training, where it says anything.
const TRAIN: &str = "train";

impl TaskSpec {
    /// Reads what is written in TOML.
    ///
    /// # Errors
    /// [`JobError`] with the line and what is wrong there.
    pub fn from_toml(text: &str) -> Result<Self, JobError> {
        let unreadable = |error: toml::de::Error| JobError::new("(text)", error.to_string());
        let mut table: toml::Table = toml::from_str(text).map_err(unreadable)?;
        // Each from its own text where it can be: then an error knows its line.
        let spec = match table.get(TASK).map(toml::Value::as_str) {
            None => toml::from_str(text).map(Self::Train),
            Some(Some(TRAIN)) => {
                table.remove(TASK);
                table.try_into().map(Self::Train)
            }
            Some(_) => toml::from_str(text).map(Self::Infer),
        };
        spec.map_err(unreadable)
    }
}

impl Serialize for TaskSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Train(spec) => spec.serialize(serializer),
            Self::Infer(spec) => spec.serialize(serializer),
        }
    }
}

/// Of either kind. A training may say so, and need not.
impl JsonSchema for TaskSpec {
    fn schema_name() -> Cow<'static, str> {
        "TaskSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut train = JobSpec::json_schema(generator);
        if let Some(Value::Object(fields)) = train.get_mut("properties") {
            fields.insert(TASK.into(), json!({ "const": TRAIN }));
        }
        let infer = generator.subschema_for::<InferenceSpec>();
        json_schema!({ "anyOf": [train, infer] })
    }
}

/// From JSON: the one other language in which specifications travel.
impl<'de> Deserialize<'de> for TaskSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let asks = value.get(TASK).is_some_and(|task| task != TRAIN);
        let spec = if asks {
            serde_json::from_value(value).map(Self::Infer)
        } else {
            if let Some(fields) = value.as_object_mut() {
                fields.remove(TASK);
            }
            serde_json::from_value(value).map(Self::Train)
        };
        spec.map_err(D::Error::custom)
    }
}

/// A specification of either kind that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Train a model.
    Train(Box<Job>),
    /// Ask one.
    Infer(Box<Inference>),
}

impl TryFrom<TaskSpec> for Task {
    type Error = JobError;

    fn try_from(spec: TaskSpec) -> Result<Self, JobError> {
        Ok(match spec {
            TaskSpec::Train(spec) => Self::Train(Box::new(Job::try_from(*spec)?)),
            TaskSpec::Infer(spec) => Self::Infer(Box::new(Inference::try_from(*spec)?)),
        })
    }
}

impl From<Job> for Task {
    fn from(job: Job) -> Self {
        Self::Train(Box::new(job))
    }
}

impl From<Inference> for Task {
    fn from(inference: Inference) -> Self {
        Self::Infer(Box::new(inference))
    }
}

impl Task {
    /// Reads a specification written in TOML, and checks it.
    ///
    /// # Errors
    /// [`JobError`] naming the field, or the line that is not TOML.
    pub fn from_toml(text: &str) -> Result<Self, JobError> {
        TaskSpec::from_toml(text)?.try_into()
    }

    /// What was written.
    pub fn spec(&self) -> TaskSpec {
        match self {
            Self::Train(job) => TaskSpec::Train(Box::new(job.spec().clone())),
            Self::Infer(inference) => TaskSpec::Infer(Box::new(inference.spec().clone())),
        }
    }

    /// Its word in a specification: `train`, `evaluate` or `predict`.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Train(_) => TRAIN,
            Self::Infer(inference) => inference.question().label(),
        }
    }

    /// The job's name, for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Train(job) => &job.spec().name,
            Self::Infer(inference) => &inference.spec().name,
        }
    }

    /// The model that it makes or asks.
    pub fn model(&self) -> &ModelName {
        match self {
            Self::Train(job) => job.model(),
            Self::Infer(inference) => &inference.spec().model.name,
        }
    }

    /// The digest over the canonical bytes, which both parties check.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Train(job) => job.digest(),
            Self::Infer(inference) => inference.digest(),
        }
    }

    /// Who takes which side.
    pub fn parties(&self) -> &Parties {
        match self {
            Self::Train(job) => &job.spec().parties,
            Self::Infer(inference) => &inference.spec().parties,
        }
    }

    /// The party on a side.
    pub fn party(&self, side: Side) -> &PartyName {
        self.parties().party(side)
    }

    /// The side that `party` takes, if any.
    pub fn side_of(&self, party: &PartyName) -> Option<Side> {
        self.parties().side_of(party)
    }

    /// The dataset that the party on this side must have, if it must have one.
    pub fn dataset(&self, side: Side) -> Option<&str> {
        match self {
            Self::Train(job) => Some(&job.spec().data.dataset),
            Self::Infer(inference) => inference.dataset(side),
        }
    }

    /// Passes over the training rows; none where nothing is learnt.
    pub fn epochs(&self) -> u32 {
        match self {
            Self::Train(job) => job.spec().training.epochs,
            Self::Infer(_) => 0,
        }
    }

    /// Which epoch's weights are tested and saved.
    pub fn keep(&self) -> Keep {
        match self {
            Self::Train(job) => job.spec().training.keep,
            Self::Infer(_) => Keep::default(),
        }
    }

    /// What it takes at each party.
    pub fn resources(&self) -> &Resources {
        match self {
            Self::Train(job) => &job.spec().resources,
            Self::Infer(inference) => &inference.spec().resources,
        }
    }

    /// A job that makes no progress for this long is failed.
    pub fn stall_budget_s(&self) -> u64 {
        match self {
            Self::Train(job) => job.spec().liveness.stall_budget_s,
            Self::Infer(inference) => inference.spec().liveness.stall_budget_s,
        }
    }
}
