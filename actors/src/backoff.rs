//! How long to wait before trying again. The only place that knows.
//!
//! Full jitter: the wait is drawn evenly between a floor (none, mostly) and a
//! ceiling that doubles with every attempt. When a coordinator or a link comes back, those
//! who lost it together do not return together (M. Brooker, "Exponential
//! Backoff and Jitter", AWS Architecture Blog, 2015).

use std::time::Duration;

use rand::{Rng, RngExt};

/// The shape of a series of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// No wait is shorter.
    pub least: Duration,
    /// Ceiling of the first wait.
    pub first: Duration,
    /// Ceiling of all later ones.
    pub longest: Duration,
}

impl Waits {
    /// Dialling a peer that does not answer.
    pub const DIAL: Self = Self::new(0, 100, 5_000);
    /// A coordinator that does not answer.
    pub const SYNC: Self = Self::new(0, 200, 10_000);
    /// A message that the peer refused for the moment.
    pub const REFUSED: Self = Self::new(0, 50, 2_000);
    /// A message that was sent and is not acknowledged. On a line that stands
    /// it arrives by itself, if slowly; sending it again too soon would make
    /// the slow line slower.
    pub const UNACKNOWLEDGED: Self = Self::new(10_000, 20_000, 120_000);
    /// Records that a disk does not take: somebody must make room first.
    pub const UNKEPT: Self = Self::new(100, 500, 10_000);

    /// A party that a worker does not reach.
    pub const PARTY: Self = Self::new(0, 200, 5_000);
    /// A worker that has ended, and is to be started again.
    pub const WORKER: Self = Self::new(100, 500, 30_000);

    const fn new(least_ms: u64, first_ms: u64, longest_ms: u64) -> Self {
        Self {
            least: Duration::from_millis(least_ms),
            first: Duration::from_millis(first_ms),
            longest: Duration::from_millis(longest_ms),
        }
    }
}

/// A running series of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    waits: Waits,
    attempts: u32,
}

impl Backoff {
    /// At its beginning.
    pub fn new(waits: Waits) -> Self {
        Self { waits, attempts: 0 }
    }

    /// The wait before the next attempt.
    pub fn next_wait(&mut self, rng: &mut (impl Rng + ?Sized)) -> Duration {
        let ceiling = self.ceiling();
        self.attempts = self.attempts.saturating_add(1);
        let least = self.waits.least.min(ceiling);
        least + (ceiling - least).mul_f64(rng.random_range(0.0..=1.0))
    }

    /// Attempts since the last success.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// An attempt succeeded: the next series begins anew.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    fn ceiling(&self) -> Duration {
        let factor = 2_u32.checked_pow(self.attempts).unwrap_or(u32::MAX);
        self.waits
            .first
            .saturating_mul(factor)
            .min(self.waits.longest)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_longest_wait_and_starts_anew() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut backoff = Backoff::new(Waits::new(90, 100, 450));
        for ceiling_ms in [100, 200, 400, 450, 450] {
            assert_eq!(backoff.ceiling(), Duration::from_millis(ceiling_ms));
            let wait = backoff.next_wait(&mut rng);
            assert!((90..=ceiling_ms).contains(&(wait.as_millis() as u64)));
        }
        backoff.reset();
        assert_eq!(backoff.ceiling(), Duration::from_millis(100));
    }

    #[test]
    fn no_number_of_attempts_overflows() {
        let backoff = Backoff {
            waits: Waits::DIAL,
            attempts: u32::MAX,
        };
        assert_eq!(backoff.ceiling(), Waits::DIAL.longest);
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let waits: Vec<_> = (0..200)
            .map(|_| Backoff::new(Waits::new(0, 1_000, 1_000)).next_wait(&mut rng))
            .collect();
        assert!(waits.iter().any(|wait| wait.as_millis() < 100));
        assert!(waits.iter().any(|wait| wait.as_millis() > 900));
    }
}
