//! How long a job has waited, and what for.

use std::time::Instant;

use entente_metrics::{FOR_COORDINATOR, FOR_DISK, FOR_PEER, FOR_RESUMPTION, FOR_WORKER};

use super::Meters;
use crate::driver::{Awaited, Standing};

/// Measures how long a job waits, and what for. It counts up to now with every turn, so a
/// wait that lasts is seen while it does.
#[derive(Debug)]
pub(crate) struct Waited {
    /// One of [`WAITED_FOR`](entente_metrics::WAITED_FOR).
    what: Option<&'static str>,
    since: Instant,
}

impl Waited {
    /// It waits for nothing.
    pub(crate) fn nothing(now: Instant) -> Self {
        let what = None;
        Self { what, since: now }
    }

    /// From now on it waits for this.
    pub(crate) fn turn(&mut self, now: Instant, what: Option<&'static str>, meters: &Meters) {
        let waited = now.saturating_duration_since(self.since);
        if let Some(what) = self.what {
            meters.waited(what, waited);
        }
        self.what = what;
        self.since = now;
    }
}

/// What a job that stands so waits for. Whether it waits for a message of its peer does
/// not show in where it stands.
pub(crate) fn awaited(standing: &Standing) -> Option<&'static str> {
    match standing {
        Standing::Waiting { what, .. } => match what {
            Awaited::Grant => Some(FOR_COORDINATOR),
            Awaited::Link(_) | Awaited::Version { .. } => Some(FOR_PEER),
            Awaited::Disk(_) => Some(FOR_DISK),
            Awaited::Worker(_) => Some(FOR_WORKER),
            // The worker counts it.
            Awaited::AtWorker(_) => None,
        },
        Standing::Held => Some(FOR_RESUMPTION),
        Standing::Preparing | Standing::Running | Standing::Finished | Standing::Failed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use entente_metrics::{Registry, WAITED_FOR, WAITING_SECONDS};

    use super::*;

    #[test]
    fn waits_are_counted_while_they_last_and_each_for_its_own() {
        let registry = Registry::new().unwrap();
        let meters = Meters::new(registry.clone());
        let seconds =
            || WAITED_FOR.map(|what| registry.family(&WAITING_SECONDS).with([what]).seconds());
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut waited = Waited::nothing(begun);
        let peer = Standing::Waiting {
            what: Awaited::Link("bank-b".parse().unwrap()),
            since: begun,
        };
        waited.turn(at(5), awaited(&peer), &meters);
        assert_eq!(seconds(), [0.0; WAITED_FOR.len()]);
        waited.turn(at(7), awaited(&peer), &meters);
        assert_eq!(seconds()[1], 2.0);
        waited.turn(at(8), awaited(&Standing::Held), &meters);
        waited.turn(at(12), awaited(&Standing::Running), &meters);
        waited.turn(at(90), None, &meters);
        assert_eq!(seconds(), [0.0, 3.0, 0.0, 0.0, 4.0, 0.0]);
    }
}
