//! Which exchanges a job consists of, and which rows each takes. Public, and
//! the same at both parties: it follows from the specification and the number
//! of rows.
//!
//! ```text
//! set-up │ t t t v v │ t t t v v │ ... │ e e e
//!           epoch 0     epoch 1          test rows
//! ```
//!
//! Rounds are the mini-batches `t` and nothing else: pace and dropout hang on
//! their number, and so a model is the same whether or not somebody looked at
//! it between epochs (`v`, none without validation rows).

use entente_wire::Digest;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::split::Split;

/// One exchange of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Key, shares, and the check that both hold the same rows.
    SetUp,
    /// One mini-batch of training.
    Train {
        /// The epoch, from 0.
        epoch: u32,
        /// The mini-batch, from 0, counted over all epochs.
        round: u64,
        /// The rows, in the order of the batch.
        rows: Vec<usize>,
    },
    /// One batch of joint inference over the validation rows, after the
    /// mini-batches of an epoch.
    Validate {
        /// The epoch, from 0.
        epoch: u32,
        /// The rows, in the order of the batch.
        rows: Vec<usize>,
    },
    /// One batch of joint inference over the test rows.
    Evaluate {
        /// The rows, in the order of the batch.
        rows: Vec<usize>,
    },
}

/// The exchanges of a job: set-up, then every epoch's mini-batches in that
/// epoch's order (the last may be smaller) and the validation rows, then the
/// test rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    seed: u64,
    batch: usize,
    epochs: u32,
    split: Split,
}

/// A generator for public choices: the same at both parties.
fn public_rng(seed: u64, purpose: &str, index: u64) -> ChaCha20Rng {
    let digest = Digest::of(
        "entente public choice",
        &[
            purpose.as_bytes(),
            &seed.to_be_bytes(),
            &index.to_be_bytes(),
        ],
    );
    ChaCha20Rng::from_seed(*digest.as_bytes())
}

