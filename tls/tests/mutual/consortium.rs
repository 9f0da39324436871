//! An authority in a temporary directory, and members it names.

use std::sync::Arc;

use entente_tls::{Credentials, DevelopmentCa, Identity, TlsFiles, Validity};
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

pub(crate) struct Consortium {
    pub(crate) dir: TempDir,
    pub(crate) ca: DevelopmentCa,
}

pub(crate) fn party(name: &str) -> Identity {
    Identity::party(name.parse().unwrap())
}

impl Consortium {
    /// Every consortium's authority bears the same name, so that no test
    /// mistakes the name for the key.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ca = DevelopmentCa::create("consortium").unwrap();
        ca.save(dir.path()).unwrap();
        Self { dir, ca }
    }

    pub(crate) fn issue(&self, name: &str, validity: Validity) -> TlsFiles {
        self.ca
            .issue(&party(name), &["localhost".to_owned()], validity)
            .unwrap()
            .save(self.dir.path(), name)
            .unwrap()
    }

    pub(crate) fn member(&self, name: &str) -> TlsFiles {
        self.issue(name, Validity::days(1))
    }

    pub(crate) fn credentials(&self, name: &str) -> Credentials {
        Credentials::load(&self.member(name)).unwrap()
    }

    /// Over for an hour.
    pub(crate) fn expired(&self, name: &str) -> TlsFiles {
        let now = OffsetDateTime::now_utc();
        let (from, to) = (now - Duration::DAY, now - Duration::HOUR);
        self.issue(name, Validity::new(from, to).unwrap())
    }

    /// Begins in an hour.
    pub(crate) fn premature(&self, name: &str) -> TlsFiles {
        let now = OffsetDateTime::now_utc();
        let (from, to) = (now + Duration::HOUR, now + Duration::DAY);
        self.issue(name, Validity::new(from, to).unwrap())
    }

    /// A certificate of this authority with any URI names whatever.
    pub(crate) fn with_uris(&self, stem: &str, uris: &[&str]) -> TlsFiles {
        let at = |name: &str| self.dir.path().join(name);
        let files = self.member(stem);
        let ca_key = KeyPair::from_pem(&std::fs::read_to_string(at("ca.key")).unwrap()).unwrap();
        let ca = CertificateDer::from_pem_file(at("ca.pem")).unwrap();
        let issuer = Issuer::from_ca_cert_der(&ca, ca_key).unwrap();
        let key = KeyPair::from_pem(&std::fs::read_to_string(&files.key).unwrap()).unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()))
            .collect();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        files
    }
}

/// Trusts what `files.ca` holds.
pub(crate) fn roots(files: &TlsFiles) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&files.ca).unwrap())
        .unwrap();
    Arc::new(roots)
}

/// Certificate and key without any of the crate's checks.
pub(crate) fn unchecked(
    files: &TlsFiles,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificate = CertificateDer::from_pem_file(&files.certificate).unwrap();
    (
        vec![certificate],
        PrivateKeyDer::from_pem_file(&files.key).unwrap(),
    )
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
