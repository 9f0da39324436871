//! What a member signs with the key of its certificate, for others to verify
//! long after the connection is gone.
//!
//! ```text
//!   bank-a: Credentials::sign(text) ──▶ Signature { scheme, value, chain }
//!                                            │  (any way, any time later)
//!   anybody with the authority's certificate ▼
//!   Authorities::verify(party/bank-a, text, signature, at)
//!     the chain led to our roots and was in date at `at`,
//!     the certificate names party/bank-a and nobody else,
//!     the value is its key's over the text
//! ```
//!
//! **Why the key of the certificate.** A second key would need a second
//! authority to say whose it is. The same key also signs handshakes, so what is
//! signed here begins with a line of its own ([`DOMAIN`]), while TLS 1.3 begins
//! with 64 spaces (RFC 8446 section 4.4.3): no signature of one kind is one of the
//! other, whoever chooses the text.
//!
//! **Why the chain travels along.** Certificates here live for weeks, a signed
//! text for years. Whoever keeps both needs the authority's certificate and
//! nothing else.
//!
//! **As of when.** The caller says at which moment the certificate must have
//! been in date. Of a text that has just arrived that is now, too; of one that
//! was kept it is the moment that the text itself names. Nobody else vouches for
//! that moment: who has the key of a certificate that has ended can name an
//! earlier one. So whoever keeps a text verifies it when it arrives.
//!
//! **In writing** a signature is PEM: a section with the value, tagged with the
//! scheme, and the certificates, end entity first. `openssl x509` and `openssl
//! dgst` read both.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use pem::{EncodeConfig, LineEnding, Pem};
use rustls::{CertificateError, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::EndEntityCert;

use crate::certificate::{CertificateFault, EndEntity};
use crate::credentials::{Credentials, Current};
use crate::error::TlsError;
use crate::files;
use crate::identity::Identity;
use crate::loaded::roots;
use crate::revocation::{Reason, Revocation};
use crate::trust::Trust;

/// What stands before every text that is signed.
pub const DOMAIN: &[u8] = b"entente signed text\n";

/// The schemes, best first, and their names in writing.
const SCHEMES: [(SignatureScheme, &str); 4] = [
    (
        SignatureScheme::ECDSA_NISTP256_SHA256,
        "ECDSA_P256_SHA256 SIGNATURE",
    ),
    (
        SignatureScheme::ECDSA_NISTP384_SHA384,
        "ECDSA_P384_SHA384 SIGNATURE",
    ),
    (SignatureScheme::ED25519, "ED25519 SIGNATURE"),
    (SignatureScheme::RSA_PSS_SHA256, "RSA_PSS_SHA256 SIGNATURE"),
];
const CERTIFICATE: &str = "CERTIFICATE";

/// The longest signature in writing: a chain of several RSA certificates.
const MAX_BYTES: usize = 32 << 10;
/// The longest chain.
const MAX_CHAIN: usize = 8;

/// A signature, and the certificates of whoever made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    scheme: SignatureScheme,
    value: Vec<u8>,
    chain: Vec<CertificateDer<'static>>,
}

