//! Normal draws, the same on every platform.

use rand::Rng;
use rand_chacha::ChaCha20Rng;

/// A standard normal draw (Box and Muller), the same on every platform.
pub(crate) fn normal(rng: &mut ChaCha20Rng) -> f64 {
    // 53 bits each; the first in (0, 1], so that its logarithm is finite.
    let unit = |x: u64| (x >> 11) as f64 * libm::exp2(-53.0);
    let radius = 1.0 - unit(rng.next_u64());
    let angle = unit(rng.next_u64());
    libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(2.0 * core::f64::consts::PI * angle)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn draws_are_standard_normal() {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }
}
