//! Randomness for messages to the key owner, by somebody without the key.
//!
//! ```text
//!   h = -x^2 mod n,  x uniform, of our own        R = (h^n)^e mod n^2,  e of |n|/2 bits
//! ```
//!
//! Source: I. Damgård, M. Jurik and J. B. Nielsen, "A generalization of
//! Paillier's public-key system with applications to electronic voting", IJIS
//! 9(6), 2010. One base, so its powers are in tables and an encryption is a
//! sixth of |n|/2 multiplications, without a squaring.
//!
//! # What it hides, and from whom
//!
//! From everybody without the secret key, that is. R is not uniform among the
//! n-th residues, and what stands between it and uniform is:
//!
//! - the group: powers of h have Jacobi symbol 1. Whether R does is public of
//!   every R, and says nothing of the message, which is in the other factor
//!   of the ciphertext. With p = q = 3 mod 4 and p - 1, q - 1 without a common
//!   odd factor, as `keygen.rs` makes them, h generates nearly all of them;
//! - the length: an exponent uniform in the order of h would have |n| - 1 bits.
//!   That half as many do follows, for such n, from the difficulty of
//!   factoring it (J. Håstad, A. W. Schrift and A. Shamir, "The discrete
//!   logarithm modulo a composite hides O(n) bits", JCSS 47, 1993).
//!
//! Neither holds against the *key owner*, who can factor n: therefore this is
//! for messages that the owner may read, and evaluators have their own
//! (`rerandomise.rs`).
//!
//! # Shorter still
//!
//! Other libraries take exponents of a few hundred bits. It is 3 times as fast
//! at 2048 bits, 5 at 3072, and no theorem is known for it. It is here for
//! comparison and for those who must, as
//! [`Exponents::ShortUnderAnUnprovenAssumption`], and nothing chooses it by
//! itself. No configuration of a party reaches it either, since in no protocol
//! of today does a party encrypt under a key that is not its own.

use core::fmt;

use crypto_bigint::{BoxedUint, RandomMod};
use entente_wire::Secret;

use super::{PublicKey, pool::Source, rerandomise::uniform_bits};
use crate::{
    Rng,
    engine::{Comb, Residues},
};

/// Bits of a short exponent: an adversary who finds e as a discrete logarithm
/// in an interval takes 2^160 steps, or 2^120 if it should come to know the
/// residue of e in the small factors of p - 1 and q - 1 (2^40 each).
const SHORT_BITS: u32 = 320;

/// How long the exponents of encryption by the public key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exponents {
    /// |n|/2 bits. Beside what Paillier's scheme assumes anyway, it is assumed
    /// that n is hard to factor.
    #[default]
    HalfLength,
    /// 320 bits, whatever the key. Beside that, it is **assumed, without a
    /// proof**, that nobody without the secret key can tell h^e for such an e
    /// from h^e for an e of full length: that discrete logarithms modulo n do
    /// not get easier when they are short, except by searching the interval.
    /// When that fails, ciphertexts can be read, those that were recorded
    /// years before as well.
    ShortUnderAnUnprovenAssumption,
}

impl Exponents {
    /// Their bits under a key.
    fn bits(self, key: &PublicKey) -> u32 {
        let half = key.bits().bits().div_ceil(2);
        match self {
            Self::HalfLength => half,
            Self::ShortUnderAnUnprovenAssumption => half.min(SHORT_BITS),
        }
    }
}

/// Powers of one base under somebody else's key.
pub(super) struct Subgroup {
    key: PublicKey,
    powers: Comb,
}

impl Subgroup {
    /// Draws the base and tables its powers.
    pub(super) fn new(key: PublicKey, exponents: Exponents, rng: &mut Rng) -> Self {
        let x = Secret::new(BoxedUint::random_mod_vartime(rng, key.n()));
        let square = Secret::new(x.expose().mul_mod(x.expose(), key.n()));
        let h = Secret::new(vec![square.expose().neg_mod(key.n())]);
        let modulus = key.modulus();
        let h = modulus.import(h.expose());
        let h_to_the_n = modulus.pow(&h, key.n().as_ref(), key.bits().bits());
        let powers = Comb::of_powers(modulus, &h_to_the_n, exponents.bits(&key));
        Self { key, powers }
    }

    #[cfg(test)]
    pub(super) fn bits(&self) -> u32 {
        self.powers.bits()
    }
}

impl Source for Subgroup {
    fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Constant time in the exponents.
    fn make(&self, count: usize, rng: &mut Rng) -> Residues {
        let exponents = uniform_bits(count, self.powers.bits(), rng);
        self.powers.raise(self.key.modulus(), exponents.expose())
    }
}

impl fmt::Debug for Subgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subgroup({:?})", self.key)
    }
}
