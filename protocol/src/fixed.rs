//! Fixed point: how real numbers stand in the ring Z_2^64.
//!
//! | quantity | fractional bits |
//! |---|---|
//! | activations `a` | `f_a` |
//! | `eta Delta`, the scalars of the weight gradient | `f_e` |
//! | `Delta`, the scalars of the input gradient | `f_d` |
//! | `W2`, `W~`, `E` and `eta G` | `f_a + f_e` |
//! | `z = W2 a`, `b2` | `2 f_a + f_e` |
//! | `dA = Delta W2` | `f_a + f_e + f_d` |
//!
//! An update `W2 - eta G` stays on its grid without truncation, which is why
//! masks cancel exactly. Every value read back keeps one bit of headroom, so
//! that one which grows is refused before it can wrap; nothing is clipped.

use entente_he::CutBounds;
use entente_wire::{RingMatrix, Shape};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::privacy;

/// A value outside the range of its fixed-point format.
#[derive(Debug, Clone, PartialEq, Error)]
#[error(
    "{layer}: sample {sample}, unit {unit} is {value}, outside its fixed-point bound of {bound}; lower the learning rate, scale the inputs, or give fewer fractional bits in [fixed_point]"
)]
pub struct RangeError {
    /// Which layer's values.
    pub layer: &'static str,
    /// The sample's place in the batch.
    pub sample: usize,
    /// The unit of the layer.
    pub unit: usize,
    /// Whether it was too large or no number at all; not the value itself,
    /// which is private.
    pub value: &'static str,
    /// The bound on its magnitude.
    pub bound: f64,
}

/// The fractional bits of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scales {
    /// `f_a`: fractional bits of activations.
    pub activation_bits: u32,
    /// `f_e`: fractional bits of `eta Delta`.
    pub step_bits: u32,
    /// `f_d`: fractional bits of `Delta`.
    pub delta_bits: u32,
    /// Activations stay below 2 to this.
    pub activation_integer_bits: u32,
}

impl Default for Scales {
    /// The scales that were simulated on MNIST (784-84-10) without loss of
    /// accuracy: |z| < 512, |dA| < 64, |a| < 256.
    fn default() -> Self {
        Self {
            activation_bits: 15,
            step_bits: 23,
            delta_bits: 18,
            activation_integer_bits: 8,
        }
    }
}

impl Scales {
    /// Whether these scales leave room in 64 bits.
    ///
    /// # Errors
    /// A sentence that says which do not.
    pub fn check(self) -> Result<(), String> {
        let range = |name: &str, bits: u32, low: u32, high: u32| {
            (low..=high)
                .contains(&bits)
                .then_some(())
                .ok_or_else(|| format!("{name} is {bits}, must be from {low} to {high}"))
        };
        range("activation_bits", self.activation_bits, 4, 24)?;
        range("step_bits", self.step_bits, 8, 32)?;
        range("delta_bits", self.delta_bits, 8, 32)?;
        range(
            "activation_integer_bits",
            self.activation_integer_bits,
            1,
            16,
        )?;
        for (what, bits) in [
            ("logits", self.logit_bits()),
            ("input gradients", self.input_gradient_bits()),
        ] {
            if bits > 60 {
                return Err(format!(
                    "{what} would have {bits} fractional bits of 64; at most 60 leave room for a value"
                ));
            }
        }
        Ok(())
    }

    /// Fractional bits of `W2`.
    pub fn weight_bits(self) -> u32 {
        self.activation_bits + self.step_bits
    }

    /// Fractional bits of `z`.
    pub fn logit_bits(self) -> u32 {
        2 * self.activation_bits + self.step_bits
    }

    /// Fractional bits of `dA`.
    pub fn input_gradient_bits(self) -> u32 {
        self.weight_bits() + self.delta_bits
    }

    /// What the scheme must make room for. A learning rate below one is taken
    /// for one: there the bits buy no slot, and a step that forgot its rate is
    /// caught by what it does to the weights and not by chance of its size. A
    /// pace is at most one, so no round steps further than this; and of one
    /// logit |p - t| <= 1, which is within what two or more may sum to.
    pub fn bounds(
        self,
        batch: usize,
        width: usize,
        classes: usize,
        learning_rate: f64,
    ) -> CutBounds {
        let one = |bits: u32| libm::exp2(f64::from(bits));
        CutBounds {
            batch,
            width,
            classes,
            activation_bits: self.activation_bits + self.activation_integer_bits,
            step_unit: libm::ceil(learning_rate.max(1.0) * one(self.step_bits)) as u64,
            delta_unit: one(self.delta_bits) as u64,
        }
    }

