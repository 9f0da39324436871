//! Work ahead of the rounds, in the time that nobody needs.
//!
//! A party waits for its peer half of the time, and what it does then is
//! randomness that its next message needs anyway (see
//! [`Ahead`]). The scheme cannot know when a machine is idle, and a driver knows
//! no threads, so it is done from here:
//!
//! ```text
//!   compute pool ── Load: is anything asked for? ──▶ ┌────────────┐ advance  ┌─────────────┐
//!                                                    │ Background │─────────▶│ ends of all │
//!   backend.generate, .evaluator ── a new end ─────▶ └────────────┘          │ jobs (Weak) │
//!                                                                            └─────────────┘
//! ```
//!
//! It must never slow a round down, so
//! - a piece of work is begun only while nothing is asked of the compute pool,
//!   and takes some milliseconds;
//! - its threads have the lowest priority there is (on Linux). What else wants
//!   the cores gets them at once: a step that arrives in the middle of a piece,
//!   other processes, another party on the same machine;
//! - a step never waits for it: what is not ready is made by the step.
//!
//! To do this in the compute pool itself, as one more task, was refused: its
//! threads have the priority of a round, and a step would queue behind.
//!
//! Ends are held weakly. A job that ends takes its ends with it, and what was
//! made for them is wiped there and then, or when the piece that is under way
//! for them is done.

mod backend;

#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use entente_he::{Ahead, Rng};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::{
    compute::{ComputePool, Load, Panicked},
    entropy,
};

pub(crate) use backend::WorksAhead;

/// Threads that work ahead until this is dropped.
#[derive(Debug)]
pub(crate) struct Background {
    desk: Arc<Desk>,
    /// They end with this, after the piece that they are at.
    _threads: ThreadPool,
}

/// What the threads look at.
struct Desk {
    load: Arc<Load>,
    ends: Mutex<Vec<Weak<dyn Ahead>>>,
    closed: AtomicBool,
}

impl Background {
    /// Beside a compute pool, with as many threads.
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub(crate) fn start(beside: &ComputePool) -> Result<Self, ThreadPoolBuildError> {
        let desk = Arc::new(Desk {
            load: beside.load(),
            ends: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let threads = ThreadPoolBuilder::new()
            .num_threads(beside.threads())
            .thread_name(|index| format!("ahead-{index}"))
            .start_handler(|_| yield_to_everyone())
            .build()?;
        let at = desk.clone();
        // In the pool: what an end spreads over threads is spread over these.
        threads.spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| at.work())) {
                let panicked = Panicked::new(&*panic);
                tracing::error!(%panicked, "a defect: nothing is made ahead any more, and rounds take longer");
            }
        });
        Ok(Self {
            desk,
            _threads: threads,
        })
    }

    /// Works for an end from now on, as long as somebody else has it.
    pub(crate) fn serve(&self, end: Weak<dyn Ahead>) {
        self.desk.ends().push(end);
        self.desk.load.nudge();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.desk.closed.store(true, Ordering::Release);
        self.desk.load.nudge();
    }
}

impl Desk {
    fn work(&self) {
        let mut rng = match entropy::generator() {
            Ok(rng) => rng,
            Err(error) => {
                tracing::warn!(%error, "nothing is made ahead, and rounds take longer");
                return;
            }
        };
        let mut seen = 0;
        loop {
            // Values are used up by tasks, and new ends are announced.
            seen = self.load.idle_after(seen);
            while self.goes_on() && self.advance(&mut rng) {}
            if self.is_closed() {
                return;
            }
        }
    }

    /// A piece for each end in turn; whether there was any to do.
    fn advance(&self, rng: &mut Rng) -> bool {
        let ends = {
            let mut ends = self.ends();
            ends.retain(|end| end.strong_count() > 0);
            ends.clone()
        };
        let mut advanced = false;
        for end in ends {
            if !self.goes_on() {
                break;
            }
            // Held for this piece alone.
            if let Some(end) = end.upgrade() {
                advanced |= end.advance(rng);
            }
        }
        advanced
    }

    fn goes_on(&self) -> bool {
        !self.is_closed() && self.load.is_idle()
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A list is whole whenever the lock is free.
    fn ends(&self) -> MutexGuard<'_, Vec<Weak<dyn Ahead>>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl core::fmt::Debug for Desk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Desk")
            .field("ends", &self.ends().len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Gives the calling thread the lowest priority. Linux counts it by the thread;
/// other systems by the process, of which they are not asked.
fn yield_to_everyone() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::debug!(%error, "threads that work ahead keep their priority");
    }
}

/// The niceness of a thread that has time.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;
