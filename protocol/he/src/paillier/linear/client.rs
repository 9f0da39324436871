//! The end that owns the data and the key.

use entente_wire::{RingMatrix, Secret, Shape};

use super::LinearBounds;
use crate::{
    HeError, Rng, Tallied,
    bounds::{check_range, check_shape},
    paillier::{
        LinearInput, LinearOutput, PublicKey, encryptor::encrypt, owner::decrypt, packing::Packing,
        pool::Pool, secret_key::SecretKey,
    },
};

/// Encrypts what goes into the layers, and reads what comes out.
#[derive(Debug)]
pub struct LinearClient {
    key: Pool<SecretKey>,
    bounds: LinearBounds,
    packing: Packing,
}

impl LinearClient {
    pub(super) fn new(
        key: SecretKey,
        bounds: LinearBounds,
        packing: Packing,
        pool_values: usize,
    ) -> Self {
        Self {
            key: Pool::new(key, pool_values),
            bounds,
            packing,
        }
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        self.key.source().public()
    }

    /// How many samples share a ciphertext.
    pub fn samples_per_ciphertext(&self) -> usize {
        self.packing.slots()
    }

    /// Enc(x), `B x N`, of entries that are read as signed.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`]; [`HeError::Shape`] for no rows.
    pub fn encrypt(&self, x: &RingMatrix, rng: &mut Rng) -> Result<LinearInput, HeError> {
        let shape = x.shape();
        check_shape("values", shape, Shape::new(shape.rows.max(1), shape.cols))?;
        check_range("values", x, self.bounds.input_bits)?;
        let encrypted = encrypt(&self.key, x, self.packing, rng);
        Ok(LinearInput(encrypted))
    }

    /// y, `B x PO`, as a two's complement.
    ///
    /// # Errors
    /// [`HeError::Fault`]; [`HeError::OutOfRange`] for what no honest server
    /// sends; [`HeError::BadKey`] for ciphertexts under another key.
    pub fn decrypt(&self, LinearOutput(y): &LinearOutput) -> Result<Secret<RingMatrix>, HeError> {
        decrypt(self.key.source(), super::WHAT, y, self.key.tally()).map(Secret::new)
    }
}
