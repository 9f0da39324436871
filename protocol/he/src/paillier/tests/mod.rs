//! The conformance suite, and what only Paillier can get wrong.

#![allow(clippy::unwrap_used, clippy::panic)]

mod ahead;
mod proofs;
mod public;
mod tally;
mod wire;

use crypto_bigint::Limb;
use entente_wire::{Encode, Mask, RingMatrix, Shape, decode_exactly};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{
    Forward, InputGradient, Layout, Paillier, PaillierBackend, ciphertexts::Ciphertexts,
    encryptor::Encryptor, keygen, owner::PaillierOwner, packings::Packings,
};
use crate::{Backend, CutBounds, Expect, HeError, KeyBits, KeyOwner, conformance};

const BOUNDS: CutBounds = CutBounds {
    batch: 2,
    width: 3,
    classes: 2,
    activation_bits: 16,
    step_unit: 1 << 16,
    delta_unit: 1 << 16,
};

const LAYOUTS: [Layout; 2] = [Layout::Packed, Layout::Unpacked];

pub(super) fn owner(
    bits: u32,
    layout: Layout,
    bounds: CutBounds,
    rng: &mut ChaCha20Rng,
) -> PaillierOwner {
    let bits = KeyBits::insecure_for_tests(bits);
    let key = keygen::generate(bits, layout, rng).unwrap();
    let packings = Packings::new(&bounds, bits, layout).unwrap();
    PaillierOwner::new(Encryptor::new(key, bounds, packings, 0))
}

#[test]
fn conforms_with_small_keys() {
    for (seed, bits) in [256, 258, 320, 384, 512].into_iter().enumerate() {
        let bits = KeyBits::insecure_for_tests(bits);
        for layout in LAYOUTS {
            let backend = PaillierBackend::new(layout);
            conformance::check::<Paillier>(&backend, bits, seed as u64);
        }
    }
}

#[test]
fn conforms_with_a_real_key() {
    let backend = PaillierBackend::new(Layout::Packed);
    conformance::check::<Paillier>(&backend, KeyBits::B2048, 2048);
}

#[test]
fn conforms_with_a_real_key_unpacked() {
    let backend = PaillierBackend::new(Layout::Unpacked);
    conformance::check::<Paillier>(&backend, KeyBits::B2048, 2048);
}

#[test]
fn keys_have_exactly_the_bits_asked_for() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for bits in [256, 258, 300, 512] {
        for _ in 0..4 {
            let key = keygen::generate(KeyBits::insecure_for_tests(bits), Layout::Packed, &mut rng)
                .unwrap();
            assert_eq!(key.public().n().as_ref().bits(), bits);
        }
    }
}

#[test]
fn sizes_that_no_kernel_holds_are_refused() {
    let error = PaillierBackend::default()
        .generate(
            KeyBits::insecure_for_tests(4098),
            BOUNDS,
            &mut ChaCha20Rng::seed_from_u64(1),
        )
        .err();
    assert_eq!(error, Some(HeError::KeySize { bits: 4098 }));
}

#[test]
fn plaintexts_are_what_the_layout_says() {
    // Negative values are taken modulo n, not modulo the ring.
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    for layout in LAYOUTS {
        let owner = owner(256, layout, BOUNDS, &mut rng);
        let key = owner.public_key();
        let minus_one = RingMatrix::from_fn(Shape::new(1, BOUNDS.width), |_, _| u64::MAX);
        let encrypted = owner.encrypt_activations(&minus_one, &mut rng).unwrap();
        for part in [&encrypted.over_samples.0, &encrypted.over_features] {
            let sums = owner.key().decrypt(part.cells(key).unwrap()).unwrap();
            let expected = part.packing().pack(&minus_one, key);
            assert_eq!(*sums.expose(), *expected.expose());
        }
        let sums = encrypted.over_samples.0.cells(key).unwrap();
        let sums = owner.key().decrypt(sums).unwrap();
        let expected = key.n().as_ref().wrapping_sub(Limb::ONE);
        assert!(sums.expose().iter().all(|sum| *sum == expected));
    }
}

