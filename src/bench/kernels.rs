//! What one modular multiplication costs, under what everything else is made
//! of, against what the processor could do at best.

use entente_he::{KernelSpeed, Tier};
use serde::{Deserialize, Serialize};

use crate::output;

/// Moduli of the primes' squares and of n^2, for keys of up to 4096 bits.
const MODULI: [u32; 7] = [1024, 1536, 2048, 3072, 4096, 6144, 8192];

/// One length of modulus on one tier.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Speed {
    tier: String,
    modulus_bits: u32,
    multiply_nanoseconds: f64,
    square_nanoseconds: f64,
    /// Of a schoolbook multiplication; of the tier `ifma` alone.
    multiply_floor_nanoseconds: Option<f64>,
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
    ];
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
        ]
    });
    output::table(header, rows).to_string()
}
