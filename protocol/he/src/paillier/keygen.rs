//! Keys whose owner knows the order of everything.
//!
//! To encrypt by table look-up the owner needs a generator of *all* n-th
//! residues mod p^2, a cyclic group of order p - 1, and to find a generator it
//! needs the factors of p - 1. So the prime is built around them:
//!
//! ```text
//!   p = 2 k r + 1        r prime, 41 bits shorter than p;  k odd, of 40 bits, factored by trial
//! ```
//!
//! r comes first, then k at random until p is prime: about twice the work of
//! a prime without conditions. Safe primes, p = 2 r + 1, would do as well and
//! take minutes where this takes a second. That p - 1 has a large prime factor
//! is no weakness: for a long time standards asked for it.
//!
//! Furthermore
//! - p and q lie above 3/4 of a power of two, so n has exactly the size asked
//!   for, and have one length, so gcd(n, (p - 1)(q - 1)) = 1;
//! - k is odd, so p = q = 3 mod 4: -1 is no square mod p or q, on which the
//!   encryption by others leans (see `subgroup.rs`);
//! - the k of p and q are coprime, so gcd(p - 1, q - 1) = 2: the evaluator's
//!   re-randomisation leans on that (see `rerandomise.rs`).
//!
//! Finding primes takes a time that depends on them, here as everywhere: it
//! happens once, and on the owner's machine.

use core::cmp::Ordering;

use crypto_bigint::{BoxedUint, ConcatenatingMul, Limb, RandomMod};
use crypto_primes::{Flavor, is_prime, random_prime};
use entente_wire::Secret;
use num_integer::Integer;

use super::{Layout, PublicKey, prime::Prime, public_key::smallest_factor, secret_key::SecretKey};
use crate::{
    HeError, KeyBits, Rng,
    engine::{Modulus, at_precision},
};

/// How much shorter r is than p.
const COFACTOR_BITS: u32 = 41;

/// Candidates with a factor below this are not worth a primality test.
const SIEVE: u32 = 1 << 10;

/// A fresh key, for plaintexts laid out as `layout` says.
///
/// # Errors
/// [`HeError::KeySize`] for a size that the engine has no kernel for.
pub(super) fn generate(bits: KeyBits, layout: Layout, rng: &mut Rng) -> Result<SecretKey, HeError> {
    let size = HeError::KeySize { bits: bits.bits() };
    if !Modulus::holds(2 * bits.bits()) {
        return Err(size);
    }
    let half = bits.bits() / 2;
    let first = Candidate::draw(half, 1, rng);
    let second = loop {
        let second = Candidate::draw(half, first.cofactor, rng);
        if second.prime.expose() != first.prime.expose() {
            break second;
        }
    };
    // p < q, which spares a reduction in every decryption.
    let (p, q) = match first.prime.expose().cmp_vartime(second.prime.expose()) {
        Ordering::Less => (first, second),
        _ => (second, first),
    };

    let n = p.prime.expose().concatenating_mul(q.prime.expose());
    let key = PublicKey::trusted(&n, bits, layout).ok_or(size.clone())?;
    let generators = (p.generator(rng), q.generator(rng));
    let (Some(for_p), Some(for_q)) = generators else {
        return Err(size);
    };
    let p_side = Prime::new(&p.prime, &q.prime, &for_p, &key);
    let q_side = Prime::new(&q.prime, &p.prime, &for_q, &key);
    match (p_side, q_side) {
        (Some(p), Some(q)) => SecretKey::new(key, p, q).ok_or(size),
        _ => Err(size),
    }
}

/// A prime with the factors of p - 1 = 2 k r.
struct Candidate {
    prime: Secret<BoxedUint>,
    /// r.
    large_factor: Secret<BoxedUint>,
    /// k, which has no factor in common with the other prime's.
    cofactor: u64,
}

