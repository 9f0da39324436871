//! Modular arithmetic over batches: one modulus, many numbers.
//!
//! ```text
//!                 Modulus::import                       Modulus::export
//!   integers ───────────────────▶ Residues ───────────────────▶ integers
//!   (keys, the wire)               │    ▲                    (the wire)
//!                                  ▼    │
//!                 multiply · pow · Comb · products · invert
//! ```
//!
//! Everything above this module speaks of slices of numbers and nothing of
//! limbs. [`Residues`] are opaque and stay in Montgomery form between
//! operations: a round multiplies a ciphertext thousands of times and converts
//! it twice. The obvious interface, `a.mul(&b)` on single numbers, was
//! refused: eight numbers under one schedule fill a vector register, one
//! number cannot, and an interface of single numbers would have to be broken
//! to make use of that. The products of a round are primitives here (see
//! [`Modulus::products`]) for the same reason: seen as powers to be multiplied
//! they cost four times as much.
//!
//! What is secret and what is not is the caller's knowledge, and what the
//! engine promises is simple. Running time and memory access depend on counts,
//! widths and bit lengths, never on the value of a base, an exponent, a scalar
//! or a secret modulus. The exception says so in its name
//! ([`Modulus::invert_public`]).

#[cfg(target_arch = "x86_64")]
mod adx;
mod comb;
#[cfg(any(test, feature = "insecure-test-keys"))]
mod differential;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod integer;
mod kernel;
mod line;
mod modulus;
mod portable;
mod power;
mod product;
mod residues;
mod select;
mod speed;
mod subset;
#[cfg(test)]
mod tests;
mod tier;

pub(crate) use comb::Comb;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub use differential::squared_products;
pub(crate) use integer::{at_precision, low_u64};
pub(crate) use modulus::Modulus;
pub(crate) use product::Scalars;
pub(crate) use residues::Residues;
pub use speed::{KernelSpeed, PowerSpeed};
pub use tier::{Tier, TierError};
