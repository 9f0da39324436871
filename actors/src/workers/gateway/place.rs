//! Where a worker's party is, and why it leaves it.

use std::{fs, io, path::PathBuf};

/// Where a worker's party is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartyAt {
    /// At `host:port`.
    Address(String),
    /// Where this file says, each time anew.
    File(PathBuf),
}

impl PartyAt {
    pub(super) fn address(&self) -> io::Result<String> {
        match self {
            Self::Address(address) => Ok(address.clone()),
            Self::File(path) => fs::read_to_string(path),
        }
    }
}

/// Why a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// Its party has told it to.
    Dismissed,
    /// Its party was not there for as long as it was to wait.
    Alone,
}
