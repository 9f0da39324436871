//! A message as its receiver reads it, written again: by the vectors, and by the
//! fuzzer.

use entente_he::{Expect, Paillier, Scheme};
use entente_wire::{DecodeError, Message, Shape, read_kind};

use super::{
    half::cut_shape,
    keys::KeyEpoch,
    messages::{
        ActivationsForInference, Ciphertexts, EncryptedActivations, EncryptedInputGradient,
        EncryptedWeightGradient, EpochVerdict, KeyAndModel, KeyAndShare, MaskedLogits,
        MaskedProduct, ModelAnswer, NextKey, Plain, ProductAndMask, SetUpContext, UpdateAndShare,
        VerdictContext, name_of,
    },
};
use crate::job::Job;

/// Whoever has heard a set-up.
pub struct Receiver {
    job: Job,
    key: <Paillier as Scheme>::PublicKey,
}

impl Receiver {
    /// Who has heard this one, of a training or of an inference.
    ///
    /// # Errors
    /// [`DecodeError`]: it is neither.
    pub fn of(job: Job, set_up: &[u8]) -> Result<Self, DecodeError> {
        let context = SetUpContext {
            key_bits: job.key_bits(),
            cut: cut_shape(&job),
        };
        let key = match KeyAndShare::<Paillier>::read(&context, set_up) {
            Ok(set_up) => set_up.key.key().clone(),
            Err(_) => {
                let set_up = KeyAndModel::<Paillier>::read(&job.key_bits(), set_up)?;
                set_up.key.key().clone()
            }
        };
        Ok(Self { job, key })
    }

    /// The message that these bytes are, where a matrix of this shape is expected,
    /// as bytes.
    ///
    /// # Errors
    /// [`DecodeError`]: they are no message that this receiver would take.
    pub fn written_again(&self, shape: Shape, payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let (bits, bounds) = (self.job.key_bits(), self.job.bounds());
        let epoch = KeyEpoch::FIRST;
        let expected = Expect {
            key: &self.key,
            bounds: &bounds,
            shape,
        };
        let under = Ciphertexts::<Paillier>::new(epoch, expected);
        let plain = Plain { epoch, shape };
        let set_up = SetUpContext {
            key_bits: bits,
            cut: shape,
        };
        let verdict = VerdictContext { first: true };
        Ok(match name_of(read_kind(payload)?) {
            Some("key_and_share") => KeyAndShare::<Paillier>::read(&set_up, payload)?.to_payload(),
            Some("encrypted_activations") => {
                EncryptedActivations::<Paillier>::read(&under, payload)?.to_payload()
            }
            Some("masked_product") => {
                MaskedProduct::<Paillier>::read(&under, payload)?.to_payload()
            }
            Some("masked_logits") => MaskedLogits::read(&plain, payload)?.to_payload(),
            Some("encrypted_weight_gradient") => {
                EncryptedWeightGradient::<Paillier>::read(&under, payload)?.to_payload()
            }
            Some("update_and_share") => {
                UpdateAndShare::<Paillier>::read(&under, payload)?.to_payload()
            }
            Some("encrypted_input_gradient") => {
                EncryptedInputGradient::<Paillier>::read(&under, payload)?.to_payload()
            }
            Some("activations_for_inference") => {
                ActivationsForInference::<Paillier>::read(&under, payload)?.to_payload()
            }
            Some("epoch_verdict") => EpochVerdict::read(&verdict, payload)?.to_payload(),
            Some("next_key") => NextKey::<Paillier>::read(&bits, payload)?.to_payload(),
            Some("key_and_model") => KeyAndModel::<Paillier>::read(&bits, payload)?.to_payload(),
            Some("model_answer") => ModelAnswer::read(&(), payload)?.to_payload(),
            Some("product_and_mask") => {
                ProductAndMask::<Paillier>::read(&under, payload)?.to_payload()
            }
            _ => {
                return Err(DecodeError::Invalid {
                    what: "message",
                    why: "of no kind in the table",
                });
            }
        })
    }
}
