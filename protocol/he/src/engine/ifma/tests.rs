//! Each kernel against num-bigint, at every width and at the edges of what it
//! takes.

#![allow(clippy::unwrap_used)]

use num_bigint::{BigInt, BigUint};
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{Instructions, LIMB, LIMB_MAX, Line, SCRATCH, TILE, cells, processor::half};
use crate::engine::integer::negated_inverse;

const LANES: usize = 8;

/// Every number of limbs that a modulus of up to 8192 bits can have.
fn widths() -> impl Iterator<Item = usize> {
    (TILE..=160).step_by(TILE)
}

fn random(bits: usize, rng: &mut ChaCha20Rng) -> BigUint {
    let mut bytes = vec![0; bits.div_ceil(8)];
    rng.fill_bytes(&mut bytes);
    BigUint::from_bytes_be(&bytes) >> (8 * bytes.len() - bits)
}

fn limb(x: &BigUint, i: usize) -> u64 {
    let limb: BigUint = (x >> (i * LIMB as usize)) & BigUint::from(LIMB_MAX);
    limb.try_into().unwrap()
}

fn pack(numbers: &[BigUint], k: usize) -> Vec<Line> {
    (0..k)
        .map(|i| Line(core::array::from_fn(|lane| limb(&numbers[lane], i))))
        .collect()
}

fn unpack(block: &[Line], lane: usize) -> BigUint {
    block.iter().rev().fold(BigUint::ZERO, |x, line| {
        assert!(line.0[lane] >> LIMB == 0, "a limb is not carried");
        (x << LIMB) + line.0[lane]
    })
}

/// Moduli of k limbs: the largest that the kernel takes, the least odd number
/// above one, and random ones.
fn moduli(k: usize, rng: &mut ChaCha20Rng) -> Vec<BigUint> {
    let bits = k * LIMB as usize - 2;
    let mut moduli = vec![(BigUint::from(1_u8) << bits) - 1_u8, BigUint::from(3_u8)];
    moduli.extend((0..4).map(|i| {
        let mut n = random(bits - i, rng);
        n.set_bit(0, true);
        n
    }));
    moduli
}

/// The processor, where it can, and the program that plays it.
fn players() -> impl Iterator<Item = Instructions> {
    [Instructions::Emulated]
        .into_iter()
        .chain(Instructions::find())
}

#[test]
fn multiplication_and_squaring() {
    players().for_each(multiplies_and_squares);
}

fn multiplies_and_squares(by: Instructions) {
    let mut rng = ChaCha20Rng::seed_from_u64(52);
    for k in widths() {
        for n in moduli(k, &mut rng) {
            let n_limbs: Vec<_> = (0..k).map(|i| limb(&n, i)).collect();
            let inverse = negated_inverse(n_limbs[0]) & LIMB_MAX;
            let unscale = (BigUint::from(1_u8) << (k * LIMB as usize)) % &n;
            let unscale = unscale.modinv(&n).unwrap();
            let twice = &n << 1;
            let mut numbers = vec![
                BigUint::ZERO,
                BigUint::from(1_u8),
                &n - 1_u8,
                n.clone(),
                &twice - 1_u8,
            ];
            numbers.resize_with(4 * LANES, || {
                random(k * LIMB as usize + 9, &mut rng) % &twice
            });
            // Each number meets each edge.
            for shift in 0..8 {
                let mut a = numbers[..LANES].to_vec();
                let mut b = numbers[shift..shift + LANES].to_vec();
                if shift == 7 {
                    a.clone_from_slice(&numbers[LANES..2 * LANES]);
                    b.clone_from_slice(&numbers[2 * LANES..3 * LANES]);
                } else if shift > 0 {
                    b.clone_from_slice(&a);
                    b.rotate_left(shift);
                }
                let mut scratch = vec![Line([u64::MAX; 8]); SCRATCH * k];
                let mut out = [pack(&a, k), pack(&a, k)];
                let b_lines = pack(&b, k);
                by.multiply(&mut scratch, &out[0], &b_lines);
                by.reduce(&mut out[0], cells(&mut scratch), &n_limbs, inverse);
                by.square(&mut scratch, &out[1]);
                by.reduce(&mut out[1], cells(&mut scratch), &n_limbs, inverse);
                for lane in 0..LANES {
                    for (out, b) in out.iter().zip([&b, &a]) {
                        let found = unpack(out, lane);
                        assert!(found < twice, "{k} limbs: not below 2 n");
                        let expected = &a[lane] * &b[lane] * &unscale % &n;
                        assert_eq!(found % &n, expected, "{k} limbs, modulo {n}");
                    }
                }
            }
        }
    }
}

