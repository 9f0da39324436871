//! What neighbours do to each other: nothing.

#![allow(clippy::unwrap_used)]

use core::convert::Infallible;

use num_bigint::{BigInt, Sign};
use rand::{Rng as _, SeedableRng, TryCryptoRng, TryRng};
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{CutBounds, engine::at_precision, paillier::packings::Packings};

const RING: [u64; 5] = [0, 1, (1 << 63) - 1, 1 << 63, u64::MAX];

fn number(x: &BoxedUint) -> BigInt {
    BigInt::from_bytes_be(Sign::Plus, &x.to_be_bytes())
}

fn boxed(x: &BigInt, bits: u32) -> BoxedUint {
    assert!(*x >= BigInt::ZERO && x.bits() <= u64::from(bits));
    BoxedUint::from_be_slice(&x.to_bytes_be().1, bits).unwrap()
}

/// Any odd number of the right size will do for what is tested here.
fn key(bits: u32) -> PublicKey {
    let n = BoxedUint::one_with_precision(bits).shl(bits - 1);
    let n = n.wrapping_add(crypto_bigint::Limb::ONE);
    PublicKey::trusted(&n, KeyBits::insecure_for_tests(bits), Layout::Packed).unwrap()
}

fn bounds() -> CutBounds {
    CutBounds {
        batch: 128,
        width: 84,
        classes: 10,
        activation_bits: 23,
        step_unit: 1 << 23,
        delta_unit: 1 << 18,
    }
}

fn packings(bits: u32) -> Packings {
    Packings::new(&bounds(), KeyBits::insecure_for_tests(bits), Layout::Packed).unwrap()
}

fn layouts(bits: u32) -> [Packing; 3] {
    let packings = packings(bits);
    [
        packings.forward(),
        packings.weight_gradient(),
        packings.input_gradient(128).unwrap(),
    ]
}

/// Draws the least and the greatest masks that there are.
struct Constant(u64);

impl TryRng for Constant {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0 as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0 as u8);
        Ok(())
    }
}

impl TryCryptoRng for Constant {}

/// Sums at both ends of their bounds, in every order, in three neighbouring
/// slots, over visible parts at both ends of the ring in every order, under
/// the least masks, the greatest, and some between.
#[test]
fn no_extreme_neighbours_show_in_each_other() {
    neighbours(&mut Constant(0));
    neighbours(&mut Constant(u64::MAX));
    neighbours(&mut ChaCha20Rng::seed_from_u64(1));
}

fn neighbours(rng: &mut Rng) {
    let bits = 512;
    let n = number(key(bits).n().as_ref());
    for packing in layouts(bits) {
        assert!(packing.slots >= 3);
        let edge = BigInt::from(1) << packing.slot.value_bits();
        let one = BigInt::from(1);
        let sums = [-&edge, &one - &edge, -&one, BigInt::ZERO, one, edge];
        let shape = match packing.along {
            Along::Rows => Shape::new(3, 1),
            Along::Columns => Shape::new(1, 3),
        };
        let triples = |count: usize| {
            (0..count.pow(3)).map(move |at| [at % count, at / count % count, at / count / count])
        };
        for triple in triples(sums.len()) {
            let values = triple.map(|at| sums[at].clone());
            let product = values.iter().enumerate().fold(BigInt::ZERO, |sum, (j, v)| {
                sum + (v << (packing.slot.bits() as usize * j))
            });
            for triple in triples(RING.len()) {
                let low = triple.map(|at| RING[at]);
                let matrix = RingMatrix::from_fn(shape, |i, j| low[i + j]);
                let blinded = packing.blind(&matrix, KeyBits::insecure_for_tests(bits), rng);
                // As under encryption: modulo n, where a negative product is large.
                let sum = (&product + &n + number(&blinded.expose()[0])) % &n;
                let opened = packing.open("sum", &[boxed(&sum, bits)], shape).unwrap();
                for (j, v) in values.iter().enumerate() {
                    let ring: BigInt = ((v + low[j]) & BigInt::from(u64::MAX)).clone();
                    let got = opened.as_array().iter().nth(j).unwrap().0;
                    assert_eq!(BigInt::from(got), ring, "{packing:?} {values:?} {low:?}");
                }
            }
        }
    }
}

