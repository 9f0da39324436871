//! The formulas of one round, each in its own place.
//!
//! They stand apart from the machines because they are where the paper's
//! misprints are, and where the next reader will look first. The machines are
//! generic over them for one purpose: a test swaps each formula for a wrong
//! one and shows that the weights tell. The module is private: nobody outside
//! can name the trait, let alone implement it.

use entente_wire::{Mask, Masked, RingMatrix, Shape};
use ndarray::Array2;

use super::loss::Loss;

/// The formulas; the provided methods are the right ones.
pub trait Algebra: core::fmt::Debug + Send + 'static {
    /// S1, S2, e_w: uniform in the ring, fresh per entry.
    fn mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
        Mask::draw(shape, rng)
    }

    /// F4: z = (z + S1) - S1 + b2, `B x c`.
    fn logits(masked: Masked, s1: Mask, b2: &RingMatrix) -> RingMatrix {
        masked.remove(s1).add_row(b2)
    }

    /// F4: Delta = (p - T) / B, `B x c`.
    fn delta(loss: &Loss) -> Array2<f64> {
        loss.delta()
    }

    /// B1: the step that multiplies Delta.
    fn learning_rate(eta: f64) -> f64 {
        eta
    }

    /// B2: U = ((eta Delta)' a + S2) - e_w, `c x h`.
    fn blinded_update(decrypted: &Masked, e_w: &Mask) -> Masked {
        decrypted.minus(e_w.expose())
    }

    /// B2: the share to encrypt, and the share of the next round, `E + e_w`.
    fn shares(e: &RingMatrix, e_w: &Mask) -> (RingMatrix, RingMatrix) {
        (e.clone(), e.add(e_w.expose()))
    }

    /// B3: H = U - S2 = eta G - e_w, `c x h`.
    fn update(u: Masked, s2: Mask) -> RingMatrix {
        u.remove(s2)
    }

    /// B3: the weights that dA is taken from, and those of the next round,
    /// `W~ - H`.
    fn weights(w: &RingMatrix, h: &RingMatrix) -> (RingMatrix, RingMatrix) {
        (w.clone(), w.sub(h))
    }
}

/// The protocol as it must be computed.
#[derive(Debug)]
pub enum Corrected {}
impl Algebra for Corrected {}

/// One wrong formula each; see `mutation_tests`.
#[cfg(test)]
pub(super) mod wrong {
    use super::*;

    /// Masks of 36 bits: coarser than every grid, so that the weights show a
    /// wrong sign, and small, so that the range check (which stops it first
    /// under uniform masks) does not hide that they would.
    fn small_mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
        Mask::restore(RingMatrix::from_fn(shape, |_, _| rng.next_u64() >> 28))
    }

    macro_rules! wrong {
        ($($(#[$doc:meta])* $name:ident { $($method:item)* })*) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub(in crate::acml) enum $name {}
            impl Algebra for $name { $($method)* }
        )*};
    }

    wrong! {
        /// As printed: gradient ascent.
        TargetMinusProbability {
            fn delta(loss: &Loss) -> Array2<f64> {
                -loss.delta()
            }
        }
        /// As printed: the mask is added once more.
        MaskAddedInF4 {
            fn mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
                small_mask(shape, rng)
            }
            fn logits(masked: Masked, s1: Mask, b2: &RingMatrix) -> RingMatrix {
                let sum = masked.plus(s1.expose()).plus(s1.expose());
                sum.remove(s1).add_row(b2)
            }
        }
        /// As printed: the mask is added once more.
        MaskAddedInB3 {
            fn mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
                small_mask(shape, rng)
            }
            fn update(u: Masked, s2: Mask) -> RingMatrix {
                u.plus(s2.expose()).plus(s2.expose()).remove(s2)
            }
        }
        /// Enc(E) of the next round beside W~ of this one.
        AccumulateBeforeEncrypt {
            fn mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
                small_mask(shape, rng)
            }
            fn shares(e: &RingMatrix, e_w: &Mask) -> (RingMatrix, RingMatrix) {
                let next = e.add(e_w.expose());
                (next.clone(), next)
            }
        }
        /// W~ of the next round beside Enc(E) of this one.
        UpdateBeforeInputGradient {
            fn mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
                small_mask(shape, rng)
            }
            fn weights(w: &RingMatrix, h: &RingMatrix) -> (RingMatrix, RingMatrix) {
                let next = w.sub(h);
                (next.clone(), next)
            }
        }
        /// One side's sign, the other side's not.
        MixedSigns {
            fn mask(shape: Shape, rng: &mut entente_he::Rng) -> Mask {
                small_mask(shape, rng)
            }
            fn weights(w: &RingMatrix, h: &RingMatrix) -> (RingMatrix, RingMatrix) {
                (w.clone(), w.add(h))
            }
        }
        /// The gradient itself in place of a step.
        MissingLearningRate {
            fn learning_rate(_eta: f64) -> f64 {
                1.0
            }
        }
    }
}
