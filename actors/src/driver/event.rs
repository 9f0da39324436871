//! What a driver hears, and what it tells.

use std::{sync::Arc, time::Instant};

use entente_protocol::{
    Role,
    control::{Failure, Progress},
};
use entente_wire::{Digest, Position, Refusal, WireVersion};

use super::{Awaited, Computed};
use crate::delivery::{JournalError, Received};

/// What a driver hears.
#[derive(Debug)]
pub enum Event<R: Role> {
    /// Exchanges below this number may begin.
    Granted(u64),
    /// Whether the job is paused.
    Hold(bool),
    /// A message of this session, from the peer of this session: whoever
    /// brings it has checked both.
    Arrived(Arc<Received>),
    /// The peer has a message of ours.
    Acknowledged {
        /// Its place.
        position: Position,
        /// The digest of what the peer has.
        digest: Digest,
    },
    /// The peer does not take a message of ours.
    Refused {
        /// Its place.
        position: Position,
        /// Why.
        reason: Refusal,
    },
    /// There is a new link to the peer.
    Linked,
    /// There is no link to the peer.
    Unlinked,
    /// There is a link to the peer, which does not speak the session's version of
    /// the wire format (any more), but these.
    OtherVersions(Vec<u16>),
    /// There is a link to the peer, and both ends speak this version, which is
    /// newer than the session's; and the session has not begun.
    Downgraded(WireVersion),
    /// The peer's certificate was revoked, for a reason after which it is not
    /// trusted with what it has done: what is said of that.
    PeerRevoked(String),
    /// A computation is back.
    Computed(Computed<R>),
    /// A computation panicked.
    Panicked,
    /// The time that [`next_tick`](super::Driver::next_tick) asked for.
    Tick,
    /// What the job leaves at this party is on its disk.
    Saved,
    /// It could not be saved: why.
    CannotSave(String),
    /// The records of earlier effects could not be kept.
    CannotKeep(JournalError),
    /// They are kept now.
    KeptAgain,
}

/// Where a job stands at this party, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Where it stands.
    pub standing: Standing,
    /// How far it is.
    pub progress: Progress,
    /// Exchanges below this number may begin.
    pub granted: u64,
}

/// Where a job stands at this party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Data and network are being prepared.
    Preparing,
    /// It computes, or waits for the peer to.
    Running,
    /// Nothing can go on until something comes from outside.
    Waiting {
        /// What it waits for.
        what: Awaited,
        /// Since when.
        since: Instant,
    },
    /// It is paused, and nothing of it is under way: what its journal has is
    /// all that there is of it.
    Held,
    /// All exchanges are done, and what they leave at this party is saved.
    Finished,
    /// It failed here.
    Failed(Failure),
}

impl Standing {
    /// A closed set of names, for metrics.
    pub const LABELS: [&'static str; 6] = [
        "preparing",
        "running",
        "waiting",
        "held",
        "finished",
        "failed",
    ];

    /// Its name among [`Standing::LABELS`].
    pub fn label(&self) -> &'static str {
        let [preparing, running, waiting, held, finished, failed] = Self::LABELS;
        match self {
            Self::Preparing => preparing,
            Self::Running => running,
            Self::Waiting { .. } => waiting,
            Self::Held => held,
            Self::Finished => finished,
            Self::Failed(_) => failed,
        }
    }

    /// Whether it waits for something from outside.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }

    /// Whether nothing will follow by itself.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Finished | Self::Failed(_))
    }
}
