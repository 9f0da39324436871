//! **NOT ENCRYPTION.** Plain ring values in the clothes of a scheme.
//!
//! Everything that this "encrypts" can be read by everyone, by design: the
//! machines of a protocol are tested over it in milliseconds, and a test that
//! fails over it has found a fault of the machine and not of a cipher. It
//! exists in test builds and under the feature `insecure-test-keys`, and in no
//! program that anybody runs.

use std::sync::Arc;

use entente_wire::{
    Decode, DecodeError, Digest, Encode, Mask, Masked, Reader, RingMatrix, Secret, Shape,
    decode_exactly, sealed::Sealed,
};

use crate::{
    Ahead, Backend, CutBounds, Encrypted, Evaluate, Expect, Extent, HeError, KeyBits, KeyOwner,
    Rng, Scheme, Tallied, Tally, bounds::check_shape,
};

/// The tag of the scheme that hides **nothing**.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transparent {}

impl Scheme for Transparent {
    const NAME: &'static str = "transparent";
    type PublicKey = PublicKey;
    type KeyProof = KeyProof;
    type ForwardActivations = ForwardActivations;
    type Activations = Activations;
    type EncryptedShare = EncryptedShare;
    type Forward = Forward;
    type WeightGradient = WeightGradient;
    type InputGradient = InputGradient;
}

/// A key without a secret: a number that tells one from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(u64);

impl Sealed for PublicKey {}

impl Encode for PublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode<KeyBits> for PublicKey {
    fn decode(_: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.u64("transparent key").map(Self)
    }
}

/// A proof of nothing: the digest of a key and a context.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyProof(Digest);

impl KeyProof {
    fn of(key: &PublicKey, context: Digest) -> Self {
        let parts = [&key.encoded()[..], context.as_bytes()];
        Self(Digest::of("entente transparent key", &parts))
    }
}

impl Sealed for KeyProof {}

impl Encode for KeyProof {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode<KeyBits> for KeyProof {
    fn decode(_: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Digest::decode(&(), input).map(Self)
    }
}

/// A plain matrix with the number of its key, and a fresh number that stands
/// for randomness, so that no two are alike.
#[derive(Debug)]
struct Plain {
    key: u64,
    nonce: u64,
    matrix: RingMatrix,
}

impl Encode for Plain {
    fn encode(&self, out: &mut Vec<u8>) {
        self.key.encode(out);
        self.nonce.encode(out);
        self.matrix.encode(out);
    }
}

impl Decode<Expect<'_, Transparent>> for Plain {
    fn decode(
        expect: &Expect<'_, Transparent>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let key = input.u64("transparent matrix")?;
        if key != expect.key.0 {
            return Err(DecodeError::Invalid {
                what: "transparent matrix",
                why: "it is under another key",
            });
        }
        Ok(Self {
            key,
            nonce: input.u64("transparent matrix")?,
            matrix: RingMatrix::decode(&expect.shape, input)?,
        })
    }
}

/// Every value by itself, as if it were a ciphertext.
impl Encrypted for Plain {
    fn extent(&self) -> Extent {
        let values = self.matrix.shape().len();
        Extent {
            ciphertexts: values,
            bytes: self.encoded().len(),
            values,
            room: values,
        }
    }
}

macro_rules! plain_matrix {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Debug)]
        pub struct $name(Plain);

        impl Sealed for $name {}

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Decode<Expect<'_, Transparent>> for $name {
            fn decode(
                expect: &Expect<'_, Transparent>,
                input: &mut Reader<'_>,
            ) -> Result<Self, DecodeError> {
                Plain::decode(expect, input).map(Self)
            }
        }

        impl Encrypted for $name {
            fn extent(&self) -> Extent {
                self.0.extent()
            }
        }
    )*};
}

plain_matrix! {
    /// a, `B x h`, in plain sight, for the forward product.
    ForwardActivations
    /// E, `c x h`, in plain sight.
    EncryptedShare
    /// a W^T + S1, `B x c`.
    Forward
    /// D^T a + S2, `c x h`.
    WeightGradient
    /// D W - D E, `B x h`, in plain sight.
    InputGradient
}

/// a, `B x h`, in plain sight, for both of its uses.
#[derive(Debug)]
pub struct Activations(ForwardActivations);

impl AsRef<ForwardActivations> for Activations {
    fn as_ref(&self) -> &ForwardActivations {
        &self.0
    }
}

impl Sealed for Activations {}

impl Encode for Activations {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode<Expect<'_, Transparent>> for Activations {
    fn decode(
        expect: &Expect<'_, Transparent>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        ForwardActivations::decode(expect, input).map(Self)
    }
}

impl Encrypted for Activations {
    fn extent(&self) -> Extent {
        self.0.extent()
    }
}

/// Makes both ends of the scheme that hides **nothing**.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransparentBackend;

