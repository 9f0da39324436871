//! What is measured of one link.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use entente_metrics::{Family, Gauge, Level};
use entente_protocol::job::PartyName;

use super::Share;

/// What is measured of one link: what waits to be written, and how long a ping takes.
#[derive(Debug)]
pub(crate) struct LinkMeters {
    queue: Share,
    round_trip: Family<Level, 1>,
    peer: PartyName,
    /// The last ping that has not been answered.
    ping: Mutex<Option<(u64, Instant)>>,
}

impl LinkMeters {
    pub(super) fn new(queue: Gauge, round_trip: Family<Level, 1>, peer: &PartyName) -> Self {
        Self {
            queue: Share::new(queue),
            round_trip,
            peer: peer.clone(),
            ping: Mutex::default(),
        }
    }

    /// So many frames wait to be written.
    pub(crate) fn queued(&self, frames: usize) {
        self.queue.tell(frames);
    }

    /// A ping is on its way.
    pub(crate) fn pinged(&self, number: u64) {
        *self.ping() = Some((number, Instant::now()));
    }

    /// A ping was answered, or the peer says so: what was not asked, or was answered
    /// before, tells nothing.
    pub(crate) fn answered(&self, number: u64) {
        let mut ping = self.ping();
        if let Some((_, since)) = ping.take_if(|(asked, _)| *asked == number) {
            let took = since.elapsed().as_secs_f64();
            self.round_trip.with([self.peer.as_str()]).set(took);
        }
    }

    /// Whole whenever the lock is free.
    fn ping(&self) -> MutexGuard<'_, Option<(u64, Instant)>> {
        self.ping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_metrics::{LINK_QUEUE, LINK_ROUND_TRIP, Registry, Sight};

    use crate::telemetry::Meters;

    #[test]
    fn an_answer_counts_once_and_only_to_a_ping() {
        let registry = Registry::new().unwrap();
        let meters = Meters::new(registry.clone());
        let peer = "bank-b".parse().unwrap();
        let link = meters.new_link(&peer);
        let told = || {
            let text = registry.render(Sight::Everything).unwrap();
            text.contains(&format!("{}{{", LINK_ROUND_TRIP.name()))
        };
        link.answered(1);
        link.pinged(1);
        link.answered(2);
        assert!(!told(), "an answer to nothing");
        link.answered(1);
        assert!(told());
        meters.link_gone(&peer);
        link.answered(1);
        assert!(!told(), "answered a second time");

        let queue = registry.family(&LINK_QUEUE).with(["bank-b"]);
        link.queued(3);
        assert_eq!(queue.value(), 3);
        drop(link);
        assert_eq!(queue.value(), 0);
    }
}
