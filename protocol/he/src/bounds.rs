//! What the bounds of the cut say, and operands held against them: the same
//! for every scheme.
//!
//! The scalars of both gradients come from `Delta = (p - T) / B` of softmax
//! and cross-entropy, and a scheme that knows no more than their largest size
//! wastes most of its room. What is known, of a batch of B rows:
//!
//! ```text
//!   |Delta| <= 1 / B                      each entry
//!   sum_j |Delta[b][j]| <= 2 / B          of a sample, over the classes (p and T sum to 1)
//!   sum_b |eta Delta[b][j]| <= eta        of a class, over the batch
//! ```
//!
//! Rounding moves each entry by half a unit at most; one unit more is for the
//! last bits of floating point. Nobody is trusted with this: what is given to
//! an evaluator is summed, and refused by name if it is more. (Noise on Delta,
//! for one, would need bounds of its own.)

use entente_wire::{RingMatrix, Shape};

use crate::{CutBounds, HeError};

impl CutBounds {
    /// |eta Delta| < 2^this, in each entry of a batch of `rows`.
    pub fn step_bits(&self, rows: usize) -> u32 {
        bits(self.step_unit.div_ceil(divisor(rows)))
    }

    /// What the sizes of `eta Delta` of one class sum to over a batch of
    /// `rows`, at most.
    pub fn step_norm(&self, rows: usize) -> u128 {
        u128::from(self.step_unit) + rows.div_ceil(2) as u128 + 1
    }

    /// |Delta| < 2^this, in each entry of a batch of `rows`.
    pub fn delta_bits(&self, rows: usize) -> u32 {
        bits(self.delta_unit.div_ceil(divisor(rows)))
    }

    /// What the sizes of Delta of one sample sum to over the classes, at most,
    /// in a batch of `rows`.
    pub fn delta_norm(&self, rows: usize) -> u128 {
        let exact = (2 * u128::from(self.delta_unit)).div_ceil(divisor(rows).into());
        exact + self.classes.div_ceil(2) as u128 + 1
    }

    /// Activations: `B x h`, B from one to the largest batch.
    pub(crate) fn check_activations(&self, a: &RingMatrix) -> Result<(), HeError> {
        self.check_batch(a.shape())?;
        check_range("activations", a, self.activation_bits)
    }

    /// Activations, plain or encrypted; their batch.
    pub(crate) fn check_batch(&self, got: Shape) -> Result<usize, HeError> {
        let batch = self.batch_near(got.rows);
        check_shape("activations", got, Shape::new(batch, self.width))?;
        Ok(batch)
    }

    /// The share, the weight and the weight gradient's mask: `c x h`, any ring
    /// elements.
    pub(crate) fn check_weight(&self, what: &'static str, got: Shape) -> Result<(), HeError> {
        check_shape(what, got, Shape::new(self.classes, self.width))
    }

    /// The scalars of the weight gradient: `batch x c`.
    pub(crate) fn check_steps(&self, d: &RingMatrix, batch: usize) -> Result<(), HeError> {
        check_shape("steps", d.shape(), Shape::new(batch, self.classes))?;
        check_range("steps", d, self.step_bits(batch))?;
        let columns = d.as_array().columns().into_iter();
        check_norms("the steps of class", columns, self.step_norm(batch))
    }

    /// The scalars of the input gradient: `B x c`.
    pub(crate) fn check_deltas(&self, d: &RingMatrix) -> Result<(), HeError> {
        let batch = self.batch_near(d.shape().rows);
        check_shape("deltas", d.shape(), Shape::new(batch, self.classes))?;
        check_range("deltas", d, self.delta_bits(batch))?;
        let rows = d.as_array().rows().into_iter();
        check_norms("the deltas of sample", rows, self.delta_norm(batch))
    }

    /// The batch itself if it is from one to the largest, else the nearest
    /// that is.
    fn batch_near(&self, rows: usize) -> usize {
        rows.clamp(1, self.batch.max(1))
    }
}

/// Rows to divide by.
fn divisor(rows: usize) -> u64 {
    rows.max(1) as u64
}

fn bits(x: u64) -> u32 {
    u64::BITS - x.leading_zeros()
}

/// Whether an operand has the one shape that goes with the others.
pub(crate) fn check_shape(what: &'static str, got: Shape, expected: Shape) -> Result<(), HeError> {
    if got == expected {
        return Ok(());
    }
    Err(HeError::Shape {
        what,
        got,
        expected,
    })
}

/// Whether each entry, read as signed, is below 2^bits in size. The place of
/// the first that is not becomes public with the error; nothing else does.
pub(crate) fn check_range(
    what: &'static str,
    matrix: &RingMatrix,
    bits: u32,
) -> Result<(), HeError> {
    let outside = matrix.as_array().indexed_iter().find(|(_, x)| {
        let size = x.0.cast_signed().unsigned_abs();
        size.checked_shr(bits).is_some_and(|over| over != 0)
    });
    match outside {
        None => Ok(()),
        Some(((row, col), _)) => Err(HeError::OutOfRange {
            what,
            row,
            col,
            bits,
        }),
    }
}

/// Whether the sizes of each line's entries sum to at most `limit`. Which line
/// is the first that does not becomes public with the error.
fn check_norms<'a, L>(
    what: &'static str,
    lines: impl Iterator<Item = L>,
    limit: u128,
) -> Result<(), HeError>
where
    L: IntoIterator<Item = &'a core::num::Wrapping<u64>>,
{
    let norm = |line: L| {
        let sizes = line.into_iter().map(|x| x.0.cast_signed().unsigned_abs());
        sizes.map(u128::from).sum::<u128>()
    };
    match lines.map(norm).position(|norm| norm > limit) {
        None => Ok(()),
        Some(index) => Err(HeError::SumOutOfRange { what, index, limit }),
    }
}