/// Eight numbers of k limbs, most of them of the largest and the least limbs:
/// sums of their halves go beyond, and columns are as full as they get.
fn extremes(k: usize, rng: &mut ChaCha20Rng) -> Vec<BigUint> {
    let bits = k * LIMB as usize;
    let ones = (BigUint::from(1_u8) << bits) - 1_u8;
    let half = &ones >> (bits / 2);
    vec![
        ones.clone(),
        &ones - &half,
        half.clone(),
        &half + 1_u8,
        BigUint::ZERO,
        &ones - 1_u8,
        random(bits, rng),
        random(bits, rng),
    ]
}

/// How far below and above zero a column of a product of k limbs may be, in
/// 2^52: as the documentation of `karatsuba` has it.
fn bounds(k: usize) -> (i64, i64) {
    let Some(h) = half(k) else {
        return (0, 2 * k as i64);
    };
    let (below, above) = bounds(h);
    (2 * (below + above), 2 * (below + above) + 3)
}

#[test]
fn columns_hold_the_product_and_stay_within_their_bounds() {
    players().for_each(fills_columns);
}

fn fills_columns(by: Instructions) {
    let mut rng = ChaCha20Rng::seed_from_u64(54);
    for k in widths() {
        let (below, above) = bounds(k);
        assert!(
            above.max(below) + 2 * k as i64 + 1 < 1 << (63 - LIMB),
            "{k}"
        );
        let bounds = -below << LIMB..=above << LIMB;
        let check = |scratch: &[Line], a: &[BigUint], b: &[BigUint]| {
            for lane in 0..LANES {
                let columns = scratch[..2 * k].iter().rev();
                let product = columns.fold(BigInt::ZERO, |sum, line| {
                    let column = line.0[lane].cast_signed();
                    assert!(bounds.contains(&column), "{k} limbs: {column}");
                    (sum << LIMB) + column
                });
                assert_eq!(product, BigInt::from(&a[lane] * &b[lane]), "{k} limbs");
            }
        };
        let a = extremes(k, &mut rng);
        let mut scratch = vec![Line([u64::MAX; 8]); SCRATCH * k];
        by.square(&mut scratch, &pack(&a, k));
        check(&scratch, &a, &a);
        for shift in 0..LANES {
            let mut b = a.clone();
            b.rotate_left(shift);
            by.multiply(&mut scratch, &pack(&a, k), &pack(&b, k));
            check(&scratch, &a, &b);
        }
    }
}

#[test]
fn look_ups_find_every_entry() {
    players().for_each(looks_up);
}

fn looks_up(by: Instructions) {
    let mut rng = ChaCha20Rng::seed_from_u64(53);
    for (k, bits) in [(10, 0), (20, 1), (10, 3), (40, 4), (30, 5), (80, 8)] {
        let entries = 1_usize << bits;
        let blocks = entries.div_ceil(LANES);
        let mut random = |lines: usize| -> Vec<Line> {
            core::iter::repeat_with(|| Line(core::array::from_fn(|_| rng.next_u64())))
                .take(lines)
                .collect()
        };
        let (table, singles) = (random(entries * k), random(blocks * k));
        for digit in 0..entries {
            let mut out = random(k);
            by.block(&mut out, &table, digit);
            let block = &table[digit * k..][..k];
            assert!(out.iter().zip(block).all(|(a, b)| a.0 == b.0));

            let digits: [[usize; LANES]; 3] = core::array::from_fn(|block| {
                core::array::from_fn(|lane| (digit + 3 * lane + 5 * block) % entries)
            });
            for blocks in 1..=digits.len() {
                let lines = digits.map(|digits| Line(digits.map(|digit| digit as u64)));
                let mut out = random(blocks * k);
                by.each(&mut out, &singles, &lines[..blocks]);
                for (out, digits) in out.chunks(k).zip(digits) {
                    for (at, line) in out.iter().enumerate() {
                        let number = |digit: usize| &singles[digit / LANES * k + at];
                        assert_eq!(line.0, digits.map(|digit| number(digit).0[digit % LANES]));
                    }
                }
            }
        }
    }
}
