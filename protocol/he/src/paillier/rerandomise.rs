//! Fresh randomness for everything that leaves the evaluator.
//!
//! A product's randomness is a product of powers of the owner's own r's, to
//! the evaluator's secret scalars, and the owner can extract it. What hides
//! the scalars is a factor R = r^n that the *key owner* cannot tell from
//! uniform. That adversary knows p and q, so an argument from the difficulty
//! of factoring is worth nothing here. In particular the usual short-cut
//! (Damgård, Jurik and Nielsen, IJIS 2010: powers of one public h = -x^2, with
//! exponents of |n|/2 bits) hides messages from those without the key, and
//! does not do for this:
//!
//! - the exponent has half the entropy of the group, so that what stays hidden
//!   does so by the hardness of discrete logarithms mod p and q, half the
//!   length of n, or not at all when p - 1 is smooth;
//! - every power of h has Jacobi symbol 1, so the symbol of a product gives
//!   away the parity of a sum of scalars.
//!
//! So the hiding is statistical, from bases of the evaluator's own:
//!
//! ```text
//!   R = H^e  S_1^(b_1) ... S_s^(b_s)      H, S_i: n-th powers of numbers of ours, secret
//!                                         e of |n| + 40 bits, b_i single bits, all uniform
//! ```
//!
//! H^e is within 2^-40 of uniform in the group that H generates. That group is
//! nearly everything, not all: the units mod p and mod q have the factor 2 of
//! their orders in common, and H is an f-th power by chance for some small f.
//! The random subset product covers what is left: over a quotient of order |Q|
//! it is within sqrt(|Q| / 2^s) / 2 of uniform (the leftover hash lemma), which
//! for |Q| up to 2^16 and s = 96 is below 2^-40.
//!
//! There is no option for less. A shorter exponent would be cheaper, would still
//! satisfy every test of decryption, and would show the labels of a batch to the
//! one party that they are hidden from; who wants speed turns up the pool
//! (`pool.rs`). Where the key owner is no adversary, because the message is for
//! it, `subgroup.rs` does use the short-cut.
//!
//! Nothing here is taken from the peer but n, of which its owner has shown that
//! gcd(n, phi(n)) = 1 (`proof.rs`). What is assumed beyond that is that p - 1 and
//! q - 1 share no large factor, which holds for keys made as `keygen.rs` makes
//! them and is not proven; a key that was made to break that is outside the model,
//! as the protocol's parties are semi-honest.

use core::fmt;
use std::sync::OnceLock;

use crypto_bigint::{BoxedUint, RandomBits, RandomMod};
use entente_wire::Secret;

use super::{PublicKey, pool::Source, slot::STATISTICAL_BITS};
use crate::{
    Rng,
    engine::{Comb, Residues},
};

/// s above.
const SUBSET: usize = 96;

/// An evaluator's own bases under a key.
pub(super) struct Rerandomiser {
    key: PublicKey,
    /// Tabled with the first randomness there is.
    bases: OnceLock<Comb>,
}

impl Rerandomiser {
    pub(super) fn new(key: PublicKey) -> Self {
        let bases = OnceLock::new();
        Self { key, bases }
    }

    /// The bases. Where two threads need them first, both make some and one
    /// throws its own away: a round must not wait for an idle thread, which
    /// may be kept waiting itself.
    fn bases(&self, rng: &mut Rng) -> &Comb {
        self.bases.get().unwrap_or_else(|| {
            let made = bases(&self.key, rng);
            self.bases.get_or_init(|| made)
        })
    }
}

impl Source for Rerandomiser {
    fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Constant time in the exponents.
    fn make(&self, count: usize, rng: &mut Rng) -> Residues {
        let bases = self.bases(rng);
        let exponents = uniform_bits(count, bases.bits(), rng);
        bases.raise(self.key.modulus(), exponents.expose())
    }
}

impl fmt::Debug for Rerandomiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rerandomiser({:?})", self.key)
    }
}

/// Draws H and the S_i: 97 exponentiations, the dearest thing that an evaluator
/// does, once per job.
fn bases(key: &PublicKey, rng: &mut Rng) -> Comb {
    let length = key.bits().bits() + STATISTICAL_BITS;
    let mut comb = Comb::of_powers(key.modulus(), &nth_powers(key, 1, rng), length);
    comb.extend(key.modulus(), &nth_powers(key, SUBSET, rng));
    comb
}

/// `count` uniform exponents of `bits` bits.
pub(super) fn uniform_bits(count: usize, bits: u32, rng: &mut Rng) -> Secret<Vec<BoxedUint>> {
    let exponents = (0..count).map(|_| BoxedUint::random_bits(rng, bits));
    Secret::new(exponents.collect())
}

/// x^n mod n^2 for `count` uniform x. (An x with a factor in common with n
/// would have factored it.)
fn nth_powers(key: &PublicKey, count: usize, rng: &mut Rng) -> Residues {
    let x = Secret::new(
        (0..count)
            .map(|_| BoxedUint::random_mod_vartime(rng, key.n()))
            .collect::<Vec<_>>(),
    );
    let x = key.modulus().import(x.expose());
    key.modulus().pow(&x, key.n().as_ref(), key.bits().bits())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use num_bigint::BigUint;
    use num_traits::One;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{KeyBits, Layout, paillier::keygen};

    /// What one base alone cannot do: its powers have two of the four pairs of
    /// quadratic characters at most.
    #[test]
    fn fresh_randomness_encrypts_zero_and_reaches_every_quadratic_character() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let bits = KeyBits::insecure_for_tests(256);
        let owner = keygen::generate(bits, Layout::Packed, &mut rng).unwrap();
        let key = owner.public();
        let fresh = Rerandomiser::new(key.clone()).make(64, &mut rng);

        let plain = owner.decrypt(&fresh).unwrap();
        assert!(plain.expose().iter().all(|m| m.is_zero().to_bool()));

        let big = |x: &BoxedUint| BigUint::from_bytes_be(&x.to_be_bytes());
        let primes = owner.primes().map(|side| big(side.prime().as_ref()));
        let drawn: HashSet<_> = key.modulus().export(&fresh).iter().map(big).collect();
        assert_eq!(drawn.len(), 64);
        let characters: HashSet<_> = drawn
            .iter()
            .map(|r| {
                let is_square = |p: &BigUint| r.modpow(&((p - 1_u8) / 2_u8), p).is_one();
                (is_square(&primes[0]), is_square(&primes[1]))
            })
            .collect();
        assert_eq!(characters.len(), 4);
    }
}
