//! Noise on the gradients that are released.
//!
//! | defence | noise on the gradient `g_j` of sample j | for |
//! |---|---|---|
//! | max-norm | `g_j n sqrt(\|\|g_max\|\|^2 / \|\|g_j\|\|^2 - 1)`: along itself, so that all have the expected length of the longest | any classes |
//! | isotropic | `ratio \|\|g_max\|\| / sqrt(c)` in every direction | any classes |
//! | Marvell | along the line that all gradients lie on, of two variances, one for each class | two classes |
//!
//! n is standard normal, c the classes. The first and the last are of Li et
//! al. (ICLR 2022, arXiv:2102.08504), the second is their baseline. Noise is
//! drawn from a seed of the party with the labels and the number of the
//! exchange, so that a resumed job draws the same.
//!
//! The encryption leaves room for so much of a gradient and not more: a row
//! that noise made longer than [`ROOM`] times the longest possible one is
//! shortened to that. Its direction stays.

use entente_wire::{Decode, DecodeError, Digest, Encode, Reader, Secret};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::normal::normal;

/// A released row is at most this many times as long as one without noise can
/// be: three bits of a slot.
pub const ROOM: u64 = 8;

/// Noise on the gradients that are released.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Defence {
    /// All gradients are as long as the longest, in expectation.
    MaxNorm,
    /// The same in every direction.
    Isotropic {
        /// Length of the noise over that of the batch's longest gradient.
        ratio: f64,
    },
    /// The least noise that makes two classes hard to tell apart.
    Marvell {
        /// Variance of the noise over the squared distance of the classes'
        /// mean gradients.
        power: f64,
    },
}

impl Defence {
    /// What is wrong with it for a job of so many classes.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn check(self, classes: usize) -> Result<(), &'static str> {
        let sensible = |x: f64| x > 0.0 && x <= 1000.0;
        match self {
            Self::MaxNorm => Ok(()),
            Self::Isotropic { ratio } if !sensible(ratio) => {
                Err("ratio must be above 0 and at most 1000")
            }
            Self::Isotropic { .. } => Ok(()),
            Self::Marvell { .. } if classes > 2 => {
                Err("marvell is made for two classes: use max_norm or isotropic")
            }
            Self::Marvell { power } if !sensible(power) => {
                Err("power must be above 0 and at most 1000")
            }
            Self::Marvell { .. } => Ok(()),
        }
    }

    /// Adds noise to `delta` (`B x c`, the mean's gradient: a row is at most
    /// 1 / B in its largest entry) and keeps every row within [`ROOM`].
    fn blur(self, delta: &mut Array2<f64>, labels: &[usize], rng: &mut ChaCha20Rng) {
        let rows = delta.nrows().max(1) as f64;
        let longest = delta.rows().into_iter().map(|row| row.dot(&row));
        let longest = longest.fold(0.0, f64::max);
        match self {
            Self::MaxNorm => {
                for mut row in delta.rows_mut() {
                    let square = row.dot(&row);
                    if square > 0.0 {
                        let factor = libm::sqrt((longest / square - 1.0).max(0.0));
                        row *= 1.0 + factor * normal(rng);
                    }
                }
            }
            Self::Isotropic { ratio } => {
                let deviation = ratio * libm::sqrt(longest / delta.ncols().max(1) as f64);
                delta.mapv_inplace(|x| x + deviation * normal(rng));
            }
            Self::Marvell { power } => marvell(power, delta, labels, rng),
        }
        let limit = ROOM as f64 / rows;
        for mut row in delta.rows_mut() {
            let largest = row.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let sum: f64 = row.iter().map(|x| x.abs()).sum();
            // Entries up to ROOM / B, rows that sum to twice as much.
            let over = (largest / limit).max(sum / (2.0 * limit));
            if over > 1.0 {
                row /= over;
            }
        }
    }
}

