//! Who is to be woken for whom: for a party whose wish has changed, for a job of
//! which something has.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// Who is to be woken for whom.
pub(super) struct Waiting<K>(Mutex<HashMap<K, watch::Sender<()>>>);

impl<K> Default for Waiting<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Waiting<K> {
    pub(super) fn subscribe(&self, whom: &K) -> watch::Receiver<()> {
        let mut senders = self.senders();
        let sender = senders
            .entry(whom.clone())
            .or_insert_with(|| watch::Sender::new(()));
        sender.subscribe()
    }

    pub(super) fn wake(&self, whom: &K) {
        let mut senders = self.senders();
        let Some(sender) = senders.get(whom) else {
            return;
        };
        sender.send_replace(());
        // Nobody waits any more, and there are many jobs.
        if sender.receiver_count() == 0 {
            senders.remove(whom);
        }
    }

    /// Whatever anybody waits for has changed.
    pub(super) fn wake_all(&self) {
        for sender in self.senders().values() {
            sender.send_replace(());
        }
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<K, watch::Sender<()>>> {
        // Nothing can be half done in there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
