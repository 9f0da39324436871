//! What must survive, kept before anything leaves.

use std::sync::Arc;

use entente_wire::{Position, WireVersion};
use thiserror::Error;

use super::{Checkpoint, Ended, Kept, Packet, Received};

/// A fact that must survive this process.
#[derive(Debug, Clone)]
pub enum Record {
    /// A peer's message was taken, and will be acknowledged.
    Accepted(Arc<Received>),
    /// A message may leave from now on, in these bytes and no others.
    Sent(Packet),
    /// The peer has the message at this place.
    Acknowledged(Position),
    /// The role is at rest between two exchanges.
    Rest(Arc<Checkpoint>),
    /// Nothing will follow here.
    Ended(Box<Ended>),
}

impl Record {
    /// Whether something that was told to others would be wrong without it.
    ///
    /// The peer throws away what is acknowledged, and must never see two
    /// contents at one place: those two facts must be on the disk first. A
    /// rest that is lost is come to again, from the checkpoint before it and
    /// the same messages; an acknowledgement that is lost costs one message
    /// sent again.
    pub fn is_relied_upon(&self) -> bool {
        match self {
            Self::Accepted(_) | Self::Sent(_) | Self::Ended(_) => true,
            Self::Acknowledged(_) | Self::Rest(_) => false,
        }
    }
}

/// Where a session keeps its records.
///
/// A driver's commands come out of its effects only by way of
/// [`commit`](Journal::commit), so there is no message and no acknowledgement
/// on the wire whose record is not kept.
pub trait Journal: Send {
    /// Keeps all of `records` or none of them. The same records may come again
    /// after an error; keeping them twice is keeping them once.
    ///
    /// # Errors
    /// [`JournalError`]; nothing of what depends on the records may leave.
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError>;
}

/// The records could not be kept, or not be read. The text goes into the job's
/// record, which others read, and names no path: that is in the party's log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no room.
    #[error(
        "there is no room for the job's records; \
         make room below [party] state_dir of this party"
    )]
    NoSpace,
    /// The file system refuses for another reason.
    #[error(
        "the job's records cannot be kept: {0}; \
         see that [party] state_dir of this party is there and can be written to"
    )]
    Unwritable(String),
    /// The key that they are sealed with is not to be had.
    #[error(
        "the job's records cannot be unsealed: {0}; nothing of them was deleted. Name the \
         file of that key in [party] sealing_key or former_sealing_keys of this party, and \
         start it again: the job goes on"
    )]
    Locked(String),
    /// They are of a session of another version of the wire format.
    #[error(
        "the job's records are of wire version {kept}, and the coordinator says that the attempt \
         is in version {wanted}; nothing of them was deleted. See that every coordinator on the \
         job's store is of the newest release there, then retry the job to begin it again"
    )]
    OtherVersion {
        /// Of the records.
        kept: u16,
        /// As the coordinator says.
        wanted: WireVersion,
    },
    /// What was read is not what was written.
    #[error(
        "the job's records are damaged: {0}; nothing of them was deleted. See to the disk \
         below [party] state_dir of this party, then retry the job to begin it again"
    )]
    Damaged(String),
}

impl JournalError {
    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NoSpace | Self::Unwritable(_) => "journal",
            Self::Locked(_) => "journal_locked",
            Self::OtherVersion { .. } => "journal_version",
            Self::Damaged(_) => "checkpoint_damaged",
        }
    }

    /// What a job waits for that is to go on after this: nothing mends what is
    /// damaged.
    pub fn waits_for(&self) -> Option<&'static str> {
        match self {
            Self::NoSpace => Some("space in [party] state_dir"),
            Self::Unwritable(_) => Some("[party] state_dir to be writable"),
            Self::Locked(_) => Some("the sealing key of its records"),
            Self::OtherVersion { .. } | Self::Damaged(_) => None,
        }
    }
}

/// Keeps in memory what a restart would need: enough to carry a session over a
/// lost link, gone with the process. What a journal on a disk must equal.
#[derive(Debug, Default, Clone)]
pub struct MemoryJournal {
    kept: Kept,
}

impl MemoryJournal {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it holds.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }
}

impl Journal for MemoryJournal {
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError> {
        for record in records {
            self.kept.apply(record);
        }
        Ok(())
    }
}
