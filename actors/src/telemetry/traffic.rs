//! What is measured of messages and links.

use entente_metrics::{
    COORDINATOR_SYNC, LINK_CONNECT, LINK_QUEUE, LINK_ROUND_TRIP, LINKS_UP, MESSAGE_BYTES,
    MESSAGE_RESEND, MESSAGES, MESSAGES_REFUSED, OUTBOX, RETRIES,
};
use entente_protocol::job::PartyName;

use super::{LinkMeters, Meters, Share};

impl Meters {
    pub(super) fn seed_traffic<'a>(&self, peers: impl Iterator<Item = &'a PartyName>) {
        let registry = self.registry();
        for peer in peers {
            registry.family(&LINKS_UP).seed([[peer.as_str()]]);
            registry.family(&LINK_QUEUE).seed([[peer.as_str()]]);
        }
        let retries = [LINK_CONNECT, MESSAGE_RESEND, COORDINATOR_SYNC];
        registry.family(&RETRIES).seed(retries.map(|what| [what]));
    }

    /// A message crossed the wire.
    pub(crate) fn message(&self, kind: &str, direction: &str, bytes: usize) {
        let registry = self.registry();
        registry
            .family(&MESSAGES)
            .with([kind, direction])
            .increment();
        let total = registry.family(&MESSAGE_BYTES).with([kind, direction]);
        total.add(bytes as u64);
    }

    /// A message or a connection was refused.
    pub(crate) fn refused(&self, reason: &str) {
        self.registry()
            .family(&MESSAGES_REFUSED)
            .with([reason])
            .increment();
    }

    /// The link to a peer came up or went down.
    pub(crate) fn link(&self, peer: &PartyName, up: bool) {
        let link = self.registry().family(&LINKS_UP).with([peer.as_str()]);
        link.set(up.into());
    }

    /// What is measured of a new link to a peer.
    pub(crate) fn new_link(&self, peer: &PartyName) -> LinkMeters {
        let registry = self.registry();
        let queue = registry.family(&LINK_QUEUE).with([peer.as_str()]);
        LinkMeters::new(queue, registry.family(&LINK_ROUND_TRIP), peer)
    }

    /// There is no link to a peer any more, and nothing takes any time on it.
    pub(crate) fn link_gone(&self, peer: &PartyName) {
        let round_trip = self.registry().family(&LINK_ROUND_TRIP);
        round_trip.remove([peer.as_str()]);
    }

    /// Where a job tells how many of its messages are not acknowledged.
    pub(crate) fn outbox(&self) -> Share {
        Share::new(self.registry().family(&OUTBOX).with([]))
    }

    /// A link was dialled in vain.
    pub(crate) fn dialled_again(&self) {
        self.retried(LINK_CONNECT);
    }

    /// A message was sent again.
    pub(crate) fn sent_again(&self) {
        self.retried(MESSAGE_RESEND);
    }

    /// The coordinator was asked in vain.
    pub(crate) fn asked_again(&self) {
        self.retried(COORDINATOR_SYNC);
    }

    fn retried(&self, what: &str) {
        self.registry().family(&RETRIES).with([what]).increment();
    }
}
