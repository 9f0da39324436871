//! Who is to be woken for which party.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use entente_protocol::job::PartyName;
use tokio::sync::watch;

/// Who is to be woken for which party.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<PartyName, watch::Sender<()>>>);

impl Waiting {
    pub(super) fn subscribe(&self, party: &PartyName) -> watch::Receiver<()> {
        let mut senders = self.senders();
        let sender = senders
            .entry(party.clone())
            .or_insert_with(|| watch::Sender::new(()));
        sender.subscribe()
    }

    pub(super) fn wake(&self, party: &PartyName) {
        if let Some(sender) = self.senders().get(party) {
            sender.send_replace(());
        }
    }

    /// Whatever anybody waits for has changed.
    pub(super) fn wake_all(&self) {
        for sender in self.senders().values() {
            sender.send_replace(());
        }
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<PartyName, watch::Sender<()>>> {
        // Nothing can be half done in there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
