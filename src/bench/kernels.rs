//! What one modular multiplication costs, of which everything else is made,
//! against what the processor could do at best; and one exponentiation, against
//! the library that the portable tier is built on.

use entente_he::{KernelSpeed, PowerSpeed, Tier};
use serde::{Deserialize, Serialize};

use crate::output;

/// Moduli of the primes' squares and of n^2, for keys of up to 4096 bits.
const MODULI: [u32; 7] = [1024, 1536, 2048, 3072, 4096, 6144, 8192];

/// The longest modulus of an exponentiation: a few of a longer one take
/// seconds.
const MAX_POWER_BITS: u32 = 4096;

/// One length of modulus on one tier.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Speed {
    tier: String,
    modulus_bits: u32,
    multiply_nanoseconds: f64,
    square_nanoseconds: f64,
    /// Of a schoolbook multiplication; of the tier `ifma` alone.
    multiply_floor_nanoseconds: Option<f64>,
    /// To a secret power of half as many bits.
    power: Option<Power>,
}

/// One constant-time exponentiation.
#[derive(Debug, Serialize, Deserialize)]
struct Power {
    engine_microseconds: f64,
    crypto_bigint_microseconds: f64,
}

impl Power {
    fn measure(modulus_bits: u32) -> Option<Self> {
        let speed = PowerSpeed::measure(modulus_bits)?;
        Some(Self {
            engine_microseconds: speed.engine_ns / 1e3,
            crypto_bigint_microseconds: speed.crypto_bigint_ns / 1e3,
        })
    }
}

/// On the tier of this process, one core.
pub(super) fn measure(tier: Tier) -> Vec<Speed> {
    let speeds = MODULI.into_iter().filter_map(KernelSpeed::measure);
    speeds
        .map(|speed| Speed {
            tier: tier.label().to_owned(),
            modulus_bits: speed.modulus_bits,
            multiply_nanoseconds: speed.multiply_ns,
            square_nanoseconds: speed.square_ns,
            multiply_floor_nanoseconds: speed.multiply_floor_ns,
            power: (speed.modulus_bits <= MAX_POWER_BITS)
                .then(|| Power::measure(speed.modulus_bits))
                .flatten(),
        })
        .collect()
}

/// The table for people.
pub(super) fn table(speeds: &[Speed]) -> String {
    let header = [
        "kernel",
        "modulus",
        "multiply ns",
        "square ns",
        "of the floor",
        "power us",
        "crypto-bigint's",
    ];
    let power = |speed: &Speed, of: fn(&Power) -> f64| {
        let power = speed.power.as_ref();
        power.map_or("-".to_owned(), |power| format!("{:.0}", of(power)))
    };
    let rows = speeds.iter().map(|speed| {
        let share = |floor: f64| format!("{:.0} %", 100.0 * floor / speed.multiply_nanoseconds);
        [
            speed.tier.clone(),
            speed.modulus_bits.to_string(),
            format!("{:.0}", speed.multiply_nanoseconds),
            format!("{:.0}", speed.square_nanoseconds),
            speed
                .multiply_floor_nanoseconds
                .map_or("-".to_owned(), share),
            power(speed, |power| power.engine_microseconds),
            power(speed, |power| power.crypto_bigint_microseconds),
        ]
    });
    output::table(header, rows).to_string()
}
