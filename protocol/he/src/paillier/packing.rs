//! Many signed values in one plaintext.
//!
//! ```text
//!   P = v_0 + v_1 2^w + v_2 2^2w + ...        v_j signed, w the slot's width
//! ```
//!
//! P is a signed integer like any other, modulo n. A negative v_j borrows from
//! its neighbour, and nothing minds: sums and multiples of such numbers are
//! the numbers of the sums and multiples, exactly, and nobody reads one until
//! its evaluator has added to *every* slot what makes it positive (see
//! [`Slot`]). From then on each slot holds its own digit in base 2^w, so that
//! the reading is unique and no neighbour shows in it. The other way, two's
//! complement in each slot, was refused: borrows would have to be undone in
//! plaintexts that nobody may see.
//!
//! One scalar multiplies all slots of a ciphertext. What is packed together is
//! therefore what meets one scalar: samples in the forward product (one weight),
//! features in both gradients (one entry of Delta).
//!
//! ```text
//!   matrix     along      block b, line l, slot j     blocks x lines
//!   B x h, c   rows       (b s + j, l)                ceil(B / s) x h, c
//!   c, B x h   columns    (l, b s + j)                ceil(h / s) x c, B
//! ```
//!
//! Blocks by rows are how the engine takes its lanes, so no product moves a
//! ciphertext.

#[cfg(test)]
mod tests;

use crypto_bigint::BoxedUint;
use entente_wire::{RingMatrix, Secret, Shape};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::{Layout, PublicKey, plaintext::Plaintext, slot::Slot};
use crate::{HeError, KeyBits, Rng};

/// Which entries of a matrix share a plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    /// Those of a column.
    Rows,
    /// Those of a row.
    Columns,
}

/// A layout with its bound: what a value may grow to, what hides it, how many
/// there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packing {
    slot: Slot,
    /// At least one, and all of them below 2^(bits of n - 1).
    slots: usize,
    along: Along,
}

impl Packing {
    /// # Errors
    /// [`HeError::DoesNotFit`] naming `what` when there is no room for one.
    pub(super) fn new(
        what: &'static str,
        along: Along,
        slot: Slot,
        key: KeyBits,
        layout: Layout,
    ) -> Result<Self, HeError> {
        // n has exactly its bits, so that what is shorter is smaller.
        let plaintext_bits = key.bits() - 1;
        match layout.slots((plaintext_bits / slot.bits()) as usize) {
            0 => Err(HeError::DoesNotFit {
                what,
                needed_bits: slot.bits(),
                plaintext_bits,
            }),
            slots => Ok(Self { slot, slots, along }),
        }
    }

    /// What each value has room for.
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    /// Values in a plaintext.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Ciphertexts that a matrix takes.
    pub(super) fn ciphertexts(&self, shape: Shape) -> usize {
        let (length, lines) = self.length_and_lines(shape);
        length.div_ceil(self.slots).saturating_mul(lines)
    }

    fn length_and_lines(&self, shape: Shape) -> (usize, usize) {
        match self.along {
            Along::Rows => (shape.rows, shape.cols),
            Along::Columns => (shape.cols, shape.rows),
        }
    }

    /// Where each slot lies, and the entry that it holds: `None` in what is
    /// left over of the last block.
    pub(super) fn entries(
        &self,
        shape: Shape,
        cell: usize,
    ) -> impl Iterator<Item = (u32, Option<(usize, usize)>)> {
        let Self { slot, slots, along } = *self;
        let (length, lines) = self.length_and_lines(shape);
        let (block, line) = (cell / lines.max(1), cell % lines.max(1));
        (0..slots).map(move |j| {
            let at = block * slots + j;
            let entry = match along {
                Along::Rows => (at, line),
                Along::Columns => (line, at),
            };
            (slot.bits() * j as u32, (at < length).then_some(entry))
        })
    }

    /// The plaintexts of a matrix whose entries are read as signed, blocks by
    /// rows. Slots that are left over hold zero.
    pub(super) fn pack(&self, matrix: &RingMatrix, key: &PublicKey) -> Secret<Vec<BoxedUint>> {
        /// What makes any entry positive.
        const OFFSET: u64 = 1 << 63;
        let shape = matrix.shape();
        let bits = key.bits().bits();
        let mut offsets = Plaintext::zero(bits);
        for (at, _) in self.entries(shape, 0) {
            offsets.add(at, OFFSET);
        }
        let offsets = offsets.to_boxed(bits);
        let packed = (0..self.ciphertexts(shape))
            .into_par_iter()
            .map(|cell| {
                let mut sum = Plaintext::zero(bits);
                for (at, entry) in self.entries(shape, cell) {
                    let value = entry.map_or(0, |entry| matrix.as_array()[entry].0);
                    sum.add(at, value.wrapping_add(OFFSET));
                }
                Zeroizing::new(sum.to_boxed(bits)).sub_mod(&offsets, key.n())
            })
            .collect();
        Secret::new(packed)
    }

    /// What is added to products whose visible parts shall be moved by `low`
    /// and whose every slot shall be positive and hidden above 2^64.
    ///
    /// A slot that is left over is treated as the others are, with a random
    /// number for its `low`: an honest owner put nothing there, and one who
    /// did gets a uniform number for it.
    pub(super) fn blind(
        &self,
        low: &RingMatrix,
        bits: KeyBits,
        rng: &mut Rng,
    ) -> Secret<Vec<BoxedUint>> {
        let shape = low.shape();
        let blinded = (0..self.ciphertexts(shape))
            .map(|cell| {
                let mut sum = Plaintext::zero(bits.bits());
                for (at, entry) in self.entries(shape, cell) {
                    let low = match entry {
                        Some(entry) => low.as_array()[entry].0,
                        None => rng.next_u64(),
                    };
                    self.slot.blind(&mut sum, at, low, rng);
                }
                sum.to_boxed(bits.bits())
            })
            .collect();
        Secret::new(blinded)
    }

    /// The ring elements of decrypted sums. A sum beyond its last slot is no
    /// product of an honest evaluator (or a fault that the first check missed):
    /// it is refused before anything of it is seen.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`] naming `what` and the first entry of the block.
    pub(super) fn open(
        &self,
        what: &'static str,
        sums: &[BoxedUint],
        shape: Shape,
    ) -> Result<RingMatrix, HeError> {
        let bits = self.slot.bits() * self.slots as u32;
        let wide = sums.iter().position(|sum| sum.bits() > bits);
        if let Some(cell) = wide {
            let first = self.entries(shape, cell).find_map(|(_, entry)| entry);
            let (row, col) = first.unwrap_or_default();
            return Err(HeError::OutOfRange {
                what,
                row,
                col,
                bits,
            });
        }
        let mut opened = Secret::new(vec![0; shape.len()]);
        for (cell, sum) in sums.iter().enumerate() {
            let sum = Plaintext::of(sum);
            for (at, entry) in self.entries(shape, cell) {
                let place = entry.map(|(row, col)| row * shape.cols + col);
                if let Some(to) = place.and_then(|place| opened.expose_mut().get_mut(place)) {
                    *to = self.slot.open(sum.word_at(at));
                }
            }
        }
        let mut opened = opened.expose().iter().copied();
        // One number per entry, by rows, so the default never shows.
        Ok(RingMatrix::from_fn(shape, |_, _| {
            opened.next().unwrap_or_default()
        }))
    }
}
