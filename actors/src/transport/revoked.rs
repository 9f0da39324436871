//! Peers whose certificates are taken back while they are linked, or when they call.
//!
//! ```text
//!   Watch ── the files have changed ─────▶ every link that stands is looked at again
//!         └─ a handshake was refused ───▶ whose it was
//!                                            │
//!                         cut ◀──────────────┴──▶ LinkEvent::Revoked: the peer's jobs
//! ```

use std::sync::Arc;

use entente_metrics::{REVOKED_CONNECTION, REVOKED_HANDSHAKE};
use entente_tls::{Credentials, Identity, Look, Revocation, Seen, TlsError, Watch};
use tokio::sync::mpsc;

use super::{LinkEvent, links::Links, party_name};
use crate::telemetry::Meters;

/// What concerns links of what was seen.
pub(super) struct Concern {
    turned_away: Vec<(Identity, Revocation)>,
}

/// Looks after the certificates: own ones, and those of whoever is linked.
pub(super) struct Revocations {
    concerns: mpsc::UnboundedReceiver<Concern>,
    _watch: Watch,
}

impl Revocations {
    /// Begins to look at the files of `credentials`.
    ///
    /// # Errors
    /// [`TlsError::Watch`]
    pub(super) fn watch(credentials: &Arc<Credentials>, meters: &Meters) -> Result<Self, TlsError> {
        let meters = meters.certificates().clone();
        meters.in_force(
            credentials.not_after_unix_s(),
            credentials.lists_end_unix_s(),
        );
        // One message for each change of files: people are slow.
        let (concern, concerns) = mpsc::unbounded_channel();
        let watched = credentials.clone();
        let tell = move |seen: &Seen| {
            meters.in_force(watched.not_after_unix_s(), watched.lists_end_unix_s());
            if let Some(outcome) = seen.look.label() {
                meters.reloaded(outcome);
            }
            seen.turned_away
                .iter()
                .for_each(|_| meters.revoked(REVOKED_HANDSHAKE));
            if seen.look == Look::Reloaded || !seen.turned_away.is_empty() {
                let turned_away = seen.turned_away.clone();
                // Nobody listens any more when the party stops.
                let _ = concern.send(Concern { turned_away });
            }
        };
        Ok(Self {
            concerns,
            _watch: Watch::start(credentials.clone(), tell)?,
        })
    }

    /// Cuts, and tells, until everything stops.
    pub(super) async fn mind(mut self, links: Arc<Links>) {
        let stop = links.stop().clone();
        loop {
            let concern = tokio::select! {
                () = stop.cancelled() => return,
                concern = self.concerns.recv() => concern,
            };
            let Some(Concern { turned_away }) = concern else {
                return;
            };
            for link in links.linked() {
                links.cut_if_revoked(&link).await;
            }
            for (who, revocation) in turned_away {
                let known = party_name(&who).filter(|peer| links.knows(peer));
                if let Some(peer) = known {
                    links.tell(LinkEvent::Revoked { peer, revocation }).await;
                }
            }
        }
    }
}

impl Links {
    /// Ends a link whose peer's certificate is not good any more, and says so.
    pub(super) async fn cut_if_revoked(&self, link: &super::Link) {
        let Err(revocation) = link.standing(self.credentials()) else {
            return;
        };
        if !link.cut(&revocation) {
            return;
        }
        let peer = link.peer().clone();
        tracing::error!(%peer, link = link.number(), "cut off: {revocation}");
        self.meters().certificates().revoked(REVOKED_CONNECTION);
        let revocation = *revocation;
        self.tell(LinkEvent::Revoked { peer, revocation }).await;
    }
}
