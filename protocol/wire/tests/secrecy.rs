//! What hides a value hides it, and what must not be sent does not compile.
#![allow(clippy::unwrap_used)]

use entente_wire::{
    Encode, GivenMask, Mask, Masked, RingMatrix, Secret, Shape, Share, decode_exactly,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

proptest! {
    #[test]
    fn a_mask_comes_off_exactly(rows in 1_usize..5, cols in 1_usize..5, seed: u64) {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let shape = Shape::new(rows, cols);
        let (value, extra) = (RingMatrix::uniform(shape, rng), RingMatrix::uniform(shape, rng));
        let mask = Mask::draw(shape, rng);
        let masked = Masked::cover(&value, &mask).plus(&extra).minus(&extra);
        prop_assert_eq!(masked.remove(mask), value);
    }

    #[test]
    fn a_mask_that_is_given_away_comes_off_and_leaves_the_row(
        rows in 1_usize..5, cols in 1_usize..5, seed: u64,
    ) {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let shape = Shape::new(rows, cols);
        let value = RingMatrix::uniform(shape, rng);
        let row = RingMatrix::uniform(Shape::new(1, cols), rng);
        let mask = Mask::draw(shape, rng);
        let masked = Masked::cover(&value, &mask);
        let given = mask.give_away(&row, "a test").encoded();
        let given: GivenMask = decode_exactly(&shape, &given).unwrap();
        prop_assert_eq!(masked.remove_given(given), value.add_row(&row));
    }

    #[test]
    fn a_share_and_what_is_kept_make_the_secret(rows in 1_usize..5, cols in 1_usize..5, seed: u64) {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let value = RingMatrix::uniform(Shape::new(rows, cols), rng);
        let (kept, given) = Share::split(&value, rng);
        prop_assert_eq!(given.into_matrix().sub(kept.expose()), value);
    }
}

/// Every bit of a masked value is a coin toss, whatever is under the mask.
#[test]
fn masked_values_look_uniform() {
    let rng = &mut ChaCha20Rng::seed_from_u64(3);
    let shape = Shape::new(64, 64);
    let value = RingMatrix::from_fn(shape, |_, _| 0x0123_4567_89ab_cdef);
    let bytes = Masked::cover(&value, &Mask::draw(shape, rng)).encoded();
    let entries = bytes[8..]
        .chunks_exact(8)
        .map(|c| u64::from_be_bytes(c.try_into().unwrap()));
    let mut ones = [0_i64; 64];
    for entry in entries {
        (0..64).for_each(|bit| ones[bit] += (entry >> bit & 1) as i64);
    }
    // 4096 tosses: mean 2048, standard deviation 32; five of them.
    assert!(
        ones.iter().all(|count| (count - 2048).abs() < 160),
        "{ones:?}"
    );
}

#[test]
fn nothing_secret_is_printed() {
    let secret = Secret::new(vec![0xab_u8; 4]);
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    let matrix = RingMatrix::from_fn(Shape::new(1, 1), |_, _| 171);
    let printed = format!(
        "{matrix:?} {:?}",
        Masked::cover(&matrix, &Mask::restore(matrix.clone()))
    );
    assert!(
        !printed.contains("171") && !printed.contains("342"),
        "{printed}"
    );
}

#[test]
fn what_must_not_be_sent_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/leaks/*.rs");
}
