//! Whether two piles of times are from one distribution, as far as their means
//! can tell.
//!
//! Source: O. Reparaz, J. Balasch and I. Verbauwhede, "Dude, is my code constant
//! time?", DATE 2017. Welch's t of the two classes; and since a clock's slow
//! tail is the machine's and not the code's, once more without the slowest
//! tenth, without the slower half, and so on. The bounds of a crop come from
//! both classes together, so that cropping favours neither.

/// The shares of the times that are kept, fastest first.
const KEPT: [f64; 6] = [1.0, 0.99, 0.95, 0.9, 0.75, 0.5];

/// Above this |t| a difference is likely enough to be looked into; without one
/// it is exceeded once in some hundred thousand times.
pub(super) const SUSPICIOUS: f64 = 4.5;

/// The greatest |t| over all crops, for times with their classes; 0 where a
/// class is all but empty.
pub(super) fn greatest_t(samples: &[(bool, f64)]) -> f64 {
    let mut sorted: Vec<f64> = samples.iter().map(|(_, time)| *time).collect();
    sorted.sort_by(f64::total_cmp);
    KEPT.iter()
        .map(|share| {
            let last = (share * sorted.len() as f64).ceil() as usize;
            let bound = last.checked_sub(1).and_then(|last| sorted.get(last));
            let bound = bound.copied().unwrap_or(f64::INFINITY);
            t(samples.iter().filter(|(_, time)| *time <= bound)).abs()
        })
        .fold(0.0, f64::max)
}

/// Welch's t: the difference of the means in units of its own deviation.
fn t<'a>(samples: impl Iterator<Item = &'a (bool, f64)>) -> f64 {
    let mut classes = [Moments::default(); 2];
    for (class, time) in samples {
        classes[usize::from(*class)].add(*time);
    }
    let [one, other] = classes;
    if one.count < 2.0 || other.count < 2.0 {
        return 0.0;
    }
    let deviation = (one.variance() / one.count + other.variance() / other.count).sqrt();
    match one.mean - other.mean {
        0.0 => 0.0,
        difference => difference / deviation,
    }
}

/// Mean and variance as they come in (B. P. Welford, Technometrics 4(3), 1962):
/// sums of squares of times would cancel.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    /// Sum of squared differences from the mean.
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.count += 1.0;
        let before = x - self.mean;
        self.mean += before / self.count;
        self.squares += before * (x - self.mean);
    }

    fn variance(self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    /// Times of about 1000 with a slow tail, the one class slower by `planted`.
    fn times(seed: u64, planted: f64, tail_only: bool) -> Vec<(bool, f64)> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut uniform = || rng.next_u32() as f64 / u32::MAX as f64;
        (0..20_000)
            .map(|_| {
                let class = uniform() < 0.5;
                let noise: f64 = (0..4).map(|_| uniform()).sum();
                let interrupted = uniform() < 0.03;
                let tail = if interrupted {
                    5_000.0 * uniform()
                } else {
                    0.0
                };
                let shift = if class && interrupted == tail_only {
                    planted
                } else {
                    0.0
                };
                (class, 1_000.0 + 10.0 * noise + tail + shift)
            })
            .collect()
    }

    #[test]
    fn times_of_one_distribution_are_not_told_apart() {
        for seed in 0..8 {
            let t = greatest_t(&times(seed, 0.0, false));
            assert!(t < SUSPICIOUS, "seed {seed}: {t}");
        }
    }

    /// One in a thousand, under a tail that hides it from a mean over all.
    #[test]
    fn a_small_difference_shows_when_the_tail_is_cropped() {
        for seed in 0..8 {
            let samples = times(seed, 1.0, false);
            assert!(t(samples.iter()).abs() < SUSPICIOUS, "seed {seed}");
            assert!(greatest_t(&samples) > SUSPICIOUS, "seed {seed}");
        }
    }

    /// Of rare slow times too: the first crop keeps everything.
    #[test]
    fn a_difference_in_the_tail_alone_shows_as_well() {
        assert!(greatest_t(&times(1, 20_000.0, true)) > SUSPICIOUS);
    }

    #[test]
    fn it_is_the_t_of_the_textbook() {
        // Means 2 and 6, variances 1 and 4, counts 3 and 3.
        let samples = [1.0, 2.0, 3.0].map(|x| (false, x));
        let others = [4.0, 6.0, 8.0].map(|x| (true, x));
        let got = t(samples.iter().chain(&others));
        assert!((got + 4.0 / (5.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{got}");
        assert_eq!(greatest_t(&samples), 0.0);
        assert_eq!(greatest_t(&[]), 0.0);
    }
}
