//! Links to other parties: framed messages over mutual TLS.
//!
//! ```text
//!   bank-a                                            bank-b
//!   dial ──── TCP, TLS (identity must be bank-b) ───▶ listen (must be a known party)
//!        ◀──────────────── Hello ──────────────────▶
//!        ◀────── frames, both ways, pings ─────────▶
//! ```
//!
//! Either side may dial, and one connection carries both directions. When a
//! peer has two, the newest counts and the other is closed: the older one may
//! be half-open, and nobody can tell. A link promises nothing but order; what
//! must arrive is sent again by [`delivery`](crate::delivery) on the next one.
//!
//! **Certificates.** Who calls and is called shows the certificate that is in force
//! then; a link that stands is not ended for a newer one. It is ended when its
//! peer's certificate is revoked (`revoked.rs`), and the peer's next calls are
//! refused with an alert that says so: that is how both sides know why.
//!
//! **Versions.** Each side greets with the versions of the wire format that it
//! speaks, inside the encryption: nobody between them, and no coordinator, can take
//! one out. A link carries sessions of every version that both speak, and ends
//! with the first message of another.
//!
//! **Echoes.** A caller that offers another protocol within TLS gets no link: see
//! [`echo`].
//!
//! **Half-open links.** Each side pings at its own rhythm, whether or not it
//! has something to say, so a living peer is never silent for long: it is
//! pinging, or in the middle of a frame. Bytes count, not frames; a large frame
//! over a slow line is life. Waiting for a pong instead would fail exactly
//! then, since the pong stands behind that frame.

mod dial;
pub mod echo;
mod error;
mod framing;
mod link;
mod links;
mod listen;
mod revoked;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Identity, IdentityKind, Revocation};
use entente_wire::{Digest, Frame, Position, Refusal, SessionId, Spoken};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

use crate::{delivery::Received, telemetry::Meters};

pub(crate) use self::{
    dial::connect,
    framing::{FrameReader, write_frame_of},
    link::name as frame_name,
    listen::take_calls,
};
pub use error::{LinkError, TransportError};
pub use link::{Link, Packed};

/// How often to say that one is there, and when to believe that nobody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Between two pings.
    pub every: Duration,
    /// A link on which no byte came for this long is dead.
    pub silence: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5),
            silence: Duration::from_secs(20),
        }
    }
}

/// What the transport is told.
pub(crate) struct Settings {
    /// Who this party is, and whom it trusts.
    pub credentials: Arc<Credentials>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The parties that may link, with an address where one is to be dialled.
    pub peers: BTreeMap<PartyName, Option<String>>,
    /// The rhythm.
    pub heartbeat: Heartbeat,
    /// The versions of the wire format that this party speaks.
    pub spoken: Spoken,
    /// Counts what is refused and tried again.
    pub meters: Meters,
}

/// What happens on the links.
#[derive(Debug)]
pub enum LinkEvent {
    /// A link stands. It takes the place of an older one.
    Opened(Link),
    /// Something came from a peer.
    Arrived {
        /// Who, as its certificate says.
        from: PartyName,
        /// What.
        arrival: Arrival,
    },
    /// A link is gone.
    Closed(Link),
    /// A peer's certificate was revoked. It has been cut off, or was not let in.
    Revoked {
        /// Whose.
        peer: PartyName,
        /// By whom, and why.
        revocation: Revocation,
    },
}

/// What came over a link.
#[derive(Debug)]
pub enum Arrival {
    /// A machine's message.
    Data(Arc<Received>),
    /// The peer has a message of ours.
    Ack {
        /// Its session.
        session: SessionId,
        /// Its place.
        position: Position,
        /// The digest of what the peer has.
        digest: Digest,
    },
    /// The peer does not take a message of ours.
    Refused {
        /// Its session.
        session: SessionId,
        /// Its place.
        position: Position,
        /// Why.
        reason: Refusal,
    },
}

impl Arrival {
    /// What a frame brings; the frame, if it is about the link alone.
    pub(crate) fn of(frame: Frame) -> Result<Self, Frame> {
        match frame {
            Frame::Data(envelope) => Ok(Self::Data(Arc::new(Received::from(envelope)))),
            Frame::Ack {
                session,
                position,
                digest,
            } => Ok(Self::Ack {
                session,
                position,
                digest,
            }),
            Frame::Refused {
                session,
                position,
                reason,
            } => Ok(Self::Refused {
                session,
                position,
                reason,
            }),
            other => Err(other),
        }
    }
}

/// Listens and dials until `stop` is cancelled. What happens comes out of the
/// channel; a reader that is slow slows the links, not the memory.
///
/// # Errors
/// [`TransportError`] when the address cannot be had or a configuration not be
/// made.
pub(crate) async fn start(
    settings: Settings,
    stop: CancellationToken,
) -> Result<(SocketAddr, mpsc::Receiver<LinkEvent>), TransportError> {
    let (events, receiver) = mpsc::channel(EVENTS);
    let bind = |source| TransportError::Bind {
        address: settings.listen,
        source,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let revocations = revoked::Revocations::watch(&settings.credentials, &settings.meters)?;
    let links = Arc::new(links::Links::new(
        settings.peers.keys(),
        settings.credentials.clone(),
        events,
        settings.heartbeat,
        settings.spoken,
        settings.meters,
        stop,
    ));
    for (peer, address) in settings.peers {
        let Some(address) = address else { continue };
        let dialler = dial::Dialler::new(peer, address, &settings.credentials, links.clone())?;
        tokio::spawn(dialler.run());
    }
    // A link is what offers no protocol.
    let mut tls = Arc::unwrap_or_clone(settings.credentials.server_config()?);
    tls.alpn_protocols = vec![echo::PROTOCOL.to_vec()];
    tokio::spawn(revocations.mind(links.clone()));
    tokio::spawn(listen::run(listener, Arc::new(tls), links));
    Ok((address, receiver))
}

/// Events on their way to the reader.
const EVENTS: usize = 64;

/// The party that an identity is, if it is one.
pub(crate) fn party_name(identity: &Identity) -> Option<PartyName> {
    (identity.kind == IdentityKind::Party)
        .then(|| identity.name.as_ref().parse().ok())
        .flatten()
}
