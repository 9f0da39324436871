//! Whether the clock tells anything of a decryption: many of them, in two
//! classes in random order, and the [difference of their times](super::welch).
//! A report and not a test: on a machine that others use, a verdict by the clock
//! would be one of them.

use std::time::Instant;

use entente_he::{KeyBits, Randomness, Textbook, paillier::Batch};
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::{effort::say, welch};
use crate::exit::Failure;

/// Ciphertexts that are made before any of them is decrypted, so that making
/// them leaves the same behind in the caches for both classes.
const CHUNK: usize = 50;

/// What tells the two classes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Classes {
    /// Always the same ciphertext, or another each time.
    FixedCiphertext,
    /// An encryption of zero, or of a random number.
    ZeroPlaintext,
    /// Random ciphertexts, by the upper bit of c mod p^2: a bit of the key's.
    UpperHalfModP,
    /// As before, of c mod q^2.
    UpperHalfModQ,
}

impl Classes {
    const ALL: [Self; 4] = [
        Self::FixedCiphertext,
        Self::ZeroPlaintext,
        Self::UpperHalfModP,
        Self::UpperHalfModQ,
    ];

    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::FixedCiphertext => "one ciphertext / random ones",
            Self::ZeroPlaintext => "Enc(0) / Enc(random)",
            Self::UpperHalfModP => "c mod p^2 in the upper half / the lower",
            Self::UpperHalfModQ => "c mod q^2 in the upper half / the lower",
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Timing {
    pub(super) tier: String,
    pub(super) key_bits: u32,
    pub(super) classes: Classes,
    /// Decryptions of one ciphertext each.
    pub(super) samples: usize,
    /// Their median, in microseconds.
    pub(super) median_microseconds: f64,
    /// The greatest |t| over all crops.
    pub(super) greatest_t: f64,
    /// Whether that is more than chance explains.
    pub(super) suspicious: bool,
}

/// Decrypts `samples` ciphertexts for each pair of classes.
pub(super) fn measure(tier: &str, bits: KeyBits, samples: usize) -> Result<Vec<Timing>, Failure> {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let scheme = Textbook::new(bits, 0, &mut rng).map_err(Failure::runtime)?;
    let measure = |classes: Classes| {
        let times = times(&scheme, classes, samples, &mut rng, |done| {
            say(&format!(
                "{tier}, {}: {}, {done} of {samples} decryptions",
                bits.bits(),
                classes.title()
            ));
        })?;
        let greatest_t = welch::greatest_t(&times);
        let mut sorted: Vec<f64> = times.iter().map(|(_, time)| 1e6 * time).collect();
        sorted.sort_by(f64::total_cmp);
        Ok(Timing {
            tier: tier.to_owned(),
            key_bits: bits.bits(),
            classes,
            samples: times.len(),
            median_microseconds: sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
            greatest_t,
            suspicious: greatest_t > welch::SUSPICIOUS,
        })
    };
    Classes::ALL.into_iter().map(measure).collect()
}

/// Seconds of each decryption, with its class.
fn times(
    scheme: &Textbook,
    classes: Classes,
    samples: usize,
    rng: &mut ChaCha20Rng,
    progress: impl Fn(usize),
) -> Result<Vec<(bool, f64)>, Failure> {
    let random = |rng: &mut ChaCha20Rng| {
        let m = scheme.uniform(1, rng);
        scheme.encrypt(&m, Randomness::KeyOwner, rng)
    };
    let fixed = random(rng);
    let draw = |rng: &mut ChaCha20Rng| -> (bool, Batch) {
        let coin = rng.next_u32() & 1 == 1;
        let upper = |side: usize, batch: Batch| {
            let halves = scheme.upper_halves(&batch);
            (halves.iter().any(|halves| halves[side]), batch)
        };
        match classes {
            Classes::FixedCiphertext => {
                // Drawn for both, so that both leave the same traces.
                let other = random(rng);
                (coin, if coin { fixed.clone() } else { other.clone() })
            }
            Classes::ZeroPlaintext => {
                let [zero, other] = [scheme.zeros(1), scheme.uniform(1, rng)];
                let m = if coin { zero } else { other };
                (coin, scheme.encrypt(&m, Randomness::KeyOwner, rng))
            }
            Classes::UpperHalfModP => upper(0, random(rng)),
            Classes::UpperHalfModQ => upper(1, random(rng)),
        }
    };
    let mut times = Vec::with_capacity(samples);
    // The first decryptions meet cold caches and a slow clock.
    for _ in 0..CHUNK.min(samples) {
        scheme.decrypt(&fixed).map_err(Failure::runtime)?;
    }
    while times.len() < samples {
        progress(times.len());
        let count = CHUNK.min(samples - times.len());
        let chunk: Vec<_> = (0..count).map(|_| draw(rng)).collect();
        for (class, ciphertext) in &chunk {
            let since = Instant::now();
            let opened = scheme.decrypt(ciphertext);
            let took = since.elapsed().as_secs_f64();
            opened.map_err(Failure::runtime)?;
            times.push((*class, took));
        }
    }
    Ok(times)
}
