//! How the network below the cut learns from its gradients. (The cut's own
//! weights have no choice: their masks cancel only under plain gradient
//! descent.)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The optimiser below the cut. Any will do there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "optimizer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Gradient descent.
    Sgd {
        /// Step.
        learning_rate: f64,
        /// 0 for none.
        #[serde(default)]
        momentum: f64,
        /// Added to the gradient, times the weight; 0 for none.
        #[serde(default, skip_serializing_if = "is_zero")]
        weight_decay: f64,
    },
    /// Adam with its usual moments (0.9, 0.999).
    Adam {
        /// Step.
        learning_rate: f64,
    },
    /// Adam whose weight decay stands beside the gradient and not in it
    /// (Loshchilov and Hutter, 2019).
    Adamw {
        /// Step.
        learning_rate: f64,
        /// Times the step and the weight, taken from the weight.
        #[serde(default = "default_weight_decay")]
        weight_decay: f64,
    },
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

fn default_weight_decay() -> f64 {
    0.01
}

impl Optimizer {
    /// The step, before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match *self {
            Self::Sgd { learning_rate, .. }
            | Self::Adam { learning_rate }
            | Self::Adamw { learning_rate, .. } => learning_rate,
        }
    }

    /// Whether every number is in its range.
    pub(super) fn is_sound(&self) -> bool {
        let (momentum, weight_decay) = match *self {
            Self::Sgd {
                momentum,
                weight_decay,
                ..
            } => (momentum, weight_decay),
            Self::Adam { .. } => (0.0, 0.0),
            Self::Adamw { weight_decay, .. } => (0.0, weight_decay),
        };
        let rate = self.learning_rate();
        rate.is_finite()
            && rate > 0.0
            && (0.0..1.0).contains(&momentum)
            && (0.0..=1.0).contains(&weight_decay)
    }
}
