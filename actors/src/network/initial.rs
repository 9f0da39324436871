//! What is drawn: initial weights, and which values a dropout drops.

use entente_wire::{Digest, Secret};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Glorot and Bengio (2010), "Understanding the difficulty of training deep
/// feedforward neural networks", equation 16: uniform within
/// `sqrt(6 / (inputs + outputs))` of zero.
pub(super) struct Glorot {
    rng: ChaCha20Rng,
}

impl Glorot {
    /// Draws from `seed`, one layer after the other.
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed(*seed),
        }
    }

    /// The weights of a dense layer, `units x inputs`, row-major. (Drawn input
    /// by input.)
    pub(super) fn dense(&mut self, inputs: usize, units: usize) -> Vec<f32> {
        let drawn = self.draw(inputs * units, inputs, units);
        let of_unit = |unit| drawn.iter().copied().skip(unit).step_by(units);
        (0..units).flat_map(of_unit).collect()
    }

    /// The weights of a convolution, `outputs x inputs x points`, row-major,
    /// where each output sees `points` points.
    pub(super) fn convolution(&mut self, inputs: usize, outputs: usize, points: usize) -> Vec<f32> {
        self.draw(outputs * inputs * points, inputs * points, outputs * points)
    }

    fn draw(&mut self, count: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
        let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
        let mut draw = || {
            // 53 bits in [0, 1): every value is representable, and the one
            // rounding is that to f32.
            let unit = (self.rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            ((2.0 * unit - 1.0) * limit) as f32
        };
        (0..count).map(|_| draw()).collect()
    }
}

/// Draws which values are dropped. Each mask hangs on the seed, the layer's
/// place and the round, and on nothing that was drawn before: a job that is
/// resumed in the middle draws the same.
pub(super) struct Drops {
    seed: Secret<[u8; 32]>,
}

impl Drops {
    /// From the network's seed; apart from its weights, which are drawn from
    /// that seed itself.
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let seed = Digest::of("entente dropout", &[seed]);
        Self {
            seed: Secret::new(*seed.as_bytes()),
        }
    }

    /// `count` factors for the layer at `place` in `round`: 0 for the part
    /// `rate` of them, and for the rest what makes the mean 1.
    pub(super) fn mask(&self, place: &[usize], round: u64, rate: f64, count: usize) -> Vec<f32> {
        let place: Vec<u8> = place
            .iter()
            .flat_map(|place| (*place as u64).to_be_bytes())
            .collect();
        let seed = Digest::of(
            "entente dropout mask",
            &[self.seed.expose(), &place, &round.to_be_bytes()],
        );
        let mut rng = ChaCha20Rng::from_seed(*seed.as_bytes());
        let kept = (1.0 / (1.0 - rate)) as f32;
        let below = rate * 2_f64.powi(32);
        let mut draw = || match f64::from(rng.next_u32()) < below {
            true => 0.0,
            false => kept,
        };
        (0..count).map(|_| draw()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_fill_the_interval_evenly() {
        let limit = (6.0_f64 / 200.0).sqrt();
        let draws = Glorot::new(&[3; 32]).dense(100, 100);
        let largest = draws.iter().fold(0.0_f64, |a, x| a.max(f64::from(x.abs())));
        assert!(largest <= limit && largest > 0.99 * limit);
        let n = draws.len() as f64;
        let mean = draws.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let square = draws.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.03 * limit, "mean {mean}");
        assert!((square / (limit * limit / 3.0) - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_mask_drops_its_part_and_keeps_the_mean() {
        let mask = Drops::new(&[3; 32]).mask(&[2], 7, 0.25, 40_000);
        let dropped = mask.iter().filter(|x| **x == 0.0).count();
        assert!((9_700..10_300).contains(&dropped), "{dropped}");
        let mean = mask.iter().map(|x| f64::from(*x)).sum::<f64>() / 40_000.0;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
    }

    #[test]
    fn a_mask_is_that_of_its_seed_layer_and_round() {
        let mask =
            |seed, place: &[usize], round| Drops::new(&[seed; 32]).mask(place, round, 0.5, 64);
        let first = mask(1, &[2, 0], 5);
        assert_eq!(first, mask(1, &[2, 0], 5));
        for other in [mask(2, &[2, 0], 5), mask(1, &[2], 5), mask(1, &[2, 0], 6)] {
            assert_ne!(first, other);
        }
    }
}
