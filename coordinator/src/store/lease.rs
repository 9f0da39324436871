//! Who may write: one coordinator at a time.
//!
//! ```text
//!   replica A            store                     replica B
//!      |── take ────────▶ leader A, token 7           |
//!      |── write (7) ───▶ kept                        |
//!      ⋮  paused          expires ◀──────── take ─────|
//!      ⋮                  leader B, token 8           |
//!      |── write (7) ───▶ refused, nothing written    |
//! ```
//!
//! The engine thinks in memory, so several coordinators cannot think at once:
//! one leads, by a lease that it renews, and the others stand by. A lease for
//! each job would spread the jobs over replicas, but scheduling looks at all of
//! them together (what is free at a party is what no job has), and the work is
//! the parties' own; with one leader a job's lease is the leader's.
//!
//! A lease that expires by the clock is not enough. A process can be stopped
//! between its last look at the clock and its write, for as long as one likes.
//! So each taking has a larger token than the last, every write names its
//! token, and the store refuses those of the past in the transaction of the
//! write itself (M. Kleppmann, "How to do distributed locking", 2016). The
//! clock decides when somebody else may begin, never whether a write is good;
//! and it is the store's clock alone, so that replicas need not agree on time.

use std::time::Duration;

use async_trait::async_trait;

use super::{Store, StoreError};

/// The number of a taking of the lease; the next one's is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// A store that may be written to by who leads.
#[async_trait]
pub trait Leases: Send + Sync + 'static {
    /// The store, as the one who leads has it.
    type Lead: Lead;

    /// Takes the lease, if nobody has it.
    ///
    /// `address` is where the one who asks can be reached: others are sent
    /// there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    async fn take(&self, address: &str) -> Result<Taking<Self::Lead>, StoreError>;

    /// Lets go of files and connections. Nothing is asked afterwards.
    async fn close(&self);
}

/// What came of asking for the lease.
#[derive(Debug)]
pub enum Taking<L> {
    /// It is the one's who asked.
    Taken {
        /// To write with.
        store: L,
        /// For how long, from before it was asked for; none: until the store is
        /// closed.
        life: Option<Duration>,
    },
    /// It is somebody else's.
    Held {
        /// Where that one can be reached, if it is known.
        by: Option<String>,
    },
}

/// A store, as the one who leads has it: under the token of its taking.
#[async_trait]
pub trait Lead: Store + Clone {
    /// Which taking this is.
    fn token(&self) -> Token;

    /// Keeps the lease for another life, from now on.
    ///
    /// # Errors
    /// [`StoreError::Deposed`] when somebody else has it.
    async fn renew(&self) -> Result<(), StoreError>;

    /// Gives the lease back, so that nobody need wait for its end. Nothing, if
    /// somebody else has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    async fn release(&self) -> Result<(), StoreError>;
}