impl Candidate {
    /// Draws a prime of exactly `bits` bits, above 3/4 of 2^bits.
    fn draw(bits: u32, other_cofactor: u64, rng: &mut Rng) -> Self {
        let r: BoxedUint = random_prime(rng, Flavor::Any, bits - COFACTOR_BITS);
        let r = Secret::new(r);
        loop {
            // r has its top bit set, so k < 2^41 reaches all of the range.
            let k = rng.next_u64() >> (64 - COFACTOR_BITS) | 1;
            if k.gcd(&other_cofactor) != 1 {
                continue;
            }
            let even = Secret::new(r.expose().concatenating_mul(BoxedUint::from(2 * k)));
            let p = Secret::new(at_precision(even.expose(), bits).wrapping_add(Limb::ONE));
            let in_range = even.expose().bits() == bits && p.expose().bit_vartime(bits - 2);
            if in_range
                && smallest_factor(p.expose(), SIEVE).is_none()
                && is_prime(Flavor::Any, p.expose())
            {
                return Self {
                    prime: p,
                    large_factor: r,
                    cofactor: k,
                };
            }
        }
    }

    /// A generator of the units mod p: an element whose order divides
    /// (p - 1) / f for no prime factor f of p - 1. `None` without a kernel.
    fn generator(&self, rng: &mut Rng) -> Option<Secret<BoxedUint>> {
        let p = self.prime.expose();
        let modulus = Modulus::secret(p)?;
        let range = p.to_nz().into_option()?;
        let order = Secret::new(p.wrapping_sub(Limb::ONE));
        let quotients = self
            .factors()
            .expose()
            .iter()
            .map(|factor| Some(order.expose().wrapping_div(&factor.to_nz().into_option()?)))
            .collect::<Option<Vec<_>>>()
            .map(Secret::new)?;
        loop {
            let g = Secret::new(BoxedUint::random_mod_vartime(rng, &range));
            let residue = modulus.import(core::slice::from_ref(g.expose()));
            let generates = quotients.expose().iter().all(|quotient| {
                let power = modulus.export(&modulus.pow(&residue, quotient, p.bits_precision()));
                power.iter().all(|x| !(x.is_one() | x.is_zero()).to_bool())
            });
            if generates {
                return Some(g);
            }
        }
    }

    /// The prime factors of 2 k r, each once, in the precision of p.
    fn factors(&self) -> Secret<Vec<BoxedUint>> {
        let mut factors = vec![self.large_factor.expose().clone()];
        let mut rest = 2 * self.cofactor;
        let mut divisor = 2;
        while divisor * divisor <= rest {
            if rest.is_multiple_of(divisor) {
                factors.push(BoxedUint::from(divisor));
                while rest.is_multiple_of(divisor) {
                    rest /= divisor;
                }
            }
            divisor += 1;
        }
        if rest > 1 {
            factors.push(BoxedUint::from(rest));
        }
        let bits = self.prime.expose().bits_precision();
        for factor in &mut factors {
            *factor = at_precision(factor, bits);
        }
        Secret::new(factors)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use num_bigint::BigUint;
    use num_traits::One;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn big(x: &BoxedUint) -> BigUint {
        BigUint::from_bytes_be(&x.to_be_bytes())
    }

    #[test]
    fn primes_have_the_size_and_the_order_that_they_claim() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let first = Candidate::draw(128, 1, &mut rng);
        let second = Candidate::draw(128, first.cofactor, &mut rng);
        assert_eq!(first.cofactor.gcd(&second.cofactor), 1);
        for candidate in [first, second] {
            let p = big(candidate.prime.expose());
            assert!(p.bits() == 128 && p.bit(126));
            assert!(p.bit(0) && p.bit(1), "p is not 3 mod 4");
            let order = &p - 1_u8;
            let mut rest = order.clone();
            for factor in candidate.factors().expose() {
                let factor = big(factor);
                assert!(is_prime(
                    Flavor::Any,
                    &BoxedUint::from_be_slice_vartime(&factor.to_bytes_be())
                ));
                while (&rest % &factor).bits() == 0 {
                    rest /= &factor;
                }
            }
            assert!(rest.is_one(), "p - 1 has a factor that nobody knows");

            let g = big(candidate.generator(&mut rng).unwrap().expose());
            assert!(g.modpow(&order, &p).is_one());
            for factor in candidate.factors().expose() {
                assert!(!g.modpow(&(&order / big(factor)), &p).is_one());
            }
        }
    }
}
