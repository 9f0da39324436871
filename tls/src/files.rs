//! PEM files: read with their permissions checked, created and never replaced.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::error::TlsError;

/// The largest PEM file: hundreds of certificates, and no device by mistake.
const MAX_BYTES: u64 = 1 << 20;

/// The certificates in `path`, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    parse_certificates(path, &text(path)?)
}

/// The certificates in `pem`, which was read from `path`; at least one.
pub(crate) fn parse_certificates(
    path: &Path,
    pem: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed(path, &error))?;
    if certificates.is_empty() {
        let path = path.to_owned();
        return Err(TlsError::NoCertificate { path });
    }
    Ok(certificates)
}

/// The private key in `path`, wiped after use.
///
/// # Errors
/// [`TlsError::KeyExposed`] when anybody but the owner may read or write it.
/// The open file is asked, not the path, so the answer is about these bytes.
pub(crate) fn private_key(path: &Path) -> Result<Zeroizing<PrivateKeyDer<'static>>, TlsError> {
    let file = open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata().map_err(failed("read", path))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(TlsError::KeyExposed { path, mode });
        }
    }
    let pem = Zeroizing::new(contents(file, path)?);
    match PrivateKeyDer::from_pem_slice(&pem) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(PemError::NoItemsFound) => Err(TlsError::NoKey {
            path: path.to_owned(),
        }),
        Err(error) => Err(malformed(path, &error)),
    }
}

/// What the text file `path` contains.
pub(crate) fn text(path: &Path) -> Result<String, TlsError> {
    String::from_utf8(contents(open(path)?, path)?).map_err(|_| TlsError::Pem {
        path: path.to_owned(),
        reason: "it is not text",
    })
}

fn open(path: &Path) -> Result<File, TlsError> {
    File::open(path).map_err(failed("read", path))
}

fn contents(file: File, path: &Path) -> Result<Vec<u8>, TlsError> {
    let length = file.metadata().map_err(failed("read", path))?.len();
    // Room for all of it at once: a vector that grows leaves copies behind.
    let room = usize::try_from(length.min(MAX_BYTES) + 1).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room);
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    match read.map_err(failed("read", path))? as u64 {
        0..=MAX_BYTES => Ok(bytes),
        _ => {
            let reason = "it is larger than 1 MiB";
            let path = path.to_owned();
            Err(TlsError::Pem { path, reason })
        }
    }
}

/// The PEM reader's error without the offending text, which may be a key.
fn malformed(path: &Path, error: &PemError) -> TlsError {
    let reason = match error {
        PemError::MissingSectionEnd { .. } => "a section has no END line",
        PemError::IllegalSectionStart { .. } => "a BEGIN line is malformed",
        PemError::Base64Decode(_) => "a section is not base64",
        _ => "no section can be read",
    };
    let path = path.to_owned();
    TlsError::Pem { path, reason }
}

/// A file to be created.
pub(crate) struct NewFile<'a> {
    pub(crate) path: PathBuf,
    pub(crate) contents: &'a str,
    pub(crate) access: Access,
}

/// Who may read a new file.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    /// The owner alone (0600), from the moment it exists.
    Owner,
    /// Everybody (0644).
    World,
}

/// Creates all of `files` or none, in `directory`, which is made (0700) when it
/// is missing.
///
/// # Errors
/// [`TlsError::Exists`] when one exists; nothing is ever overwritten, and what
/// this call created is removed again.
pub(crate) fn create_together(directory: &Path, files: &[NewFile<'_>]) -> Result<(), TlsError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(failed("create", directory))?;

    let mut created: Vec<&Path> = Vec::with_capacity(files.len());
    for file in files {
        let outcome = create(file).and_then(|handle| {
            created.push(&file.path);
            write(handle, file)
        });
        if let Err(error) = outcome {
            for path in created {
                // The first error is the one to report; a file that cannot be
                // removed shows itself as "exists" at the next attempt.
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
    }
    Ok(())
}

fn create(file: &NewFile<'_>) -> Result<File, TlsError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match file.access {
            Access::Owner => 0o600,
            Access::World => 0o644,
        },
    );
    options
        .open(&file.path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => TlsError::Exists {
                path: file.path.clone(),
            },
            _ => failed("create", &file.path)(error),
        })
}

fn write(mut handle: File, file: &NewFile<'_>) -> Result<(), TlsError> {
    handle
        .write_all(file.contents.as_bytes())
        .and_then(|()| handle.sync_all())
        .map_err(failed("write", &file.path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File {
        path,
        action,
        source,
    }
}