    /// Activations (`B x h`) on their grid.
    ///
    /// # Errors
    /// [`RangeError`] for one at or above `2^activation_integer_bits`, or not
    /// a number.
    pub fn activations(self, a: &Array2<f32>) -> Result<RingMatrix, RangeError> {
        encode(
            "activations of the cut",
            &a.mapv(f64::from),
            self.activation_bits,
            self.activation_integer_bits,
        )
    }

    /// `eta Delta` (`B x c`) on its grid.
    ///
    /// # Errors
    /// [`RangeError`] when it is not a number.
    pub fn steps(self, delta: &Array2<f64>, learning_rate: f64) -> Result<RingMatrix, RangeError> {
        let bits = learning_rate.max(1.0).log2().ceil() as u32 + 1;
        encode(
            "gradient of the logits",
            &delta.mapv(|d| d * learning_rate),
            self.step_bits,
            bits,
        )
    }

    /// `Delta` (`B x c`) on its grid.
    ///
    /// # Errors
    /// [`RangeError`] when it is not a number.
    pub fn deltas(self, delta: &Array2<f64>) -> Result<RingMatrix, RangeError> {
        // With room for noise: |Delta| <= ROOM / B. The scheme's bounds are
        // narrower where there is none.
        let bits = privacy::defence::ROOM.ilog2() + 1;
        encode("gradient of the logits", delta, self.delta_bits, bits)
    }

    /// Weights (`c x h`) on the grid of `W2`.
    ///
    /// # Errors
    /// [`RangeError`] when one is far out of any sense.
    pub fn weights(self, w: &Array2<f64>) -> Result<RingMatrix, RangeError> {
        encode(
            "initial weights of the cut",
            w,
            self.weight_bits(),
            62 - self.weight_bits(),
        )
    }

    /// Logits (`B x c`) back as reals.
    ///
    /// # Errors
    /// [`RangeError`] for one that has left its range.
    pub fn logits(self, z: &RingMatrix) -> Result<Array2<f64>, RangeError> {
        decode("logits", z, self.logit_bits())
    }

    /// The gradient of the cut's activations (`B x h`) back as reals.
    ///
    /// # Errors
    /// [`RangeError`] for one that has left its range.
    pub fn input_gradients(self, d_a: &RingMatrix) -> Result<Array2<f32>, RangeError> {
        Ok(decode(
            "gradient of the cut's activations",
            d_a,
            self.input_gradient_bits(),
        )?
        .mapv(|x| x as f32))
    }
}

/// Rounds to the grid `2^-fraction_bits`; |x| < `2^integer_bits`.
fn encode(
    layer: &'static str,
    x: &Array2<f64>,
    fraction_bits: u32,
    integer_bits: u32,
) -> Result<RingMatrix, RangeError> {
    let bound = libm::exp2(f64::from(integer_bits));
    let scale = libm::exp2(f64::from(fraction_bits));
    for ((sample, unit), value) in x.indexed_iter() {
        let rounded = libm::round(value.abs() * scale);
        if rounded.is_nan() || rounded >= bound * scale {
            return Err(RangeError {
                layer,
                sample,
                unit,
                value: if value.is_nan() {
                    "not a number"
                } else {
                    "too large"
                },
                bound,
            });
        }
    }
    let shape = Shape::new(x.nrows(), x.ncols());
    Ok(RingMatrix::from_fn(shape, |i, j| {
        (libm::round(x[(i, j)] * scale) as i64).cast_unsigned()
    }))
}

