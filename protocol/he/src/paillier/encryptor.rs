//! Matrices to ciphertexts: with the secret key, and without.

use entente_wire::RingMatrix;

use super::{
    Activations, EncryptedShare, ForwardActivations, Layout, PublicKey,
    ciphertexts::Ciphertexts,
    packing::Packing,
    packings::Packings,
    pool::{Pool, Source},
    subgroup::Subgroup,
};
use crate::{Ahead, CutBounds, HeError, Primitive, Rng, Tallied, Tally};

/// Encryption within bounds, whatever its randomness comes from.
#[derive(Debug)]
pub(super) struct Encryptor<S: Source> {
    pool: Pool<S>,
    bounds: CutBounds,
    packings: Packings,
}

impl<S: Source> Encryptor<S> {
    /// With room for `pool_values` values of randomness made ahead.
    pub(super) fn new(
        source: S,
        bounds: CutBounds,
        packings: Packings,
        pool_values: usize,
    ) -> Self {
        Self {
            pool: Pool::new(source, pool_values),
            bounds,
            packings,
        }
    }

    /// Where its randomness comes from.
    pub(super) fn source(&self) -> &S {
        self.pool.source()
    }

    #[cfg(test)]
    pub(super) fn source_mut(&mut self) -> &mut S {
        self.pool.source_mut()
    }

    pub(super) fn bounds(&self) -> &CutBounds {
        &self.bounds
    }

    fn key(&self) -> &PublicKey {
        self.source().key()
    }

    /// Enc(a), `B x h`, for its two later uses.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`], [`HeError::Shape`].
    pub(super) fn activations(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<Activations, HeError> {
        let over_features = self.packings.weight_gradient();
        let over_samples = self.forward_activations(a, rng)?;
        Ok(match self.key().layout() {
            Layout::Unpacked => Activations::unpacked(over_samples, over_features),
            Layout::Packed => Activations {
                over_samples,
                over_features: self.encrypt(a, over_features, rng),
            },
        })
    }

    /// Enc(a), `B x h`, for the forward product alone.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`], [`HeError::Shape`].
    pub(super) fn forward_activations(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<ForwardActivations, HeError> {
        self.bounds.check_activations(a)?;
        let packed = self.encrypt(a, self.packings.forward(), rng);
        Ok(ForwardActivations(packed))
    }

    /// Enc(E), `c x h`, for the input gradient of `rows` samples.
    ///
    /// # Errors
    /// [`HeError::Shape`].
    pub(super) fn share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<EncryptedShare, HeError> {
        self.bounds.check_weight("share", e.shape())?;
        let packing = self.packings.input_gradient(rows.max(1))?;
        Ok(EncryptedShare(self.encrypt(e, packing, rng)))
    }

    fn encrypt(&self, matrix: &RingMatrix, packing: Packing, rng: &mut Rng) -> Ciphertexts {
        encrypt(&self.pool, matrix, packing, rng)
    }
}

/// Encrypts a matrix whose entries are read as signed, with randomness of
/// `pool`.
pub(super) fn encrypt<S: Source>(
    pool: &Pool<S>,
    matrix: &RingMatrix,
    packing: Packing,
    rng: &mut Rng,
) -> Ciphertexts {
    let (key, tally) = (pool.source().key(), pool.tally());
    let shape = matrix.shape();
    let count = packing.ciphertexts(shape);
    let encoded = tally.measure(Primitive::Pack, shape.len(), || {
        key.encode_all(&packing.pack(matrix, key))
    });
    let cells = tally.measure(Primitive::Encrypt, count, || {
        let mut cells = pool.draw(count, rng);
        let encoded = key.modulus().import(encoded.expose());
        key.modulus().multiply(&mut cells, &encoded);
        cells
    });
    Ciphertexts::new(key.clone(), shape, packing, cells)
}

impl<S: Source> Ahead for Encryptor<S> {
    fn advance(&self, rng: &mut Rng) -> bool {
        self.pool.advance(rng)
    }

    fn depth(&self) -> usize {
        self.pool.depth()
    }

    fn capacity(&self) -> usize {
        self.pool.capacity()
    }
}

impl<S: Source> Tallied for Encryptor<S> {
    fn tally(&self) -> &Tally {
        self.pool.tally()
    }
}

/// Encryption by whoever has the public key alone, of what its owner may read:
/// it hides messages from everybody else.
///
/// It is no evaluator and must not become one. To re-randomise a *product* is to
/// hide something from the key owner, and the randomness in here does not.
#[derive(Debug)]
pub struct PublicEncryptor(Encryptor<Subgroup>);

impl PublicEncryptor {
    pub(super) fn new(encryptor: Encryptor<Subgroup>) -> Self {
        Self(encryptor)
    }

    /// The key of the one who can decrypt.
    pub fn public_key(&self) -> &PublicKey {
        self.0.key()
    }

    /// The bounds that the layout was made for.
    pub fn bounds(&self) -> &CutBounds {
        self.0.bounds()
    }

    /// As [`KeyOwner::encrypt_activations`](crate::KeyOwner::encrypt_activations).
    ///
    /// # Errors
    /// As there.
    pub fn encrypt_activations(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<Activations, HeError> {
        self.0.activations(a, rng)
    }

    /// As [`KeyOwner::encrypt_for_inference`](crate::KeyOwner::encrypt_for_inference).
    ///
    /// # Errors
    /// As there.
    pub fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<ForwardActivations, HeError> {
        self.0.forward_activations(a, rng)
    }

    /// As [`KeyOwner::encrypt_share`](crate::KeyOwner::encrypt_share).
    ///
    /// # Errors
    /// As there.
    pub fn encrypt_share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<EncryptedShare, HeError> {
        self.0.share(e, rows, rng)
    }
}

impl Ahead for PublicEncryptor {
    fn advance(&self, rng: &mut Rng) -> bool {
        self.0.advance(rng)
    }

    fn depth(&self) -> usize {
        self.0.depth()
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl Tallied for PublicEncryptor {
    fn tally(&self) -> &Tally {
        self.0.tally()
    }
}
