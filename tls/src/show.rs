//! Certificates and revocation lists for people and programs: facts, no verdicts.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::certificate;
use crate::configuration;
use crate::error::TlsError;
use crate::files;
use crate::naming::Naming;
use crate::revocation::{ListFacts, Lists, read_lists};

/// What a file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Facts {
    /// Certificates, in their order.
    Certificates(Vec<CertificateFacts>),
    /// Revocation lists, in their order.
    Lists(Vec<ListFacts>),
}

/// What a certificate says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CertificateFacts {
    /// The member that it stands for, if it does for one.
    pub identity: Option<String>,
    /// Whom it names, as X.509 does.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// Whether it may sign others.
    pub authority: bool,
    /// Its alternative names.
    pub names: Vec<String>,
    /// Its first moment, in seconds since 1970-01-01 UTC.
    pub not_before_unix_s: i64,
    /// Its last.
    pub not_after_unix_s: i64,
    /// The kind and size of its key: `EC 256`.
    pub key: String,
    /// SHA-256 over the whole of it, in hexadecimal.
    pub fingerprint: String,
}

/// What the file `path` holds, PEM; names read as `naming` says.
///
/// # Errors
/// [`TlsError`], naming the file.
pub fn facts(path: &Path, naming: &Naming) -> Result<Facts, TlsError> {
    let bytes = files::bytes(path, files::MAX_LIST_BYTES)?;
    let has = |section: &[u8]| bytes.windows(section.len()).any(|window| window == section);
    if bytes.first() == Some(&0x30) || has(b"BEGIN X509 CRL") {
        let algorithms = configuration::provider().signature_verification_algorithms;
        let file = [(path, bytes.as_slice())];
        let lists: Lists = read_lists(file.into_iter(), &[], &algorithms)?;
        return Ok(Facts::Lists(lists.facts().cloned().collect()));
    }
    let pem = files::as_text(path, bytes)?;
    let certificates = files::parse_certificates(path, &pem)?;
    let read = certificates
        .iter()
        .map(|der| CertificateFacts::of(der, naming));
    let read = read.collect::<Option<Vec<_>>>();
    read.map(Facts::Certificates).ok_or_else(|| TlsError::Pem {
        path: path.to_owned(),
        reason: "a certificate in it is malformed",
    })
}

impl CertificateFacts {
    pub(crate) fn of(der: &CertificateDer<'_>, naming: &Naming) -> Option<Self> {
        let certificate = certificate::parse(der).ok()?;
        let names = names(&certificate);
        let validity = certificate.validity();
        Some(Self {
            identity: naming.member(names.iter()).ok().map(String::from),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: hexadecimal(certificate.raw_serial()),
            authority: certificate.is_ca(),
            names: names.iter().map(name).collect(),
            not_before_unix_s: validity.not_before.timestamp(),
            not_after_unix_s: validity.not_after.timestamp(),
            key: key(certificate.public_key()),
            fingerprint: hexadecimal(&Sha256::digest(der)),
        })
    }
}

fn names<'a>(certificate: &'a X509Certificate<'a>) -> Vec<GeneralName<'a>> {
    let names = certificate.subject_alternative_name().ok().flatten();
    names.map_or_else(Vec::new, |names| names.value.general_names.clone())
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::URI(uri) => (*uri).to_owned(),
        GeneralName::DNSName(host) => (*host).to_owned(),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => std::net::IpAddr::from(four).to_string(),
            Err(_) => <[u8; 16]>::try_from(*bytes).map_or_else(
                |_| hexadecimal(bytes),
                |sixteen| std::net::IpAddr::from(sixteen).to_string(),
            ),
        },
        other => other.to_string(),
    }
}

/// The kind and size of a key.
pub(crate) fn key(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        Ok(PublicKey::EC(point)) => format!("EC {}", point.key_size()),
        _ if key.algorithm.algorithm == OID_SIG_ED25519 => "Ed25519".to_owned(),
        _ => key.algorithm.algorithm.to_id_string(),
    }
}

/// Bytes as people compare them, with nothing between.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // To a String, which takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
