//! Paillier's scheme, with the arithmetic that is used in practice.
//!
//! ```text
//!   n = p q            Enc(m) = (1 + m n) r^n  mod n^2         m mod n
//!   Enc(m) Enc(m')     = Enc(m + m')
//!   Enc(m)^k           = Enc(k m)
//! ```
//!
//! Source: P. Paillier, "Public-Key Cryptosystems Based on Composite Degree
//! Residuosity Classes", EUROCRYPT '99, with g = 1 + n (Damgård and Jurik,
//! PKC 2001), decryption modulo p^2 and q^2 (section 7 of the former).
//!
//! | who | what | how | file |
//! |---|---|---|---|
//! | owner | r^n | exact: powers of a generator of all n-th residues mod p^2 and mod q^2 | `prime.rs` |
//! | anyone | r^n | powers of one square, for messages to the owner | `subgroup.rs` |
//! | owner | the key as bytes | checked when it is read | `saved.rs`, `keygen.rs` |
//! | owner, anyone | that n is what it must be | roots of hashes | `proof.rs`, `public_key.rs` |
//! | owner | decrypt | mod p^2 and q^2, checked for faults | `prime.rs`, `secret_key.rs` |
//! | evaluator | three products | joint exponentiation | `evaluator.rs`, the engine |
//! | evaluator | re-randomise | statistically, its own bases | `rerandomise.rs` |
//! | all | before the round | values of single use, as many as there is room for | `pool.rs` |
//! | anyone, server | linear layers of weights that are the server's own | `linear/` |
//! | benchmarks | all of it, number by number | without a layout, under a key of their own | `textbook.rs` |
//!
//! One plaintext holds many values, side by side:
//!
//! | what | file |
//! |---|---|
//! | the room of one value, and what hides it | `slot.rs` |
//! | many of them in a plaintext, and which | `packing.rs` |
//! | the three widths of a job, from its bounds | `packings.rs` |
//!
//! At h = 84, c = 10, B = 128 and 2048 bits a message of `B h` = 10752 values
//! takes 756 (forward) and 512 (weight gradient) ciphertexts in place of 10752,
//! and an input gradient 640. Nothing outside this module knows how a matrix is
//! laid out.

mod ciphertexts;
mod encryptor;
mod evaluator;
mod keygen;
mod layout;
mod linear;
mod owner;
mod packing;
mod packings;
mod plaintext;
mod pool;
mod prime;
mod proof;
mod public_key;
mod rerandomise;
mod saved;
mod secret_key;
mod slot;
mod subgroup;
mod textbook;

#[cfg(test)]
mod extraction;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use entente_wire::{Digest, Secret};

use crate::{Backend, CutBounds, Evaluate, HeError, KeyBits, KeyOwner, Rng, Scheme, Tier};

pub use ciphertexts::{
    Activations, EncryptedShare, Forward, ForwardActivations, InputGradient, LinearInput,
    LinearOutput, WeightGradient,
};
pub use encryptor::PublicEncryptor;
pub use layout::Layout;
pub use linear::{ExpectLinear, LinearBounds, LinearClient, LinearProducts, LinearServer, Windows};
pub use proof::KeyProof;
pub use public_key::PublicKey;
pub use subgroup::Exponents;
pub use textbook::{Batch, Plaintexts, Randomness, Textbook};

use encryptor::Encryptor;
use evaluator::PaillierEvaluator;
use owner::PaillierOwner;
use packings::Packings;
use secret_key::SecretKey;
use subgroup::Subgroup;

/// The tag of the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paillier {}

impl Scheme for Paillier {
    const NAME: &'static str = "paillier";
    type PublicKey = PublicKey;
    type KeyProof = KeyProof;
    type ForwardActivations = ForwardActivations;
    type Activations = Activations;
    type EncryptedShare = EncryptedShare;
    type Forward = Forward;
    type WeightGradient = WeightGradient;
    type InputGradient = InputGradient;
}

/// Paillier on this machine's processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaillierBackend {
    layout: Layout,
    pool_values: usize,
}

impl PaillierBackend {
    /// With plaintexts laid out as `layout` says. Both ends of a job have to
    /// say the same.
    pub const fn new(layout: Layout) -> Self {
        Self {
            layout,
            pool_values: 0,
        }
    }

    /// Whose ends keep up to so many values of randomness ready, if somebody
    /// makes them [work ahead](crate::Ahead). A value is as long as a
    /// ciphertext, 512 bytes at 2048 bits.
    #[must_use]
    pub const fn with_pool(self, pool_values: usize) -> Self {
        Self {
            pool_values,
            ..self
        }
    }

    /// Encryption under a peer's key, of what the peer may read. In no job of
    /// today's protocol does anyone but the key owner encrypt.
    ///
    /// # Errors
    /// As [`Backend::evaluator`].
    pub fn public_encryptor(
        &self,
        key: PublicKey,
        bounds: CutBounds,
        exponents: Exponents,
        rng: &mut Rng,
    ) -> Result<PublicEncryptor, HeError> {
        self.check(&key)?;
        let packings = Packings::new(&bounds, key.bits(), key.layout())?;
        let source = Subgroup::new(key, exponents, rng);
        let encryptor = Encryptor::new(source, bounds, packings, self.pool_values);
        Ok(PublicEncryptor::new(encryptor))
    }

    fn owner(
        &self,
        key: SecretKey,
        bounds: CutBounds,
        packings: Packings,
    ) -> Arc<dyn KeyOwner<Paillier>> {
        let encryptor = Encryptor::new(key, bounds, packings, self.pool_values);
        Arc::new(PaillierOwner::new(encryptor))
    }

    fn check(&self, key: &PublicKey) -> Result<(), HeError> {
        Tier::current()?;
        if key.layout() == self.layout {
            return Ok(());
        }
        Err(HeError::BadKey {
            why: "one end packs its plaintexts and the other does not; start both with one layout",
        })
    }
}

impl Backend<Paillier> for PaillierBackend {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<Paillier>>, HeError> {
        Tier::current()?;
        // Before the primes: a job that does not fit should hear so at once.
        let packings = Packings::new(&bounds, bits, self.layout)?;
        let key = keygen::generate(bits, self.layout, rng)?;
        Ok(self.owner(key, bounds, packings))
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<Paillier>>, HeError> {
        Tier::current()?;
        let packings = Packings::new(&bounds, bits, self.layout)?;
        let key = saved::read(secret_key, bits, self.layout);
        let key = key.map_err(|why| HeError::SavedKey { why })?;
        Ok(self.owner(key, bounds, packings))
    }

    fn certify(
        &self,
        key: &PublicKey,
        proof: &KeyProof,
        context: Digest,
        last: Option<&PublicKey>,
    ) -> Result<(), HeError> {
        Tier::current()?;
        last.map_or(Ok(()), |last| key.follows(last))
            .map_err(|why| HeError::BadKey { why })?;
        match proof.shows(key, context) {
            true => Ok(()),
            false => Err(HeError::BadKey {
                why: "there is no proof that its ciphertexts have one plaintext each",
            }),
        }
    }

    fn evaluator(
        &self,
        key: PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<Paillier>>, HeError> {
        self.check(&key)?;
        let evaluator = PaillierEvaluator::new(key, bounds, self.pool_values)?;
        Ok(Arc::new(evaluator))
    }
}