/// Fisher and Yates, with a bounded draw that is the same on every platform.
fn shuffle(rows: &mut [usize], rng: &mut ChaCha20Rng) {
    for i in (1..rows.len()).rev() {
        // 64 random bits times the bound, upper half: the bias is below
        // 2^-32 for every table that fits in memory.
        let j = ((u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64) as usize;
        rows.swap(i, j);
    }
}

impl Schedule {
    /// Over the rows of `split`, in an order that `seed` chooses anew for each
    /// epoch.
    pub fn new(seed: u64, split: Split, batch: usize, epochs: u32) -> Self {
        Self {
            seed,
            batch: batch.max(1),
            epochs,
            split,
        }
    }

    /// The rows to learn from, ascending.
    pub fn train_rows(&self) -> &[usize] {
        &self.split.train
    }

    /// The rows set apart to choose between models, ascending.
    pub fn validation_rows(&self) -> &[usize] {
        &self.split.validation
    }

    /// The rows set apart for testing, ascending.
    pub fn test_rows(&self) -> &[usize] {
        &self.split.test
    }

    /// Mini-batches of an epoch.
    pub fn rounds_per_epoch(&self) -> u64 {
        self.split.train.len().div_ceil(self.batch) as u64
    }

    /// Mini-batches of the job.
    pub fn rounds(&self) -> u64 {
        self.rounds_per_epoch() * u64::from(self.epochs)
    }

    /// All exchanges of the job.
    pub fn exchanges(&self) -> u64 {
        1 + self.epochs_end() + self.split.test.len().div_ceil(self.batch) as u64
    }

    /// Exchanges of an epoch: its mini-batches, then its look at the
    /// validation rows.
    fn exchanges_per_epoch(&self) -> u64 {
        self.rounds_per_epoch() + self.split.validation.len().div_ceil(self.batch) as u64
    }

    /// Exchanges of all epochs.
    fn epochs_end(&self) -> u64 {
        self.exchanges_per_epoch() * u64::from(self.epochs)
    }

    /// Exchange `index`; `None` past the end.
    pub fn exchange(&self, index: u64) -> Option<Exchange> {
        let Some(place) = index.checked_sub(1) else {
            return Some(Exchange::SetUp);
        };
        if let Some(batch) = place.checked_sub(self.epochs_end()) {
            let rows = self.batch(&self.split.test, batch)?;
            return Some(Exchange::Evaluate { rows });
        }
        let per_epoch = self.exchanges_per_epoch();
        let (epoch, place) = ((place / per_epoch) as u32, place % per_epoch);
        let rounds = self.rounds_per_epoch();
        Some(match place.checked_sub(rounds) {
            Some(batch) => Exchange::Validate {
                epoch,
                rows: self.batch(&self.split.validation, batch)?,
            },
            None => Exchange::Train {
                epoch,
                round: u64::from(epoch) * rounds + place,
                rows: self.batch(&self.order(epoch), place)?,
            },
        })
    }

    /// Whether `round`, counted over all epochs, is the last of its epoch.
    pub fn ends_epoch(&self, round: u64) -> bool {
        (round + 1).is_multiple_of(self.rounds_per_epoch())
    }

    /// The training rows in the order of `epoch`.
    pub fn order(&self, epoch: u32) -> Vec<usize> {
        let mut rows = self.split.train.clone();
        shuffle(&mut rows, &mut public_rng(self.seed, "order", epoch.into()));
        rows
    }

    /// Batch `index` of rows in this order; `None` past the end.
    fn batch(&self, rows: &[usize], index: u64) -> Option<Vec<usize>> {
        let mut batches = rows.chunks(self.batch);
        Some(batches.nth(usize::try_from(index).ok()?)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::{rows::RowIds, split::Fractions};

    fn schedule(
        seed: u64,
        rows: usize,
        [test, validation]: [f64; 2],
        batch: usize,
        epochs: u32,
    ) -> Schedule {
        let fractions = Fractions { test, validation };
        let split = Split::of(&RowIds::numbered(rows), seed, fractions);
        Schedule::new(seed, split, batch, epochs)
    }

    proptest! {
        #[test]
        fn every_epoch_visits_every_training_row_and_then_every_validation_row_once(
            seed: u64, rows in 1_usize..60, batch in 1_usize..20, epochs in 1_u32..4,
            test in 0.0..0.5_f64, validation in prop_oneof![Just(0.0), 0.0..0.49_f64],
        ) {
            let schedule = schedule(seed, rows, [test, validation], batch, epochs);
            let parts = [
                schedule.train_rows(), schedule.validation_rows(), schedule.test_rows(),
            ];
            prop_assert_eq!(parts.map(<[usize]>::len).iter().sum::<usize>(), rows);
            let mut learnt = vec![vec![]; epochs as usize];
            let mut validated = vec![vec![]; epochs as usize];
            let mut tested = vec![];
            let mut rounds = 0;
            for index in 0..schedule.exchanges() {
                let rows = match schedule.exchange(index).unwrap() {
                    Exchange::SetUp => {
                        prop_assert_eq!(index, 0);
                        continue;
                    }
                    Exchange::Train { epoch, round, rows } => {
                        prop_assert_eq!(round, rounds, "rounds are counted without gaps");
                        prop_assert!(validated[epoch as usize].is_empty());
                        rounds += 1;
                        let learnt = &mut learnt[epoch as usize];
                        learnt.extend_from_slice(&rows);
                        prop_assert_eq!(
                            schedule.ends_epoch(round),
                            learnt.len() == schedule.train_rows().len()
                        );
                        rows
                    }
                    Exchange::Validate { epoch, rows } => {
                        prop_assert_eq!(rounds, u64::from(epoch + 1) * schedule.rounds_per_epoch());
                        validated[epoch as usize].extend_from_slice(&rows);
                        rows
                    }
                    Exchange::Evaluate { rows } => {
                        prop_assert_eq!(rounds, schedule.rounds());
                        tested.extend_from_slice(&rows);
                        rows
                    }
                };
                prop_assert!(!rows.is_empty() && rows.len() <= batch);
            }
            for mut epoch in learnt {
                epoch.sort_unstable();
                prop_assert_eq!(&epoch, schedule.train_rows());
            }
            for epoch in validated {
                prop_assert_eq!(&epoch, schedule.validation_rows());
            }
            prop_assert_eq!(&tested, schedule.test_rows());
            prop_assert_eq!(rounds, schedule.rounds());
            prop_assert_eq!(schedule.exchange(schedule.exchanges()), None);
            prop_assert_eq!(schedule.exchange(u64::MAX), None);
        }
    }

    #[test]
    fn the_order_is_the_seeds_and_changes_with_the_epoch() {
        let one = schedule(7, 50, [0.2, 0.0], 8, 2);
        assert_eq!(one, schedule(7, 50, [0.2, 0.0], 8, 2));
        assert_ne!(one.order(0), one.order(1));
        assert_ne!(one.order(0), schedule(8, 50, [0.2, 0.0], 8, 2).order(0));
    }
}
