//! Certificates for development: an authority in a directory.
//!
//! ```text
//!   DIR/ca.pem  ca.key            DevelopmentCa::create, save
//!       bank-a.pem  bank-a.key    DevelopmentCa::issue(party/bank-a), save
//!       bank-b.pem  bank-b.key    ...
//! ```
//!
//! For one machine, a test, a first trial between two organisations. It makes the
//! members' private keys itself, which is what makes it one for development: an
//! [`Authority`] signs requests, and never sees a key but its own.
//!
//! Keys are ECDSA P-256, which every TLS library and gateway can use.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use rcgen::SanType;
use rustls_pki_types::DnsName;

use crate::authority::{Authority, Signed};
use crate::error::TlsError;
use crate::identity::Identity;
use crate::naming::TrustDomain;
use crate::request::NewRequest;
use crate::tls_files::TlsFiles;
use crate::validity::Validity;

/// How long a development authority lives; longer than any trial.
const CA_DAYS: u16 = 3650;

/// A certificate authority that makes its members' keys.
pub struct DevelopmentCa(Authority);

impl DevelopmentCa {
    /// A new authority, in memory.
    ///
    /// # Errors
    /// [`TlsError::Issue`] when the system has no randomness.
    pub fn create(common_name: &str) -> Result<Self, TlsError> {
        let domain = TrustDomain::default();
        Authority::root(common_name, &domain, Validity::days(CA_DAYS)).map(Self)
    }

    /// The authority that [`save`](Self::save) wrote: `ca.pem` and `ca.key` in
    /// `dir`.
    ///
    /// # Errors
    /// As for [`Credentials::load`](crate::Credentials::load): each names the
    /// file and what to do.
    pub fn load(dir: &Path) -> Result<Self, TlsError> {
        Authority::load(dir).map(Self)
    }

    /// Writes `ca.pem` and `ca.key` into `dir`, which is made (0700) when it is
    /// missing; the key is readable by its owner only from the moment it exists.
    ///
    /// # Errors
    /// [`TlsError::Exists`] when one of them exists, and then neither is
    /// written; [`TlsError::File`] when the system refuses.
    pub fn save(&self, dir: &Path) -> Result<(), TlsError> {
        self.0.save(dir)
    }

    /// A new key and a certificate for it that speaks for `identity`.
    ///
    /// `hosts` (DNS names or addresses) are put beside the identity for the
    /// sake of foreign tools; entente does not read them.
    ///
    /// # Errors
    /// [`TlsError::Host`] for a host that is neither name nor address,
    /// [`TlsError::Issue`] when the system has no randomness.
    pub fn issue(
        &self,
        identity: &Identity,
        hosts: &[String],
        validity: Validity,
    ) -> Result<Issued, TlsError> {
        let request = NewRequest::make(identity, self.0.trust_domain(), hosts)?;
        let signed = self
            .0
            .sign(Path::new("the new request"), &request.request()?, validity)?;
        Ok(Issued { request, signed })
    }
}

impl fmt::Debug for DevelopmentCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentCa").finish_non_exhaustive()
    }
}

/// A new certificate, its key and its authority's certificate, not yet on disk.
pub struct Issued {
    request: NewRequest,
    signed: Signed,
}

impl Issued {
    /// Writes `STEM.pem` and `STEM.key` into `dir`, and `ca.pem` unless it is
    /// there already; says where they are, ready for
    /// [`Credentials::load`](crate::Credentials::load).
    ///
    /// # Errors
    /// [`TlsError::Exists`] when one of the two exists (then nothing is
    /// written), [`TlsError::AnotherAuthority`] when `ca.pem` is not the issuer,
    /// [`TlsError::Stem`] when `stem` is not a plain file name.
    pub fn save(&self, dir: &Path, stem: &str) -> Result<TlsFiles, TlsError> {
        self.signed.save_with(dir, stem, Some(self.request.key()))
    }

    /// Notes it among what the authority in `dir` has signed; see [`Signed::note`].
    ///
    /// # Errors
    /// [`TlsError::File`]
    pub fn note(&self, dir: &Path) -> Result<(), TlsError> {
        self.signed.note(dir)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

pub(crate) fn host_name(host: &str) -> Result<SanType, TlsError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    match DnsName::try_from(host) {
        Ok(name) => Ok(SanType::DnsName(name.as_ref().try_into()?)),
        Err(_) => Err(TlsError::Host(host.to_owned())),
    }
}