/// Marvell on a line. For two classes p - T is `(x, -x)`, for one logit `x`:
/// the noise has one variance for each class, `l1` and `l0`, and what is
/// minimised, under `p l1 + (1 - p) l0 = power (m1 - m0)^2`, is the symmetric
/// divergence of two normal distributions, which bounds the area under every
/// attack's curve:
///
/// ```text
///   (l1 + v1) / (l0 + v0) + (l0 + v0) / (l1 + v1)
///                         + (m1 - m0)^2 (1 / (l1 + v1) + 1 / (l0 + v0))
/// ```
///
/// m and v are mean and variance of each class in the batch, p the share of
/// class 1. A batch of one class alone has nothing to tell apart.
fn marvell(power: f64, delta: &mut Array2<f64>, labels: &[usize], rng: &mut ChaCha20Rng) {
    let place = |row: ndarray::ArrayView1<'_, f64>| row.first().copied().unwrap_or(0.0);
    let of_class = |class: usize| {
        let rows = delta.rows().into_iter().zip(labels);
        let places: Vec<f64> = rows
            .filter(|(_, label)| **label == class)
            .map(|(row, _)| place(row))
            .collect();
        let count = places.len() as f64;
        let mean = places.iter().sum::<f64>() / count;
        let variance = places.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        (!places.is_empty()).then_some((count, mean, variance))
    };
    let (Some((n1, m1, v1)), Some((n0, m0, v0))) = (of_class(1), of_class(0)) else {
        return;
    };
    let share = n1 / (n1 + n0);
    let distance = (m1 - m0) * (m1 - m0);
    let budget = power * distance;
    // Keeps the quotients finite where a class stands on one point.
    let least = 1e-12 * distance + f64::MIN_POSITIVE;
    let split = |l1: f64| (budget - share * l1).max(0.0) / (1.0 - share);
    let divergence = |l1: f64| {
        let (one, zero) = (l1 + v1 + least, split(l1) + v0 + least);
        one / zero + zero / one + distance * (1.0 / one + 1.0 / zero)
    };
    // One variable on an interval: a thousand points are closer than noise is.
    let points = (0..=1000).map(|i| budget / share * f64::from(i) / 1000.0);
    let l1 = points.min_by(|a, b| divergence(*a).total_cmp(&divergence(*b)));
    let l1 = l1.unwrap_or(0.0);
    let deviations = [libm::sqrt(split(l1)), libm::sqrt(l1)];
    for (mut row, label) in delta.rows_mut().into_iter().zip(labels) {
        let noise = deviations.get(*label).copied().unwrap_or(0.0) * normal(rng);
        let signs = [1.0, -1.0];
        row.iter_mut()
            .zip(signs)
            .for_each(|(x, sign)| *x += sign * noise);
    }
}

/// A job's noise: what is added, and from which seed.
#[derive(Debug)]
pub struct Noise {
    defence: Defence,
    seed: Secret<[u8; 32]>,
}

impl Noise {
    /// From the seed of the party with the labels.
    pub fn new(defence: Defence, seed: Secret<[u8; 32]>) -> Self {
        Self { defence, seed }
    }

    /// What may be released of `delta` (`B x c`) in an exchange.
    pub fn blurred(&self, delta: &Array2<f64>, labels: &[usize], exchange: u64) -> Array2<f64> {
        let parts: [&[u8]; 2] = [self.seed.expose(), &exchange.to_be_bytes()];
        let seed = Digest::of("entente label noise", &parts);
        let mut blurred = delta.clone();
        let mut rng = ChaCha20Rng::from_seed(*seed.as_bytes());
        self.defence.blur(&mut blurred, labels, &mut rng);
        blurred
    }
}

/// Its seed. What is added is the job's.
impl Encode for Noise {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.seed.expose());
    }
}

