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
//!
//! A job that stops early goes from the last `v` of an epoch to the first `e`:
//! the epochs that are left out have no numbers, and exchanges are counted
//! without gaps.

use entente_wire::Digest;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::split::Split;

#[cfg(test)]
mod tests;

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
        /// Whether all validation rows have been seen after it.
        last: bool,
        /// The rows, in the order of the batch.
        rows: Vec<usize>,
    },
    /// One batch of joint inference over the test rows.
    Evaluate {
        /// The rows, in the order of the batch.
        rows: Vec<usize>,
    },
}

/// Where an exchange stands in a job: all but its rows, and had without
/// putting any rows in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before everything.
    SetUp,
    /// Among the mini-batches of an epoch.
    Train {
        /// The epoch, from 0.
        epoch: u32,
        /// The mini-batch, from 0, in its epoch.
        batch: u64,
    },
    /// In an epoch's look at the validation rows.
    Validate {
        /// The epoch, from 0.
        epoch: u32,
        /// The batch, from 0, of this look.
        batch: u64,
    },
    /// Among the batches of the test rows.
    Evaluate {
        /// The batch, from 0.
        batch: u64,
    },
}

/// The exchanges of a job: set-up, then every epoch's mini-batches in that
/// epoch's order (the last may be smaller) and the validation rows, then the
/// test rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    seed: u64,
    batch: usize,
    /// That are gone through.
    epochs: u32,
    /// That were asked for.
    asked: u32,
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
            asked: epochs,
            split,
        }
    }

    /// Leaves out every epoch after `epoch` (from 0).
    pub(crate) fn stop_after(&mut self, epoch: u32) {
        self.epochs = self.epochs.min(epoch.saturating_add(1));
    }

    /// Epochs that are gone through.
    pub(crate) fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Whether epochs that were asked for are left out.
    pub fn stops_early(&self) -> bool {
        self.epochs < self.asked
    }

    /// Whether `epoch` (from 0) is the last that is gone through.
    pub fn ends_with(&self, epoch: u32) -> bool {
        epoch.saturating_add(1) >= self.epochs
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
        self.batches(&self.split.train)
    }

    /// Mini-batches of the job.
    pub fn rounds(&self) -> u64 {
        self.rounds_per_epoch() * u64::from(self.epochs)
    }

    /// All exchanges of the job.
    pub fn exchanges(&self) -> u64 {
        1 + self.epochs_end() + self.batches(&self.split.test)
    }

    /// Exchanges of an epoch: its mini-batches, then its look at the
    /// validation rows.
    fn exchanges_per_epoch(&self) -> u64 {
        self.rounds_per_epoch() + self.batches(&self.split.validation)
    }

    /// Exchanges of all epochs.
    fn epochs_end(&self) -> u64 {
        self.exchanges_per_epoch() * u64::from(self.epochs)
    }

    /// Where exchange `index` stands; `None` past the end.
    pub fn place(&self, index: u64) -> Option<Place> {
        let Some(place) = index.checked_sub(1) else {
            return Some(Place::SetUp);
        };
        if let Some(batch) = place.checked_sub(self.epochs_end()) {
            return (batch < self.batches(&self.split.test)).then_some(Place::Evaluate { batch });
        }
        let per_epoch = self.exchanges_per_epoch();
        let (epoch, place) = ((place / per_epoch) as u32, place % per_epoch);
        Some(match place.checked_sub(self.rounds_per_epoch()) {
            Some(batch) => Place::Validate { epoch, batch },
            None => Place::Train {
                epoch,
                batch: place,
            },
        })
    }

    /// Exchange `index`; `None` past the end. Puts all training rows in order
    /// for the batch of one round: who goes through a job takes a
    /// [`Course`](crate::course::Course), which does so once an epoch.
    pub fn exchange(&self, index: u64) -> Option<Exchange> {
        let order = match self.place(index)? {
            Place::Train { epoch, .. } => self.order(epoch),
            _ => Vec::new(),
        };
        self.exchange_in(index, &order)
    }

    /// Exchange `index`, of an epoch whose order is known.
    pub(crate) fn exchange_in(&self, index: u64, order: &[usize]) -> Option<Exchange> {
        Some(match self.place(index)? {
            Place::SetUp => Exchange::SetUp,
            Place::Train { epoch, batch } => Exchange::Train {
                epoch,
                round: u64::from(epoch) * self.rounds_per_epoch() + batch,
                rows: self.batch(order, batch)?,
            },
            Place::Validate { epoch, batch } => Exchange::Validate {
                epoch,
                last: batch + 1 == self.batches(&self.split.validation),
                rows: self.batch(&self.split.validation, batch)?,
            },
            Place::Evaluate { batch } => Exchange::Evaluate {
                rows: self.batch(&self.split.test, batch)?,
            },
        })
    }

    /// Mini-batches before exchange `index`, counted over all epochs: the number of
    /// the first that is not.
    pub fn rounds_before(&self, index: u64) -> u64 {
        let per_epoch = self.rounds_per_epoch();
        match self.place(index) {
            Some(Place::SetUp) => 0,
            Some(Place::Train { epoch, batch }) => u64::from(epoch) * per_epoch + batch,
            Some(Place::Validate { epoch, .. }) => (u64::from(epoch) + 1) * per_epoch,
            Some(Place::Evaluate { .. }) | None => self.rounds(),
        }
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

    /// Batches that so many rows make.
    fn batches(&self, rows: &[usize]) -> u64 {
        rows.len().div_ceil(self.batch) as u64
    }

    /// Batch `index` of rows in this order; `None` past the end.
    fn batch(&self, rows: &[usize], index: u64) -> Option<Vec<usize>> {
        let mut batches = rows.chunks(self.batch);
        Some(batches.nth(usize::try_from(index).ok()?)?.to_vec())
    }
}