#[test]
fn packed_numbers_are_the_integers_of_their_digits() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for bits in [256, 258, 512, 2048] {
        let key = key(bits);
        let n = number(key.n().as_ref());
        for packing in layouts(bits) {
            for shape in [Shape::new(1, 1), Shape::new(3, 5), Shape::new(40, 37)] {
                let matrix = RingMatrix::from_fn(shape, |i, j| {
                    let extreme = RING[(3 * i + j) % RING.len()];
                    if (i + j) % 3 == 0 {
                        rng.next_u64()
                    } else {
                        extreme
                    }
                });
                let packed = packing.pack(&matrix, &key);
                assert_eq!(packed.expose().len(), packing.ciphertexts(shape));
                let (length, lines) = packing.length_and_lines(shape);
                for (cell, plaintext) in packed.expose().iter().enumerate() {
                    let (block, line) = (cell / lines, cell % lines);
                    let mut expected = BigInt::ZERO;
                    for j in 0..packing.slots {
                        let at = block * packing.slots + j;
                        if at >= length {
                            break;
                        }
                        let value = match packing.along {
                            Along::Rows => matrix.signed(at, line),
                            Along::Columns => matrix.signed(line, at),
                        };
                        expected +=
                            BigInt::from(value.unwrap()) << (packing.slot.bits() as usize * j);
                    }
                    assert_eq!(number(plaintext), (expected + &n) % &n);
                }
            }
        }
    }
}

/// An owner who hides something where there is nothing gets a mask for it.
#[test]
fn what_is_left_over_of_a_block_is_masked_as_well() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let bits = KeyBits::insecure_for_tests(512);
    for packing in layouts(512) {
        let low = RingMatrix::zeros(Shape::new(1, 1));
        let draws: Vec<_> = (0..64)
            .map(|_| packing.blind(&low, bits, &mut rng))
            .collect();
        let last = packing.slot.bits() * (packing.slots as u32 - 1);
        for bit in 0..packing.slot.bits() - 1 {
            let ones = draws
                .iter()
                .filter(|sum| sum.expose()[0].bit(last + bit).to_bool())
                .count();
            assert!(
                (1..64).contains(&ones),
                "{packing:?}: bit {bit} stands still"
            );
        }
    }
}

#[test]
fn a_sum_beyond_its_last_slot_is_refused_with_its_place() {
    let packing = packings(512).forward();
    let shape = Shape::new(packing.slots + 1, 2);
    let bits = packing.slot.bits() * packing.slots as u32;
    let mut sums = vec![BoxedUint::zero_with_precision(512); 4];
    assert!(packing.open("sum", &sums, shape).is_ok());
    sums[3] = BoxedUint::one_with_precision(512).shl(bits - 1);
    assert!(packing.open("sum", &sums, shape).is_ok());
    sums[3] = at_precision(&BoxedUint::one_with_precision(512).shl(bits), 512);
    assert_eq!(
        packing.open("sum", &sums, shape).err(),
        Some(HeError::OutOfRange {
            what: "sum",
            row: packing.slots,
            col: 1,
            bits
        })
    );
}

/// What the documentation of the layouts says of the paper's network.
#[test]
fn the_widths_are_what_the_algebra_says() {
    for (bits, slots) in [
        (2048, [15, 23, 17]),
        (3072, [22, 34, 25]),
        (4096, [30, 46, 34]),
    ] {
        let layouts = layouts(bits);
        assert_eq!(layouts.map(|packing| packing.slot.bits()), [135, 89, 119]);
        assert_eq!(layouts.map(|packing| packing.slots()), slots);
    }
    let [forward, weight_gradient, input_gradient] = layouts(2048);
    let ciphertexts = |packing: Packing, rows, cols| packing.ciphertexts(Shape::new(rows, cols));
    assert_eq!(ciphertexts(forward, 128, 84), 756);
    assert_eq!(ciphertexts(weight_gradient, 128, 84), 512);
    assert_eq!(ciphertexts(input_gradient, 10, 84), 50);
    assert_eq!(ciphertexts(forward, 128, 10), 90);
    assert_eq!(ciphertexts(weight_gradient, 10, 84), 40);
    assert_eq!(ciphertexts(input_gradient, 128, 84), 640);
}

