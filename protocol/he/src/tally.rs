//! What an end has done to single ciphertexts, added up.
//!
//! An operation of the seam is over a whole matrix, and so is what is added here: one
//! reading of the clock before a phase of it and one after, whatever the matrix has in
//! it. To measure number by number, on the threads that compute them, was refused: the
//! clock would be read a million times a round, for a sum.
//!
//! So times are those of the clock on the wall, and a phase that ran on four threads took
//! what each of them took. The phases of an operation lie one after the other, and their
//! times add up to nearly the operation's.
//!
//! The scheme knows no metrics. An end keeps its tally for as long as it lives, and who
//! has the end may read it.

use core::time::Duration;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// What is done to single ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    /// Randomness is put to plaintexts. Items are ciphertexts.
    Encrypt,
    /// Plaintexts are taken out. Items are ciphertexts.
    Decrypt,
    /// Plaintexts are added: masks, and the evaluator's own share. Items are ciphertexts.
    Add,
    /// Ciphertexts are multiplied by scalars, and what belongs together is summed up.
    /// Items are products.
    Multiply,
    /// Randomness is replaced. Items are ciphertexts.
    Rerandomise,
    /// Values are laid out in plaintexts, or read from them. Items are values.
    Pack,
    /// Randomness is made for ciphertexts to come. Items are ciphertexts.
    Ahead,
}

impl Primitive {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Encrypt,
        Self::Decrypt,
        Self::Add,
        Self::Multiply,
        Self::Rerandomise,
        Self::Pack,
        Self::Ahead,
    ];

    /// A closed set of names, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Rerandomise => "rerandomise",
            Self::Pack => "pack",
            Self::Ahead => "ahead",
        }
    }
}

/// So much of a primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Items, as [`Primitive`] counts them.
    pub items: u64,
    /// What they took, by the clock on the wall.
    pub time: Duration,
}

impl Done {
    /// What has been done since it was so much.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            items: self.items.saturating_sub(earlier.items),
            time: self.time.saturating_sub(earlier.time),
        }
    }
}

/// What an end has done so far, of each [`Primitive`]. Only grows.
#[derive(Debug, Default)]
pub struct Tally([Row; Primitive::ALL.len()]);

#[derive(Debug, Default)]
struct Row {
    items: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Tally {
    /// Does `work` on so many items.
    pub(crate) fn measure<R>(
        &self,
        primitive: Primitive,
        items: usize,
        work: impl FnOnce() -> R,
    ) -> R {
        let since = Instant::now();
        let result = work();
        let took = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let Row {
            items: sum,
            nanoseconds,
        } = self.row(primitive);
        sum.fetch_add(items as u64, Ordering::Relaxed);
        nanoseconds.fetch_add(took, Ordering::Relaxed);
        result
    }

    /// What has been done of a primitive.
    pub fn of(&self, primitive: Primitive) -> Done {
        let Row { items, nanoseconds } = self.row(primitive);
        Done {
            items: items.load(Ordering::Relaxed),
            time: Duration::from_nanos(nanoseconds.load(Ordering::Relaxed)),
        }
    }

    fn row(&self, primitive: Primitive) -> &Row {
        let [encrypt, decrypt, add, multiply, rerandomise, pack, ahead] = &self.0;
        match primitive {
            Primitive::Encrypt => encrypt,
            Primitive::Decrypt => decrypt,
            Primitive::Add => add,
            Primitive::Multiply => multiply,
            Primitive::Rerandomise => rerandomise,
            Primitive::Pack => pack,
            Primitive::Ahead => ahead,
        }
    }
}

/// An end that keeps a tally.
pub trait Tallied {
    /// What it has done so far.
    fn tally(&self) -> &Tally;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_primitive_has_a_row_and_a_name_of_its_own() {
        let tally = Tally::default();
        for (i, primitive) in Primitive::ALL.into_iter().enumerate() {
            let result = tally.measure(primitive, i + 1, || i);
            assert_eq!(result, i);
        }
        let before = tally.of(Primitive::Pack);
        tally.measure(Primitive::Pack, 10, || ());
        for (i, primitive) in Primitive::ALL.into_iter().enumerate() {
            let more = if primitive == Primitive::Pack { 10 } else { 0 };
            assert_eq!(tally.of(primitive).items, i as u64 + 1 + more);
            let same = Primitive::ALL.map(|other| other.label() == primitive.label());
            assert_eq!(same.into_iter().filter(|same| *same).count(), 1);
        }
        assert_eq!(tally.of(Primitive::Pack).since(before).items, 10);
        assert_eq!(before.since(tally.of(Primitive::Pack)), Done::default());
    }
}
