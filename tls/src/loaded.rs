//! What the files of one moment say: own certificate and key, and who is trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::time::ASN1Time;
use zeroize::Zeroizing;

use crate::certificate::{self, EndEntity, authority_key};
use crate::configuration;
use crate::error::TlsError;
use crate::files;
use crate::identity::Identity;
use crate::naming::Naming;
use crate::revocation::{moment, read_lists};
use crate::show::hexadecimal;
use crate::tls_files::TlsFiles;
use crate::trust::Trust;

/// What lies in the files, read but not understood.
pub(crate) struct Contents {
    ca: Vec<u8>,
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    crls: Vec<Vec<u8>>,
}

impl Contents {
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let crls = files.crls.iter();
        Ok(Self {
            ca: files::bytes(&files.ca, files::MAX_BYTES)?,
            certificate: files::bytes(&files.certificate, files::MAX_BYTES)?,
            key: files::key_bytes(&files.key)?,
            crls: crls
                .map(|path| files::bytes(path, files::MAX_LIST_BYTES))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Of all of them. By content and not by time or inode: Kubernetes replaces a
    /// link to their folder, and a copy may keep the time.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let fixed = [&self.ca, &self.certificate, &*self.key];
        for file in fixed.into_iter().chain(&self.crls) {
            digest.update((file.len() as u64).to_be_bytes());
            digest.update(file);
        }
        digest.finalize().into()
    }
}

/// What the files of one moment say, checked.
pub(crate) struct Loaded {
    pub(crate) own: Arc<CertifiedKey>,
    pub(crate) trust: Trust,
    pub(crate) identity: Identity,
    pub(crate) serial: String,
    pub(crate) not_before_unix_s: i64,
    pub(crate) not_after_unix_s: i64,
    /// Authorities of which there is no list, though there are lists.
    pub(crate) silent: Vec<String>,
    pub(crate) digest: [u8; 32],
}

impl Loaded {
    pub(crate) fn check(files: &TlsFiles, contents: Contents) -> Result<Self, TlsError> {
        let naming = files.naming();
        let digest = contents.digest();
        let ca = files::as_text(&files.ca, contents.ca)?;
        let authorities = files::parse_certificates(&files.ca, &ca)?;
        let roots = roots(&files.ca, &authorities)?;
        let pem = files::as_text(&files.certificate, contents.certificate)?;
        let chain = files::parse_certificates(&files.certificate, &pem)?;
        let end_entity = own_end_entity(&chain, &files.certificate, &naming)?;
        // Those whose lists can be held against their certificates now.
        let known = [authorities.as_slice(), chain.get(1..).unwrap_or_default()].concat();
        let crls = files
            .crls
            .iter()
            .zip(contents.crls.iter().map(Vec::as_slice));
        let mut trust = Trust::of(roots);
        trust.lists = read_lists(crls, &known, &trust.algorithms)?;
        trust.naming = naming;
        let now = ASN1Time::now().timestamp();
        if let Some(end) = trust.lists.first_end().filter(|end| *end < now) {
            let files = files.crls.iter().map(|path| path.display().to_string());
            return Err(TlsError::ListEnded {
                files: files.collect::<Vec<_>>().join(", "),
                end: moment(end),
            });
        }
        let silent = match trust.lists.is_empty() {
            true => Vec::new(),
            false => trust.lists.silent(&authorities),
        };
        let serial = chain.first().and_then(|der| certificate::parse(der).ok());
        let serial = serial.map(|own| hexadecimal(own.raw_serial()));
        Ok(Self {
            serial: serial.unwrap_or_default(),
            own: Arc::new(certified(chain, &contents.key, files)?),
            trust,
            identity: end_entity.identity,
            not_before_unix_s: end_entity.not_before.timestamp(),
            not_after_unix_s: end_entity.not_after.timestamp(),
            silent,
            digest,
        })
    }

    /// Refuses what must not change while a process runs.
    pub(crate) fn follow(&self, before: &Self, files: &TlsFiles) -> Result<(), TlsError> {
        if self.identity != before.identity {
            return Err(TlsError::IdentityChanged {
                path: files.certificate.clone(),
                own: before.identity.clone(),
                found: self.identity.clone(),
            });
        }
        // Any of the files may have had the list.
        let path = files.crls.iter().next().unwrap_or(&files.ca);
        self.trust.lists.follow(&before.trust.lists, path)
    }
}

/// The roots among what `path` holds, which is all of it or an error.
pub(crate) fn roots(
    path: &Path,
    certificates: &[CertificateDer<'static>],
) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates {
        let usable = authority_key(root).is_some() && roots.add(root.clone()).is_ok();
        if !usable {
            let path = path.to_owned();
            return Err(TlsError::NotAnAuthority { path });
        }
    }
    Ok(roots)
}

pub(crate) fn own_end_entity(
    chain: &[CertificateDer<'_>],
    path: &Path,
    naming: &Naming,
) -> Result<EndEntity, TlsError> {
    let path = path.to_owned();
    let Some(first) = chain.first() else {
        return Err(TlsError::NoCertificate { path });
    };
    let end_entity = match EndEntity::read(first, naming) {
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

pub(crate) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &[u8],
    files: &TlsFiles,
) -> Result<CertifiedKey, TlsError> {
    let path = &files.key;
    // rustls wipes the copy it is given. Its error is dropped: it says no more
    // than "not this kind of key" and might quote what it read.
    let key = configuration::provider()
        .key_provider
        .load_private_key(files::parse_private_key(path, key)?.clone_key())
        .map_err(|_| TlsError::UnusableKey { path: path.clone() })?;
    let own = CertifiedKey::new(chain, key);
    // A key that cannot tell its public half is not accepted on trust.
    own.keys_match().map_err(|_| TlsError::KeyMismatch {
        key: path.clone(),
        certificate: files.certificate.clone(),
    })?;
    Ok(own)
}