/// Masks are so much larger than what they hide that a bound which is too
/// small would hardly ever be seen to be.
#[test]
fn the_largest_sums_of_operands_within_their_bounds_have_room() {
    let key = KeyBits::B2048;
    for (batch, width, classes) in [
        (1, 1, 1),
        (1, 64, 2),
        (7, 65, 10),
        (128, 84, 10),
        (1000, 3, 99),
    ] {
        for unit in [1, 2, 3, 1000, 1 << 18, (1 << 23) + 1] {
            let bounds = CutBounds {
                batch,
                width,
                classes,
                activation_bits: 23,
                step_unit: unit,
                delta_unit: unit,
            };
            let packings = Packings::new(&bounds, key, Layout::Packed).unwrap();
            let room = |packing: Packing| BigInt::from(1) << packing.slot.value_bits();
            let ring = BigInt::from(1_u64 << 63);
            let activation = BigInt::from((1 << 23) - 1);
            assert!(&activation * &ring * width <= room(packings.forward()));
            for rows in 1..=batch {
                // Each entry of one over the rows, rounded up; or twice that in
                // all, each of the classes rounded up by a half.
                let step = BigInt::from(unit) + rows.div_ceil(2);
                let delta = (BigInt::from(2 * unit) + rows - 1) / rows + classes.div_ceil(2);
                assert!(step * &activation <= room(packings.weight_gradient()));
                assert!(delta * &ring <= room(packings.input_gradient(rows).unwrap()));
            }
        }
    }
}

#[test]
fn a_smaller_batch_has_larger_deltas_and_its_share_more_room() {
    let packings = packings(2048);
    let room = |rows| {
        let packing = packings.input_gradient(rows).unwrap();
        packing.slot.value_bits()
    };
    for rows in 1..128 {
        assert!(room(rows) >= room(rows + 1));
        assert!(packings.input_gradient_of(room(rows)).is_some());
    }
    assert_eq!(packings.input_gradient(1).unwrap().slots(), 16);
    assert_eq!(packings.input_gradient_of(room(1) + 1), None);
    assert_eq!(packings.input_gradient_of(room(128) - 1), None);
    assert_eq!(packings.input_gradient_of(u32::MAX), None);
}

#[test]
fn the_first_bit_too_many_is_refused_by_name() {
    let key = KeyBits::insecure_for_tests(256);
    let mut bounds = bounds();
    bounds.width = 1 << 50;
    for activation_bits in 0..=63 {
        bounds.activation_bits = activation_bits;
        // Terms, weights, activations; sign, mask, and what both overflow to.
        let needed_bits = 50 + 63 + activation_bits + 1 + 40 + 1;
        match Packings::new(&bounds, key, Layout::Packed) {
            Ok(_) => assert!(needed_bits <= 255),
            Err(error) => assert_eq!(
                error,
                HeError::DoesNotFit {
                    what: "the forward product",
                    needed_bits: needed_bits.max(256),
                    plaintext_bits: 255
                }
            ),
        }
    }
    bounds.activation_bits = 64;
    let refused = |bounds: &CutBounds, what| {
        assert_eq!(
            Packings::new(bounds, KeyBits::B2048, Layout::Packed),
            Err(HeError::DoesNotFit {
                what,
                needed_bits: 64,
                plaintext_bits: 63
            })
        );
    };
    refused(&bounds, "an activation");
    bounds.activation_bits = 23;
    bounds.step_unit = 1 << 63;
    refused(&bounds, "a step");
    bounds.step_unit = 1;
    bounds.delta_unit = u64::MAX;
    refused(&bounds, "a delta");
}
