//! Keys and ciphertexts that are not what they should be.

use crypto_bigint::{BoxedUint, ConcatenatingMul, Limb};
use entente_wire::{Decode, DecodeError, Encode, RingMatrix, Shape, decode_exactly};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{BOUNDS, LAYOUTS, owner};
use crate::{
    Backend, Expect, HeError, KeyBits, KeyOwner, Layout, Paillier, PaillierBackend,
    engine::at_precision,
    paillier::{Activations, EncryptedShare, PublicKey, keygen, public_key::put_number},
};

#[test]
fn numbers_that_cannot_be_keys_are_refused_with_the_reason() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let bits = KeyBits::insecure_for_tests(256);
    let key = keygen::generate(bits, Layout::Packed, &mut rng).unwrap();
    let [p, q] = key.primes().map(|side| side.prime().as_ref().clone());
    let n = p.concatenating_mul(&q);
    let prime: BoxedUint = crypto_primes::random_prime(&mut rng, crypto_primes::Flavor::Any, 256);
    let cube = core::iter::repeat_with(|| {
        let root: BoxedUint = crypto_primes::random_prime(&mut rng, crypto_primes::Flavor::Any, 86);
        root.concatenating_mul(&root).concatenating_mul(&root)
    })
    .find(|cube| cube.bits() == 256)
    .unwrap();
    // 65521 is the largest prime that is divided by.
    let hidden = core::iter::repeat_with(|| {
        let rest: BoxedUint =
            crypto_primes::random_prime(&mut rng, crypto_primes::Flavor::Any, 241);
        rest.concatenating_mul(BoxedUint::from(65_521_u32))
    })
    .find(|product| product.bits() == 256)
    .unwrap();
    // 3 (2^254 + 1).
    let triple = BoxedUint::one_with_precision(256)
        .shl(254)
        .wrapping_add(Limb::ONE)
        .wrapping_mul(BoxedUint::from(3_u8));

    let why = |n: &BoxedUint| {
        let n = at_precision(n, 256).to_be_bytes();
        let bytes = [&Layout::Packed.encoded()[..], &n].concat();
        match decode_exactly::<_, PublicKey>(&bits, &bytes) {
            Err(DecodeError::Invalid { why, .. }) => why,
            other => {
                assert!(other.is_ok(), "{other:?}");
                "accepted"
            }
        }
    };
    assert_eq!(why(&n), "accepted");
    assert_eq!(
        why(&BoxedUint::zero_with_precision(256)),
        "it is not of the agreed size"
    );
    assert_eq!(why(&n.shr(1)), "it is not of the agreed size");
    assert_eq!(why(&n.wrapping_add(Limb::ONE)), "it is even");
    assert_eq!(why(&triple), "it has a small factor");
    assert_eq!(why(&hidden), "it has a small factor");
    assert_eq!(
        why(&p.concatenating_mul(&p)),
        "it is a power of another number"
    );
    assert_eq!(why(&cube), "it is a power of another number");
    assert_eq!(why(&prime), "it is a prime");
}

/// Activations of one ciphertext each, forged on the wire.
#[test]
fn forged_ciphertexts_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for bits in [256, 258] {
        let owner = owner(bits, Layout::Packed, BOUNDS, &mut rng);
        let key = owner.public_key().clone();
        let shape = Shape::new(1, BOUNDS.width);
        let honest = owner
            .encrypt_activations(&RingMatrix::zeros(shape), &mut rng)
            .unwrap()
            .encoded();
        let size = key.ciphertext_bytes();
        let with = |forged: &BoxedUint| {
            let mut bytes = honest.clone();
            bytes.truncate(honest.len() - size);
            put_number(&at_precision(forged, 8 * size as u32), size, &mut bytes);
            let expect = Expect {
                key: &key,
                bounds: &BOUNDS,
                shape,
            };
            match decode_exactly::<Expect<'_, Paillier>, Activations>(&expect, &bytes) {
                Err(DecodeError::Invalid { why, .. }) => why,
                other => {
                    assert!(other.is_ok(), "{other:?}");
                    "accepted"
                }
            }
        };
        let n = key.n().as_ref();
        let n_squared = key.n_squared();
        let [p, q] = owner
            .key()
            .primes()
            .map(|side| side.prime().as_ref().clone());

        assert_eq!(with(&BoxedUint::one()), "accepted");
        assert_eq!(with(&n_squared.wrapping_sub(Limb::ONE)), "accepted");
        for too_large in [
            n_squared.clone(),
            n_squared.wrapping_add(Limb::ONE),
            BoxedUint::max(8 * size as u32),
        ] {
            assert_eq!(with(&too_large), "a ciphertext is not below n^2");
        }
        let seven_p = p.concatenating_mul(BoxedUint::from(7_u8));
        for shared in [
            BoxedUint::zero(),
            n.clone(),
            p.clone(),
            q.clone(),
            seven_p,
            p.concatenating_mul(&p),
        ] {
            assert_eq!(with(&shared), "a ciphertext has a factor in common with n");
        }
    }
}