/// Reads two's complement at `fraction_bits`, with one bit of headroom.
fn decode(
    layer: &'static str,
    x: &RingMatrix,
    fraction_bits: u32,
) -> Result<Array2<f64>, RangeError> {
    let limit = 1_i64 << 62;
    let scale = libm::exp2(f64::from(fraction_bits));
    for ((sample, unit), value) in x.as_array().indexed_iter() {
        let value = value.0.cast_signed();
        if !(-limit..limit).contains(&value) {
            return Err(RangeError {
                layer,
                sample,
                unit,
                value: "too large",
                bound: limit as f64 / scale,
            });
        }
    }
    Ok(x.as_array().mapv(|x| x.0.cast_signed() as f64 / scale))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::array;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{acml::loss::Loss, job::Objective};

    fn logit(raw: i64) -> Result<Array2<f64>, RangeError> {
        Scales::default().logits(&RingMatrix::from_fn(Shape::new(1, 1), |_, _| {
            raw.cast_unsigned()
        }))
    }

    proptest! {
        #[test]
        fn what_is_in_range_is_rounded_to_the_grid(x in -255.9..255.9_f32) {
            let scales = Scales::default();
            let grid = scales.activations(&array![[x]]).unwrap();
            let back = grid.signed(0, 0).unwrap() as f64 / 32768.0;
            prop_assert!((back - f64::from(x)).abs() <= 0.5 / 32768.0);
        }
    }

    #[test]
    fn an_activation_at_its_bound_is_an_error_that_says_where() {
        let scales = Scales::default();
        for bad in [
            256.0,
            -256.0,
            255.999_99,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
        ] {
            let error = scales
                .activations(&array![[0.0, 0.0], [1.0, bad]])
                .unwrap_err();
            assert_eq!(
                (error.sample, error.unit, error.bound),
                (1, 1, 256.0),
                "{bad}"
            );
            assert!(error.to_string().contains("sample 1, unit 1"), "{error}");
        }
        assert!(scales.activations(&array![[255.99, -255.99]]).is_ok());
    }

    #[test]
    fn values_read_back_keep_a_bit_of_headroom() {
        assert_eq!(logit((1 << 62) - 1).unwrap()[(0, 0)], 512.0);
        assert_eq!(logit(-(1 << 62)).unwrap()[(0, 0)], -512.0);
        for raw in [1 << 62, -(1 << 62) - 1, i64::MAX, i64::MIN] {
            let error = logit(raw).unwrap_err();
            assert_eq!((error.layer, error.bound), ("logits", 512.0));
        }
    }

    #[test]
    fn the_error_does_not_show_the_value() {
        let error = Scales::default()
            .activations(&array![[12345.678]])
            .unwrap_err();
        assert!(!error.to_string().contains("12345"), "{error}");
    }

    /// At the ends of what softmax can say, and anywhere between.
    fn fits_the_bounds(z: &Array2<f64>, classes: &[usize], eta: f64) {
        let scales = Scales::default();
        let (rows, columns) = z.dim();
        let bounds = scales.bounds(rows, 1, columns, eta);
        let objective = match columns {
            1 => Objective::BinaryCrossEntropy,
            _ => Objective::CrossEntropy,
        };
        let delta = Loss::of(objective, z, classes).delta();
        let steps = scales.steps(&delta, eta).unwrap();
        let deltas = scales.deltas(&delta).unwrap();
        let size = |m: &RingMatrix, i, j| u128::from(m.signed(i, j).unwrap().unsigned_abs());
        for i in 0..rows {
            let sum: u128 = (0..columns).map(|j| size(&deltas, i, j)).sum();
            assert!(sum <= bounds.delta_norm(rows), "sample {i} of {z:?}");
        }
        for j in 0..columns {
            let sum: u128 = (0..rows).map(|i| size(&steps, i, j)).sum();
            assert!(sum <= bounds.step_norm(rows), "class {j} of {z:?}");
            for i in 0..rows {
                assert!(size(&steps, i, j) < 1 << bounds.step_bits(rows));
                assert!(size(&deltas, i, j) < 1 << bounds.delta_bits(rows));
            }
        }
    }

    proptest! {
        #[test]
        fn gradients_of_the_loss_fit_the_bounds_that_the_scheme_is_told(
            shape in (1..140_usize, 1..12_usize),
            seed: u64,
            spread in 0.0..60.0_f64,
            eta in 0.0001..40.0_f64,
        ) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let mut unit = || rng.next_u64() as f64 / u64::MAX as f64 - 0.5;
            let z = Array2::from_shape_simple_fn(shape, || unit() * spread);
            let classes: Vec<_> = (0..shape.0).map(|i| i * i % shape.1.max(2)).collect();
            fits_the_bounds(&z, &classes, eta);
        }
    }

    #[test]
    fn the_worst_guesses_fit_the_bounds_that_the_scheme_is_told() {
        for rows in [1, 2, 3, 7, 100, 128] {
            for columns in [1, 2, 3, 10] {
                // Certain of the last class, and wrong about all of them.
                let last = |j| {
                    if columns == 1 {
                        500.0
                    } else {
                        500.0 * j as f64
                    }
                };
                let z = Array2::from_shape_fn((rows, columns), |(_, j)| last(j));
                for eta in [0.001, 1.0, 1.5, 8.0, 1000.0] {
                    fits_the_bounds(&z, &vec![0; rows], eta);
                }
            }
        }
    }
}
