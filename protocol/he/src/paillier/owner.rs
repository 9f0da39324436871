//! The key owner's side: the active party.

use entente_wire::{Digest, Masked, RingMatrix, Secret};

use super::{
    Activations, EncryptedShare, Forward, ForwardActivations, InputGradient, KeyProof, Paillier,
    PublicKey, WeightGradient, ciphertexts::Ciphertexts, encryptor::Encryptor, saved,
    secret_key::SecretKey,
};
use crate::{Ahead, CutBounds, HeError, KeyOwner, Primitive, Rng, Tallied, Tally};

/// A secret key with the bounds that it is used within.
#[derive(Debug)]
pub(super) struct PaillierOwner {
    encryptor: Encryptor<SecretKey>,
}

impl PaillierOwner {
    pub(super) fn new(encryptor: Encryptor<SecretKey>) -> Self {
        Self { encryptor }
    }

    pub(super) fn key(&self) -> &SecretKey {
        self.encryptor.source()
    }

    fn decrypt(&self, what: &'static str, product: &Ciphertexts) -> Result<RingMatrix, HeError> {
        decrypt(self.key(), what, product, self.tally())
    }

    #[cfg(test)]
    pub(super) fn key_mut(&mut self) -> &mut SecretKey {
        self.encryptor.source_mut()
    }
}

/// Decrypts to the ring.
pub(super) fn decrypt(
    key: &SecretKey,
    what: &'static str,
    product: &Ciphertexts,
    tally: &Tally,
) -> Result<RingMatrix, HeError> {
    let cells = product.cells(key.public())?;
    let sums = tally.measure(Primitive::Decrypt, cells.len(), || key.decrypt(cells))?;
    let (packing, shape) = (product.packing(), product.shape());
    tally.measure(Primitive::Pack, shape.len(), || {
        packing.open(what, sums.expose(), shape)
    })
}

impl Ahead for PaillierOwner {
    fn advance(&self, rng: &mut Rng) -> bool {
        self.encryptor.advance(rng)
    }

    fn depth(&self) -> usize {
        self.encryptor.depth()
    }

    fn capacity(&self) -> usize {
        self.encryptor.capacity()
    }
}

impl Tallied for PaillierOwner {
    fn tally(&self) -> &Tally {
        self.encryptor.tally()
    }
}

impl KeyOwner<Paillier> for PaillierOwner {
    fn public_key(&self) -> &PublicKey {
        self.key().public()
    }

    fn secret_key(&self) -> Secret<Vec<u8>> {
        saved::write(self.key())
    }

    fn prove(&self, context: Digest) -> Result<KeyProof, HeError> {
        KeyProof::make(self.key(), context)
    }

    fn bounds(&self) -> &CutBounds {
        self.encryptor.bounds()
    }

    fn encrypt_activations(&self, a: &RingMatrix, rng: &mut Rng) -> Result<Activations, HeError> {
        self.encryptor.activations(a, rng)
    }

    fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<ForwardActivations, HeError> {
        self.encryptor.forward_activations(a, rng)
    }

    fn encrypt_share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<EncryptedShare, HeError> {
        self.encryptor.share(e, rows, rng)
    }

    fn decrypt_forward(&self, product: &Forward) -> Result<Masked, HeError> {
        self.decrypt("forward product", &product.0)
            .map(Masked::from_masked_decryption)
    }

    fn decrypt_weight_gradient(&self, product: &WeightGradient) -> Result<Masked, HeError> {
        self.decrypt("weight gradient", &product.0)
            .map(Masked::from_masked_decryption)
    }

    fn decrypt_input_gradient(
        &self,
        product: &InputGradient,
    ) -> Result<Secret<RingMatrix>, HeError> {
        self.decrypt("input gradient", &product.0).map(Secret::new)
    }
}
