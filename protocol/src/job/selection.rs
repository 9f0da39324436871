//! Which epoch's model a job keeps, and when it stops looking for a better one.
//!
//! The epochs are compared by what the validation rows say after each, which
//! the labels' side alone knows. One bit of it leaves that side after each
//! epoch, whether it was better than all before; patience is counted by both
//! from these bits (see [`crate::course`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a job gives up before all its epochs are done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// So many epochs without a better one end the training; at least 1.
    pub patience: u32,
    /// What an epoch must better the best before it by, or it is not better; at
    /// least 0.
    #[serde(default)]
    pub min_delta: f64,
    /// What epochs are compared by.
    #[serde(default)]
    pub metric: Metric,
}

impl EarlyStopping {
    pub(super) fn is_sound(&self) -> bool {
        self.patience >= 1 && self.min_delta.is_finite() && self.min_delta >= 0.0
    }
}

/// What epochs are compared by, on the validation rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean loss of a row: less is better.
    #[default]
    Loss,
    /// The part of the rows that was classified rightly: more is better.
    Accuracy,
}

/// Which epoch's weights are tested and saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those of the last epoch that was gone through.
    #[default]
    Last,
    /// Those of the best epoch by the validation rows: by the metric and the
    /// difference of early stopping if a job has it, else by their loss.
    Best,
}

impl Keep {
    pub(super) fn is_last(&self) -> bool {
        *self == Self::Last
    }
}

/// How a job selects among its epochs' models, if it does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// What epochs are compared by.
    pub metric: Metric,
    /// What a better epoch betters the best by, at the least.
    pub min_delta: f64,
    /// Epochs without a better one after which training stops; `None` for
    /// never.
    pub patience: Option<u32>,
    /// Which epoch's weights are tested and saved.
    pub keep: Keep,
}

impl Selection {
    /// Of what was written; `None` when every epoch is gone through and the
    /// last is kept, so that nobody need compare any.
    pub fn of(early_stopping: Option<EarlyStopping>, keep: Keep) -> Option<Self> {
        match (early_stopping, keep) {
            (None, Keep::Last) => None,
            (None, Keep::Best) => Some(Self {
                metric: Metric::default(),
                min_delta: 0.0,
                patience: None,
                keep,
            }),
            (Some(early), keep) => Some(Self {
                metric: early.metric,
                min_delta: early.min_delta,
                patience: Some(early.patience),
                keep,
            }),
        }
    }
}
