//! What a journal holds, and how each record changes it.

use std::{collections::BTreeMap, sync::Arc};

use entente_protocol::control::{Failure, Progress};
use entente_wire::{Digest, Position};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, Packet, Received, Record};

/// What a journal holds of a session.
///
/// This is the rule of what is kept and for how long; a journal on a disk does
/// the same to its tables, and a test holds the one against the other.
///
/// ```text
///   exchange     k-3     k-2     k-1      k      k+1        k = done
///   checkpoints                 before  before
///   accepted                      ■       ■       ■     whole messages
///   written                       ■       ■             places, for good
///   heard         ■       ■       ■       ■       ■     digests alone
///   sent          until acknowledged, however old
/// ```
///
/// One checkpoint would do, were it not for disks: with the one before it and
/// the peer's messages since, an exchange whose checkpoint cannot be read is
/// gone through again without asking anybody.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The last two, by exchanges done.
    pub checkpoints: BTreeMap<u64, Arc<Checkpoint>>,
    /// The messages.
    pub messages: Messages,
    /// How it ended, if it has.
    pub ended: Option<Box<Ended>>,
}

/// The messages that a journal holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages {
    /// The peer's, since the older checkpoint.
    pub accepted: BTreeMap<Position, Arc<Received>>,
    /// Digests of the peer's, for a while longer: what other bytes at the same
    /// place are compared with.
    pub heard: BTreeMap<Position, Digest>,
    /// Own ones that are not acknowledged.
    pub sent: BTreeMap<Position, Packet>,
    /// How many own ones each exchange since the older checkpoint has had. The
    /// peer may have seen them: they are never written a second time.
    pub written: BTreeMap<u64, u8>,
}

/// How a session ended here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How far it came.
    pub progress: Progress,
    /// Why it failed, unless it finished.
    pub failure: Option<Failure>,
}

/// What a session left here, for whoever takes it up again.
#[derive(Debug)]
pub enum Left {
    /// Nothing: it never began.
    Nothing,
    /// A role at rest.
    AtRest(Restored),
    /// Its end, and what the peer may still need.
    Ended(Box<Ended>, Messages),
}

/// A role at rest, and the messages around it.
#[derive(Debug)]
pub struct Restored {
    /// The newest that can be read.
    pub checkpoint: Arc<Checkpoint>,
    /// The messages.
    pub messages: Messages,
}

/// Exchanges of which the messages are kept whole, when so many are done.
pub(crate) fn whole_from(exchanges_done: u64) -> u64 {
    exchanges_done.saturating_sub(1)
}

/// Exchanges of which digests are kept. One more than the running session
/// keeps, which may have to go back by one.
pub(crate) fn digests_from(exchanges_done: u64) -> u64 {
    exchanges_done.saturating_sub(3)
}

impl Kept {
    /// Takes in a record.
    pub fn apply(&mut self, record: &Record) {
        let messages = &mut self.messages;
        match record {
            Record::Accepted(received) => {
                let position = received.envelope.position();
                messages.accepted.insert(position, received.clone());
                messages.heard.insert(position, received.digest);
            }
            Record::Sent(packet) => {
                let Position { exchange, step } = packet.position;
                messages.sent.insert(packet.position, packet.clone());
                messages.written.insert(exchange, step.saturating_add(1));
            }
            Record::Acknowledged(position) => {
                messages.sent.remove(position);
            }
            Record::Rest(checkpoint) => {
                let done = checkpoint.exchanges_done;
                let (whole, digests) = (whole_from(done), digests_from(done));
                self.checkpoints.insert(done, checkpoint.clone());
                self.checkpoints.retain(|of, _| *of >= whole);
                messages.accepted.retain(|at, _| at.exchange >= whole);
                messages.written.retain(|exchange, _| *exchange >= whole);
                messages.heard.retain(|at, _| at.exchange >= digests);
            }
            Record::Ended(ended) => self.ended = Some(ended.clone()),
        }
    }

    /// What is there to go on from.
    pub fn left(mut self) -> Left {
        if let Some(ended) = self.ended {
            return Left::Ended(ended, self.messages);
        }
        match self.checkpoints.pop_last() {
            None => Left::Nothing,
            Some((_, checkpoint)) => Left::AtRest(Restored {
                checkpoint,
                messages: self.messages,
            }),
        }
    }
}
