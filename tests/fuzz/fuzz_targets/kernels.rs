//! Every kernel that this machine can run or play, against num-bigint.
#![no_main]

use entente_he::{Tier, squared_products};
use libfuzzer_sys::{arbitrary, arbitrary::Arbitrary, fuzz_target};
use num_bigint::BigUint;

/// Lanes of the widest kernel.
const LANES: usize = 8;

/// Bytes that are easily all ones or all zeros, where carries are.
#[derive(Debug, Arbitrary)]
struct Runs(Vec<(u8, u8)>);

impl Runs {
    /// The number whose bytes these are, most significant first.
    fn number(&self, bytes: usize) -> BigUint {
        let runs = self.0.iter();
        let run = |&(length, byte): &(u8, u8)| vec![byte; usize::from(length % 64) + 1];
        let mut digits: Vec<u8> = runs.flat_map(run).take(bytes).collect();
        digits.resize(bytes, 0);
        BigUint::from_bytes_be(&digits)
    }
}

#[derive(Debug, Arbitrary)]
struct Input {
    words: u8,
    modulus: Runs,
    pairs: [[Runs; 2]; LANES],
}

fuzz_target!(|input: Input| {
    // Up to 8192 bits.
    let bytes = 8 * (usize::from(input.words % 128) + 1);
    let mut n = input.modulus.number(bytes);
    n.set_bit(0, true);
    let digits = |x: &BigUint| {
        let digits = x.to_bytes_be();
        [vec![0; bytes - digits.len()], digits].concat()
    };
    let pairs = input.pairs.each_ref();
    let pairs = pairs.map(|pair| pair.each_ref().map(|runs| runs.number(bytes) % &n));
    let given = pairs.each_ref().map(|pair| pair.each_ref().map(digits));
    for tier in Tier::testable() {
        let found = squared_products(tier, &digits(&n), &given).expect("a kernel");
        for (found, [a, b]) in found.iter().zip(&pairs) {
            let expected = (a * b).modpow(&BigUint::from(2_u8), &n);
            assert_eq!(BigUint::from_bytes_be(found), expected, "{tier}: ({a} {b})^2 mod {n}");
        }
    }
});
