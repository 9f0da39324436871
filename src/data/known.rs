//! The public datasets that are known: a closed list, with the digest of every
//! file as its origin has it.

use std::{fs::File, io, path::Path};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

const LIST: &str = include_str!("known.txt");

/// A file of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    sha256: &'static str,
    bytes: u64,
    /// Below the folder, `dataset/file`.
    pub(super) path: &'static str,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum State {
    /// As its origin has it, byte for byte.
    Good,
    /// Not there.
    Missing,
    /// Shorter than it should be.
    Truncated {
        /// Bytes that are there.
        bytes: u64,
        /// Bytes that should be.
        expected_bytes: u64,
    },
    /// Longer, or with other bytes.
    Altered {
        /// Its digest.
        sha256: String,
        /// The digest that it should have.
        expected_sha256: String,
    },
    /// There, and closed to this process.
    Unreadable {
        /// What the operating system says.
        reason: String,
    },
}

/// All of them, in the order of the list. A line that is not whole would be
/// left out; a test holds that there is none.
pub(super) fn all() -> impl Iterator<Item = Known> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut fields = line.split(' ');
        Some(Known {
            sha256: fields.next()?,
            bytes: fields.next()?.parse().ok()?,
            path: fields.next()?,
        })
    })
}

impl Known {
    /// The dataset that it belongs to.
    pub(super) fn dataset(&self) -> &'static str {
        self.path
            .split_once('/')
            .map_or(self.path, |(name, _)| name)
    }

    /// Looks at the file below `folder`, and reads all of it.
    pub(super) fn look(&self, folder: &Path) -> State {
        match digest(&folder.join(self.path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::Missing,
            Err(error) => State::Unreadable {
                reason: error.to_string(),
            },
            Ok((_, sha256)) if sha256 == self.sha256 => State::Good,
            Ok((bytes, _)) if bytes < self.bytes => State::Truncated {
                bytes,
                expected_bytes: self.bytes,
            },
            Ok((_, sha256)) => State::Altered {
                sha256,
                expected_sha256: self.sha256.to_owned(),
            },
        }
    }
}

/// Length and digest, a block at a time.
fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Hashing(Sha256::new());
    let bytes = io::copy(&mut file, &mut hash)?;
    Ok((bytes, hex::encode(hash.0.finalize())))
}

/// A digest that can be written to.
struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn every_line_of_the_list_is_whole() {
        let lines = LIST.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(all().count(), lines.count());
        for known in all() {
            assert_eq!(known.sha256.len(), 64, "{}", known.path);
            assert!(known.path.contains('/') && !known.path.contains(".."));
        }
    }

    #[test]
    fn a_file_is_good_missing_truncated_or_altered() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known {
            // Of "abc", as in the standard.
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            bytes: 3,
            path: "abc.txt",
        };
        let look = |content: &[u8]| {
            fs::write(folder.path().join("abc.txt"), content).unwrap();
            known.look(folder.path())
        };
        assert_eq!(look(b"abc"), State::Good);
        let (bytes, expected_bytes) = (2, 3);
        let truncated = State::Truncated {
            bytes,
            expected_bytes,
        };
        assert_eq!(look(b"ab"), truncated);
        assert!(matches!(look(b"abd"), State::Altered { .. }));
        assert!(matches!(look(b"abcd"), State::Altered { .. }));
        fs::remove_file(folder.path().join("abc.txt")).unwrap();
        assert_eq!(known.look(folder.path()), State::Missing);
        fs::create_dir(folder.path().join("abc.txt")).unwrap();
        assert!(matches!(
            known.look(folder.path()),
            State::Unreadable { .. }
        ));
    }
}
