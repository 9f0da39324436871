//! PEM files: read with their permissions checked, created and never replaced.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::error::TlsError;

/// The largest PEM file: hundreds of certificates, and no device by mistake.
pub(crate) const MAX_BYTES: u64 = 1 << 20;
/// The largest revocation list: some hundred thousand certificates.
pub(crate) const MAX_LIST_BYTES: u64 = 16 << 20;

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
    parse_private_key(path, &key_bytes(path)?)
}

/// What the file of a private key contains, wiped after use.
pub(crate) fn key_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(failed("read", path))?;
    if let Some(mode) = exposed_mode(&metadata) {
        let path = path.to_owned();
        return Err(TlsError::KeyExposed { path, mode });
    }
    contents(file, path, MAX_BYTES).map(Zeroizing::new)
}

/// The mode of a file that others than this process and the superuser can read or
/// change; nothing of one that is fit for a secret. Ask an open file, not a path, so
/// that the answer is about the bytes that are read.
#[must_use]
pub fn exposed_mode(metadata: &fs::Metadata) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = metadata.mode() & 0o777;
        let own = rustix::process::geteuid().as_raw();
        is_exposed(mode, metadata.uid(), own).then_some(mode)
    }
    #[cfg(not(unix))]
    None
}

/// Whether others than this process and the superuser can read or change a file.
///
/// One of the superuser's may be readable by a group, if we are somebody else:
/// that is how Kubernetes hands a secret to a container that is not root, and
/// `root:ssl-cert` is how distributions do (PostgreSQL has the same rule).
#[cfg(unix)]
fn is_exposed(mode: u32, owner: u32, own: u32) -> bool {
    match owner == 0 && own != 0 {
        true => mode & 0o037 != 0,
        false => mode & 0o077 != 0,
    }
}

/// The private key in `pem`, which was read from `path`.
pub(crate) fn parse_private_key(
    path: &Path,
    pem: &[u8],
) -> Result<Zeroizing<PrivateKeyDer<'static>>, TlsError> {
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(PemError::NoItemsFound) => Err(TlsError::NoKey {
            path: path.to_owned(),
        }),
        Err(error) => Err(malformed(path, &error)),
    }
}

/// What the text file `path` contains.
pub(crate) fn text(path: &Path) -> Result<String, TlsError> {
    as_text(path, bytes(path, MAX_BYTES)?)
}

/// What was read from `path`, if it is text.
pub(crate) fn as_text(path: &Path, bytes: Vec<u8>) -> Result<String, TlsError> {
    String::from_utf8(bytes).map_err(|_| TlsError::Pem {
        path: path.to_owned(),
        reason: "it is not text",
    })
}

/// What the file `path` contains, `most` bytes at most.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, TlsError> {
    contents(open(path)?, path, most)
}

fn open(path: &Path) -> Result<File, TlsError> {
    File::open(path).map_err(failed("read", path))
}

fn contents(file: File, path: &Path, most: u64) -> Result<Vec<u8>, TlsError> {
    let length = file.metadata().map_err(failed("read", path))?.len();
    // Room for all of it at once: a vector that grows leaves copies behind.
    let room = usize::try_from(length.min(most) + 1).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room);
    let read = file.take(most + 1).read_to_end(&mut bytes);
    match read.map_err(failed("read", path))? as u64 {
        length if length <= most => Ok(bytes),
        _ => {
            let reason = match most {
                MAX_LIST_BYTES => "it is larger than 16 MiB",
                _ => "it is larger than 1 MiB",
            };
            let path = path.to_owned();
            Err(TlsError::Pem { path, reason })
        }
    }
}

/// The PEM reader's error without the offending text, which may be a key.
pub(crate) fn malformed(path: &Path, error: &PemError) -> TlsError {
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

/// Puts `files` in the place of those of their names, each whole or not at all, in
/// this order. A reader between two of them sees an old and a new one.
pub(crate) fn replace(files: &[NewFile<'_>]) -> Result<(), TlsError> {
    for file in files {
        let mut name = file.path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = NewFile {
            path: file.path.with_file_name(name),
            ..*file
        };
        // Of an attempt that was killed.
        let _ = fs::remove_file(&partial.path);
        let written = create(&partial).and_then(|handle| write(handle, &partial));
        let moved = written.and_then(|()| {
            fs::rename(&partial.path, &file.path).map_err(failed("replace", &file.path))
        });
        if let Err(error) = moved {
            let _ = fs::remove_file(&partial.path);
            return Err(error);
        }
    }
    Ok(())
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<(), TlsError> {
    fs::remove_file(path).map_err(failed("remove", path))
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

#[cfg(all(test, unix))]
mod tests {
    use super::is_exposed;

    #[test]
    fn a_key_is_its_owners_or_a_group_of_the_superusers() {
        let (root, us, them) = (0, 1000, 1001);
        for (mode, owner, own, exposed) in [
            (0o600, us, us, false),
            (0o400, us, us, false),
            (0o640, us, us, true),
            (0o604, us, us, true),
            (0o640, root, root, true),
            // As Kubernetes mounts a secret for a group.
            (0o440, root, us, false),
            (0o640, root, us, false),
            (0o660, root, us, true),
            (0o444, root, us, true),
            (0o440, them, us, true),
        ] {
            assert_eq!(
                is_exposed(mode, owner, own),
                exposed,
                "{mode:o} {owner} {own}"
            );
        }
    }
}
