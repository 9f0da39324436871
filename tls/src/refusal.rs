//! Why a handshake failed, in one word.

use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error};

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
    /// The peer's certificate was revoked, or its authority's.
    Revoked,
    /// The list that would say whether the peer's certificate was revoked has ended.
    StaleList,
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
    /// The peer refused us, since our certificate was revoked.
    OursRevoked,
    /// No version, cipher or key exchange in common, or a broken handshake.
    Protocol,
    /// The connection broke.
    Connection,
}

impl Refusal {
    /// Every value, for seeding metrics.
    pub const ALL: [Self; 14] = [
        Self::NoCertificate,
        Self::UnknownAuthority,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::StaleList,
        Self::WrongPeer,
        Self::NoIdentity,
        Self::BadCertificate,
        Self::NotTls,
        Self::ByPeer,
        Self::OursRevoked,
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
            Self::Revoked => "revoked",
            Self::StaleList => "stale_list",
            Self::WrongPeer => "wrong_peer",
            Self::NoIdentity => "no_identity",
            Self::BadCertificate => "bad_certificate",
            Self::NotTls => "not_tls",
            Self::ByPeer => "by_peer",
            Self::OursRevoked => "ours_revoked",
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
/// their `Debug` form, so ours are taken out again; and where somebody has to act,
/// it is said what is to be done.
pub(crate) fn detail(error: &io::Error) -> String {
    match within(error) {
        Some(Error::InvalidCertificate(CertificateError::Other(other))) => {
            let ours = other.0.downcast_ref::<TlsError>();
            ours.map_or_else(|| error.to_string(), TlsError::to_string)
        }
        Some(error) => match Refusal::from(error) {
            Refusal::Revoked => {
                "the peer's certificate was revoked: a list under [tls] crls says so".to_owned()
            }
            Refusal::StaleList => "the revocation list of the peer's authority has ended, so \
                nobody can say whether its certificate is still good: put a new list where \
                [tls] crls says"
                .to_owned(),
            Refusal::OursRevoked => "the peer says that our certificate was revoked: have \
                another one issued (entente cert request, or renew), or ask who revoked it"
                .to_owned(),
            _ => error.to_string(),
        },
        None => error.to_string(),
    }
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
            Error::AlertReceived(AlertDescription::CertificateRevoked) => Self::OursRevoked,
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
            Fault::Revoked => Self::Revoked,
            Fault::ExpiredRevocationList | Fault::ExpiredRevocationListContext { .. } => {
                Self::StaleList
            }
            Fault::Other(other) => match other.0.downcast_ref() {
                Some(TlsError::WrongPeer { .. }) => Self::WrongPeer,
                Some(TlsError::PeerCertificate(_)) => Self::NoIdentity,
                _ => Self::BadCertificate,
            },
            _ => Self::BadCertificate,
        }
    }
}
