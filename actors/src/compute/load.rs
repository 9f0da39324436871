//! Whether there is something to compute.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst, fence},
    },
    thread::{self, Thread},
};

/// How many tasks a pool is asked for and has not done, for a thread that wants
/// to wait until there are none.
///
/// Without a lock: the one who waits may have a priority so low that it is not
/// run for a while, and a lock that it holds then would stop a round.
#[derive(Debug, Default)]
pub(crate) struct Load {
    open: AtomicUsize,
    /// Ends of tasks, and nudges.
    events: AtomicU64,
    /// Who waits: one thread, always the same.
    waiter: OnceLock<Thread>,
}

/// A task that is asked for, until it is dropped.
#[derive(Debug)]
pub(super) struct Asked(Arc<Load>);

impl Load {
    pub(super) fn ask(self: &Arc<Self>) -> Asked {
        self.open.fetch_add(1, SeqCst);
        Asked(self.clone())
    }

    /// Whether nothing is asked for now.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.load(SeqCst) == 0
    }

    /// Waits until nothing is asked for and something has happened since the
    /// event `seen` (0 for the first time); the event to say the next time.
    pub(crate) fn idle_after(&self, seen: u64) -> u64 {
        self.waiter.get_or_init(thread::current);
        // Either this thread sees an event, or the event sees this thread.
        fence(SeqCst);
        loop {
            let events = self.events.load(SeqCst);
            if events != seen && self.is_idle() {
                return events;
            }
            thread::park();
        }
    }

    /// Makes the one who waits look again.
    pub(crate) fn nudge(&self) {
        self.events.fetch_add(1, SeqCst);
        fence(SeqCst);
        if let Some(waiter) = self.waiter.get() {
            waiter.unpark();
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, SeqCst);
        self.0.nudge();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc;

    use super::*;

    #[test]
    fn who_waits_is_woken_when_every_task_has_ended_and_by_every_nudge() {
        let load = Arc::new(Load::default());
        assert!(load.is_idle());
        let (first, second) = (load.ask(), load.ask());
        let (tell, told) = mpsc::channel();
        let waits = thread::spawn({
            let load = load.clone();
            move || {
                let mut seen = 0;
                while seen < 3 {
                    seen = load.idle_after(seen);
                    tell.send(seen).unwrap();
                }
            }
        });
        drop(first);
        assert!(!load.is_idle());
        assert!(told.try_recv().is_err(), "woken beside a task");
        drop(second);
        // After the last of both, though perhaps before its event is counted.
        assert!([1, 2].contains(&told.recv().unwrap()));
        load.nudge();
        assert_eq!(told.iter().last(), Some(3));
        waits.join().unwrap();
    }
}