impl Decode<Defence> for Noise {
    fn decode(defence: &Defence, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let seed = input.array("seed of noise")?;
        Ok(Self::new(*defence, Secret::new(seed)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::{
        acml::loss::Loss,
        job::Objective,
        privacy::{Gauge, Leak},
    };

    const ALL: [Defence; 3] = [
        Defence::MaxNorm,
        Defence::Isotropic { ratio: 2.0 },
        Defence::Marvell { power: 4.0 },
    ];

    /// A batch of an imbalanced problem of two classes, half learnt.
    fn batch(rows: usize, seed: u64) -> (Array2<f64>, Vec<usize>) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let labels: Vec<usize> = (0..rows).map(|i| usize::from(i % 4 == 0)).collect();
        let z = Array2::from_shape_fn((rows, 2), |(i, j)| {
            let right = if labels[i] == j { 0.5 } else { 0.0 };
            right + if j == 0 { 1.0 } else { 0.0 } + normal(&mut rng) * 0.5
        });
        let loss = Loss::of(Objective::CrossEntropy, &z, &labels);
        (loss.delta(), labels)
    }

    fn leak(noise: Option<&Noise>) -> Leak {
        let mut gauge = Gauge::new(2);
        for exchange in 0..40 {
            let (delta, labels) = batch(64, exchange);
            let released = match noise {
                None => delta,
                Some(noise) => noise.blurred(&delta, &labels, exchange),
            };
            gauge.observe(&released, &labels);
        }
        gauge.finish().unwrap()
    }

    #[test]
    fn each_defence_takes_from_the_attacks() {
        let open = leak(None);
        assert!(open.norm_auc > 0.9 && open.cosine_auc > 0.99, "{open:?}");
        for defence in ALL {
            let hidden = leak(Some(&Noise::new(defence, Secret::new([3; 32]))));
            assert!(hidden.norm_auc < 0.75, "{defence:?}: {hidden:?}");
            assert!(hidden.cosine_auc < 0.9, "{defence:?}: {hidden:?}");
        }
    }

    #[test]
    fn noise_is_the_exchanges_own_and_the_same_each_time() {
        let (delta, labels) = batch(16, 1);
        for defence in ALL {
            let noise = Noise::new(defence, Secret::new([1; 32]));
            let once = noise.blurred(&delta, &labels, 7);
            assert_eq!(once, noise.blurred(&delta, &labels, 7));
            assert_ne!(once, noise.blurred(&delta, &labels, 8));
            assert_ne!(once, delta);
        }
    }

    #[test]
    fn no_row_leaves_its_room() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for (rows, classes) in [(1, 2), (2, 2), (5, 2), (9, 1)] {
            let labels: Vec<usize> = (0..rows).map(|i| i % 2).collect();
            let delta = Array2::from_shape_fn((rows, classes), |(_, j)| {
                let x = (rng.next_u64() >> 12) as f64 * libm::exp2(-52.0) / rows as f64;
                if j == 0 { x } else { -x }
            });
            for defence in [
                Defence::MaxNorm,
                Defence::Isotropic { ratio: 1000.0 },
                Defence::Marvell { power: 1000.0 },
            ] {
                let noise = Noise::new(defence, Secret::new([2; 32]));
                let limit = ROOM as f64 / rows as f64 * (1.0 + 1e-12);
                for row in noise.blurred(&delta, &labels, 1).rows() {
                    assert!(row.iter().all(|x| x.abs() <= limit), "{defence:?} {row}");
                    assert!(row.iter().map(|x| x.abs()).sum::<f64>() <= 2.0 * limit);
                }
            }
        }
    }

    #[test]
    fn nonsense_is_refused_with_what_would_be_right() {
        assert_eq!(Defence::Marvell { power: 1.0 }.check(2), Ok(()));
        assert!(
            Defence::Marvell { power: 1.0 }
                .check(3)
                .unwrap_err()
                .contains("max_norm")
        );
        for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Defence::Marvell { power: x }.check(2).is_err());
            assert!(Defence::Isotropic { ratio: x }.check(2).is_err());
        }
    }
}
