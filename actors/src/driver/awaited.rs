//! What a job waits for that has to come from outside.

use core::fmt;

use entente_protocol::job::PartyName;

/// What a job waits for that has to come from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// The coordinator's leave to begin another exchange.
    Grant,
    /// A link to the peer.
    Link(PartyName),
    /// A place for its records: what it takes for one.
    Disk(&'static str),
}

/// For a person, as the object of "waits for".
impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant => f.write_str("a grant of rounds"),
            Self::Link(peer) => peer.fmt(f),
            Self::Disk(what) => f.write_str(what),
        }
    }
}
