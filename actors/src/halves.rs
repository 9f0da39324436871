//! Finished halves of models, on disk.
//!
//! `STATE_DIR/models/JOB/half.bin`, readable by its owner alone. Written beside
//! and renamed, with the file and then its directory synced: a half is there
//! whole, or not at all, also after a power cut.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use entente_protocol::{Half, job::JobId};

/// Where the half of `job` is.
pub fn path(state_dir: &Path, job: JobId) -> PathBuf {
    directory(state_dir, job).join("half.bin")
}

fn directory(state_dir: &Path, job: JobId) -> PathBuf {
    state_dir.join("models").join(job.to_string())
}

/// Saves this party's half of `job`; one of an earlier attempt is replaced.
///
/// # Errors
/// As the file system says.
pub(crate) fn save(state_dir: &Path, job: JobId, half: &Half) -> io::Result<()> {
    let directory = directory(state_dir, job);
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700).create(&directory)?;

    let unfinished = directory.join("half.bin.unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `create_new`: not through a link that somebody else has put there.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(half.expose())?;
    file.sync_all()?;
    fs::rename(&unfinished, path(state_dir, job))?;
    File::open(&directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use entente_wire::Secret;

    use super::*;

    #[test]
    fn a_half_is_its_owners_alone_and_the_latest_counts() {
        let dir = tempfile::tempdir().unwrap();
        let job: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        for content in [b"first".as_slice(), b"second"] {
            save(dir.path(), job, &Secret::new(content.to_vec())).unwrap();
            assert_eq!(fs::read(path(dir.path(), job)).unwrap(), content);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path(dir.path(), job)), 0o600);
        assert_eq!(mode(&directory(dir.path(), job)), 0o700);
        assert_eq!(fs::read_dir(directory(dir.path(), job)).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        fs::write(&blocked, b"").unwrap();
        let job: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert!(save(&blocked, job, &Secret::new(vec![1])).is_err());
    }
}
