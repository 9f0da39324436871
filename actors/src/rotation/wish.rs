//! What is wished of a job's key, shared between its mailbox and its role.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// The number of the key that a job shall have come to, at least.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyWish(Arc<AtomicU32>);

impl KeyWish {
    /// Wishes for this one.
    pub(crate) fn at_least(&self, epoch: u32) {
        self.0.fetch_max(epoch, Ordering::Relaxed);
    }

    /// Whether a job that is at key `epoch` has not come there.
    pub(crate) fn is_beyond(&self, epoch: u32) -> bool {
        self.0.load(Ordering::Relaxed) > epoch
    }
}
