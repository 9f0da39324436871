//! Initial weights: each party draws its own half, from a seed of its own.

use entente_wire::{Digest, RingMatrix, Secret};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::{
    fixed::{RangeError, Scales},
    job::Job,
    normal::normal,
};

/// What a private seed is stretched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// This party's half of the initial weights of the cut.
    Cut,
    /// The bottom network's initial weights.
    Bottom,
    /// Noise on released gradients.
    Noise,
}

/// A seed for one purpose of one job, from the seed that a party keeps to
/// itself. The job's own seed is public, so nothing private may hang on it
/// alone.
pub fn private_seed(seed: &Secret<[u8; 32]>, job: &Job, purpose: Purpose) -> Secret<[u8; 32]> {
    let purpose: &[u8] = match purpose {
        Purpose::Cut => b"cut",
        Purpose::Bottom => b"bottom",
        Purpose::Noise => b"noise",
    };
    Secret::new(
        *Digest::of(
            "entente private weights",
            &[seed.expose(), job.learns().as_bytes(), purpose],
        )
        .as_bytes(),
    )
}

/// One party's half of `W2` (`c x h`), on the grid: normal with half the
/// variance `s^2 = 2 / (h + c)` (Glorot), so that the sum of both halves has
/// all of it and neither party knows the sum.
///
/// # Errors
/// [`RangeError`] when the scales leave no room for weights at all.
pub(super) fn initial_half(
    seed: &Secret<[u8; 32]>,
    job: &Job,
    scales: Scales,
) -> Result<Secret<RingMatrix>, RangeError> {
    let (logits, width) = (job.logits(), job.width());
    let mut rng = ChaCha20Rng::from_seed(*private_seed(seed, job, Purpose::Cut).expose());
    let deviation = libm::sqrt(1.0 / (width + logits) as f64);
    let draws = Array2::from_shape_simple_fn((logits, width), || normal(&mut rng) * deviation);
    scales.weights(&draws).map(Secret::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn initial_weights_do_not_hang_on_how_long_a_key_is_used() {
        let text = include_str!("../../../deploy/iris.toml");
        let seed = |more: &str| {
            let job = Job::from_toml(&format!("{text}\n{more}")).unwrap();
            let seed = private_seed(&Secret::new([7; 32]), &job, Purpose::Cut);
            (*seed.expose(), job.digest())
        };
        let (one_key, digest) = seed("");
        let (many, other) = seed("[keys]\nrotate_every_rounds = 10");
        assert_eq!(one_key, many);
        // What the parties agree upon does.
        assert_ne!(digest, other);
    }
}
