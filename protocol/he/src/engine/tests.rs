//! Every operation against num-bigint, edge values included.

#![allow(clippy::unwrap_used)]

use crypto_bigint::BoxedUint;
use num_bigint::BigUint;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{Comb, Modulus, Residues, Scalars, Tier};

/// Widths that fill their kernel and widths that leave room in it.
const BITS: [u32; 5] = [256, 300, 512, 1000, 2048];

fn big(x: &BoxedUint) -> BigUint {
    BigUint::from_bytes_be(&x.to_be_bytes())
}

fn boxed(x: &BigUint, bits: u32) -> BoxedUint {
    BoxedUint::from_be_slice(&x.to_bytes_be(), bits).unwrap()
}

fn random(bits: u32, rng: &mut ChaCha20Rng) -> BigUint {
    let mut bytes = vec![0; bits.div_ceil(8) as usize];
    rng.fill_bytes(&mut bytes);
    BigUint::from_bytes_be(&bytes) >> (8 * bytes.len() as u32 - bits)
}

/// Every tier meets the same numbers, IFMA on any machine.
fn on_each_tier(test: impl Fn() + Sync) {
    for tier in Tier::testable() {
        tier.install(&test).unwrap();
    }
}

/// A modulus that both sides of a test know.
struct Bench {
    n: BigUint,
    modulus: Modulus,
    bits: u32,
    rng: ChaCha20Rng,
}

impl Bench {
    fn all() -> impl Iterator<Item = Self> {
        BITS.into_iter().flat_map(Self::of)
    }

    fn of(bits: u32) -> [Self; 2] {
        let mut rng = ChaCha20Rng::seed_from_u64(bits.into());
        let mut n = random(bits, &mut rng);
        n.set_bit(0, true);
        n.set_bit(u64::from(bits) - 1, true);
        let boxed = boxed(&n, bits);
        [Modulus::public(&boxed), Modulus::secret(&boxed)].map(|modulus| Self {
            n: n.clone(),
            modulus: modulus.unwrap(),
            bits,
            rng: rng.clone(),
        })
    }

    /// Under a public modulus alone, which inversion asks for.
    fn public() -> impl Iterator<Item = Self> {
        Self::all().step_by(2)
    }

    /// 0, 1, 2, n - 1, n - 2 and random numbers, `count` in all.
    fn numbers(&mut self, count: usize) -> Vec<BigUint> {
        let one = BigUint::from(1_u8);
        let mut numbers = vec![
            BigUint::ZERO,
            one.clone(),
            BigUint::from(2_u8),
            &self.n - &one,
            &self.n - &one - &one,
        ];
        numbers.resize_with(count, || random(self.bits, &mut self.rng) % &self.n);
        numbers
    }

    /// Numbers that have inverses (n is random, so nearly all do).
    fn units(&mut self, count: usize) -> Vec<BigUint> {
        let edges = [BigUint::from(1_u8), &self.n - 1_u8];
        let mut numbers: Vec<_> = edges.into_iter().take(count).collect();
        while numbers.len() < count {
            let x = random(self.bits, &mut self.rng) % &self.n;
            if x.modinv(&self.n).is_some() {
                numbers.push(x);
            }
        }
        numbers
    }

    fn import(&self, numbers: &[BigUint]) -> Residues {
        let boxed: Vec<_> = numbers.iter().map(|x| boxed(x, self.bits)).collect();
        self.modulus.import(&boxed)
    }

    fn export(&self, residues: &Residues) -> Vec<BigUint> {
        self.modulus.export(residues).iter().map(big).collect()
    }
}

#[test]
fn numbers_survive_the_way_in_and_out() {
    on_each_tier(|| {
        for mut bench in Bench::all() {
            let numbers = bench.numbers(12);
            assert_eq!(bench.export(&bench.import(&numbers)), numbers);
        }
    });
}

#[test]
fn multiplication() {
    on_each_tier(|| {
        for mut bench in Bench::all() {
            let a = bench.numbers(25);
            let b: Vec<_> = a.iter().rev().cloned().collect();
            let mut acc = bench.import(&a);
            bench.modulus.multiply(&mut acc, &bench.import(&b));
            let expected: Vec<_> = a.iter().zip(&b).map(|(a, b)| a * b % &bench.n).collect();
            assert_eq!(bench.export(&acc), expected);
        }
    });
}

#[test]
fn the_product_of_all() {
    on_each_tier(|| {
        for mut bench in Bench::all() {
            for count in [0, 1, 2, 9] {
                let units = bench.units(count);
                let all = bench.modulus.product_of_all(&bench.import(&units));
                let expected = units
                    .iter()
                    .fold(BigUint::from(1_u8), |acc, x| acc * x % &bench.n);
                assert_eq!(bench.export(&all), [expected]);
            }
        }
    });
}

#[test]
fn inverses_share_one_inversion_and_one_bad_number_spoils_all() {
    on_each_tier(|| {
        for mut bench in Bench::public() {
            let units = bench.units(9);
            let inverses = bench.modulus.invert_public(&bench.import(&units)).unwrap();
            let expected: Vec<_> = units.iter().map(|x| x.modinv(&bench.n).unwrap()).collect();
            assert_eq!(bench.export(&inverses), expected);

            let with_zero = [units.clone(), vec![BigUint::ZERO]].concat();
            assert!(
                bench
                    .modulus
                    .invert_public(&bench.import(&with_zero))
                    .is_none()
            );
        }
    });
}

