//! Asking for a certificate: the private key stays where it was made.
//!
//! ```text
//!   bank-b                                            whoever has the authority
//!   NewRequest::make ─▶ bank-b.key (0600, stays)
//!                       bank-b.csr ─────────────────▶ Request::read
//!                                                     signed with the key in it?
//!                                                     one name of this trust domain?
//!   bank-b.pem ◀───────────────────────────────────── Authority::sign
//! ```
//!
//! A request (PKCS #10, RFC 2986) is signed with the key that it is about, so
//! nobody can have somebody else's key certified as his own. Of what it asks for,
//! names alone are heard; what a certificate may be used for and for how long is
//! the authority's to say.

use std::path::Path;

use rcgen::{CertificateParams, CertificateSigningRequestParams, DnType, PublicKey, SanType};
use zeroize::Zeroizing;

use crate::certificate::EndEntity;
use crate::error::TlsError;
use crate::files::{self, Access, NewFile};
use crate::identity::Identity;
use crate::issue::host_name;
use crate::loaded::{certified, own_end_entity};
use crate::naming::TrustDomain;
use crate::show::CertificateFacts;
use crate::signing_pair::SigningPair;
use crate::tls_files::TlsFiles;

/// A new key, and the request for a certificate for it.
pub struct NewRequest {
    key: Zeroizing<String>,
    request: String,
}

impl NewRequest {
    /// A new key, and a request for a certificate that speaks for `identity`.
    ///
    /// # Errors
    /// [`TlsError::Host`] for a host that is neither name nor address,
    /// [`TlsError::Issue`] when the system has no randomness.
    pub fn make(
        identity: &Identity,
        domain: &TrustDomain,
        hosts: &[String],
    ) -> Result<Self, TlsError> {
        Self::with_key(&SigningPair::generate()?, identity, domain, hosts)
    }

    /// The same for the key that is in a file.
    ///
    /// # Errors
    /// As [`make`](Self::make), and what is wrong with the file.
    pub fn with_key_of(
        key: &Path,
        identity: &Identity,
        domain: &TrustDomain,
        hosts: &[String],
    ) -> Result<Self, TlsError> {
        Self::with_key(&SigningPair::read(key)?, identity, domain, hosts)
    }

    fn with_key(
        key: &SigningPair,
        identity: &Identity,
        domain: &TrustDomain,
        hosts: &[String],
    ) -> Result<Self, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let name = identity.to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![SanType::URI(domain.uri_of(identity).try_into()?)];
        for host in hosts {
            params.subject_alt_names.push(host_name(host)?);
        }
        Ok(Self {
            request: params.serialize_request(key)?.pem()?,
            key: key.pem(),
        })
    }

    /// Writes `STEM.key` (0600) and `STEM.csr` into `dir`, which is made (0700) when
    /// it is missing.
    ///
    /// # Errors
    /// [`TlsError::Exists`] when one of them does; then neither is written.
    pub fn save(&self, dir: &Path, stem: &str) -> Result<(), TlsError> {
        if Path::new(stem).file_name() != Some(stem.as_ref()) {
            return Err(TlsError::Stem(stem.to_owned()));
        }
        let files = [
            NewFile {
                path: dir.join(format!("{stem}.key")),
                contents: &self.key,
                access: Access::Owner,
            },
            NewFile {
                path: dir.join(format!("{stem}.csr")),
                contents: &self.request,
                access: Access::World,
            },
        ];
        files::create_together(dir, &files)
    }

    /// The key, PKCS #8 in PEM.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// As somebody reads it who has been handed it.
    ///
    /// # Errors
    /// None that could be met: we have made it.
    pub fn request(&self) -> Result<Request, TlsError> {
        Request::parse(Path::new("the new request"), &self.request)
    }
}

/// Puts a certificate that was signed for a new key, and that key, in the place of
/// those that a member has. The key's file of before goes.
///
/// # Errors
/// [`TlsError`] when they do not belong to each other, speak for somebody else, or
/// cannot be written.
pub fn install(
    certificate: &Path,
    key: &Path,
    over: &TlsFiles,
) -> Result<CertificateFacts, TlsError> {
    let naming = over.naming();
    let files = TlsFiles {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        ..over.clone()
    };
    let (chain, pem) = (files::certificates(certificate)?, files::text(certificate)?);
    let key_pem = Zeroizing::new(files::text(key)?);
    let found = own_end_entity(&chain, certificate, &naming)?.identity;
    let present = files::certificates(&over.certificate)?;
    let fault = |fault| TlsError::OwnCertificate {
        path: over.certificate.clone(),
        fault,
    };
    let own = match present.first() {
        Some(der) => EndEntity::read(der, &naming).map_err(fault)?.identity,
        None => found.clone(),
    };
    if own != found {
        let path = certificate.to_owned();
        return Err(TlsError::IdentityChanged { path, own, found });
    }
    certified(chain.clone(), key_pem.as_bytes(), &files)?;
    files::replace(&[
        NewFile {
            path: over.key.clone(),
            contents: &key_pem,
            access: Access::Owner,
        },
        NewFile {
            path: over.certificate.clone(),
            contents: &pem,
            access: Access::World,
        },
    ])?;
    files::remove(key)?;
    let facts = chain
        .first()
        .and_then(|der| CertificateFacts::of(der, &naming));
    facts.ok_or_else(|| TlsError::NoCertificate {
        path: certificate.to_owned(),
    })
}

/// A request whose signature is good: whoever made it has the key.
pub struct Request {
    pub(crate) public_key: PublicKey,
    /// All URIs among its names.
    pub(crate) uris: Vec<String>,
    /// The hosts among its names.
    pub(crate) hosts: Vec<SanType>,
}

impl Request {
    /// Reads a request, PEM.
    ///
    /// # Errors
    /// [`TlsError::Request`] when it is none, its signature is not good, or it has
    /// names other than URIs, hosts and addresses.
    pub fn read(path: &Path) -> Result<Self, TlsError> {
        Self::parse(path, &files::text(path)?)
    }

    fn parse(path: &Path, pem: &str) -> Result<Self, TlsError> {
        let refused = |reason: String| TlsError::Request {
            path: path.to_owned(),
            reason,
        };
        // It verifies the signature: proof that the sender has the key.
        let read = CertificateSigningRequestParams::from_pem(pem)
            .map_err(|error| refused(format!("{error}; make one with `entente cert request`")))?;
        let (mut uris, mut hosts) = (Vec::new(), Vec::new());
        for name in read.params.subject_alt_names {
            match name {
                SanType::URI(uri) => uris.push(uri.as_str().to_owned()),
                SanType::DnsName(_) | SanType::IpAddress(_) => hosts.push(name),
                _ => {
                    return Err(refused(
                        "it asks for a name that is no URI and no host".into(),
                    ));
                }
            }
        }
        Ok(Self {
            public_key: read.public_key,
            uris,
            hosts,
        })
    }

    /// The one member of the trust domain that it is about.
    pub(crate) fn member(&self, domain: &TrustDomain) -> Result<Identity, String> {
        let [uri] = self.uris.as_slice() else {
            return Err(format!(
                "it must have one URI {} among its names, and has {}",
                domain.uri_of_any(),
                self.uris.len()
            ));
        };
        let member = uri.strip_prefix(&format!("{}/", domain.uri()));
        let member = member.ok_or_else(|| {
            format!(
                "{uri} is outside this authority's trust domain: it signs {} alone",
                domain.uri_of_any()
            )
        })?;
        member
            .parse()
            .map_err(|error: crate::IdentityError| error.to_string())
    }
}
