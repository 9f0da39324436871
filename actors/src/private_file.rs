//! Files for their owner alone, there whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Makes a directory that only its owner may enter, with those above it.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes `directory/name`, readable by its owner alone; one that is there is
/// replaced. Written beside and renamed, with the file and then its directory
/// synced: it is there whole, or not at all, also after a power cut.
pub(crate) fn write(directory: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(format!("{name}.unfinished"));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_new(&unfinished, content)?;
    fs::rename(&unfinished, directory.join(name))?;
    sync_directory(directory)
}

/// Makes the names in a directory last.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Writes a file that must not be there yet, for its owner alone.
///
/// # Errors
/// As the file system says; [`io::ErrorKind::AlreadyExists`] for one that is
/// there.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    // `create_new`: not through a link that somebody else has put there.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_the_latest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        for content in [b"first".as_slice(), b"second"] {
            make_directory(&inner).unwrap();
            write(&inner, "x", content).unwrap();
            assert_eq!(fs::read(inner.join("x")).unwrap(), content);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner.join("x")), 0o600);
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
        let again = write_new(&inner.join("x"), b"third").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, b"").unwrap();
        assert!(make_directory(&blocked.join("x")).is_err());
    }
}
