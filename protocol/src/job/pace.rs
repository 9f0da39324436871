//! The pace of learning: what steps are multiplied by, round for round.
//!
//! One pace for the whole network, below the cut and at it. For the cut's own
//! weights this is sound because their step enters at one place alone, as the
//! scalars `eta Delta` of B1 that the passive party makes: masks and shares
//! never see it. The step is linear still, so masks cancel, and as the pace
//! never exceeds 1, no scalar exceeds the bounds that the scheme was told for
//! the full `eta`. Both parties compute the same factor from public numbers;
//! the passive party applies it to `eta`, the active party to its optimiser.
//!
//! ```text
//!   1 ┤     ╭────╮            warm-up: linear, over whole epochs
//!     │    ╱      ╲           decay: none, steps, or half a cosine
//!     │   ╱        ╲
//!   0 ┼──┴──────────┴──▶ round
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the pace goes down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// Not at all.
    #[default]
    Constant,
    /// By a factor, every so many epochs.
    Step {
        /// Epochs from one step to the next.
        every_epochs: u32,
        /// Above 0, at most 1.
        factor: f64,
    },
    /// Along half a cosine from the end of the warm-up to the end of the job.
    Cosine {
        /// Where it ends, 0 to 1.
        #[serde(default)]
        floor: f64,
    },
}

impl Decay {
    pub(super) fn is_constant(&self) -> bool {
        *self == Self::Constant
    }

    pub(super) fn is_sound(&self) -> bool {
        match *self {
            Self::Constant => true,
            Self::Step {
                every_epochs,
                factor,
            } => every_epochs > 0 && factor > 0.0 && factor <= 1.0,
            Self::Cosine { floor } => (0.0..=1.0).contains(&floor),
        }
    }
}

/// The pace of a job whose number of rounds is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    decay: Decay,
    warm_up: u64,
    per_epoch: u64,
    rounds: u64,
}

impl Pace {
    /// Of `rounds` rounds, `per_epoch` in each epoch.
    pub fn new(decay: Decay, warm_up_epochs: u32, per_epoch: u64, rounds: u64) -> Self {
        Self {
            decay,
            warm_up: u64::from(warm_up_epochs).saturating_mul(per_epoch),
            per_epoch: per_epoch.max(1),
            rounds,
        }
    }

    /// What the steps of `round` (from 0) are multiplied by, 0 to 1. The
    /// functions are libm's and not the platform's: the same bits everywhere.
    pub fn at(&self, round: u64) -> f64 {
        let warm = match round < self.warm_up {
            true => (round + 1) as f64 / self.warm_up as f64,
            false => 1.0,
        };
        warm * match self.decay {
            Decay::Constant => 1.0,
            Decay::Step {
                every_epochs,
                factor,
            } => {
                let steps = round / self.per_epoch / u64::from(every_epochs.max(1));
                libm::pow(factor, steps as f64)
            }
            Decay::Cosine { floor } => {
                let done = round.saturating_sub(self.warm_up) as f64;
                let all = self.rounds.saturating_sub(self.warm_up).max(1) as f64;
                let angle = core::f64::consts::PI * (done / all).min(1.0);
                floor + (1.0 - floor) * (1.0 + libm::cos(angle)) / 2.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decays() -> impl Strategy<Value = Decay> {
        prop_oneof![
            Just(Decay::Constant),
            (1_u32..9, 0.001..=1.0_f64).prop_map(|(every_epochs, factor)| Decay::Step {
                every_epochs,
                factor
            }),
            (0.0..=1.0_f64).prop_map(|floor| Decay::Cosine { floor }),
        ]
    }

    proptest! {
        /// What the bounds of the cut rest on.
        #[test]
        fn the_pace_is_never_above_one_nor_below_zero(
            decay in decays(), warm_up in 0_u32..5, per_epoch in 1_u64..20, epochs in 1_u64..9,
        ) {
            let pace = Pace::new(decay, warm_up, per_epoch, per_epoch * epochs);
            for round in 0..per_epoch * epochs + 2 {
                let at = pace.at(round);
                prop_assert!((0.0..=1.0).contains(&at), "{at} in round {round}");
            }
        }
    }

    #[test]
    fn steps_fall_after_whole_epochs() {
        let decay = Decay::Step {
            every_epochs: 2,
            factor: 0.5,
        };
        let pace = Pace::new(decay, 0, 3, 30);
        let seen: Vec<f64> = [0, 5, 6, 11, 12].map(|round| pace.at(round)).into();
        assert_eq!(seen, [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn a_cosine_starts_after_the_warm_up_and_ends_at_its_floor() {
        let pace = Pace::new(Decay::Cosine { floor: 0.2 }, 1, 4, 12);
        let warm: Vec<f64> = (0..5).map(|round| pace.at(round)).collect();
        assert_eq!(warm, [0.25, 0.5, 0.75, 1.0, 1.0]);
        assert!((pace.at(8) - 0.6).abs() < 1e-12);
        assert!(pace.at(11) > 0.2 && pace.at(11) < 0.3);
        assert!((pace.at(12) - 0.2).abs() < 1e-12);
    }
}