/// Why a signature counts for nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    /// What is written is no signature.
    #[error("it is not written as a signature is: {0}")]
    Malformed(&'static str),
    /// The chain does not lead to one of our roots.
    #[error("its certificate does not come from an authority that is trusted here")]
    UnknownAuthority,
    /// The certificate had ended.
    #[error("its certificate had expired")]
    Expired,
    /// The certificate had not begun.
    #[error("its certificate was not yet valid")]
    NotYetValid,
    /// The certificate had been revoked.
    #[error("{0}")]
    Revoked(Box<Revocation>),
    /// Something else is wrong with the chain.
    #[error("its certificate is refused: {0}")]
    BadCertificate(String),
    /// The certificate names nobody we could know.
    #[error("its certificate is refused: {0}")]
    NoIdentity(#[from] CertificateFault),
    /// A good certificate of somebody else.
    #[error("it is {found}'s, and {expected} was to sign")]
    WrongSigner {
        /// Who was to sign.
        expected: Identity,
        /// Whom the certificate names.
        found: Identity,
    },
    /// Another text was signed, or with another key.
    #[error("it was not made over this text with the key of its certificate")]
    Altered,
}

impl SignatureError {
    /// A word for metrics and logs, from a closed set.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "signature_malformed",
            Self::UnknownAuthority => "signature_unknown_authority",
            Self::Expired => "signature_expired",
            Self::NotYetValid => "signature_not_yet_valid",
            Self::Revoked(_) => "signature_revoked",
            Self::BadCertificate(_) => "signature_bad_certificate",
            Self::NoIdentity(_) => "signature_no_identity",
            Self::WrongSigner { .. } => "signature_wrong_signer",
            Self::Altered => "signature_altered",
        }
    }
}

impl Credentials {
    /// Signs `text` with the key of the own certificate.
    ///
    /// # Errors
    /// [`TlsError::Signing`] when the key knows none of the schemes, or the
    /// system has no randomness.
    pub fn sign(&self, text: &[u8]) -> Result<Signature, TlsError> {
        let own = &self.loaded().own;
        let offered = SCHEMES.map(|(scheme, _)| scheme);
        let signer = own.key.choose_scheme(&offered).ok_or_else(|| {
            TlsError::Signing(Error::General("the key has no scheme for signing".into()))
        })?;
        Ok(Signature {
            scheme: signer.scheme(),
            value: signer.sign(&covered(text)).map_err(TlsError::Signing)?,
            chain: own.cert.clone(),
        })
    }
}

/// Those who are trusted to name members.
#[derive(Clone)]
pub struct Authorities(Believed);

#[derive(Clone)]
enum Believed {
    /// As a file said once.
    Always(Arc<Trust>),
    /// As the credentials' files say whenever they are asked.
    Now(Arc<Current>),
}

impl Authorities {
    /// Those whose certificates are in a PEM file.
    ///
    /// # Errors
    /// As for [`Credentials::load`]: a file that is missing, not PEM, or has
    /// what is no authority's.
    pub fn load(ca: &Path) -> Result<Self, TlsError> {
        let roots = roots(ca, &files::certificates(ca)?)?;
        Ok(Self(Believed::Always(Arc::new(Trust::of(roots)))))
    }

    pub(crate) fn following(current: Arc<Current>) -> Self {
        Self(Believed::Now(current))
    }

    /// Whether `signer` has signed `text`, with a certificate that was in date, and
    /// not revoked, at `at_unix_s`, in seconds since 1970-01-01 UTC. One that was
    /// revoked later was good then, and one that was superseded still is.
    ///
    /// # Errors
    /// [`SignatureError`]
    pub fn verify(
        &self,
        signer: &Identity,
        text: &[u8],
        signature: &Signature,
        at_unix_s: u64,
    ) -> Result<(), SignatureError> {
        match &self.0 {
            Believed::Always(trust) => verify(trust, signer, text, signature, at_unix_s),
            Believed::Now(current) => {
                verify(&current.loaded().trust, signer, text, signature, at_unix_s)
            }
        }
    }
}

