//! What can go wrong, cut by who must act.

use std::io;
use std::path::PathBuf;

use crate::certificate::CertificateFault;
use crate::identity::Identity;
use crate::refusal::{self, Refusal};

/// What went wrong, where, and what to do.
///
/// The first group is for the operator of this process, the second is the
/// peer's, the third concerns whoever issues certificates, and
/// [`Configuration`](Self::Configuration) is a bug of ours.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What was being done to it: `read`, `create`, `write`, `replace`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A private key that others on this machine can read.
    #[error(
        "{} is a private key and has mode {mode:03o}, so others can read or change it: \
         run `chmod 600 {}`, and issue a new key if the machine is shared",
        path.display(), path.display()
    )]
    KeyExposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not PEM.
    #[error("{} is not a PEM file: {reason}", path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is malformed. Never the text itself, which may be a key.
        reason: &'static str,
    },
    /// PEM without a certificate.
    #[error("{} contains no certificate: it must hold a section `BEGIN CERTIFICATE`", path.display())]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// PEM without a private key.
    #[error("{} contains no private key: it must hold a section `BEGIN PRIVATE KEY`", path.display())]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// A private key of a kind that cannot sign handshakes.
    #[error("the private key in {} cannot be used: use an unencrypted ECDSA, Ed25519 or RSA key", path.display())]
    UnusableKey {
        /// Which file.
        path: PathBuf,
    },
    /// Key and certificate belong to different pairs.
    #[error("the key in {} does not belong to the certificate in {}: they were mixed up or only one was replaced", key.display(), certificate.display())]
    KeyMismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// Given as root, and may not sign certificates.
    #[error("{} holds a certificate that is not a certificate authority's: give the authority's certificate here, not a member's", path.display())]
    NotAnAuthority {
        /// Which file.
        path: PathBuf,
    },
    /// Our own certificate is unusable.
    #[error("the certificate in {} cannot be used: {fault}; have it reissued", path.display())]
    OwnCertificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// Our own certificate is too old.
    #[error("the certificate in {} expired on {not_after}: have it reissued", path.display())]
    Expired {
        /// Which file.
        path: PathBuf,
        /// Its last moment, UTC.
        not_after: String,
    },
    /// Our own certificate is too young.
    #[error("the certificate in {} is valid only from {not_before}: check this machine's clock", path.display())]
    NotYetValid {
        /// Which file.
        path: PathBuf,
        /// Its first moment, UTC.
        not_before: String,
    },

    /// A revocation list that cannot be used.
    #[error("the revocation list in {} cannot be used: {reason}", path.display())]
    List {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Two revocation lists of one name.
    #[error(
        "there are two revocation lists of {0} under [tls] crls: give the newer one alone; if \
         they are of two authorities, one of them needs another name"
    )]
    ListTwice(String),
    /// A revocation list that is over.
    #[error(
        "a revocation list among {files} ended at {end}: put a newer one there (its authority \
         makes one with `entente ca crl`)"
    )]
    ListEnded {
        /// The files.
        files: String,
        /// When.
        end: String,
    },
    /// A revocation list older than the one in force.
    #[error(
        "{} goes back: the revocation list of {issuer} that is in force was made at {made}, and \
         it has an older one or none; what was revoked stays so", path.display()
    )]
    ListGoesBack {
        /// One of the files.
        path: PathBuf,
        /// Whose list.
        issuer: String,
        /// When the one in force was made.
        made: String,
    },
    /// A certificate of somebody else in the place of our own.
    #[error(
        "the certificate in {} is {found}'s, and this process is {own}: start another process \
         for {found}", path.display()
    )]
    IdentityChanged {
        /// Which file.
        path: PathBuf,
        /// Who we are.
        own: Identity,
        /// Whose it is.
        found: Identity,
    },

    /// The connection has no peer certificate.
    #[error("the peer presented no certificate: the connection is not mutual TLS")]
    NoPeerCertificate,
    /// The peer's certificate names nobody we could know.
    #[error("the peer's certificate is refused: {0}")]
    PeerCertificate(CertificateFault),
    /// A valid certificate of somebody else.
    #[error(
        "expected {expected} and reached {presented}: check the address of {expected} \
         and what stands between"
    )]
    WrongPeer {
        /// Who was to be reached.
        expected: Identity,
        /// Who answered.
        presented: Identity,
    },
    /// A handshake failed; made by [`TlsError::handshake`].
    #[error("handshake refused ({refusal}): {}", refusal::detail(error))]
    Handshake {
        /// Why, in one word.
        refusal: Refusal,
        /// What tokio-rustls said.
        error: io::Error,
    },

    /// A file that is not to be overwritten.
    #[error("{} exists and is never overwritten: move it away or choose another directory", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// Saving beside the authority of somebody else.
    #[error("{} is the certificate of another authority: choose another directory", path.display())]
    AnotherAuthority {
        /// Which file.
        path: PathBuf,
    },
    /// A file stem with a directory in it, or none.
    #[error("{0:?} is not a file name: give a plain name such as bank-a")]
    Stem(String),
    /// Neither a DNS name nor an address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Host(String),
    /// An empty or unrepresentable lifetime.
    #[error("a certificate must be valid from some moment after 1950 to a later one")]
    Validity,
    /// A certificate that would live longer than the authority that signs it.
    #[error(
        "the authority's own certificate ends at {0}: ask for fewer days, or make another authority"
    )]
    OutlivesAuthority(String),
    /// An authority that would be called as the one above it.
    #[error("the authority above is called {0:?} already: choose another name")]
    NameTaken(String),
    /// An authority that may not have one below it.
    #[error("the authority in {} may sign members only, and no other authority", dir.display())]
    NoAuthorityBelow {
        /// Its directory.
        dir: PathBuf,
    },
    /// A request that is not signed.
    #[error("the request in {} is refused: {reason}", path.display())]
    Request {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Not a certificate of this authority.
    #[error("{what} is not a certificate of this authority")]
    NotIssuedHere {
        /// What was asked for.
        what: String,
    },
    /// A certificate could not be made.
    #[error("cannot issue the certificate: {0}")]
    Issue(#[from] rcgen::Error),

    /// No thread can be had for looking at the files.
    #[error("cannot start a thread that looks after certificates: {0}")]
    Watch(#[source] io::Error),
    /// The own key could not sign a text.
    #[error("cannot sign: {0}; use an ECDSA P-256 or P-384, Ed25519 or RSA key")]
    Signing(#[source] rustls::Error),
    /// rustls refused settings of ours.
    #[error("rustls refuses the configuration, which is a bug in entente: {0}")]
    Configuration(#[source] rustls::Error),
}

impl TlsError {
    /// From what `connect` or `accept` of tokio-rustls, or the first read after
    /// it, returned.
    #[must_use]
    pub fn handshake(error: io::Error) -> Self {
        let refusal = Refusal::from(&error);
        Self::Handshake { refusal, error }
    }

    /// A word for metrics, from a closed set.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::KeyExposed { .. } => "key_exposed",
            Self::Pem { .. } => "pem",
            Self::NoCertificate { .. } => "no_certificate",
            Self::NoKey { .. } => "no_key",
            Self::UnusableKey { .. } => "unusable_key",
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::NotAnAuthority { .. } => "not_an_authority",
            Self::OwnCertificate { .. } => "own_certificate",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::List { .. } => "list",
            Self::ListTwice(_) => "list_twice",
            Self::ListEnded { .. } => "list_ended",
            Self::ListGoesBack { .. } => "list_goes_back",
            Self::IdentityChanged { .. } => "identity_changed",
            Self::NoPeerCertificate => "no_peer_certificate",
            Self::PeerCertificate(_) => "peer_certificate",
            Self::WrongPeer { .. } => "wrong_peer",
            Self::Handshake { .. } => "handshake",
            Self::Exists { .. } => "exists",
            Self::AnotherAuthority { .. } => "another_authority",
            Self::Stem(_) => "stem",
            Self::Host(_) => "host",
            Self::Validity => "validity",
            Self::OutlivesAuthority(_) => "outlives_authority",
            Self::NameTaken(_) => "name_taken",
            Self::NoAuthorityBelow { .. } => "no_authority_below",
            Self::Request { .. } => "request",
            Self::NotIssuedHere { .. } => "not_issued_here",
            Self::Issue(_) => "issue",
            Self::Watch(_) => "watch",
            Self::Signing(_) => "signing",
            Self::Configuration(_) => "configuration",
        }
    }
}
