//! The kernel on numbers that are not the least ones, against num-bigint.

#![allow(clippy::unwrap_used)]

use num_bigint::BigUint;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::*;

fn big(words: &[u64]) -> BigUint {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

/// Words that make carries run: all ones, none, and what is between.
fn extremes(length: usize, rng: &mut ChaCha20Rng) -> Vec<Vec<u64>> {
    let drawn = (0..length).map(|_| rng.next_u64()).collect();
    let mut lumps: Vec<u64> = (0..length)
        .map(|_| [0, 1, 1 << 63, u64::MAX][rng.next_u64() as usize % 4])
        .collect();
    lumps[0] |= 1;
    let mut lowest = vec![0; length];
    lowest[0] = 1;
    let mut edges = vec![0; length];
    edges[0] = 1;
    edges[length - 1] |= 1 << 63;
    vec![vec![u64::MAX; length], lowest, edges, lumps, drawn]
}

#[test]
fn multiplication_and_squaring_of_anything_below_r() {
    let Some(_) = Proof::find() else {
        eprintln!("skipped: no BMI2, ADX and AVX2 here");
        return;
    };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for length in [8, 16, 32, 48, 64, 96, 128] {
        let r = BigUint::from(1_u8) << (64 * length);
        for mut n in extremes(length, &mut rng) {
            n[0] |= 1;
            n[length - 1] |= 1 << 63;
            let modulus = big(&n);
            let boxed = BoxedUint::from_words_with_precision(n.iter().copied(), 64 * length as u32);
            let kernel = kernel_for(&boxed, Secrecy::Public).unwrap();
            let mut scratch = vec![Line([7; LINE_WORDS]); kernel.scratch()];
            let inverse = r.modinv(&modulus).unwrap();
            let factors = extremes(length, &mut rng);
            for a in &factors {
                let lines = length / LINE_WORDS;
                let mut square = filled(a, lines);
                kernel.square(&mut square, &mut scratch);
                let expected = big(a) * big(a) * &inverse % &modulus;
                assert_eq!(big(words(&square)) % &modulus, expected, "{length}: {a:x?}");
                for b in &factors {
                    let mut product = filled(a, lines);
                    kernel.multiply(&mut product, &filled(b, lines), &mut scratch);
                    let expected = big(a) * big(b) * &inverse % &modulus;
                    assert_eq!(
                        big(words(&product)) % &modulus,
                        expected,
                        "{length}: {a:x?} {b:x?}"
                    );
                }
            }
        }
    }
}

#[test]
fn n_stands_for_zero_and_leaves_as_it() {
    let Some(_) = Proof::find() else {
        eprintln!("skipped: no BMI2, ADX and AVX2 here");
        return;
    };
    let mut n = [0; 8];
    (n[0], n[7]) = (5, 1 << 63);
    let boxed = BoxedUint::from_words_with_precision(n, 512);
    let kernel = kernel_for(&boxed, Secrecy::Public).unwrap();
    let mut scratch = vec![Line::default(); kernel.scratch()];
    for zero in [[0; 8], n] {
        let left = kernel.leave(&mut filled(&zero, 1), &mut scratch);
        assert!(left[0].is_zero().to_bool());
    }
}
