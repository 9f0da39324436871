//! What one of many has in a gauge that all of them share.

use std::sync::atomic::{AtomicI64, Ordering};

use entente_metrics::Gauge;

/// A part of a gauge. Jobs, their ends and links come and go, and a series for each
/// would outlive it; so there is one, the sum, to which each adds what it has come
/// to have since it was last heard, and from which it takes all of it when it goes.
#[derive(Debug)]
pub(crate) struct Share {
    gauge: Gauge,
    told: AtomicI64,
}

impl Share {
    pub(super) fn new(gauge: Gauge) -> Self {
        let told = AtomicI64::new(0);
        Self { gauge, told }
    }

    /// It has so much now.
    pub(crate) fn tell(&self, amount: usize) {
        self.set(i64::try_from(amount).unwrap_or(i64::MAX));
    }

    /// Differences of what was told one after the other add up to the last of
    /// it, whichever threads told.
    fn set(&self, amount: i64) {
        let before = self.told.swap(amount, Ordering::Relaxed);
        self.gauge.add(amount - before);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}