#[test]
fn a_fault_in_either_half_is_noticed() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    for half in 0..2 {
        let mut owner = owner(256, Layout::Packed, BOUNDS, &mut rng);
        let evaluator = PaillierBackend::default()
            .evaluator(owner.public_key().clone(), BOUNDS)
            .unwrap();
        let a = RingMatrix::from_fn(Shape::new(1, 3), |_, j| j as u64);
        let a = owner.encrypt_activations(&a, &mut rng).unwrap();
        let w = RingMatrix::uniform(Shape::new(2, 3), &mut rng);
        let mask = Mask::draw(Shape::new(1, 2), &mut rng);
        let product = evaluator.forward(a.as_ref(), &w, &mask, &mut rng).unwrap();
        assert!(owner.decrypt_forward(&product).is_ok());
        owner.key_mut().primes_mut()[half].break_exponent();
        assert_eq!(owner.decrypt_forward(&product), Err(HeError::Fault));
    }
}

#[test]
fn a_sum_that_no_honest_evaluator_makes_is_not_shown() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let owner = owner(256, Layout::Packed, BOUNDS, &mut rng);
    // Minus one lies at the far end of the plaintexts.
    let far = RingMatrix::from_fn(Shape::new(1, BOUNDS.width), |_, j| {
        if j == 1 { u64::MAX } else { 1 }
    });
    let far = owner.encrypt_activations(&far, &mut rng).unwrap();
    let far = far.over_samples.0;
    let cells = far.cells(owner.public_key()).unwrap().clone();
    let forged = Forward(Ciphertexts::new(
        owner.public_key().clone(),
        far.shape(),
        far.packing(),
        cells,
    ));
    assert!(matches!(
        owner.decrypt_forward(&forged),
        Err(HeError::OutOfRange { row: 0, col: 1, .. })
    ));
}

#[test]
fn nothing_secret_is_printed() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let owner = owner(256, Layout::Packed, BOUNDS, &mut rng);
    let printed = format!("{owner:?}");
    for side in owner.key().primes() {
        let prime = side.prime().as_ref().to_string_radix_vartime(16);
        assert!(!printed.to_lowercase().contains(&prime[..16]));
    }
    assert!(printed.contains("SecretKey(..)"), "{printed}");
}

#[test]
fn a_share_for_a_large_batch_has_no_room_for_a_small_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    let bounds = CutBounds {
        batch: 64,
        ..BOUNDS
    };
    let owner = owner(512, Layout::Packed, bounds, &mut rng);
    let evaluator = PaillierBackend::default()
        .evaluator(owner.public_key().clone(), bounds)
        .unwrap();
    let w = RingMatrix::uniform(Shape::new(bounds.classes, bounds.width), &mut rng);
    let e = RingMatrix::uniform(w.shape(), &mut rng);
    let d = |rows| RingMatrix::from_fn(Shape::new(rows, bounds.classes), |i, j| (i + j) as u64);

    // For one sample there is room for all, and what comes of it is read.
    let share = owner.encrypt_share(&e, 1, &mut rng).unwrap();
    for rows in [1, 3, 64] {
        let product = evaluator.input_gradient(&share, &d(rows), &w, &mut rng);
        let expect = Expect {
            key: owner.public_key(),
            bounds: &bounds,
            shape: Shape::new(rows, bounds.width),
        };
        let product: InputGradient = decode_exactly(&expect, &product.unwrap().encoded()).unwrap();
        let opened = owner.decrypt_input_gradient(&product).unwrap();
        assert_eq!(*opened.expose(), d(rows).dot(&w.sub(&e)));
    }

    let share = owner.encrypt_share(&e, bounds.batch, &mut rng).unwrap();
    assert!(
        evaluator
            .input_gradient(&share, &d(64), &w, &mut rng)
            .is_ok()
    );
    let got = evaluator.input_gradient(&share, &d(3), &w, &mut rng).err();
    let Some(HeError::DoesNotFit {
        needed_bits,
        plaintext_bits,
        ..
    }) = got
    else {
        panic!("got {got:?}")
    };
    assert!(needed_bits > plaintext_bits);
}
