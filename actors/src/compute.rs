//! The pool in which steps are computed.
//!
//! A step of homomorphic encryption takes seconds to minutes. It is moved in
//! here and its result comes back as a message, so that the mailbox that sent
//! it goes on to answer heartbeats, cancellation and metrics. Code inside uses
//! rayon's current pool, which is this one: a party computes on as many
//! threads as its configuration says, however many jobs it has.

mod load;
mod occupancy;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::telemetry::Meters;

pub(crate) use load::Load;
use occupancy::Occupancy;

/// A pool of threads that outlives any task.
#[derive(Debug, Clone)]
pub struct ComputePool {
    threads: Arc<ThreadPool>,
    load: Arc<Load>,
    /// Where it tells what waits and what is computed, if anywhere.
    occupancy: Option<Occupancy>,
}

/// A task panicked. It was the task's job that ended, not the process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a computation panicked: {message}")]
pub struct Panicked {
    /// What the panic said. For this party's own log: it may quote data.
    pub message: String,
}

impl ComputePool {
    /// With `threads` threads (1 at least).
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn new(threads: usize) -> Result<Self, ThreadPoolBuildError> {
        ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|index| format!("compute-{index}"))
            .build()
            .map(|threads| Self {
                threads: Arc::new(threads),
                load: Arc::default(),
                occupancy: None,
            })
    }

    /// The same pool, whose tasks are counted.
    pub(crate) fn measured(self, meters: &Meters) -> Self {
        let occupancy = Some(Occupancy::new(meters, self.threads()));
        Self { occupancy, ..self }
    }

    /// Threads that it has.
    pub fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// What it is asked for, to be watched.
    pub(crate) fn load(&self) -> Arc<Load> {
        self.load.clone()
    }

    /// Computes `task` on a thread of the pool, in the order of asking, and
    /// hands the result to `deliver` there.
    pub fn compute<T>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
        deliver: impl FnOnce(Result<T, Panicked>) + Send + 'static,
    ) {
        let asked = self.load.ask();
        let waits = self.occupancy.as_ref().map(Occupancy::waits);
        self.threads.spawn_fifo(move || {
            let runs = waits.map(|waits| waits.runs());
            // What the task owned is gone when it panics, so there is nothing
            // left to be seen half changed.
            let outcome = catch_unwind(AssertUnwindSafe(task));
            drop((asked, runs));
            deliver(outcome.map_err(|panic| Panicked::new(&*panic)));
        });
    }
}

impl Panicked {
    /// From what a panic carried.
    pub(crate) fn new(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self {
            message: text.unwrap_or("without a message").to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::mpsc;

    use super::*;

    fn run<T: Send + 'static>(
        pool: &ComputePool,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let (tell, told) = mpsc::channel();
        pool.compute(task, move |result| tell.send(result).unwrap());
        told.recv().unwrap()
    }

    #[test]
    fn a_panic_is_the_tasks_own_affair() {
        let pool = ComputePool::new(1).unwrap();
        let failed = run(&pool, || -> u8 { panic!("index {} is wrong", 7) });
        assert_eq!(failed.unwrap_err().message, "index 7 is wrong");
        assert_eq!(run(&pool, || 6 * 7), Ok(42));
    }

    #[test]
    fn tasks_see_the_pool_as_the_current_one() {
        let pool = ComputePool::new(3).unwrap();
        assert_eq!(run(&pool, rayon::current_num_threads), Ok(3));
    }

    #[test]
    fn a_pool_has_at_least_one_thread() {
        let pool = ComputePool::new(0).unwrap();
        assert_eq!(run(&pool, rayon::current_num_threads), Ok(1));
    }
}
