//! What is made ahead changes when things are computed, and nothing else.

use std::sync::Arc;

use entente_wire::{Digest, Mask, RingMatrix, Secret};

use super::*;
use crate::{
    Evaluate, Rng,
    paillier::{KeyProof, PublicKey},
};

/// A backend whose ends find some of their randomness made, and not all.
struct Diligent(PaillierBackend);

impl Backend<Paillier> for Diligent {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<Paillier>>, HeError> {
        let owner = self.0.generate(bits, bounds, rng)?;
        while owner.advance(rng) {}
        Ok(owner)
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<Paillier>>, HeError> {
        let owner = self.0.restore(bits, secret_key, bounds)?;
        while owner.advance(&mut ChaCha20Rng::seed_from_u64(2)) {}
        Ok(owner)
    }

    fn certify(
        &self,
        key: &PublicKey,
        proof: &KeyProof,
        context: Digest,
        last: Option<&PublicKey>,
    ) -> Result<(), HeError> {
        self.0.certify(key, proof, context, last)
    }

    fn evaluator(
        &self,
        key: PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<Paillier>>, HeError> {
        let evaluator = self.0.evaluator(key, bounds)?;
        while evaluator.advance(&mut ChaCha20Rng::seed_from_u64(1)) {}
        Ok(evaluator)
    }
}

#[test]
fn conforms_with_randomness_made_ahead() {
    for (seed, layout) in (21..).zip(LAYOUTS) {
        let backend = Diligent(PaillierBackend::new(layout).with_pool(50));
        conformance::check::<Paillier>(&backend, KeyBits::insecure_for_tests(320), seed);
    }
}

#[test]
fn without_a_pool_there_is_nothing_to_do_ahead() {
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    let bits = KeyBits::insecure_for_tests(256);
    let backend = PaillierBackend::default();
    let owner = backend.generate(bits, BOUNDS, &mut rng).unwrap();
    let evaluator = backend.evaluator(owner.public_key().clone(), BOUNDS);
    let evaluator = evaluator.unwrap();
    assert!(!owner.advance(&mut rng) && !evaluator.advance(&mut rng));
    assert_eq!((owner.depth(), evaluator.depth()), (0, 0));
}

/// Both ends take from their pools what each operation needs: one value for
/// each ciphertext.
#[test]
fn every_ciphertext_uses_up_one_value() {
    let mut rng = ChaCha20Rng::seed_from_u64(32);
    let bits = KeyBits::insecure_for_tests(256);
    let backend = PaillierBackend::new(Layout::Unpacked).with_pool(100);
    let owner = backend.generate(bits, BOUNDS, &mut rng).unwrap();
    let evaluator = backend.evaluator(owner.public_key().clone(), BOUNDS);
    let evaluator = evaluator.unwrap();
    while owner.advance(&mut rng) {}
    while evaluator.advance(&mut rng) {}
    assert_eq!((owner.depth(), evaluator.depth()), (100, 100));

    let CutBounds {
        batch,
        width,
        classes,
        ..
    } = BOUNDS;
    let a = RingMatrix::zeros(Shape::new(batch, width));
    let weights = RingMatrix::zeros(Shape::new(classes, width));
    let encrypted = owner.encrypt_activations(&a, &mut rng).unwrap();
    assert_eq!(owner.depth(), 100 - batch * width);
    let share = owner.encrypt_share(&weights, batch, &mut rng).unwrap();
    assert_eq!(owner.depth(), 100 - batch * width - classes * width);

    let logits = Shape::new(batch, classes);
    let mask = Mask::draw(logits, &mut rng);
    evaluator
        .forward(encrypted.as_ref(), &weights, &mask, &mut rng)
        .unwrap();
    let left = 100 - batch * classes;
    assert_eq!(evaluator.depth(), left);
    let mask = Mask::draw(weights.shape(), &mut rng);
    let steps = RingMatrix::zeros(logits);
    evaluator
        .weight_gradient(&encrypted, &steps, &mask, &mut rng)
        .unwrap();
    assert_eq!(evaluator.depth(), left - classes * width);
    evaluator
        .input_gradient(&share, &steps, &weights, &mut rng)
        .unwrap();
    assert_eq!(evaluator.depth(), left - classes * width - batch * width);
}
