//! What a person writes: TOML, or JSON through the API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Decay, EarlyStopping, Keep, KeyPolicy, ModelName, Network, Optimizer, PartyName, Resources,
    Side,
};
use crate::{fixed::Scales, privacy::Privacy};

/// The protocols that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Additively homomorphic, asymmetric, two parties: see [`crate::acml`].
    Acml,
}

/// The encryption schemes that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// Paillier.
    Paillier,
}

/// What a person writes. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// A name for people; need not be unique.
    pub name: String,
    /// What the model is called that comes of it. Left out: as the job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<ModelName>,
    /// How the cut is computed.
    #[serde(default = "default_protocol")]
    pub protocol: Protocol,
    /// Who takes which side.
    pub parties: Parties,
    /// What it learns from.
    pub data: Data,
    /// What it learns.
    pub network: Network,
    /// How it learns.
    pub training: Training,
    /// Under which encryption.
    #[serde(default)]
    pub encryption: Encryption,
    /// How long an encryption key is used.
    #[serde(skip_serializing_if = "KeyPolicy::is_usual", default)]
    pub keys: KeyPolicy,
    /// Fixed-point scales of the cut.
    #[serde(default)]
    pub fixed_point: Scales,
    /// What the gradients may tell about labels.
    #[serde(default)]
    pub privacy: Privacy,
    /// When to give up.
    #[serde(default)]
    pub liveness: Liveness,
    /// What it takes at each party.
    #[serde(skip_serializing_if = "Resources::is_usual", default)]
    pub resources: Resources,
}

fn default_protocol() -> Protocol {
    Protocol::Acml
}

/// Who takes which side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    /// Owns the features.
    pub active: PartyName,
    /// Owns the labels.
    pub passive: PartyName,
}

impl Parties {
    /// The party on a side.
    pub fn party(&self, side: Side) -> &PartyName {
        match side {
            Side::Active => &self.active,
            Side::Passive => &self.passive,
        }
    }

    /// The side that `party` takes, if any.
    pub fn side_of(&self, party: &PartyName) -> Option<Side> {
        [Side::Active, Side::Passive]
            .into_iter()
            .find(|side| self.party(*side) == party)
    }
}

/// What the job learns from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WrittenData")]
pub struct Data {
    /// The name of the dataset in each party's own configuration.
    pub dataset: String,
    /// The identifier by which the parties' rows are matched, as both parties'
    /// configurations name it. Left out: row 5 of one party belongs to row 5 of
    /// the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_on: Option<String>,
    /// With `match_on`: the order in which rows are counted. Left out: by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<RowOrder>,
    /// The part of the rows that is set apart for testing, 0 up to (not
    /// including) 1. Left out: 0.2, or 0 with `test_rows`.
    pub test_fraction: f64,
    /// In the place of `test_fraction`: the last rows of the dataset, so many,
    /// are those to test on. For data that comes with a test set, whose files
    /// stand behind the others in the dataset's `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_rows: Option<usize>,
    /// Which part of the size of `test_fraction` is tested on, from 0: with
    /// `split_seed` the same, jobs of fractions 0.2 and folds 0 to 4 test on
    /// every row once.
    #[serde(skip_serializing_if = "is_zero")]
    pub test_fold: u32,
    /// What the split hangs on, in the place of `training.seed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// The part of the rows that is set apart to choose between models, at
    /// least 0; below 1 together with `test_fraction`. With `test_rows`, the
    /// part of the rows before them.
    pub validation_fraction: f64,
}

/// What a person writes: what is left out hangs on what is not.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenData {
    dataset: String,
    match_on: Option<String>,
    order: Option<RowOrder>,
    test_fraction: Option<f64>,
    test_rows: Option<usize>,
    #[serde(default)]
    test_fold: u32,
    split_seed: Option<u64>,
    #[serde(default)]
    validation_fraction: f64,
}

impl From<WrittenData> for Data {
    fn from(written: WrittenData) -> Self {
        let usual = match written.test_rows {
            Some(_) => 0.0,
            None => 0.2,
        };
        Self {
            dataset: written.dataset,
            match_on: written.match_on,
            order: written.order,
            test_fraction: written.test_fraction.unwrap_or(usual),
            test_rows: written.test_rows,
            test_fold: written.test_fold,
            split_seed: written.split_seed,
            validation_fraction: written.validation_fraction,
        }
    }
}

/// The order in which rows with ids are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOrder {
    /// The one that the ids give, whatever order a party stores its rows in.
    #[default]
    ById,
    /// As each party stores them; both must store them in one order.
    AsStored,
}

/// How the job learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Passes over the training rows.
    pub epochs: u32,
    /// B: samples of a mini-batch.
    pub batch_size: usize,
    /// eta: the step of the cut's own weights, plain gradient descent (its
    /// masks cancel only under a linear optimiser).
    pub learning_rate: f64,
    /// The optimiser below the cut.
    pub bottom: Optimizer,
    /// Epochs over which all steps grow from nothing to their full size.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warm_up_epochs: u32,
    /// How all steps shrink over the job.
    #[serde(default, skip_serializing_if = "Decay::is_constant")]
    pub decay: Decay,
    /// When to give up before all epochs are done. Left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Which epoch's weights are tested and saved.
    #[serde(default, skip_serializing_if = "Keep::is_last")]
    pub keep: Keep,
    /// Fixes every public choice: the order of samples, and the split unless
    /// `data.split_seed` does. Initial weights come from seeds that each party keeps to itself.
    pub seed: u64,
}

fn is_zero(x: &u32) -> bool {
    *x == 0
}

/// Under which encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The scheme.
    #[serde(default = "default_scheme")]
    pub scheme: SchemeName,
    /// Bits of the modulus: 2048, 3072 or 4096.
    #[serde(default = "default_key_bits")]
    pub key_bits: u32,
}

fn default_scheme() -> SchemeName {
    SchemeName::Paillier
}

fn default_key_bits() -> u32 {
    2048
}

impl Default for Encryption {
    fn default() -> Self {
        Self {
            scheme: default_scheme(),
            key_bits: default_key_bits(),
        }
    }
}

/// When to give up: one rule in place of many time-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Liveness {
    /// A job that makes no progress for this long is failed. A lost link
    /// parks it until then.
    #[serde(default = "default_stall_budget_s")]
    pub stall_budget_s: u64,
}

fn default_stall_budget_s() -> u64 {
    1800
}

impl Default for Liveness {
    fn default() -> Self {
        Self {
            stall_budget_s: default_stall_budget_s(),
        }
    }
}
