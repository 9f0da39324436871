//! What one end of a scheme has in a gauge that all ends share.

use std::sync::atomic::{AtomicI64, Ordering};

use entente_metrics::Gauge;

/// A part of a gauge. Ends come and go with their jobs, and a series for each
/// would outlive it; so there is one, the sum, to which every end adds what it
/// has come to have since it was last heard, and from which it takes all of it
/// when it goes.
#[derive(Debug)]
pub(super) struct Depth {
    gauge: Gauge,
    told: AtomicI64,
}

impl Depth {
    pub(super) fn new(gauge: Gauge) -> Self {
        let told = AtomicI64::new(0);
        Self { gauge, told }
    }

    /// The end has so much now.
    pub(super) fn tell(&self, depth: usize) {
        self.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// Differences of what was told one after the other add up to the last of
    /// it, whichever threads told.
    fn set(&self, depth: i64) {
        let before = self.told.swap(depth, Ordering::Relaxed);
        self.gauge.add(depth - before);
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        self.set(0);
    }
}
