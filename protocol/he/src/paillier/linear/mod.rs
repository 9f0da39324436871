//! Linear layers over encrypted values, by one who owns the weights.
//!
//! ```text
//!   client (secret key)                     server (weights w, bias b; no decrypt)
//!   x: B x N ── encrypt ─────────────────▶  multiply  sum_k w[o][k] x[i][seen(p, k)]
//!                                           release   + b[o], re-randomised
//!   y: B x PO ◀── decrypt ────────────────
//! ```
//!
//! A layer has P places, and at each the same weights (`O x K`) on the K values
//! that it sees there ([`Windows`]). A convolution has a place for each window;
//! windows overlap, so ciphertexts are gathered and none is encrypted twice. A
//! dense layer has one place, which sees everything.
//!
//! This is not the forward product of the [seam](crate::Evaluate::forward), and
//! could not be had from it: there the weights are one share of two, uniform in
//! the ring, and what the key owner sees of the product is masked. Here they
//! are short numbers, which is a third of the work, and **the client sees each y
//! whole**, so no room is kept for what hides carries: twice as many values in a
//! ciphertext. Nor does that keep the weights secret: the client knows x too, and
//! after K answers can solve for w. So this is for protocols that accept it,
//! which in this project are baselines that ours is measured against. The rule
//! that what leaves an evaluator has fresh randomness holds for them as well, by
//! the types: [`LinearProducts`] are not [`Wire`](entente_wire::Wire).
//!
//! Values are packed over samples, as for the forward product: one weight
//! serves all of them.

mod client;
mod server;
#[cfg(test)]
mod tests;

use entente_wire::{Decode, DecodeError, Reader, Shape};

pub use self::{
    client::LinearClient,
    server::{LinearProducts, LinearServer},
};
use super::{
    LinearInput, LinearOutput, PaillierBackend, PublicKey,
    ciphertexts::{Ciphertexts, invalid},
    keygen,
    packing::{Along, Packing},
    slot::Slot,
};
use crate::{HeError, KeyBits, Layout, Rng, Tier};

const WHAT: &str = "a linear layer";

/// A value must be below this in size, in bits, to be read whole.
const MOST_BITS: u32 = 62;

/// What the integers of a network's linear layers stay within. Both ends lay
/// their plaintexts out by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearBounds {
    /// |x| < 2^this.
    pub input_bits: u32,
    /// |w| < 2^this.
    pub weight_bits: u32,
    /// K: the most values that a place of any layer sees.
    pub terms: usize,
}

impl LinearBounds {
    /// |bias| < 2^this: it counts for one product more.
    pub fn bias_bits(&self) -> u32 {
        self.input_bits + self.weight_bits
    }

    /// |y| < 2^this.
    fn value_bits(&self) -> u32 {
        let products = self.terms.saturating_add(1);
        self.bias_bits() + (usize::BITS - (products - 1).leading_zeros())
    }

    fn packing(&self, bits: KeyBits, layout: Layout) -> Result<Packing, HeError> {
        let needed_bits = self.value_bits();
        if needed_bits > MOST_BITS {
            return Err(HeError::DoesNotFit {
                what: WHAT,
                needed_bits,
                plaintext_bits: MOST_BITS,
            });
        }
        Packing::new(WHAT, Along::Rows, Slot::whole(needed_bits), bits, layout)
    }
}

/// Which values each place of a layer sees. Public, as a network's shape is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    values: usize,
    terms: usize,
    seen: Vec<usize>,
}

impl Windows {
    /// Of a layer over `values` values: N of them, whose place p sees value
    /// `seen(p, k)` as its k-th. What is not below N is a zero, as padding is.
    pub fn new(
        values: usize,
        places: usize,
        terms: usize,
        seen: impl Fn(usize, usize) -> usize,
    ) -> Self {
        let seen = (0..places * terms).map(|i| seen(i / terms, i % terms));
        Self {
            values,
            terms,
            seen: seen.collect(),
        }
    }

    /// Of a dense layer: one place that sees all.
    pub fn dense(values: usize) -> Self {
        Self::new(values, 1, values, |_, k| k)
    }

    /// N.
    pub fn values(&self) -> usize {
        self.values
    }

    /// K.
    pub fn terms(&self) -> usize {
        self.terms
    }

    /// Which value place `place` sees as its `term`-th; `None` for a zero.
    pub fn seen(&self, place: usize, term: usize) -> Option<usize> {
        let at = place.checked_mul(self.terms)?.checked_add(term)?;
        let seen = self.seen.get(at).copied();
        seen.filter(|value| *value < self.values)
    }

    /// P.
    pub fn places(&self) -> usize {
        self.seen.len() / self.terms.max(1)
    }
}

/// The context in which what goes into a layer, or comes out, is decoded.
#[derive(Debug)]
pub struct ExpectLinear<'a> {
    /// The key that the ciphertexts are under.
    pub key: &'a PublicKey,
    /// The bounds that fix their layout.
    pub bounds: &'a LinearBounds,
    /// The shape of the plaintext matrix.
    pub shape: Shape,
}

fn read(expect: &ExpectLinear<'_>, input: &mut Reader<'_>) -> Result<Ciphertexts, DecodeError> {
    let ExpectLinear { key, bounds, shape } = *expect;
    let packing = bounds
        .packing(key.bits(), key.layout())
        .map_err(|_| invalid("the network does not fit its key"))?;
    let packing_of = |bits| Ok((bits == packing.slot().value_bits()).then_some(packing));
    Ciphertexts::read(key, shape, packing_of, input)
}

impl Decode<ExpectLinear<'_>> for LinearInput {
    fn decode(expect: &ExpectLinear<'_>, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read(expect, input).map(Self)
    }
}

impl Decode<ExpectLinear<'_>> for LinearOutput {
    fn decode(expect: &ExpectLinear<'_>, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read(expect, input).map(Self)
    }
}

impl PaillierBackend {
    /// The end that has a fresh key, and the data.
    ///
    /// # Errors
    /// [`HeError::DoesNotFit`], [`HeError::KeySize`], [`HeError::Tier`].
    pub fn linear_client(
        &self,
        bits: KeyBits,
        bounds: LinearBounds,
        rng: &mut Rng,
    ) -> Result<LinearClient, HeError> {
        Tier::current()?;
        let packing = bounds.packing(bits, self.layout)?;
        let key = keygen::generate(bits, self.layout, rng)?;
        Ok(LinearClient::new(key, bounds, packing, self.pool_values))
    }

    /// The end that has the weights, under a key that came from a client.
    /// Draws its bases for re-randomisation, once.
    ///
    /// # Errors
    /// [`HeError::BadKey`], [`HeError::DoesNotFit`], [`HeError::Tier`].
    pub fn linear_server(
        &self,
        key: PublicKey,
        bounds: LinearBounds,
        rng: &mut Rng,
    ) -> Result<LinearServer, HeError> {
        self.check(&key)?;
        // What a product is laid out by, it takes from its operand; whether
        // that exists for this key is found out here.
        bounds.packing(key.bits(), key.layout())?;
        Ok(LinearServer::new(key, bounds, self.pool_values, rng))
    }
}
