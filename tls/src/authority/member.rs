//! A member's certificate, new from the authority.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Authority, Certificate};
use crate::error::TlsError;
use crate::files::{self, Access, NewFile};
use crate::identity::Identity;
use crate::naming::Naming;
use crate::request::NewRequest;
use crate::show::CertificateFacts;
use crate::tls_files::TlsFiles;

const TRUSTED: &str = "ca.pem";

/// A certificate that an authority has signed, not yet on disk.
pub struct Signed {
    member: Identity,
    certificate: Certificate,
    /// With what is sent along with it.
    chain: String,
    trusted: Certificate,
    naming: Naming,
}

impl Signed {
    pub(super) fn new(authority: &Authority, member: Identity, certificate: Certificate) -> Self {
        Self {
            chain: format!("{}{}", certificate.pem, authority.certificates_sent_along()),
            trusted: authority.trusted().clone(),
            naming: Naming {
                trust_domain: authority.trust_domain().clone(),
                ..Naming::default()
            },
            member,
            certificate,
        }
    }

    /// For whom it speaks.
    #[must_use]
    pub fn member(&self) -> &Identity {
        &self.member
    }

    /// What it says.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        CertificateFacts::of(&self.certificate.der, &self.naming)
    }

    /// Notes it among those that the authority in `dir` has signed, by which it can
    /// be revoked. To be done before it is handed out.
    ///
    /// # Errors
    /// [`TlsError::File`]
    pub fn note(&self, dir: &Path) -> Result<(), TlsError> {
        self.certificate.note(dir)
    }

    /// Writes `STEM.pem` into `dir`, with the certificates between it and the root,
    /// and `ca.pem`, the root, unless it is there already.
    ///
    /// # Errors
    /// [`TlsError::Exists`] when `STEM.pem` does (then nothing is written),
    /// [`TlsError::AnotherAuthority`] when `ca.pem` is not the root,
    /// [`TlsError::Stem`] when `stem` is not a plain file name.
    pub fn save(&self, dir: &Path, stem: &str) -> Result<TlsFiles, TlsError> {
        self.save_with(dir, stem, None)
    }

    /// The same with the key, which a development authority has made itself.
    pub(crate) fn save_with(
        &self,
        dir: &Path,
        stem: &str,
        key: Option<&str>,
    ) -> Result<TlsFiles, TlsError> {
        if Path::new(stem).file_name() != Some(stem.as_ref()) {
            return Err(TlsError::Stem(stem.to_owned()));
        }
        let paths = TlsFiles::new(
            self.trusted_in(dir)?,
            dir.join(format!("{stem}.pem")),
            dir.join(format!("{stem}.key")),
        );
        let mut new = Vec::new();
        if let Some(key) = key {
            new.push(NewFile {
                path: paths.key.clone(),
                contents: key,
                access: Access::Owner,
            });
        }
        new.push(NewFile {
            path: paths.certificate.clone(),
            contents: &self.chain,
            access: Access::World,
        });
        if !paths.ca.exists() {
            new.push(NewFile {
                path: paths.ca.clone(),
                contents: &self.trusted.pem,
                access: Access::World,
            });
        }
        files::create_together(dir, &new)?;
        Ok(paths)
    }

    /// The file in `dir` that has the root, or is to have it. In the folder of an
    /// intermediate authority `ca.pem` is that authority's.
    fn trusted_in(&self, dir: &Path) -> Result<PathBuf, TlsError> {
        let (path, beside) = (dir.join(TRUSTED), dir.join(super::ROOT));
        for candidate in [&path, &beside] {
            if candidate.exists() && files::certificates(candidate)?.contains(&self.trusted.der) {
                return Ok(candidate.clone());
            }
        }
        match path.exists() {
            true => Err(TlsError::AnotherAuthority { path }),
            false => Ok(path),
        }
    }

    /// Puts it, and the key of the request that it is for, in the place of those
    /// that a member has. A process that looks at the files between the two finds a
    /// key that does not belong to the certificate, keeps what it has, and looks
    /// again.
    ///
    /// # Errors
    /// [`TlsError::File`]
    pub fn replace(&self, request: &NewRequest, files: &TlsFiles) -> Result<(), TlsError> {
        files::replace(&[
            NewFile {
                path: files.key.clone(),
                contents: request.key(),
                access: Access::Owner,
            },
            NewFile {
                path: files.certificate.clone(),
                contents: &self.chain,
                access: Access::World,
            },
        ])
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}
