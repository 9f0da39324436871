//! What a round does, counted.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{Encrypted, Extent, Primitive, Tallied};

fn items(end: &(impl Tallied + ?Sized)) -> [u64; 7] {
    Primitive::ALL.map(|primitive| end.tally().of(primitive).items)
}

/// Of one matrix, packed so.
fn ciphertexts(extent: Extent) -> u64 {
    extent.ciphertexts as u64
}

#[test]
fn everything_that_is_done_to_ciphertexts_is_counted_once() {
    for layout in [Layout::Packed, Layout::Unpacked] {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (batch, width, classes) = (5, 3, 2);
        let bounds = CutBounds {
            batch,
            width,
            classes,
            activation_bits: 10,
            step_unit: 1 << 10,
            delta_unit: 1 << 10,
        };
        let backend = PaillierBackend::new(layout).with_pool(4);
        let bits = KeyBits::insecure_for_tests(512);
        let owner = backend.generate(bits, bounds, &mut rng).unwrap();
        let evaluator = backend
            .evaluator(owner.public_key().clone(), bounds)
            .unwrap();
        assert_eq!((items(&*owner), items(&*evaluator)), ([0; 7], [0; 7]));
        assert_eq!((owner.capacity(), evaluator.capacity()), (4, 4));
        while owner.advance(&mut rng) {}
        assert_eq!(items(&*owner), [0, 0, 0, 0, 0, 0, 4]);

        let a = RingMatrix::zeros(Shape::new(batch, width));
        let a = owner.encrypt_for_inference(&a, &mut rng).unwrap();
        let input = a.extent();
        assert_eq!(input.values, batch * width);
        assert_eq!(
            items(&*owner),
            [ciphertexts(input), 0, 0, 0, 0, input.values as u64, 4]
        );

        let w = RingMatrix::zeros(Shape::new(classes, width));
        let mask = Mask::draw(Shape::new(batch, classes), &mut rng);
        let product = evaluator.forward(&a, &w, &mask, &mut rng).unwrap();
        let output = product.extent();
        let (cells, values) = (ciphertexts(output), output.values as u64);
        let products = ciphertexts(input) * classes as u64;
        assert_eq!(values, (batch * classes) as u64);
        assert_eq!(
            items(&*evaluator),
            [0, 0, cells, products, cells, values, 0]
        );

        owner.decrypt_forward(&product).unwrap();
        let packed = input.values as u64 + values;
        assert_eq!(
            items(&*owner),
            [ciphertexts(input), cells, 0, 0, 0, packed, 4]
        );
        let decrypting = owner.tally().of(Primitive::Decrypt);
        assert!(decrypting.time > core::time::Duration::ZERO);
    }
}
