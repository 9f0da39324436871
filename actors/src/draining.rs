//! Whether this party begins nothing new: a file beside what it keeps.
//!
//! Its own people decide, on its own machine, while the party runs or not, as with
//! approvals ([`Ledger`](crate::approval::Ledger)): whether a bank's machine takes
//! work is nobody else's affair. A file and not a signal: it holds over
//! restarts, for which one drains.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::private_file;

/// Who had a party begin nothing new, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// The user of the system.
    pub by: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

/// Why that cannot be said or found out.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct DrainError {
    path: PathBuf,
    source: io::Error,
}

/// What lets new jobs in, or does not.
#[derive(Debug, Clone)]
pub struct Gate {
    state_dir: PathBuf,
}

const NAME: &str = "draining.json";

impl Gate {
    /// Of the party whose `[party] state_dir` this is.
    pub fn below(state_dir: &Path) -> Self {
        let state_dir = state_dir.to_owned();
        Self { state_dir }
    }

    /// Whether it is closed. One of which that cannot be said is: who has closed
    /// it relies on it.
    pub(crate) fn is_closed(&self) -> bool {
        match fs::symlink_metadata(self.path()) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Closes it. The same again changes nothing.
    ///
    /// # Errors
    /// [`DrainError`] as the file system says.
    pub fn close(&self, drained: &Drained) -> Result<(), DrainError> {
        if self.is_closed() {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let content = serde_json::to_vec_pretty(drained)?;
            private_file::make_directory(&self.state_dir)?;
            private_file::write(&self.state_dir, NAME, &content)
        };
        write().map_err(|source| self.error(source))
    }

    /// Opens it. The same again changes nothing.
    ///
    /// # Errors
    /// [`DrainError`] as the file system says.
    pub fn open(&self) -> Result<(), DrainError> {
        match fs::remove_file(self.path()) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(self.error(source)),
            _ => Ok(()),
        }
    }

    fn path(&self) -> PathBuf {
        self.state_dir.join(NAME)
    }

    fn error(&self, source: io::Error) -> DrainError {
        let path = self.path();
        DrainError { path, source }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_gate_stays_as_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let drained = Drained {
            by: "alice".to_owned(),
            at_ms: 1,
        };
        let gate = || Gate::below(&state_dir);
        assert!(!gate().is_closed());
        gate().open().unwrap();
        for _ in 0..2 {
            gate().close(&drained).unwrap();
            assert!(gate().is_closed());
        }
        gate().open().unwrap();
        assert!(!gate().is_closed());
        // Where nothing can be seen, nothing new begins.
        fs::remove_dir_all(&state_dir).unwrap();
        fs::write(&state_dir, b"a file in the way").unwrap();
        assert!(gate().is_closed());
        let error = gate().open().unwrap_err().to_string();
        assert!(error.contains("draining.json"), "{error}");
    }
}
