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

    let origins = (Origin::new(p, rng), Origin::new(q, rng));
    match origins {
        (Some(p), Some(q)) => assemble([p, q], bits, layout).ok_or(size),
        _ => Err(size),
    }
}

/// The key of two primes, p < q, with all that is computed from them. `None`
/// without a kernel for their size.
pub(super) fn assemble([p, q]: [Origin; 2], bits: KeyBits, layout: Layout) -> Option<SecretKey> {
    let n = p.prime().concatenating_mul(q.prime());
    let key = PublicKey::trusted(&n, bits, layout)?;
    let side = |one: &Origin, other: &Origin| {
        Prime::new(&one.of.prime, &other.of.prime, &one.generator, &key)
    };
    let (p_side, q_side) = (side(&p, &q)?, side(&q, &p)?);
    SecretKey::new(key, p_side, q_side, [p, q])
}

/// What one half of a key is computed from: the prime, and a generator of its
/// units.
pub(super) struct Origin {
    of: Candidate,
    generator: Secret<BoxedUint>,
}

impl Origin {
    fn new(of: Candidate, rng: &mut Rng) -> Option<Self> {
        let generator = of.generator(rng)?;
        Some(Self { of, generator })
    }

    /// From numbers that were saved, of a prime of `bits` bits. They are held
    /// against all that [`generate`] sees to: what encrypts with a number that
    /// is no generator, or decrypts with one that is no prime, tells what it
    /// should hide.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn restore(
        prime: Secret<BoxedUint>,
        cofactor: u64,
        generator: Secret<BoxedUint>,
        bits: u32,
    ) -> Result<Self, &'static str> {
        let of = Candidate::restore(prime, cofactor, bits)?;
        let units = of.units().ok_or("there is no kernel for its size")?;
        let g = generator.expose();
        if g.cmp_vartime(of.prime.expose()) != Ordering::Less || !units.are_generated_by(g) {
            return Err("a generator is none");
        }
        Ok(Self { of, generator })
    }

    /// p.
    pub(super) fn prime(&self) -> &BoxedUint {
        self.of.prime.expose()
    }

    /// k.
    pub(super) fn cofactor(&self) -> u64 {
        self.of.cofactor
    }

    /// A generator of the units mod p.
    pub(super) fn generator(&self) -> &BoxedUint {
        self.generator.expose()
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

    /// From a prime of exactly `bits` bits and the k that it was built with.
    fn restore(prime: Secret<BoxedUint>, cofactor: u64, bits: u32) -> Result<Self, &'static str> {
        let p = prime.expose();
        if p.bits() != bits || !p.bit_vartime(bits - 2) {
            return Err("a prime is not of its size");
        }
        if cofactor.is_multiple_of(2) || cofactor >> COFACTOR_BITS != 0 {
            return Err("a cofactor is even or too large");
        }
        let double = BoxedUint::from(2 * cofactor);
        let divisor = at_precision(&double, bits).into_nz().into_option();
        let divisor = divisor.ok_or("a cofactor is zero")?;
        let order = Secret::new(p.wrapping_sub(Limb::ONE));
        let r = Secret::new(order.expose().wrapping_div(&divisor));
        let short = bits - COFACTOR_BITS;
        let large_factor = Secret::new(at_precision(r.expose(), short));
        let product = Secret::new(large_factor.expose().concatenating_mul(&double));
        let is_built_so =
            r.expose().bits() == short && at_precision(product.expose(), bits) == *order.expose();
        if !is_built_so || !is_prime(Flavor::Any, large_factor.expose()) {
            return Err("a prime is not built from its factors");
        }
        if !is_prime(Flavor::Any, p) {
            return Err("a prime is none");
        }
        Ok(Self {
            prime,
            large_factor,
            cofactor,
        })
    }

    /// A generator of the units mod p. `None` without a kernel.
    fn generator(&self, rng: &mut Rng) -> Option<Secret<BoxedUint>> {
        let units = self.units()?;
        let range = self.prime.expose().to_nz().into_option()?;
        loop {
            let g = Secret::new(BoxedUint::random_mod_vartime(rng, &range));
            if units.are_generated_by(g.expose()) {
                return Some(g);
            }
        }
    }

    /// The units mod p. `None` without a kernel.
    fn units(&self) -> Option<Units> {
        let p = self.prime.expose();
        let modulus = Modulus::secret(p)?;
        let order = Secret::new(p.wrapping_sub(Limb::ONE));
        let quotients = self
            .factors()
            .expose()
            .iter()
            .map(|factor| Some(order.expose().wrapping_div(&factor.to_nz().into_option()?)))
            .collect::<Option<Vec<_>>>()
            .map(Secret::new)?;
        Some(Units {
            modulus,
            quotients,
            precision: p.bits_precision(),
        })
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

/// The units mod p.
struct Units {
    modulus: Modulus,
    /// (p - 1) / f for each prime factor f of p - 1.
    quotients: Secret<Vec<BoxedUint>>,
    /// Of exponents.
    precision: u32,
}

impl Units {
    /// Whether g < p generates all of them: its order divides none of the
    /// quotients.
    fn are_generated_by(&self, g: &BoxedUint) -> bool {
        let modulus = &self.modulus;
        let residue = modulus.import(core::slice::from_ref(g));
        self.quotients.expose().iter().all(|quotient| {
            let power = modulus.export(&modulus.pow(&residue, quotient, self.precision));
            power.iter().all(|x| !(x.is_one() | x.is_zero()).to_bool())
        })
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
