//! Why a handshake failed, in one word.

use std::fmt;
use std::io;

use rustls::{CertificateError, Error};

use crate::error::TlsError;

/// Why a handshake failed: the part of an I/O error from tokio-rustls that
/// metrics and retry rules need. [`TlsError::Handshake`] carries the details,
/// which go to the local log; the peer gets an alert and no more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The client presented no certificate.
    NoCertificate,
    /// The peer's chain does not lead to one of our roots, or the peer does not
    /// hold the key of the certificate it shows.
    UnknownAuthority,
    /// The peer's certificate is too old.
    Expired,
    /// The peer's certificate is too young, or our clock is slow.
    NotYetValid,
    /// A valid certificate of somebody we did not ask for.
    WrongPeer,
    /// A valid certificate without exactly one entente identity.
    NoIdentity,
    /// Anything else wrong with the peer's certificate.
    BadCertificate,
    /// What arrived is not TLS.
    NotTls,
    /// The peer refused us, by an alert; its log knows why.
    ByPeer,
    /// No version, cipher or key exchange in common, or a broken handshake.
    Protocol,
    /// The connection broke.
    Connection,
}

impl Refusal {
    /// Every value, for seeding metrics.
    pub const ALL: [Self; 11] = [
        Self::NoCertificate,
        Self::UnknownAuthority,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongPeer,
        Self::NoIdentity,
        Self::BadCertificate,
        Self::NotTls,
        Self::ByPeer,
        Self::Protocol,
        Self::Connection,
    ];

    /// A word for metrics, from a closed set.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NoCertificate => "no_certificate",
            Self::UnknownAuthority => "unknown_authority",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongPeer => "wrong_peer",
            Self::NoIdentity => "no_identity",
            Self::BadCertificate => "bad_certificate",
            Self::NotTls => "not_tls",
            Self::ByPeer => "by_peer",
            Self::Protocol => "protocol",
            Self::Connection => "connection",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// What to tell the operator. rustls prints the errors of foreign verifiers in
/// their `Debug` form, so ours are taken out again.
pub(crate) fn detail(error: &io::Error) -> String {
    let ours = match within(error) {
        Some(Error::InvalidCertificate(CertificateError::Other(other))) => {
            other.0.downcast_ref::<TlsError>()
        }
        _ => None,
    };
    ours.map_or_else(|| error.to_string(), TlsError::to_string)
}

fn within(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

impl From<&io::Error> for Refusal {
    fn from(error: &io::Error) -> Self {
        match within(error) {
            Some(error) => Self::from(error),
            None => Self::Connection,
        }
    }
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        match error {
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidCertificate(fault) => Self::from(fault),
            Error::InvalidMessage(_) => Self::NotTls,
            Error::AlertReceived(_) => Self::ByPeer,
            _ => Self::Protocol,
        }
    }
}

impl From<&CertificateError> for Refusal {
    fn from(fault: &CertificateError) -> Self {
        use CertificateError as Fault;
        match fault {
            // An impostor that bears our authority's name, or shows a member's
            // certificate without its key, fails by the signature.
            Fault::UnknownIssuer | Fault::BadSignature => Self::UnknownAuthority,
            Fault::Expired | Fault::ExpiredContext { .. } => Self::Expired,
            Fault::NotValidYet | Fault::NotValidYetContext { .. } => Self::NotYetValid,
            Fault::Other(other) => match other.0.downcast_ref() {
                Some(TlsError::WrongPeer { .. }) => Self::WrongPeer,
                Some(TlsError::PeerCertificate(_)) => Self::NoIdentity,
                _ => Self::BadCertificate,
            },
            _ => Self::BadCertificate,
        }
    }
}