fn verify(
    trust: &Trust,
    signer: &Identity,
    text: &[u8],
    signature: &Signature,
    at_unix_s: u64,
) -> Result<(), SignatureError> {
    let Some((end_entity, intermediates)) = signature.chain.split_first() else {
        return Err(SignatureError::Malformed("it has no certificate"));
    };
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at_unix_s));
    trust
        .led_to_a_root(end_entity, intermediates, at)
        .map_err(refused)?;
    let since = trust.lists.revocation(&signature.chain);
    // Whoever has a newer certificate was no less the holder of the older one: a text
    // that waits for its reader must not be undone by a renewal.
    let then = |revocation: &Revocation| {
        revocation.reason != Reason::Superseded
            && u64::try_from(revocation.at_unix_s).is_ok_and(|since| since <= at_unix_s)
    };
    if let Some(revocation) = since.filter(then) {
        return Err(SignatureError::Revoked(Box::new(revocation)));
    }
    let found = EndEntity::read(end_entity, &trust.naming)?.identity;
    if found != *signer {
        let expected = signer.clone();
        return Err(SignatureError::WrongSigner { expected, found });
    }
    // Of one scheme several algorithms are listed for TLS 1.2's sake; the
    // first is the one that the scheme means.
    let mut schemes = trust.algorithms.mapping.iter();
    let algorithm = schemes
        .find(|(scheme, _)| *scheme == signature.scheme)
        .and_then(|(_, algorithms)| algorithms.first())
        .ok_or(SignatureError::Malformed("its scheme is not known"))?;
    EndEntityCert::try_from(end_entity)
        .and_then(|key| key.verify_signature(*algorithm, &covered(text), &signature.value))
        .map_err(|_| SignatureError::Altered)
}

impl Authorities {
    /// The same of a signature in writing, of the one whose identity is written
    /// `party/bank-a`.
    ///
    /// # Errors
    /// [`SignatureError`]
    pub fn verify_written(
        &self,
        signer: &str,
        text: &str,
        signature: &str,
        at_unix_s: u64,
    ) -> Result<(), SignatureError> {
        let signer = signer
            .parse()
            .map_err(|error| SignatureError::NoIdentity(CertificateFault::BadIdentity(error)))?;
        self.verify(&signer, text.as_bytes(), &signature.parse()?, at_unix_s)
    }
}

/// What a signature is over.
fn covered(text: &[u8]) -> Vec<u8> {
    [DOMAIN, text].concat()
}

fn refused(error: Error) -> SignatureError {
    use CertificateError as Fault;
    match error {
        Error::InvalidCertificate(Fault::UnknownIssuer | Fault::BadSignature) => {
            SignatureError::UnknownAuthority
        }
        Error::InvalidCertificate(Fault::Expired | Fault::ExpiredContext { .. }) => {
            SignatureError::Expired
        }
        Error::InvalidCertificate(Fault::NotValidYet | Fault::NotValidYetContext { .. }) => {
            SignatureError::NotYetValid
        }
        error => SignatureError::BadCertificate(error.to_string()),
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut schemes = SCHEMES.iter();
        let tag = schemes.find(|(scheme, _)| *scheme == self.scheme);
        let tag = tag.map_or("SIGNATURE", |(_, tag)| tag);
        let certificates = self.chain.iter();
        let sections: Vec<Pem> = std::iter::once(Pem::new(tag, self.value.clone()))
            .chain(certificates.map(|der| Pem::new(CERTIFICATE, der.as_ref())))
            .collect();
        let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
        f.write_str(&pem::encode_many_config(&sections, config))
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let malformed = SignatureError::Malformed;
        if text.len() > MAX_BYTES {
            return Err(malformed("it is longer than any"));
        }
        let sections = pem::parse_many(text).map_err(|_| malformed("it is not PEM, or was cut"))?;
        let Some((value, certificates)) = sections.split_first() else {
            return Err(malformed("it is not PEM"));
        };
        let scheme = SCHEMES.iter().find(|(_, tag)| *tag == value.tag());
        let (scheme, _) = scheme.ok_or(malformed("its first section names no scheme"))?;
        if !(1..=MAX_CHAIN).contains(&certificates.len())
            || certificates
                .iter()
                .any(|section| section.tag() != CERTIFICATE)
        {
            return Err(malformed("one to eight certificates must follow the value"));
        }
        let der = |section: &Pem| CertificateDer::from(section.contents().to_vec());
        Ok(Self {
            scheme: *scheme,
            value: value.contents().to_vec(),
            chain: certificates.iter().map(der).collect(),
        })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorities").finish_non_exhaustive()
    }
}
