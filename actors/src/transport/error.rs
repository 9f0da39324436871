//! Why there is no link, or no transport.

use std::{io, net::SocketAddr, time::Duration};

use entente_protocol::job::PartyName;
use entente_tls::{Identity, Refusal, Revocation, TlsError};
use entente_wire::{DecodeError, WireVersion};
use thiserror::Error;

/// The transport cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The address to listen on cannot be had.
    #[error("cannot listen on {address}: {source}; choose another [party] listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No configuration can be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A peer's name is none for a certificate.
    #[error("{peer} cannot stand in a certificate: {problem}")]
    PeerName {
        /// The name.
        peer: PartyName,
        /// Why.
        problem: String,
    },
}

/// Why a link ended, or never stood.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The connection broke, or the handshake failed.
    #[error("{0}")]
    Io(io::Error),
    /// The handshake failed, or the peer's certificate names nobody.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The peer's certificate was revoked.
    #[error("{0}")]
    Revoked(Box<Revocation>),
    /// The peer is authentic, and not in the configuration.
    #[error("{0} is not a peer of this party; list it under [peers] if it should be")]
    Stranger(Identity),
    /// A frame that announces more than a frame may have.
    #[error("a frame of {got} bytes is announced, the limit is {limit}")]
    Oversized {
        /// What was announced.
        got: usize,
        /// What is allowed here.
        limit: usize,
    },
    /// A frame that cannot be read.
    #[error("a frame cannot be read: {0}")]
    Frame(#[from] DecodeError),
    /// A frame that has no place here.
    #[error("a {0} where it has no place")]
    Unexpected(&'static str),
    /// A message of a version that was not agreed on.
    #[error("a message in wire version {0}, which was not agreed on in the greetings")]
    OtherVersion(WireVersion),
    /// No byte for too long.
    #[error("silent for {} ms: half-open, or the peer is gone", .0.as_millis())]
    Silent(Duration),
    /// The peer took too long to connect or to introduce itself.
    #[error("no handshake within {} ms", .0.as_millis())]
    Handshake(Duration),
    /// A newer link to the same peer stands.
    #[error("replaced by a newer link")]
    Replaced,
    /// The party stops.
    #[error("this party stops")]
    Stopped,
}

impl LinkError {
    /// A closed set of names, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Io(_) => "connection",
            Self::Tls(TlsError::Handshake { refusal, .. }) => refusal.label(),
            Self::Tls(_) => "certificate",
            Self::Revoked(_) => "revoked",
            Self::Stranger(_) => "stranger",
            Self::Oversized { .. } => "oversized",
            Self::Frame(_) => "unreadable",
            Self::OtherVersion(_) => "other_version",
            Self::Unexpected(_) => "unexpected",
            Self::Silent(_) => "silent",
            Self::Handshake(_) => "handshake",
            Self::Replaced => "replaced",
            Self::Stopped => "stopped",
        }
    }
}

impl From<io::Error> for LinkError {
    /// What rustls has to say comes as an error of the connection.
    fn from(error: io::Error) -> Self {
        match Refusal::from(&error) {
            Refusal::Connection => Self::Io(error),
            _ => Self::Tls(TlsError::handshake(error)),
        }
    }
}
