//! A role at rest, as it survives its process.

use std::fmt;

use entente_protocol::{control::Progress, score::Score};
use entente_wire::Secret;

/// Everything from which a session goes on after an exchange: what the next
/// exchanges depend on, and what was counted of the last ones.
pub struct Checkpoint {
    /// Exchanges that are done.
    pub exchanges_done: u64,
    /// What was counted of them.
    pub counts: Counts,
    /// As the role has written it: weights, shares, keys, seeds.
    pub role: Secret<Vec<u8>>,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.role.expose().len();
        write!(f, "Checkpoint({} done, {bytes} bytes)", self.exchanges_done)
    }
}

/// How far a job is, and the sums from which that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// As it is told.
    pub progress: Progress,
    /// Of the running epoch's mini-batches.
    pub learnt: Score,
    /// Of the running epoch's look at the validation rows.
    pub validated: Score,
    /// Of the test rows gone through.
    pub tested: Score,
}
