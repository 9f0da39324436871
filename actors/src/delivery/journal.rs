//! What must survive, kept before anything leaves.

use std::{collections::BTreeMap, fmt, sync::Arc};

use entente_wire::Position;
use thiserror::Error;

use super::{Packet, Received};

/// A fact that must survive this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A peer's message was taken, and will be acknowledged.
    Accepted(Arc<Received>),
    /// A message may leave from now on, in these bytes and no others.
    Sent(Packet),
    /// The peer has the message at this place.
    Acknowledged(Position),
    /// The role is at rest between two exchanges.
    Rest {
        /// Exchanges that are done.
        exchanges_done: u64,
    },
}

/// Where a session keeps its records.
///
/// A driver's commands come out of its effects only by way of
/// [`commit`](Journal::commit), so there is no message and no acknowledgement
/// on the wire whose record is not kept.
pub trait Journal: Send {
    /// Keeps all of `records` or none of them.
    ///
    /// # Errors
    /// [`JournalError`]; the job ends with it.
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError>;
}

/// The records could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the job's records cannot be kept: {0}")]
pub struct JournalError(pub String);

/// Keeps in memory what a restart would need: enough to carry a session over a
/// lost link, gone with the process.
#[derive(Default)]
pub struct MemoryJournal {
    exchanges_done: u64,
    accepted: BTreeMap<Position, Arc<Received>>,
    sent: BTreeMap<Position, Packet>,
}

impl MemoryJournal {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exchanges that are done.
    pub fn exchanges_done(&self) -> u64 {
        self.exchanges_done
    }

    /// Places of messages taken since the last rest.
    pub fn accepted(&self) -> Vec<Position> {
        self.accepted.keys().copied().collect()
    }

    /// Messages sent and not acknowledged.
    pub fn unacknowledged(&self) -> Vec<Packet> {
        self.sent.values().cloned().collect()
    }
}

impl Journal for MemoryJournal {
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError> {
        for record in records {
            match record {
                Record::Accepted(received) => {
                    let position = received.envelope.position;
                    self.accepted.insert(position, received.clone());
                }
                Record::Sent(packet) => {
                    self.sent.insert(packet.position, packet.clone());
                }
                Record::Acknowledged(position) => {
                    self.sent.remove(position);
                }
                Record::Rest { exchanges_done } => {
                    self.exchanges_done = *exchanges_done;
                    self.accepted
                        .retain(|position, _| position.exchange >= *exchanges_done);
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal")
            .field("exchanges_done", &self.exchanges_done)
            .field("accepted", &self.accepted.keys())
            .field("sent", &self.sent.keys())
            .finish()
    }
}
