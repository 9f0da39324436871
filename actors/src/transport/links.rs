//! Which link to a peer counts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Peer};
use entente_wire::{Common, Spoken};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, watch},
};
use tokio_util::sync::CancellationToken;

use super::{
    Heartbeat, LinkError, LinkEvent,
    link::{Line, Link, handle},
};
use crate::telemetry::Meters;

/// The links of a party, one to each known peer at most.
pub(super) struct Links {
    peers: BTreeMap<PartyName, watch::Sender<bool>>,
    credentials: Arc<Credentials>,
    standing: Mutex<Standing>,
    events: mpsc::Sender<LinkEvent>,
    heartbeat: Heartbeat,
    spoken: Spoken,
    meters: Meters,
    stop: CancellationToken,
}

#[derive(Default)]
struct Standing {
    links: BTreeMap<PartyName, Link>,
    count: u64,
}

impl Links {
    pub(super) fn new<'a>(
        peers: impl Iterator<Item = &'a PartyName>,
        credentials: Arc<Credentials>,
        events: mpsc::Sender<LinkEvent>,
        heartbeat: Heartbeat,
        spoken: Spoken,
        meters: Meters,
        stop: CancellationToken,
    ) -> Self {
        Self {
            peers: peers
                .map(|peer| (peer.clone(), watch::Sender::new(false)))
                .collect(),
            credentials,
            standing: Mutex::default(),
            events,
            heartbeat,
            spoken,
            meters,
            stop,
        }
    }

    /// Who may link.
    pub(super) fn peers(&self) -> impl Iterator<Item = &PartyName> {
        self.peers.keys()
    }

    /// Whether `peer` may link.
    pub(super) fn knows(&self, peer: &PartyName) -> bool {
        self.peers.contains_key(peer)
    }

    /// Counts what is refused and tried again.
    pub(super) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Who is trusted.
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The links that stand.
    pub(super) fn linked(&self) -> Vec<Link> {
        self.standing().links.values().cloned().collect()
    }

    /// Tells whoever reads events.
    pub(super) async fn tell(&self, event: LinkEvent) {
        // Nobody listens any more when the party stops.
        let _ = self.events.send(event).await;
    }

    /// Ends when everything does.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Waits until there is no link to `peer`.
    pub(super) async fn unlinked(&self, peer: &PartyName) {
        if let Some(linked) = self.peers.get(peer) {
            // The sender lives as long as `self`.
            let _ = linked.subscribe().wait_for(|linked| !linked).await;
        }
    }

    /// Greets the authenticated `peer` at the other end of `stream`, `who`, and
    /// carries frames until the link ends. Says for how long it stood and why
    /// it ended.
    pub(super) async fn carry(
        &self,
        peer: &PartyName,
        who: Peer,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
    ) -> (Duration, LinkError) {
        let line = match Line::greet(stream, self.heartbeat, self.spoken).await {
            Ok(line) => line,
            Err(error) => {
                // A client hears here only that the server does not take it.
                self.meters.refused(error.label());
                tracing::warn!(%peer, %error, "no link");
                return (Duration::ZERO, error);
            }
        };
        let since = Instant::now();
        let (link, queue) = self.install(peer, who, line.common());
        let wire = link.common().newest();
        tracing::info!(%peer, link = link.number(), %wire, "linked");
        let opened = self.events.send(LinkEvent::Opened(link.clone())).await;
        // What was revoked since the handshake, before the link was in the table.
        self.cut_if_revoked(&link).await;
        let mut end = match opened {
            Ok(()) => line.run(&link, queue, &self.events).await,
            Err(_) => LinkError::Stopped,
        };
        if self.stop.is_cancelled() {
            end = LinkError::Stopped;
        }
        tracing::info!(%peer, link = link.number(), reason = %end, "unlinked");
        self.remove(&link);
        // Nobody listens any more when the party stops.
        let _ = self.events.send(LinkEvent::Closed(link)).await;
        (since.elapsed(), end)
    }

    /// The new link counts, and an older one is closed.
    fn install(
        &self,
        peer: &PartyName,
        who: Peer,
        common: Arc<Common>,
    ) -> (Link, mpsc::Receiver<super::Packed>) {
        let mut standing = self.standing();
        standing.count += 1;
        let (number, closed) = (standing.count, self.stop.child_token());
        let meters = self.meters.new_link(peer);
        let (link, queue) = handle(peer.clone(), who, number, common, closed, meters);
        if let Some(older) = standing.links.insert(peer.clone(), link.clone()) {
            older.close();
        }
        self.say(peer, true);
        (link, queue)
    }

    fn remove(&self, link: &Link) {
        let mut standing = self.standing();
        let current = standing.links.get(link.peer()).map(Link::number);
        if current == Some(link.number()) {
            standing.links.remove(link.peer());
            self.meters.link_gone(link.peer());
            self.say(link.peer(), false);
        }
    }

    fn say(&self, peer: &PartyName, linked: bool) {
        if let Some(peer) = self.peers.get(peer) {
            peer.send_replace(linked);
        }
    }

    /// A panic elsewhere does not make the table wrong: every change of it is
    /// one insertion or removal.
    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
