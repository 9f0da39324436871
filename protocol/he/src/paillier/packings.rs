//! The layouts of a job: a width of slot for each of the three products.

use super::{
    Layout,
    packing::{Along, Packing},
    slot::{RING_BITS, Slot},
};
use crate::{CutBounds, HeError, KeyBits};

/// A ring element read as signed is at most 2^63 in size.
pub(super) const SIGNED_BITS: u32 = RING_BITS - 1;

const FORWARD: &str = "the forward product";
const WEIGHT_GRADIENT: &str = "the weight gradient";
const INPUT_GRADIENT: &str = "the input gradient";

/// How each product of a job, and what goes into it, is laid out.
///
/// A value is a sum of products of secret scalars and encrypted operands. It is
/// bounded by the sum of the scalars' sizes times the largest operand, which
/// for the gradients of a mean over the batch is far less than terms times
/// largest scalar times largest operand:
///
/// | product | packed along | scalars sum to | operands |
/// |---|---|---|---|
/// | `a W~^T` | samples | `h 2^63` | `2^activation_bits` |
/// | `(eta Delta)^T a` | features | `eta 2^f_e + B/2` | `2^activation_bits` |
/// | `Delta E` | features | `2 2^f_d / B + c/2` | `2^63` |
///
/// For the paper's network (h = 84, c = 10, B = 128, 15, 23 and 18 fractional
/// bits, |a| < 2^8) that makes slots of 135, 89 and 119 bits: 15, 23 and 17 of
/// them at 2048 bits, 22, 34 and 25 at 3072.
///
/// The last of the three has the smaller values the larger the batch, so its
/// layout depends on the batch; a smaller batch may use a share that was packed
/// for one smaller still, never for a larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packings {
    bounds: CutBounds,
    key: KeyBits,
    layout: Layout,
    forward: Packing,
    weight_gradient: Packing,
}

impl Packings {
    /// # Errors
    /// [`HeError::DoesNotFit`], naming the first bound that is too wide.
    pub(super) fn new(bounds: &CutBounds, key: KeyBits, layout: Layout) -> Result<Self, HeError> {
        fits("an activation", bounds.activation_bits, SIGNED_BITS)?;
        // Smaller batches have larger scalars.
        fits("a step", bounds.step_bits(1), SIGNED_BITS)?;
        fits("a delta", bounds.delta_bits(1), SIGNED_BITS)?;

        let weights = (bounds.width as u128) << SIGNED_BITS;
        let forward = Slot::masked(value_bits(weights, bounds.activation_bits));
        // The larger the batch, the more is rounded.
        let steps = bounds.step_norm(bounds.batch);
        let gradient = Slot::masked(value_bits(steps, bounds.activation_bits));
        let packings = Self {
            forward: Packing::new(FORWARD, Along::Rows, forward, key, layout)?,
            weight_gradient: Packing::new(WEIGHT_GRADIENT, Along::Columns, gradient, key, layout)?,
            bounds: *bounds,
            key,
            layout,
        };
        packings.input_gradient(1)?;
        Ok(packings)
    }

    /// Enc(a) for the forward product, and what comes of it.
    pub(super) fn forward(&self) -> Packing {
        self.forward
    }

    /// Enc(a) for the weight gradient, and what comes of it.
    pub(super) fn weight_gradient(&self) -> Packing {
        self.weight_gradient
    }

    /// Enc(E) for a batch of `rows` or more, and what comes of it.
    ///
    /// # Errors
    /// [`HeError::DoesNotFit`]; not if it fits for one row.
    pub(super) fn input_gradient(&self, rows: usize) -> Result<Packing, HeError> {
        self.shown(self.input_gradient_bits(rows))
    }

    /// The layout for the forward product, if that is what has room for values
    /// of so many bits.
    pub(super) fn forward_of(&self, value_bits: u32) -> Option<Packing> {
        (self.forward.slot().value_bits() == value_bits).then_some(self.forward)
    }

    /// As [`Packings::forward_of`], for the weight gradient.
    pub(super) fn weight_gradient_of(&self, value_bits: u32) -> Option<Packing> {
        (self.weight_gradient.slot().value_bits() == value_bits).then_some(self.weight_gradient)
    }

    /// The layout of an encrypted share, or of what came of it, whose values
    /// have this many bits; `None` if no batch has such.
    pub(super) fn input_gradient_of(&self, value_bits: u32) -> Option<Packing> {
        let least = self.input_gradient_bits(self.bounds.batch);
        let most = self.input_gradient_bits(1);
        let packing = (least..=most)
            .contains(&value_bits)
            .then(|| self.shown(value_bits));
        packing.and_then(Result::ok)
    }

    fn input_gradient_bits(&self, rows: usize) -> u32 {
        value_bits(self.bounds.delta_norm(rows), SIGNED_BITS)
    }

    fn shown(&self, value_bits: u32) -> Result<Packing, HeError> {
        let slot = Slot::shown(value_bits);
        Packing::new(INPUT_GRADIENT, Along::Columns, slot, self.key, self.layout)
    }
}

/// Bits of a sum of products: scalars that sum to `norm` in size, operands of
/// at most 2^operand_bits.
fn value_bits(norm: u128, operand_bits: u32) -> u32 {
    (u128::BITS - norm.saturating_sub(1).leading_zeros()) + operand_bits
}

fn fits(what: &'static str, needed_bits: u32, plaintext_bits: u32) -> Result<(), HeError> {
    if needed_bits <= plaintext_bits {
        return Ok(());
    }
    Err(HeError::DoesNotFit {
        what,
        needed_bits,
        plaintext_bits,
    })
}
