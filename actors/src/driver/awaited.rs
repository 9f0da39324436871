//! What a job waits for that has to come from outside.

use core::fmt;

use entente_protocol::job::PartyName;
use entente_wire::{WireVersion, listed_versions};

/// What a job waits for that has to come from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// The coordinator's leave to begin another exchange.
    Grant,
    /// A link to the peer.
    Link(PartyName),
    /// A peer that is there, and speaks other versions of the wire format than the
    /// one in which this attempt began.
    Version {
        /// The peer.
        peer: PartyName,
        /// The version of the session.
        wanted: WireVersion,
        /// What the peer speaks, newest first.
        spoken: Vec<u16>,
    },
    /// A worker to run it in, and what is in the way if that is known.
    Worker(Option<&'static str>),
    /// What its worker says that it waits for.
    AtWorker(String),
    /// A place for its records: what it takes for one.
    Disk(&'static str),
}

/// For a person, as the object of "waits for".
impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant => f.write_str("a grant of rounds"),
            Self::Link(peer) => peer.fmt(f),
            Self::Version {
                peer,
                wanted,
                spoken,
            } => write!(
                f,
                "{peer} to speak wire version {wanted}, in which this attempt began (it speaks {})",
                listed_versions(spoken)
            ),
            Self::Worker(None) => f.write_str("a worker"),
            Self::Worker(Some(lack)) => write!(f, "a worker ({lack})"),
            Self::AtWorker(what) => f.write_str(what),
            Self::Disk(what) => f.write_str(what),
        }
    }
}