#[test]
fn a_shared_exponent() {
    on_each_tier(|| {
        for mut bench in Bench::all() {
            let bases = bench.numbers(7);
            let residues = bench.import(&bases);
            for exponent in bench.numbers(7) {
                let powers =
                    bench
                        .modulus
                        .pow(&residues, &boxed(&exponent, bench.bits), bench.bits);
                let expected: Vec<_> = bases
                    .iter()
                    .map(|b| b.modpow(&exponent, &bench.n))
                    .collect();
                assert_eq!(bench.export(&powers), expected);
            }
        }
    });
}

#[test]
fn a_comb_of_powers_and_subsets() {
    on_each_tier(|| {
        for mut bench in Bench::all() {
            for (power_bits, subset_bits) in [(1, 0), (64, 0), (200, 13), (64, 6), (7, 1)] {
                let bits = power_bits + subset_bits;
                let base = bench.units(3).pop().unwrap();
                let subset = bench.units(subset_bits as usize);
                let mut comb = Comb::of_powers(
                    &bench.modulus,
                    &bench.import(core::slice::from_ref(&base)),
                    power_bits,
                );
                comb.extend(&bench.modulus, &bench.import(&subset));
                assert_eq!(comb.bits(), bits);

                let all_ones = (BigUint::from(1_u8) << bits) - 1_u8;
                let mut exponents = vec![BigUint::ZERO, all_ones];
                exponents.resize_with(11, || random(bits, &mut bench.rng));
                let raised = comb.raise(
                    &bench.modulus,
                    &exponents.iter().map(|e| boxed(e, bits)).collect::<Vec<_>>(),
                );
                let expected: Vec<_> = exponents
                    .iter()
                    .map(|e| {
                        let power =
                            base.modpow(&(e % (BigUint::from(1_u8) << power_bits)), &bench.n);
                        (0..subset_bits)
                            .filter(|i| e.bit(u64::from(power_bits + i)))
                            .fold(power, |acc, i| acc * &subset[i as usize] % &bench.n)
                    })
                    .collect();
                assert_eq!(bench.export(&raised), expected);
            }
        }
    });
}

#[test]
fn matrix_products_with_signed_scalars() {
    on_each_tier(|| {
        for mut bench in Bench::public() {
            for (lanes, terms, outputs, bits) in [
                (1, 1, 1, 63),
                (2, 3, 2, 1),
                (3, 7, 4, 20),
                (2, 9, 3, 63),
                (5, 1, 3, 8),
            ] {
                let x = bench.units(lanes * terms);
                let (least, most) = (i64::MIN >> (63 - bits), i64::MAX >> (63 - bits));
                let mut s = vec![least, most, 0, 1, -1];
                s.resize_with(outputs * terms, || {
                    bench.rng.next_u64().cast_signed() >> (63 - bits)
                });
                let scalars = Scalars::from_fn(outputs, terms, bits, |o, i| s[o * terms + i]);
                let products = bench.modulus.products(&bench.import(&x), &scalars).unwrap();

                let power = |x: &BigUint, s: i64| {
                    let base = if s < 0 {
                        x.modinv(&bench.n).unwrap()
                    } else {
                        x.clone()
                    };
                    base.modpow(&s.unsigned_abs().into(), &bench.n)
                };
                let expected: Vec<_> = x
                    .chunks(terms)
                    .flat_map(|x| s.chunks(terms).map(move |s| (x, s)))
                    .map(|(x, s)| {
                        x.iter().zip(s).fold(BigUint::from(1_u8), |acc, (x, &s)| {
                            acc * power(x, s) % &bench.n
                        })
                    })
                    .collect();
                assert_eq!(bench.export(&products), expected);
            }
        }
    });
}

#[test]
fn a_base_without_inverse_is_reported() {
    on_each_tier(|| {
        let mut bench = Bench::all().next().unwrap();
        let mut x = bench.units(3);
        x.push(BigUint::ZERO);
        let scalars = Scalars::from_fn(1, 2, 8, |_, _| 1);
        assert!(
            bench
                .modulus
                .products(&bench.import(&x), &scalars)
                .is_none()
        );
    });
}

#[test]
fn transposition() {
    on_each_tier(|| {
        let mut bench = Bench::all().next().unwrap();
        let numbers = bench.numbers(6);
        let transposed = bench.export(&bench.import(&numbers).transposed(2, 3));
        let expected = [0, 3, 1, 4, 2, 5].map(|i: usize| numbers[i].clone());
        assert_eq!(transposed, expected);
    });
}

#[test]
fn moduli_that_no_kernel_takes() {
    on_each_tier(|| {
        assert!(Modulus::public(&BoxedUint::from(10_u8)).is_none());
        assert!(Modulus::holds(8192) && !Modulus::holds(8193));
        let mut long = BoxedUint::zero_with_precision(8193);
        long.as_mut_words()[0] = 1;
        assert!(Modulus::public(&long).is_none());
    });
}

#[test]
fn every_width_up_to_the_longest() {
    on_each_tier(|| {
        for bits in [258, 514, 518, 520, 1026, 3072, 4096, 6144, 8190, 8192] {
            for mut bench in Bench::of(bits) {
                let a = bench.numbers(9);
                let b: Vec<_> = a.iter().rev().cloned().collect();
                let mut acc = bench.import(&a);
                bench.modulus.multiply(&mut acc, &bench.import(&b));
                let expected: Vec<_> = a.iter().zip(&b).map(|(a, b)| a * b % &bench.n).collect();
                assert_eq!(bench.export(&acc), expected);
                let three = boxed(&BigUint::from(3_u8), 64);
                let cubes = bench.modulus.pow(&bench.import(&a), &three, 2);
                let expected: Vec<_> = a.iter().map(|a| a * a * a % &bench.n).collect();
                assert_eq!(bench.export(&cubes), expected);
            }
        }
    });
}
