//! What was promised of this engine, and whether this machine keeps it.
//!
//! Promises in milliseconds were made on one quiet machine, on which OpenSSL
//! takes 976 us for a constant-time exponentiation of 2048 / 1024 bits. Here
//! they are scaled by what it takes in the same run; ratios need no scale. They
//! are promises of the IFMA tier, shown for the others as a measure.

use serde::Serialize;

use super::{
    Measured,
    cut::FORWARD_PASS,
    openssl::{KNOWN_BITS, KNOWN_MICROSECONDS, Yardstick},
    primitives::{Operation, Primitive},
};

/// One promise on one tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Promise {
    pub(super) tier: String,
    pub(super) key_bits: u32,
    pub(super) what: &'static str,
    /// As it was measured here: a ratio, or milliseconds.
    pub(super) measured: f64,
    /// What is held against the bound: the ratio, or milliseconds of the known
    /// machine.
    pub(super) scaled: f64,
    pub(super) bound: Bound,
    pub(super) met: bool,
}

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// So many times as fast as OpenSSL, or more.
    TimesFaster(f64),
    /// So many milliseconds a sample, or fewer.
    MillisecondsASample(f64),
}

/// The promises for one key size.
struct Table {
    key_bits: u32,
    product: f64,
    forward_pass: f64,
    round: f64,
}

const TABLES: [Table; 2] = [
    Table {
        key_bits: 2048,
        product: 5.2,
        forward_pass: 1.8,
        round: 5.0,
    },
    Table {
        key_bits: 3072,
        product: 11.0,
        forward_pass: 3.4,
        round: 11.0,
    },
];

/// Of both key sizes.
const DECRYPT: f64 = 3.0;
const ENCRYPT: f64 = 30.0;

/// Holds what was measured against what was promised; nothing without the
/// yardstick of the same run.
pub(super) fn held(
    openssl: &[Yardstick],
    primitives: &[Primitive],
    measured: &[Measured],
) -> Vec<Promise> {
    let exponentiation = |modulus_bits: u32, exponent_bits: u32| {
        let of_size =
            |y: &&Yardstick| (y.modulus_bits, y.exponent_bits) == (modulus_bits, exponent_bits);
        openssl.iter().find(of_size).map(|y| y.microseconds)
    };
    let Some(known) = exponentiation(KNOWN_BITS.0, KNOWN_BITS.1) else {
        return Vec::new();
    };
    let scale = KNOWN_MICROSECONDS / known;
    let mut promises = Vec::new();
    for packed in measured
        .iter()
        .filter(|measured| measured.layout == "packed")
    {
        let (tier, key_bits) = (&packed.tier, packed.key_bits);
        let Some(table) = TABLES.iter().find(|table| table.key_bits == key_bits) else {
            continue;
        };
        let microseconds = |operation: Operation| {
            let wanted =
                |p: &&Primitive| (&p.tier, p.key_bits, p.operation) == (tier, key_bits, operation);
            primitives.iter().find(wanted).map(|p| p.microseconds)
        };
        let mut hold = |what: &'static str, measured: Option<f64>, bound: Bound| {
            // What was not measured was not kept and not broken.
            let Some(measured) = measured else { return };
            let (scaled, met) = match bound {
                Bound::TimesFaster(least) => (measured, measured >= least),
                Bound::MillisecondsASample(most) => (scale * measured, scale * measured <= most),
            };
            promises.push(Promise {
                tier: tier.clone(),
                key_bits,
                what,
                measured,
                scaled,
                bound,
                met,
            });
        };
        let ratio = |of: Option<f64>, to: Option<f64>| of.zip(to).map(|(of, to)| of / to);

        let halves = exponentiation(key_bits, key_bits / 2).map(|one| 2.0 * one);
        hold(
            "decrypt, against two half-size exponentiations",
            ratio(halves, microseconds(Operation::Decrypt)),
            Bound::TimesFaster(DECRYPT),
        );
        hold(
            "owner's encryption, not pooled, against r^n mod n^2",
            ratio(
                exponentiation(2 * key_bits, key_bits),
                microseconds(Operation::EncryptOwner),
            ),
            Bound::TimesFaster(ENCRYPT),
        );
        hold(
            "84 x 10 product, unpacked, 32-bit scalars",
            microseconds(Operation::Product32Bit).map(|us| us / 1e3),
            Bound::MillisecondsASample(table.product),
        );
        let samples = packed.cut.batch as f64;
        let pass = packed
            .operations
            .iter()
            .find(|f| f.operation == FORWARD_PASS);
        hold(
            "forward pass, packed, one core",
            pass.map(|figure| 1e3 * figure.seconds / samples),
            Bound::MillisecondsASample(table.forward_pass),
        );
        hold(
            "whole round, packed, both parties, nothing made ahead",
            Some(1e3 * packed.round.seconds / samples),
            Bound::MillisecondsASample(table.round),
        );
    }
    promises
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        cut::{Cut, Figure},
        round::Round,
    };

    fn yardstick(modulus_bits: u32, exponent_bits: u32, microseconds: f64) -> Yardstick {
        Yardstick {
            modulus_bits,
            exponent_bits,
            microseconds,
        }
    }

    fn primitive(operation: Operation, microseconds: f64) -> Primitive {
        Primitive {
            tier: "portable".to_owned(),
            key_bits: 2048,
            operation,
            microseconds,
            count: 64,
        }
    }

    fn packed(key_bits: u32) -> Measured {
        Measured {
            tier: "portable".to_owned(),
            key_bits,
            layout: "packed".to_owned(),
            cut: Cut {
                batch: 100,
                width: 84,
                classes: 10,
            },
            threads: 1,
            operations: vec![Figure {
                operation: FORWARD_PASS.to_owned(),
                seconds: 0.36,
                bytes: 1,
            }],
            round: Round {
                set_up_seconds: 1.0,
                first_seconds: 2.0,
                seconds: 1.1,
                median_seconds: 1.3,
                active_bytes: 1,
                passive_bytes: 1,
            },
            round_threads: 2,
        }
    }

    /// A machine half as fast as the known one.
    #[test]
    fn milliseconds_are_scaled_and_ratios_are_not() {
        let openssl = [
            yardstick(2048, 1024, 2.0 * KNOWN_MICROSECONDS),
            yardstick(4096, 2048, 15_000.0),
        ];
        let primitives = [
            primitive(Operation::EncryptOwner, 499.0),
            primitive(Operation::Decrypt, 1952.0),
            primitive(Operation::Product32Bit, 10_000.0),
        ];
        let got = held(&openssl, &primitives, &[packed(2048)]);
        let got: Vec<_> = got
            .iter()
            .map(|promise| (promise.measured, promise.scaled, promise.met))
            .collect();
        assert_eq!(
            got,
            [
                (2.0, 2.0, false),
                (15_000.0 / 499.0, 15_000.0 / 499.0, true),
                (10.0, 5.0, true),
                (3.6, 1.8, true),
                (11.0, 5.5, false),
            ]
        );
    }

    #[test]
    fn nothing_is_held_without_a_yardstick_or_a_promise() {
        let known = yardstick(2048, 1024, 976.0);
        assert_eq!(held(&[], &[], &[packed(2048)]), []);
        assert_eq!(held(&[known], &[], &[packed(4096)]), []);
        // Of a product that was not measured nothing is said.
        assert_eq!(held(&[known], &[], &[packed(2048)]).len(), 2);
    }
}
