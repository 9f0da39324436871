//! The secret key: both primes, and how their halves are put together.

use core::fmt;

use crypto_bigint::{BoxedUint, NonZero};
use entente_wire::Secret;
use rayon::prelude::*;

use super::{
    PublicKey,
    keygen::Origin,
    pool::Source,
    prime::{Garner, Prime},
};
use crate::{HeError, Rng, engine::Residues};

/// p and q with their tables. Never cloned, written nowhere but into its owner's
/// own checkpoint (`saved.rs`); wiped when dropped.
pub(super) struct SecretKey {
    public: PublicKey,
    p: Prime,
    q: Prime,
    origins: [Origin; 2],
    /// From mod p and mod q to mod n.
    plaintexts: Garner,
    /// From mod p^2 and mod q^2 to mod n^2.
    residues: Garner,
}

impl SecretKey {
    /// From its primes, p < q, and what they were computed from. `None` when
    /// they are not.
    pub(super) fn new(public: PublicKey, p: Prime, q: Prime, origins: [Origin; 2]) -> Option<Self> {
        Some(Self {
            plaintexts: Garner::new(p.prime(), q.prime())?,
            residues: Garner::new(p.square(), q.square())?,
            public,
            p,
            q,
            origins,
        })
    }

    /// What p and q are computed from.
    pub(super) fn origins(&self) -> &[Origin; 2] {
        &self.origins
    }

    /// The public half.
    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The plaintexts of ciphertexts under this key, in [0, n). Constant time
    /// in the key; which of p and q a fault struck is not told.
    ///
    /// # Errors
    /// [`HeError::Fault`].
    pub(super) fn decrypt(
        &self,
        ciphertexts: &Residues,
    ) -> Result<Secret<Vec<BoxedUint>>, HeError> {
        let ciphertexts = self.public.modulus().export(ciphertexts);
        let low = self.p.decrypt(&ciphertexts).ok_or(HeError::Fault)?;
        let high = self.q.decrypt(&ciphertexts).ok_or(HeError::Fault)?;
        Ok(combine(
            &self.plaintexts,
            &low,
            &high,
            self.public.bits().bits(),
        ))
    }

    /// The n-th roots mod n of numbers below n. Constant time in the key. `None`
    /// when there are none, which is so for no key that was made here.
    pub(super) fn nth_roots(&self, numbers: &[BoxedUint]) -> Option<Vec<BoxedUint>> {
        let n = self.public.n().as_ref();
        let low = self.p.nth_roots(numbers, n)?;
        let high = self.q.nth_roots(numbers, n)?;
        let roots = combine(&self.plaintexts, &low, &high, self.public.bits().bits());
        Some(roots.expose().clone())
    }

    /// p^2 and q^2.
    pub(super) fn squares(&self) -> [&NonZero<BoxedUint>; 2] {
        [self.p.square(), self.q.square()]
    }

    #[cfg(test)]
    pub(super) fn primes_mut(&mut self) -> [&mut Prime; 2] {
        [&mut self.p, &mut self.q]
    }

    #[cfg(test)]
    pub(super) fn primes(&self) -> [&Prime; 2] {
        [&self.p, &self.q]
    }
}

impl Source for SecretKey {
    fn key(&self) -> &PublicKey {
        &self.public
    }

    /// r^n mod n^2, r uniform in the units, from its halves.
    fn make(&self, count: usize, rng: &mut Rng) -> Residues {
        let low = self.p.nth_residues(count, rng);
        let high = self.q.nth_residues(count, rng);
        let bits = self.public.n_squared().bits_precision();
        let residues = combine(&self.residues, &low, &high, bits);
        self.public.modulus().import(residues.expose())
    }
}

fn combine(
    garner: &Garner,
    low: &Secret<Vec<BoxedUint>>,
    high: &Secret<Vec<BoxedUint>>,
    bits: u32,
) -> Secret<Vec<BoxedUint>> {
    Secret::new(
        low.expose()
            .par_iter()
            .zip(high.expose())
            .map(|(low, high)| garner.combine(low, high, bits))
            .collect(),
    )
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}
