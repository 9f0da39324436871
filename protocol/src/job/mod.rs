//! The job specification: what the parties agree to compute.
//!
//! A [`JobSpec`] is what a person writes (TOML, or JSON through the API); a
//! [`Job`] is a specification that has been checked, once, with its digest
//! over canonical bytes. Nothing else takes a `JobSpec`.
//!
//! A [`Job`] trains. Whoever only hands jobs on (coordinator, party) knows them
//! as [`Task`]s, which may also ask a model that has been trained.

mod check;
mod id;
mod keys;
mod model;
pub mod network;
mod optimizer;
mod pace;
mod party;
mod resources;
mod selection;
mod spec;
pub mod task;
#[cfg(test)]
mod tests;

use entente_he::{CutBounds, KeyBits};
use entente_wire::Digest;
use thiserror::Error;

use crate::{
    privacy::defence::ROOM,
    rows::RowIds,
    schedule::Schedule,
    split::{Fractions, Split},
};

pub use id::JobId;
pub use keys::KeyPolicy;
pub use model::{ModelName, ModelRef};
pub use network::{Blueprint, Bottom, Layer, Network, Objective, Preset, SampleShape};
pub use optimizer::Optimizer;
pub use pace::{Decay, Pace};
pub use party::{PartyName, Side};
pub use resources::Resources;
pub use selection::{EarlyStopping, Keep, Metric, Selection};
pub use spec::{
    Data, Encryption, JobSpec, Liveness, Parties, Protocol, RowOrder, SchemeName, Training,
};
pub use task::{Inference, InferenceSpec, Question, Task, TaskSpec};

/// What is wrong with a specification, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("job specification, {field}: {problem}")]
pub struct JobError {
    /// The field, as a path.
    pub field: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl JobError {
    fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self {
            field,
            problem: problem.into(),
        }
    }
}

/// A specification that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    spec: JobSpec,
    model: ModelName,
    key_bits: KeyBits,
    blueprint: Blueprint,
    digest: Digest,
    /// As `digest`, of what the model hangs on alone.
    learns: Digest,
}

impl Job {
    /// What was written.
    pub fn spec(&self) -> &JobSpec {
        &self.spec
    }

    /// What the model is called that comes of it.
    pub fn model(&self) -> &ModelName {
        &self.model
    }

    /// The digest over the canonical bytes, which both parties check.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest over what is learnt, and not under which keys: what decides on
    /// weights hangs on this one.
    pub(crate) fn learns(&self) -> Digest {
        self.learns
    }

    /// The size of the HE key.
    pub fn key_bits(&self) -> KeyBits {
        self.key_bits
    }

    /// The same job under a key too small for any secret, for tests.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn with_insecure_key(mut self, bits: u32) -> Self {
        self.key_bits = KeyBits::insecure_for_tests(bits);
        self
    }

    /// h: the width of the cut.
    pub fn width(&self) -> usize {
        self.blueprint.width()
    }

    /// c: the logits of a sample.
    pub fn logits(&self) -> usize {
        self.spec.network.logits()
    }

    /// The network below the cut, whose layers fit.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// How it selects among its epochs' models; `None` when it takes the last.
    pub fn selection(&self) -> Option<Selection> {
        let training = &self.spec.training;
        Selection::of(training.early_stopping, training.keep)
    }

    /// What steps are multiplied by, once the rounds are known.
    pub fn pace(&self, schedule: &Schedule) -> Pace {
        let training = &self.spec.training;
        Pace::new(
            training.decay,
            training.warm_up_epochs,
            schedule.rounds_per_epoch(),
            // Of all epochs that were asked for, also where a role resumes that
            // has stopped early: a pace is the same whatever was found on the way.
            schedule.rounds_per_epoch() * u64::from(training.epochs),
        )
    }

    /// The bounds of the cut's integers.
    pub fn bounds(&self) -> CutBounds {
        let mut bounds = self.spec.fixed_point.bounds(
            self.spec.training.batch_size,
            self.width(),
            self.logits(),
            self.spec.training.learning_rate,
        );
        if self.spec.privacy.defence.is_some() {
            bounds.delta_unit *= ROOM;
        }
        bounds
    }

    /// Which rows are learnt from and which are not.
    pub fn split(&self, ids: &RowIds) -> Split {
        let data = &self.spec.data;
        let seed = data.split_seed.unwrap_or(self.spec.training.seed);
        let validation = data.validation_fraction;
        match data.test_rows {
            Some(last) => Split::with_last(ids, seed, last, validation),
            None => {
                let test = data.test_fraction;
                Split::fold(ids, seed, Fractions { test, validation }, data.test_fold)
            }
        }
    }

    /// The exchanges, once the rows are known: their ids, or how many there
    /// are when they are matched by position.
    pub fn schedule(&self, rows: impl Into<RowIds>) -> Schedule {
        let training = &self.spec.training;
        let split = self.split(&rows.into());
        Schedule::new(training.seed, split, training.batch_size, training.epochs)
    }

    /// By which identifier the parties' rows are matched, and in which order
    /// they then stand; by position if there is none.
    pub fn matching(&self) -> Option<(&str, RowOrder)> {
        let data = &self.spec.data;
        let identifier = data.match_on.as_deref()?;
        Some((identifier, data.order.unwrap_or_default()))
    }

    /// The side that `party` takes, if any.
    pub fn side_of(&self, party: &PartyName) -> Option<Side> {
        self.spec.parties.side_of(party)
    }

    /// The party on a side.
    pub fn party(&self, side: Side) -> &PartyName {
        self.spec.parties.party(side)
    }

    /// Reads a specification written in TOML, and checks it.
    ///
    /// # Errors
    /// [`JobError`] naming the field, or the line that is not TOML.
    pub fn from_toml(text: &str) -> Result<Self, JobError> {
        let spec: JobSpec =
            toml::from_str(text).map_err(|error| JobError::new("(text)", error.to_string()))?;
        spec.try_into()
    }
}