impl Backend<Transparent> for TransparentBackend {
    fn generate(
        &self,
        _: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<Transparent>>, HeError> {
        let key = PublicKey(rng.next_u64());
        Ok(Arc::new(TransparentEnd::new(key, bounds)))
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<Transparent>>, HeError> {
        let key = decode_exactly(&bits, secret_key.expose());
        let key = key.map_err(|_| HeError::SavedKey {
            why: "it is no number",
        })?;
        Ok(Arc::new(TransparentEnd::new(key, bounds)))
    }

    fn certify(
        &self,
        key: &PublicKey,
        proof: &KeyProof,
        context: Digest,
        last: Option<&PublicKey>,
    ) -> Result<(), HeError> {
        if last == Some(key) {
            return Err(HeError::BadKey {
                why: "it is the last one",
            });
        }
        match *proof == KeyProof::of(key, context) {
            true => Ok(()),
            false => Err(HeError::BadKey {
                why: "its proof is none",
            }),
        }
    }

    fn evaluator(
        &self,
        key: PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<Transparent>>, HeError> {
        Ok(Arc::new(TransparentEnd::new(key, bounds)))
    }
}

/// Either end: there is no secret to tell them apart.
#[derive(Debug)]
struct TransparentEnd {
    key: PublicKey,
    bounds: CutBounds,
    /// Empty: there are no ciphertexts.
    tally: Tally,
}

impl TransparentEnd {
    fn new(key: PublicKey, bounds: CutBounds) -> Self {
        let tally = Tally::default();
        Self { key, bounds, tally }
    }

    fn wrap(&self, matrix: RingMatrix, rng: &mut Rng) -> Plain {
        Plain {
            key: self.key.0,
            nonce: rng.next_u64(),
            matrix,
        }
    }

    fn open<'a>(&self, plain: &'a Plain) -> Result<&'a RingMatrix, HeError> {
        if plain.key == self.key.0 {
            return Ok(&plain.matrix);
        }
        Err(HeError::BadKey {
            why: "the ciphertexts are under another one",
        })
    }
}

/// What hides nothing needs nothing made.
impl Ahead for TransparentEnd {
    fn advance(&self, _: &mut Rng) -> bool {
        false
    }

    fn depth(&self) -> usize {
        0
    }

    fn capacity(&self) -> usize {
        0
    }
}

impl Tallied for TransparentEnd {
    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl KeyOwner<Transparent> for TransparentEnd {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn prove(&self, context: Digest) -> Result<KeyProof, HeError> {
        Ok(KeyProof::of(&self.key, context))
    }

    fn secret_key(&self) -> Secret<Vec<u8>> {
        Secret::new(self.key.encoded())
    }

    fn bounds(&self) -> &CutBounds {
        &self.bounds
    }

    fn encrypt_activations(&self, a: &RingMatrix, rng: &mut Rng) -> Result<Activations, HeError> {
        self.encrypt_for_inference(a, rng).map(Activations)
    }

    fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<ForwardActivations, HeError> {
        self.bounds.check_activations(a)?;
        Ok(ForwardActivations(self.wrap(a.clone(), rng)))
    }

    fn encrypt_share(
        &self,
        e: &RingMatrix,
        _rows: usize,
        rng: &mut Rng,
    ) -> Result<EncryptedShare, HeError> {
        self.bounds.check_weight("share", e.shape())?;
        Ok(EncryptedShare(self.wrap(e.clone(), rng)))
    }

    fn decrypt_forward(&self, product: &Forward) -> Result<Masked, HeError> {
        Ok(Masked::from_masked_decryption(
            self.open(&product.0)?.clone(),
        ))
    }

    fn decrypt_weight_gradient(&self, product: &WeightGradient) -> Result<Masked, HeError> {
        Ok(Masked::from_masked_decryption(
            self.open(&product.0)?.clone(),
        ))
    }

    fn decrypt_input_gradient(
        &self,
        product: &InputGradient,
    ) -> Result<Secret<RingMatrix>, HeError> {
        Ok(Secret::new(self.open(&product.0)?.clone()))
    }
}

impl Evaluate<Transparent> for TransparentEnd {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn bounds(&self) -> &CutBounds {
        &self.bounds
    }

    fn forward(
        &self,
        a: &ForwardActivations,
        w: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<Forward, HeError> {
        let a = self.open(&a.0)?;
        let batch = self.bounds.check_batch(a.shape())?;
        self.bounds.check_weight("weight", w.shape())?;
        check_shape(
            "mask",
            mask.expose().shape(),
            Shape::new(batch, self.bounds.classes),
        )?;
        let product = a.dot(&w.transposed()).add(mask.expose());
        Ok(Forward(self.wrap(product, rng)))
    }

    fn weight_gradient(
        &self,
        a: &Activations,
        d: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<WeightGradient, HeError> {
        let a = self.open(&a.as_ref().0)?;
        let batch = self.bounds.check_batch(a.shape())?;
        self.bounds.check_steps(d, batch)?;
        self.bounds.check_weight("mask", mask.expose().shape())?;
        let product = d.transposed().dot(a).add(mask.expose());
        Ok(WeightGradient(self.wrap(product, rng)))
    }

    fn input_gradient(
        &self,
        e: &EncryptedShare,
        d: &RingMatrix,
        w: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<InputGradient, HeError> {
        let e = self.open(&e.0)?;
        self.bounds.check_weight("encrypted share", e.shape())?;
        self.bounds.check_deltas(d)?;
        self.bounds.check_weight("weight", w.shape())?;
        let product = d.dot(w).sub(&d.dot(e));
        Ok(InputGradient(self.wrap(product, rng)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        for seed in 0..32 {
            conformance::check::<Transparent>(&TransparentBackend, KeyBits::B2048, seed);
        }
    }
}
