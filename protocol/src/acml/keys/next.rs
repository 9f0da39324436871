//! Where the next key comes from.

use std::sync::Arc;

use entente_he::{Backend, HeError, KeyOwner, Rng, Scheme};

use crate::job::Job;

/// Makes the keys that follow the first. The role asks at each rest after which
/// there is an exchange to announce one in and a round to use it for.
///
/// It knows what a role does not: a clock, threads, and people who want another
/// key. Whether it has one is chance to the role, as randomness is, and what the
/// role makes of it is in its checkpoint before anybody hears of it.
pub trait NextKeys<S: Scheme>: Send {
    /// The next key, if there is one and it is time. With [`Turn::Overdue`] it
    /// waits for one.
    ///
    /// # Errors
    /// [`HeError`] when none can be made.
    fn next(&mut self, wanted: Wanted) -> Result<Option<Arc<dyn KeyOwner<S>>>, HeError>;
}

/// What is asked of [`NextKeys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The number of the key in use.
    pub epoch: u32,
    /// Since when it is: milliseconds since 1970-01-01 UTC.
    pub since_ms: u64,
    /// Whether its rounds are over.
    pub turn: Turn,
}

/// Whether a key has had the rounds that the job gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Not yet: another one is for other reasons.
    Early,
    /// Yes.
    Due,
    /// So long ago that no round may follow.
    Overdue,
}

/// Makes each key when it is due, there and then: for two roles in one place,
/// where nobody waits but whoever wants to.
pub struct MadeInTurn<S: Scheme> {
    backend: Arc<dyn Backend<S>>,
    job: Job,
    rng: Box<Rng>,
}

impl<S: Scheme> MadeInTurn<S> {
    /// For a job.
    pub fn new(backend: Arc<dyn Backend<S>>, job: &Job, rng: Box<Rng>) -> Self {
        Self {
            backend,
            job: job.clone(),
            rng,
        }
    }
}

impl<S: Scheme> NextKeys<S> for MadeInTurn<S> {
    fn next(&mut self, wanted: Wanted) -> Result<Option<Arc<dyn KeyOwner<S>>>, HeError> {
        if wanted.turn == Turn::Early {
            return Ok(None);
        }
        let (bits, bounds) = (self.job.key_bits(), self.job.bounds());
        self.backend
            .generate(bits, bounds, &mut *self.rng)
            .map(Some)
    }
}
