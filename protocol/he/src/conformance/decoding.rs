//! Bytes that are not what was sent: an error of its kind, never a panic.

use entente_wire::{Decode, DecodeError, Encode, RingMatrix, Shape, decode_exactly};

use super::Bench;
use crate::{Expect, Scheme};

impl<S: Scheme> Bench<S> {
    pub(super) fn decoding(&mut self) {
        self.keys();
        let batch = self.bounds.batch;
        let (activations, weight, logits) = (
            self.activations_shape(batch),
            self.weight_shape(),
            self.logits_shape(batch),
        );
        let (a, e) = (RingMatrix::zeros(activations), RingMatrix::zeros(weight));
        let d = RingMatrix::zeros(logits);

        let foreign = self.stranger.encrypt_activations(&a, &mut self.rng);
        let foreign = foreign.expect("zeros are in range").encoded();
        let got = self.receive::<S::Activations>(&foreign, activations).err();
        assert!(
            matches!(got, Some(DecodeError::Invalid { .. })),
            "another key's ciphertexts were answered with {got:?}"
        );

        let foreign = self.stranger.encrypt_for_inference(&a, &mut self.rng);
        let foreign = foreign.expect("zeros are in range").encoded();
        let got = self.receive::<S::ForwardActivations>(&foreign, activations);
        let got = got.err();
        assert!(
            matches!(got, Some(DecodeError::Invalid { .. })),
            "another key's ciphertexts for inference were answered with {got:?}"
        );

        let encrypted = self.encrypted(&a);
        let alone = self.encrypted_for_inference(&a);
        let share = self.encrypted_share(&e, 1);
        self.damaged::<S::Activations>(&encrypted, activations);
        self.damaged::<S::ForwardActivations>(&alone, activations);
        self.damaged::<S::EncryptedShare>(&share, weight);

        let (logits_mask, weight_mask) = (self.mask(logits), self.mask(weight));
        let (rng, evaluator) = (&mut self.rng, &self.evaluator);
        let forward = evaluator.forward(encrypted.as_ref(), &e, &logits_mask, rng);
        let weight_gradient = evaluator.weight_gradient(&encrypted, &d, &weight_mask, rng);
        let input_gradient = evaluator.input_gradient(&share, &d, &e, rng);
        self.damaged::<S::Forward>(&forward.expect("within its bounds"), logits);
        self.damaged::<S::WeightGradient>(&weight_gradient.expect("within its bounds"), weight);
        self.damaged::<S::InputGradient>(&input_gradient.expect("within its bounds"), activations);
    }

    fn keys(&self) {
        let bytes = self.owner.public_key().encoded();
        for end in 0..bytes.len() {
            let got = decode_exactly::<_, S::PublicKey>(&self.bits, &bytes[..end]).err();
            assert!(
                matches!(got, Some(DecodeError::Truncated { .. })),
                "a key cut after {end} bytes was answered with {got:?}"
            );
        }
        let got = decode_exactly::<_, S::PublicKey>(&self.bits, &trailed(&bytes)).err();
        assert_eq!(got, Some(DecodeError::Trailing { count: 1 }));
    }

    fn damaged<T>(&self, value: &T, shape: Shape)
    where
        T: Encode + for<'a> Decode<Expect<'a, S>>,
    {
        let bytes = value.encoded();
        for end in 0..bytes.len() {
            let got = self.receive::<T>(&bytes[..end], shape).err();
            assert!(
                matches!(got, Some(DecodeError::Truncated { .. })),
                "cut after {end} bytes it was answered with {got:?}"
            );
        }
        let got = self.receive::<T>(&trailed(&bytes), shape).err();
        assert_eq!(got, Some(DecodeError::Trailing { count: 1 }));
        for wrong in [
            Shape::new(shape.rows + 1, shape.cols),
            Shape::new(shape.rows, shape.cols + 1),
            Shape::new(0, 0),
            Shape::new(usize::MAX, usize::MAX),
        ] {
            let got = self.receive::<T>(&bytes, wrong).err();
            assert!(
                matches!(got, Some(DecodeError::WrongShape { .. })),
                "{shape} in place of {wrong} was answered with {got:?}"
            );
        }
    }
}

fn trailed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0]].concat()
}
