//! One prime of the key: encryption and decryption modulo its square.

use crypto_bigint::{BoxedUint, ConcatenatingMul, Limb, NonZero, RandomMod};
use entente_wire::Secret;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::PublicKey;
use crate::{
    Rng,
    engine::{Comb, Modulus, Residues, at_precision},
};

/// A prime p of n = p q, with what is computed from it once.
///
/// ```text
///   encrypt   r^n mod p^2  =  y^e,  y = g^n mod p^2,  e uniform in [0, p - 1)
///   decrypt   m mod p      =  L(c^(p-1) mod p^2) h,   L(x) = (x - 1) / p,  h = (-q)^-1 mod p
/// ```
///
/// The n-th residues mod p^2 are a cyclic group of order p - 1 (r^n depends on
/// r mod p alone), g generates the units mod p, so y generates that group, and
/// y^e is *exactly* as r^n with uniform r: no assumption beside Paillier's own,
/// and no exponentiation, since y's powers are in tables.
///
/// With g = 1 + n, (1 + n)^(p-1) = 1 - n = 1 - p q mod p^2, whence h.
pub(super) struct Prime {
    prime: Secret<NonZero<BoxedUint>>,
    square: Secret<NonZero<BoxedUint>>,
    /// p - 1.
    order: Secret<NonZero<BoxedUint>>,
    h: Secret<BoxedUint>,
    modulus: Modulus,
    residues: Comb,
}

impl Prime {
    /// With the other prime and a generator of the units mod p. `None` when
    /// these are not what they are said to be.
    pub(super) fn new(
        prime: &Secret<BoxedUint>,
        other: &Secret<BoxedUint>,
        generator: &Secret<BoxedUint>,
        key: &PublicKey,
    ) -> Option<Self> {
        let p = prime.expose();
        let square = Secret::new(p.concatenating_mul(p));
        let modulus = Modulus::secret(square.expose())?;
        let g = Secret::new(at_precision(
            generator.expose(),
            square.expose().bits_precision(),
        ));
        let n = key.n().as_ref();
        let y = modulus.pow(&modulus.import(&[g.expose().clone()]), n, key.bits().bits());
        let non_zero = |x: BoxedUint| Some(Secret::new(x.into_nz().into_option()?));
        let prime = non_zero(p.clone())?;
        let odd = p.to_odd().into_option()?;
        let h = other
            .expose()
            .rem(prime.expose())
            .neg_mod(prime.expose())
            .invert_odd_mod(&odd)
            .into_option()?;
        Some(Self {
            residues: Comb::of_powers(&modulus, &y, p.bits()),
            order: non_zero(p.wrapping_sub(Limb::ONE))?,
            square: non_zero(square.expose().clone())?,
            h: Secret::new(h),
            modulus,
            prime,
        })
    }

    /// p.
    pub(super) fn prime(&self) -> &NonZero<BoxedUint> {
        self.prime.expose()
    }

    /// p^2.
    pub(super) fn square(&self) -> &NonZero<BoxedUint> {
        self.square.expose()
    }

    /// `count` values r^n mod p^2, r uniform.
    pub(super) fn nth_residues(&self, count: usize, rng: &mut Rng) -> Secret<Vec<BoxedUint>> {
        let exponents = Secret::new(
            (0..count)
                .map(|_| BoxedUint::random_mod_vartime(rng, self.order.expose()))
                .collect::<Vec<_>>(),
        );
        let residues = self.residues.raise(&self.modulus, exponents.expose());
        Secret::new(self.modulus.export(&residues))
    }

    /// m mod p for each ciphertext.
    ///
    /// `None` when c^(p-1) is not 1 mod p for one of them. By Fermat's theorem
    /// it is, for every unit, so the exponentiation went wrong; and a result
    /// that is right mod p and wrong mod q would give the key away to whoever
    /// sees it (Boneh, DeMillo and Lipton, EUROCRYPT '97).
    pub(super) fn decrypt(&self, ciphertexts: &[BoxedUint]) -> Option<Secret<Vec<BoxedUint>>> {
        let reduced = Secret::new(
            ciphertexts
                .par_iter()
                .map(|c| c.rem(self.square()))
                .collect::<Vec<_>>(),
        );
        let residues: Residues = self.modulus.import(reduced.expose());
        let order = self.order.expose().as_ref();
        let powers = self.modulus.pow(&residues, order, order.bits());
        let powers = Secret::new(self.modulus.export(&powers));
        powers
            .expose()
            .par_iter()
            .map(|x| {
                let multiple = Zeroizing::new(x.wrapping_sub(Limb::ONE));
                let l = Zeroizing::new(multiple.div_exact(self.prime()).into_option()?);
                let l = Zeroizing::new(at_precision(&l, self.prime().as_ref().bits_precision()));
                Some(l.mul_mod(self.h.expose(), self.prime()))
            })
            .collect::<Option<Vec<_>>>()
            .map(Secret::new)
    }

    /// x^(1/n) mod p for each x below n. `None` when n has a factor in common with
    /// p - 1, where most x have no root.
    pub(super) fn nth_roots(
        &self,
        numbers: &[BoxedUint],
        n: &BoxedUint,
    ) -> Option<Secret<Vec<BoxedUint>>> {
        let prime = self.prime();
        let modulus = Modulus::secret(prime.as_ref())?;
        let order = self.order.expose();
        let n = Secret::new(n.rem(order));
        let exponent = Secret::new(n.expose().invert_mod(order).into_option()?);
        let reduced = Secret::new(numbers.iter().map(|x| x.rem(prime)).collect::<Vec<_>>());
        let residues = modulus.import(reduced.expose());
        let roots = modulus.pow(&residues, exponent.expose(), order.as_ref().bits());
        Some(Secret::new(modulus.export(&roots)))
    }

    /// Makes every further decryption go wrong, as a fault would.
    #[cfg(test)]
    pub(super) fn break_exponent(&mut self) {
        let broken = self.order.expose().as_ref().wrapping_sub(Limb::ONE);
        if let Some(broken) = broken.into_nz().into_option() {
            self.order = Secret::new(broken);
        }
    }
}

/// Puts a number mod a b together from its parts mod a and mod b, a < b
/// (Garner): `low + a ((high - low) a^-1 mod b)`.
pub(super) struct Garner {
    a: Secret<BoxedUint>,
    b: Secret<NonZero<BoxedUint>>,
    /// a^-1 mod b.
    inverse: Secret<BoxedUint>,
}

impl Garner {
    /// For a < b, coprime, b odd, in one precision. `None` when they are not.
    pub(super) fn new(a: &NonZero<BoxedUint>, b: &NonZero<BoxedUint>) -> Option<Self> {
        let odd = b.as_ref().to_odd().into_option()?;
        let inverse = a.as_ref().invert_odd_mod(&odd).into_option()?;
        Some(Self {
            a: Secret::new(a.as_ref().clone()),
            b: Secret::new(b.clone()),
            inverse: Secret::new(inverse),
        })
    }

    /// From `low` mod a and `high` mod b, in the precision of `bits` bits.
    pub(super) fn combine(&self, low: &BoxedUint, high: &BoxedUint, bits: u32) -> BoxedUint {
        let b = self.b.expose();
        let difference = Zeroizing::new(high.sub_mod(low, b));
        let quotient = Zeroizing::new(difference.mul_mod(self.inverse.expose(), b));
        let product = Zeroizing::new(self.a.expose().concatenating_mul(&*quotient));
        let mut sum = at_precision(&product, bits);
        sum.wrapping_add_assign(low);
        sum
    }
}