#[test]
fn ends_of_two_layouts_part_at_the_key_and_at_every_matrix() {
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let bits = KeyBits::insecure_for_tests(256);
    for (here, there) in [(0, 1), (1, 0)].map(|(i, j)| (LAYOUTS[i], LAYOUTS[j])) {
        let owner = owner(256, here, BOUNDS, &mut rng);
        let key = owner.public_key().clone();
        let got = PaillierBackend::new(there).evaluator(key.clone(), BOUNDS);
        assert!(matches!(got.err(), Some(HeError::BadKey { .. })));

        let mut bytes = key.encoded();
        bytes[0] ^= 0x80;
        assert!(matches!(
            decode_exactly::<_, PublicKey>(&bits, &bytes),
            Err(DecodeError::Invalid { .. })
        ));

        let shape = Shape::new(2, BOUNDS.width);
        let a = owner.encrypt_activations(&RingMatrix::zeros(shape), &mut rng);
        let mut bytes = a.unwrap().encoded();
        let expect = Expect {
            key: &key,
            bounds: &BOUNDS,
            shape,
        };
        bytes[..1].copy_from_slice(&there.encoded());
        let got = decode_exactly::<Expect<'_, Paillier>, Activations>(&expect, &bytes).err();
        let why = "one end packs its plaintexts, the other does not";
        assert!(matches!(got, Some(DecodeError::Invalid { why: got, .. }) if got == why));
    }
}

/// The bits of a value stand behind layout, mark and shape.
#[test]
fn slots_of_a_width_that_no_batch_has_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let owner = owner(256, Layout::Packed, BOUNDS, &mut rng);
    let a = RingMatrix::zeros(Shape::new(BOUNDS.batch, BOUNDS.width));
    let e = RingMatrix::zeros(Shape::new(BOUNDS.classes, BOUNDS.width));
    let encrypted = owner.encrypt_activations(&a, &mut rng).unwrap();
    let share = owner.encrypt_share(&e, BOUNDS.batch, &mut rng).unwrap();
    refuses_other_widths::<Activations>(owner.public_key(), a.shape(), &encrypted);
    refuses_other_widths::<EncryptedShare>(owner.public_key(), e.shape(), &share);
}

fn refuses_other_widths<T>(key: &PublicKey, shape: Shape, value: &T)
where
    T: Encode + core::fmt::Debug + for<'a> Decode<Expect<'a, Paillier>>,
{
    let mut bytes = value.encoded();
    let right = u32::from_be_bytes(bytes[17..21].try_into().unwrap());
    let expect = Expect {
        key,
        bounds: &BOUNDS,
        shape,
    };
    assert!(decode_exactly::<_, T>(&expect, &bytes).is_ok());
    for wrong in [0, right - 1, right + 9, u32::MAX] {
        bytes[17..21].copy_from_slice(&wrong.to_be_bytes());
        let got = decode_exactly::<_, T>(&expect, &bytes);
        assert!(matches!(got, Err(DecodeError::Invalid { .. })), "{got:?}");
    }
}
