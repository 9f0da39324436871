//! What the gradients below the cut tell about labels: measured, bounded,
//! blurred.
//!
//! The active party learns `dA = Delta W2` in plain; without it the network
//! below the cut could not learn. Rows of `dA` cluster by label. In a problem
//! of two classes all of them lie on one line, and their lengths and
//! directions find the labels (Li et al., "Label leakage and protection in
//! two-party split learning", ICLR 2022, arXiv:2102.08504). Three things are
//! done about it, all of them at the party that holds the labels:
//!
//! - the [gauge] mounts the two published attacks on every gradient
//!   that is about to be released, and reports how well they do;
//! - a [`Defence`] adds noise to the `Delta` of B3, and to that alone: the
//!   cut's own weights learn from the true one, of which nothing is shown;
//! - a bound ([`Privacy::max_leak_auc`]) ends the job when an attack does
//!   better than the parties agreed to.
//!
//! What the gauge cannot see: this party does not hold `W2`, so the attacks
//! run on `Delta` in place of `Delta W2`. For two classes that is the same (a
//! line times one number); for more it is what an attacker sees when the rows
//! of `W2` are orthogonal and of one length, which wide cuts are close to.

pub mod defence;
pub mod gauge;

pub use defence::{Defence, Noise};
pub use gauge::{Gauge, Leak};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the parties agree on about labels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// The job ends when an attack on an epoch's gradients reaches a larger
    /// area under its curve: 0.5 is guessing, 1 is certainty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_leak_auc: Option<f64>,
    /// Noise on the released gradients; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defence: Option<Defence>,
}
