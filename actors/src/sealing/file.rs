//! Sealing keys in files.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use entente_tls::exposed_mode;
use entente_wire::Secret;

use super::{KeyId, SealingError, SealingKey};
use crate::{entropy, private_file};

/// 64 digits and the end of a line; more is no key.
const MAX_BYTES: usize = 80;

/// Reads a sealing key.
///
/// A link is followed, since that is how secrets are mounted, and it is what it
/// leads to that must be its owner's alone, or the superuser's and for a group of this
/// process, as for the keys of certificates: the open file is asked, not the path.
///
/// # Errors
/// [`SealingError`] naming the file and what to do.
pub(super) fn read(path: &Path) -> Result<SealingKey, SealingError> {
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::NotFound => SealingError::Missing { path: path.into() },
        _ => SealingError::File {
            path: path.into(),
            action: "read",
            source,
        },
    };
    let whence = path.display().to_string();
    // Before it is opened: to open a pipe is to wait for whoever writes to it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(SealingError::NoKey { whence });
    }
    let file = File::open(path).map_err(failed)?;
    if let Some(mode) = exposed_mode(&file.metadata().map_err(failed)?) {
        let path = path.into();
        return Err(SealingError::Exposed { path, mode });
    }
    // With all its room at once: a vector that grows leaves copies behind.
    let mut text = Secret::new(Vec::with_capacity(MAX_BYTES + 1));
    file.take(MAX_BYTES as u64)
        .read_to_end(text.expose_mut())
        .map_err(failed)?;
    SealingKey::parse(text.expose(), &whence)
}

/// Makes a sealing key in a new file for its owner alone; which it is.
///
/// # Errors
/// [`SealingError`]; a file that is there is never replaced.
pub fn make_sealing_key(path: &Path) -> Result<KeyId, SealingError> {
    let failed = |source| SealingError::File {
        path: path.into(),
        action: "make",
        source,
    };
    let drawn = entropy::seed().map_err(|error| SealingError::Entropy(error.to_string()))?;
    let mut text = Secret::new(vec![0; 65]);
    // The room is that of the digits.
    let _ = hex::encode_to_slice(drawn.expose(), &mut text.expose_mut()[..64]);
    text.expose_mut()[64] = b'\n';
    let key = SealingKey::parse(text.expose(), &path.display().to_string())?;
    private_file::write_new(path, text.expose()).map_err(failed)?;
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => private_file::sync_directory(folder),
        None => private_file::sync_directory(Path::new(".")),
    }
    .map_err(failed)?;
    Ok(key.id())
}
