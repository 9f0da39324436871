//! A job that asks a model that has been trained.

use entente_he::{CutBounds, KeyBits};
use entente_wire::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    job::{
        Encryption, Job, JobError, JobId, Liveness, ModelRef, Parties, Resources, RowOrder, Side,
        check::{canonical_digest, check, check_liveness, check_name, check_parties, check_rows},
    },
    rows::RowIds,
    schedule::Schedule,
    split::Split,
};

/// What a person writes to have a model asked. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferenceSpec {
    /// A name for people; need not be unique.
    pub name: String,
    /// What is asked.
    pub task: Asked,
    /// Of which model.
    pub model: ModelRef,
    /// With `task = "predict"`: which side gets the predictions, and it alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub results_at: Option<Side>,
    /// Who takes which side: as in the training, since nobody else has a half.
    pub parties: Parties,
    /// Over which rows.
    pub data: AskedData,
    /// B: samples that are asked at a time.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// Under which encryption.
    #[serde(default)]
    pub encryption: Encryption,
    /// When to give up.
    #[serde(default)]
    pub liveness: Liveness,
    /// What it takes at each party.
    #[serde(skip_serializing_if = "Resources::is_usual", default)]
    pub resources: Resources,
}

fn default_batch_size() -> usize {
    128
}

/// What is asked, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// How good the model is on rows whose classes are known.
    Evaluate,
    /// Which classes rows belong to.
    Predict,
}

/// The rows that a model is asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedData {
    /// The name of the dataset in each party's own configuration.
    pub dataset: String,
    /// The identifier by which the parties' rows are matched; by position if
    /// left out. A prediction that is matched by position needs no dataset at
    /// the labels' side.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub match_on: Option<String>,
    /// With `match_on`: the order in which rows are counted. Left out: by id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<RowOrder>,
    /// Which of them.
    #[serde(skip_serializing_if = "WhichRows::is_all", default)]
    pub rows: WhichRows,
}

/// Rows of a dataset, by what they were to the training of the model: its seed
/// and its fractions say so of any rows, and on the rows that it trained with
/// they are the same ones again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichRows {
    /// Every one.
    #[default]
    All,
    /// Those that were learnt from.
    Train,
    /// Those that chose between models.
    Validation,
    /// Those that were tested on.
    Test,
}

impl WhichRows {
    fn is_all(&self) -> bool {
        *self == Self::All
    }

    fn of(self, trained: &Job, ids: &RowIds) -> Vec<usize> {
        let split = || trained.split(ids);
        match self {
            Self::All => (0..ids.len()).collect(),
            Self::Train => split().train,
            Self::Validation => split().validation,
            Self::Test => split().test,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// How good the model is: told at the labels' side.
    Evaluate,
    /// Which classes rows belong to.
    Predict {
        /// The side that gets to know, and it alone.
        results_at: Side,
    },
}

impl Question {
    /// Its word in a specification.
    pub fn label(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Predict { .. } => "predict",
        }
    }

    /// The side that gets to see logits.
    pub fn answered_at(self) -> Side {
        match self {
            Self::Evaluate => Side::Passive,
            Self::Predict { results_at } => results_at,
        }
    }
}

/// A specification that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    spec: InferenceSpec,
    question: Question,
    key_bits: KeyBits,
    digest: Digest,
}

impl TryFrom<InferenceSpec> for Inference {
    type Error = JobError;

    fn try_from(spec: InferenceSpec) -> Result<Self, JobError> {
        check_name(&spec.name)?;
        check_parties(&spec.parties)?;
        check_rows(
            &spec.data.dataset,
            spec.data.match_on.as_ref(),
            spec.data.order,
        )?;
        check_liveness(&spec.liveness)?;
        spec.resources.check()?;
        check(
            (1..=65_536).contains(&spec.batch_size),
            "batch_size",
            "must be from 1 to 65,536",
        )?;
        let question = match (spec.task, spec.results_at) {
            (Asked::Evaluate, None) => Question::Evaluate,
            (Asked::Predict, Some(results_at)) => Question::Predict { results_at },
            (Asked::Evaluate, Some(_)) => {
                return Err(JobError::new(
                    "results_at",
                    "is for task = \"predict\"; what an evaluation finds stays at the labels' \
                     side: leave it out",
                ));
            }
            (Asked::Predict, None) => {
                return Err(JobError::new(
                    "results_at",
                    "say which side gets the predictions: \"active\" (the features') or \
                     \"passive\" (the labels')",
                ));
            }
        };
        let key_bits = spec.encryption.check()?;
        let digest = canonical_digest(&spec)?;
        Ok(Self {
            spec,
            question,
            key_bits,
            digest,
        })
    }
}

impl Inference {
    /// What was written.
    pub fn spec(&self) -> &InferenceSpec {
        &self.spec
    }

    /// What is asked.
    pub fn question(&self) -> Question {
        self.question
    }

    /// The digest over the canonical bytes, which both parties check.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The size of the HE key.
    pub fn key_bits(&self) -> KeyBits {
        self.key_bits
    }

    /// The same under a key too small for any secret, for tests.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn with_insecure_key(mut self, bits: u32) -> Self {
        self.key_bits = KeyBits::insecure_for_tests(bits);
        self
    }

    /// The same, of this version of its model.
    #[must_use]
    pub fn of_version(self, version: JobId) -> Self {
        let mut spec = self.spec;
        spec.model.version = Some(version);
        // What has been written down once can be written down again.
        let digest = canonical_digest(&spec).unwrap_or(self.digest);
        Self {
            spec,
            digest,
            ..self
        }
    }

    /// By which identifier the parties' rows are matched, and in which order
    /// they then stand; by position if there is none.
    pub fn matching(&self) -> Option<(&str, RowOrder)> {
        let data = &self.spec.data;
        let identifier = data.match_on.as_deref()?;
        Some((identifier, data.order.unwrap_or_default()))
    }

    /// The dataset that the party on this side must have. The labels' side
    /// needs none for predictions by position: it knows nothing of those rows,
    /// and nobody asks it to.
    pub fn dataset(&self, side: Side) -> Option<&str> {
        let needless = side == Side::Passive
            && matches!(self.question, Question::Predict { .. })
            && self.matching().is_none();
        (!needless).then_some(self.spec.data.dataset.as_str())
    }

    /// The exchanges, once the rows are known: a set-up, then the rows that are
    /// asked about, in batches.
    pub fn schedule(&self, trained: &Job, ids: &RowIds) -> Schedule {
        let split = Split {
            test: self.spec.data.rows.of(trained, ids),
            ..Split::default()
        };
        let seed = trained.spec().training.seed;
        Schedule::new(seed, split, self.spec.batch_size, 0)
    }

    /// The bounds of the cut's integers. Nothing is learnt: no step is larger
    /// than the room that every layout leaves.
    pub fn bounds(&self, trained: &Job) -> CutBounds {
        let scales = trained.spec().fixed_point;
        scales.bounds(self.spec.batch_size, trained.width(), trained.logits(), 1.0)
    }
}
