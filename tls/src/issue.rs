//! Certificates for development: an authority in a directory.
//!
//! ```text
//!   DIR/ca.pem  ca.key            DevelopmentCa::create, save
//!       bank-a.pem  bank-a.key    DevelopmentCa::issue(party/bank-a), save
//!       bank-b.pem  bank-b.key    ...
//! ```
//!
//! For one machine, a test, a first trial between two organisations. Its key
//! lies in a file; whoever reads that file can be every member. In production
//! the organisations' own authorities sign the same three things: one URI name
//! `spiffe://entente/KIND/NAME`, both extended key usages (a party listens and
//! dials), a short life.
//!
//! Keys are ECDSA P-256, which every TLS library and gateway can use.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls_pki_types::{CertificateDer, DnsName};
use zeroize::Zeroizing;

use crate::certificate::authority_key;
use crate::credentials::TlsFiles;
use crate::error::TlsError;
use crate::files::{self, Access, NewFile};
use crate::identity::Identity;
use crate::signing_pair::SigningPair;
use crate::validity::Validity;

const CA_CERTIFICATE: &str = "ca.pem";
const CA_KEY: &str = "ca.key";

/// How long a development authority lives; longer than any trial.
const CA_DAYS: u16 = 3650;

/// A certificate authority whose key lies in a file.
pub struct DevelopmentCa {
    issuer: Issuer<'static, SigningPair>,
    certificate: Certificate,
}

/// A certificate as it is compared and as it is written.
#[derive(Clone)]
struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
}

impl DevelopmentCa {
    /// A new authority, in memory. It signs end entities only (path length 0).
    ///
    /// # Errors
    /// [`TlsError::Issue`] when the system has no randomness.
    pub fn create(common_name: &str) -> Result<Self, TlsError> {
        let mut params = params(common_name, Validity::days(CA_DAYS));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = SigningPair::generate()?;
        let certificate = params.self_signed(&key)?.into();
        let issuer = Issuer::new(params, key);
        Ok(Self {
            issuer,
            certificate,
        })
    }

    /// The authority that [`save`](Self::save) wrote: `ca.pem` and `ca.key` in
    /// `dir`.
    ///
    /// # Errors
    /// As for [`Credentials::load`](crate::Credentials::load): each names the
    /// file and what to do.
    pub fn load(dir: &Path) -> Result<Self, TlsError> {
        let (path, key_path) = (dir.join(CA_CERTIFICATE), dir.join(CA_KEY));
        let pem = files::text(&path)?;
        let der = files::parse_certificates(&path, &pem)?.swap_remove(0);
        let Some(public_key) = authority_key(&der) else {
            return Err(TlsError::NotAnAuthority { path });
        };
        let key = SigningPair::read(&key_path)?;
        if public_key != key.subject_public_key_info() {
            return Err(TlsError::KeyMismatch {
                key: key_path,
                certificate: path,
            });
        }
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&der, key)?,
            certificate: Certificate { der, pem },
        })
    }

    /// Writes `ca.pem` and `ca.key` into `dir`, which is made (0700) when it is
    /// missing; the key is readable by its owner only from the moment it exists.
    ///
    /// # Errors
    /// [`TlsError::Exists`] when one of them exists, and then neither is
    /// written; [`TlsError::File`] when the system refuses.
    pub fn save(&self, dir: &Path) -> Result<(), TlsError> {
        let key = self.issuer.key().pem();
        let files = [
            NewFile {
                path: dir.join(CA_KEY),
                contents: &key,
                access: Access::Owner,
            },
            NewFile {
                path: dir.join(CA_CERTIFICATE),
                contents: &self.certificate.pem,
                access: Access::World,
            },
        ];
        files::create_together(dir, &files)
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
        let mut params = params(&identity.to_string(), validity);
        params.subject_alt_names = vec![SanType::URI(identity.uri().try_into()?)];
        for host in hosts {
            params.subject_alt_names.push(host_name(host)?);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let key = SigningPair::generate()?;
        Ok(Issued {
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.pem(),
            authority: self.certificate.clone(),
        })
    }
}

impl fmt::Debug for DevelopmentCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentCa").finish_non_exhaustive()
    }
}

/// A new certificate, its key and its authority's certificate, not yet on disk.
pub struct Issued {
    certificate: String,
    key: Zeroizing<String>,
    authority: Certificate,
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
        if Path::new(stem).file_name() != Some(stem.as_ref()) {
            return Err(TlsError::Stem(stem.to_owned()));
        }
        let paths = TlsFiles {
            ca: dir.join(CA_CERTIFICATE),
            certificate: dir.join(format!("{stem}.pem")),
            key: dir.join(format!("{stem}.key")),
        };
        let mut new = vec![
            NewFile {
                path: paths.key.clone(),
                contents: &self.key,
                access: Access::Owner,
            },
            NewFile {
                path: paths.certificate.clone(),
                contents: &self.certificate,
                access: Access::World,
            },
        ];
        if !paths.ca.exists() {
            new.push(NewFile {
                path: paths.ca.clone(),
                contents: &self.authority.pem,
                access: Access::World,
            });
        } else if !files::certificates(&paths.ca)?.contains(&self.authority.der) {
            return Err(TlsError::AnotherAuthority { path: paths.ca });
        }
        files::create_together(dir, &new)?;
        Ok(paths)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl From<rcgen::Certificate> for Certificate {
    fn from(certificate: rcgen::Certificate) -> Self {
        let pem = certificate.pem();
        let der = certificate.into();
        Self { der, pem }
    }
}

fn params(common_name: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = validity.not_before();
    params.not_after = validity.not_after();
    params
}

fn host_name(host: &str) -> Result<SanType, TlsError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    match DnsName::try_from(host) {
        Ok(name) => Ok(SanType::DnsName(name.as_ref().try_into()?)),
        Err(_) => Err(TlsError::Host(host.to_owned())),
    }
}
