//! A loaded identity: own certificate and key, and the roots that are trusted.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use x509_parser::time::ASN1Time;

use crate::certificate::{EndEntity, authority_key};
use crate::configuration;
use crate::error::TlsError;
use crate::files;
use crate::identity::Identity;
use crate::signature::Authorities;

/// Where the PEM files are; the `[tls]` section of a configuration file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificates of the authorities that are trusted to name members, one or
    /// several.
    pub ca: PathBuf,
    /// Own certificate, then the intermediate ones if there are any.
    pub certificate: PathBuf,
    /// Own private key: PKCS #8, SEC 1 or PKCS #1, unencrypted, readable by its
    /// owner only.
    pub key: PathBuf,
}

/// Own certificate chain and key, and the roots that are trusted.
///
/// The only source of TLS configurations. The key exists once, inside
/// aws-lc, which wipes it when the last configuration made from it is dropped.
pub struct Credentials {
    own: Arc<CertifiedKey>,
    roots: Arc<RootCertStore>,
    identity: Identity,
    not_after_unix_s: i64,
}

impl Credentials {
    /// Reads the three files and checks all that can be checked before the
    /// first connection.
    ///
    /// Not checked: that the own certificate leads to one of `ca`. Members
    /// with different authorities are right to trust each other's and need not
    /// trust their own.
    ///
    /// # Errors
    /// Every error names the file and what to do: a file that is missing, not
    /// PEM or without what it should hold; a key that others can read, of an
    /// unusable kind or of another certificate; roots that are not authorities;
    /// an own certificate that is expired, not yet valid or without exactly one
    /// entente identity.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let roots = roots(&files.ca)?;
        let chain = files::certificates(&files.certificate)?;
        let end_entity = own_end_entity(&chain, &files.certificate)?;
        let own = certified(chain, files)?;
        Ok(Self {
            own: Arc::new(own),
            roots: Arc::new(roots),
            identity: end_entity.identity,
            not_after_unix_s: end_entity.not_after.timestamp(),
        })
    }

    /// Who we are.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When our own certificate ends, in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn not_after_unix_s(&self) -> i64 {
        self.not_after_unix_s
    }

    /// Those that are trusted to name members.
    #[must_use]
    pub fn authorities(&self) -> Authorities {
        Authorities::new(self.roots.clone())
    }

    pub(crate) fn own(&self) -> &CertifiedKey {
        &self.own
    }

    /// For listening: TLS 1.3, own certificate, and every client must present a
    /// member's.
    ///
    /// actix-web takes it by value: `Arc::unwrap_or_clone`.
    ///
    /// # Errors
    /// [`TlsError::Configuration`], a bug of ours.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        configuration::server(self.own.clone(), self.roots.clone()).map(Arc::new)
    }

    /// For connecting to `expected` and nobody else: TLS 1.3, own certificate
    /// presented, the dialled host name not compared.
    ///
    /// # Errors
    /// [`TlsError::Configuration`], a bug of ours.
    pub fn client_config(&self, expected: &Identity) -> Result<Arc<ClientConfig>, TlsError> {
        configuration::client(self.own.clone(), self.roots.clone(), expected.clone()).map(Arc::new)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("identity", &self.identity)
            .field("not_after_unix_s", &self.not_after_unix_s)
            .finish_non_exhaustive()
    }
}

pub(crate) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in files::certificates(path)? {
        let usable = authority_key(&root).is_some() && roots.add(root).is_ok();
        if !usable {
            let path = path.to_owned();
            return Err(TlsError::NotAnAuthority { path });
        }
    }
    Ok(roots)
}

fn own_end_entity(chain: &[CertificateDer<'_>], path: &Path) -> Result<EndEntity, TlsError> {
    let path = path.to_owned();
    let Some(first) = chain.first() else {
        return Err(TlsError::NoCertificate { path });
    };
    let end_entity = match EndEntity::read(first) {
        Ok(end_entity) => end_entity,
        Err(fault) => return Err(TlsError::OwnCertificate { path, fault }),
    };
    let now = ASN1Time::now();
    if now > end_entity.not_after {
        let not_after = end_entity.not_after.to_string();
        return Err(TlsError::Expired { path, not_after });
    }
    if now < end_entity.not_before {
        let not_before = end_entity.not_before.to_string();
        return Err(TlsError::NotYetValid { path, not_before });
    }
    Ok(end_entity)
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    files: &TlsFiles,
) -> Result<CertifiedKey, TlsError> {
    let path = &files.key;
    // rustls wipes the copy it is given. Its error is dropped: it says no more
    // than "not this kind of key" and might quote what it read.
    let key = configuration::provider()
        .key_provider
        .load_private_key(files::private_key(path)?.clone_key())
        .map_err(|_| TlsError::UnusableKey { path: path.clone() })?;
    let own = CertifiedKey::new(chain, key);
    // A key that cannot tell its public half is not accepted on trust.
    own.keys_match().map_err(|_| TlsError::KeyMismatch {
        key: path.clone(),
        certificate: files.certificate.clone(),
    })?;
    Ok(own)
}
