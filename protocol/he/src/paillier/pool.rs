//! Randomness for ciphertexts, made while there is nothing else to do.
//!
//! A factor r^n is the dearest part of what either end does to a ciphertext
//! (nine tenths of an input gradient, and nearly all of an encryption), and the
//! only one that needs nothing of the round. Both ends wait for each other half
//! of the time; a [`Pool`] is where the caller's idle threads put what a later
//! round takes out:
//!
//! ```text
//!   idle threads ── advance ──▶ [R R R R R R . .] ── draw ──▶ a matrix
//!                    a block     bounded, wiped       each once; what is
//!                    at a time                        missing is made there
//! ```
//!
//! There is no thread in here and no waiting: an empty pool costs a round what
//! it would have cost without one, and so does one that an idle thread is
//! putting values into at that moment: a thread that has time may be made to
//! wait long, and must not hold up one that has none. Nor is a pool ever written anywhere: a value
//! that came back from a disk would be used twice, and the quotient of two
//! ciphertexts under one value is the difference of their plaintexts.

use core::fmt;
use std::sync::{
    Mutex, PoisonError, TryLockError,
    atomic::{AtomicUsize, Ordering},
};

use crypto_bigint::BoxedUint;
use entente_wire::Secret;

use super::PublicKey;
use crate::{Ahead, Primitive, Rng, Tallied, Tally, engine::Residues};

/// What makes n-th powers modulo n^2. Which ones, and what hides behind them,
/// is the difference between the ends: see `prime.rs`, `rerandomise.rs` and
/// `subgroup.rs`.
pub(super) trait Source: fmt::Debug + Send + Sync {
    /// The key that they are for.
    fn key(&self) -> &PublicKey;

    /// `count` values, each for one ciphertext. Computed, never waited for.
    fn make(&self, count: usize, rng: &mut Rng) -> Residues;
}

/// A bounded store of fresh n-th powers before their source. Each leaves it
/// once, and what never leaves is wiped with it.
pub(super) struct Pool<S> {
    source: S,
    capacity: usize,
    /// In the form of integers, which can be taken one by one. Held for as long
    /// as it takes to move some, never while any are made.
    ready: Mutex<Secret<Vec<BoxedUint>>>,
    /// How many of them, as last seen under the lock.
    depth: AtomicUsize,
    /// Of the end that has it.
    tally: Tally,
}

impl<S: Source> Pool<S> {
    /// An empty pool for `capacity` values; for 0, one that stays empty.
    pub(super) fn new(source: S, capacity: usize) -> Self {
        Self {
            source,
            capacity,
            ready: Mutex::new(Secret::new(Vec::new())),
            depth: AtomicUsize::new(0),
            tally: Tally::default(),
        }
    }

    /// Where its values come from.
    pub(super) fn source(&self) -> &S {
        &self.source
    }

    #[cfg(test)]
    pub(super) fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// `count` values, each for one ciphertext: those that are ready, and the
    /// rest made now.
    pub(super) fn draw(&self, count: usize, rng: &mut Rng) -> Residues {
        let mut values = self.take(count);
        let modulus = self.source.key().modulus();
        let missing = count - values.expose().len();
        if missing == count {
            return self.source.make(count, rng);
        }
        if missing > 0 {
            let made = modulus.export(&self.source.make(missing, rng));
            values.expose_mut().extend(made);
        }
        modulus.import(values.expose())
    }

    /// Up to `count` of those that are ready; none while they are being added
    /// to.
    fn take(&self, count: usize) -> Secret<Vec<BoxedUint>> {
        // A thread that panicked had moved its values or not: both are whole.
        let mut ready = match self.ready.try_lock() {
            Ok(ready) => ready,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Secret::new(Vec::new()),
        };
        let left = ready.expose().len().saturating_sub(count);
        let taken = Secret::new(ready.expose_mut().split_off(left));
        self.depth.store(left, Ordering::Relaxed);
        taken
    }

    /// Adds as many as there is room for.
    fn put(&self, mut values: Secret<Vec<BoxedUint>>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        // Others may have filled it meanwhile: what is too much stays behind,
        // and is wiped.
        let room = self.capacity.saturating_sub(ready.expose().len());
        let surplus = values.expose().len().saturating_sub(room);
        let fits = values.expose_mut().drain(surplus..);
        ready.expose_mut().extend(fits);
        self.depth.store(ready.expose().len(), Ordering::Relaxed);
    }
}

impl<S: Source> Ahead for Pool<S> {
    /// Makes a block of values for each thread of the current rayon pool, or
    /// what there is room for.
    fn advance(&self, rng: &mut Rng) -> bool {
        let modulus = self.source.key().modulus();
        let block = modulus.lanes() * rayon::current_num_threads();
        let count = self.capacity.saturating_sub(self.depth()).min(block);
        if count == 0 {
            return false;
        }
        self.tally.measure(Primitive::Ahead, count, || {
            self.put(Secret::new(modulus.export(&self.source.make(count, rng))));
        });
        true
    }

    fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<S> Tallied for Pool<S> {
    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl<S: Source> fmt::Debug for Pool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("source", &self.source)
            .field("depth", &self.depth())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
