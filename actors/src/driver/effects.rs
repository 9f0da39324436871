//! What follows from an event.

use entente_protocol::{Product, Role};
use entente_wire::Frame;

use super::{Status, Work};
use crate::delivery::{Journal, JournalError, Leaving, Record};

/// What is to be done, in order.
#[derive(Debug)]
pub enum Command<R: Role> {
    /// Compute, and bring the result back.
    Compute(Work<R>),
    /// Send a message to the peer.
    Send(Leaving),
    /// Answer a message of the peer, if there is a link.
    Answer(Frame),
    /// Save what the job leaves at this party.
    Save(Product),
    /// Tell the party where the job stands.
    Tell(Status),
}

/// What follows from an event: records to keep, then commands to do.
///
/// The commands can be had through [`Effects::commit`] alone. So nothing
/// leaves a party whose record is not kept: not by discipline, but because
/// there is no other way to it.
#[derive(Debug)]
#[must_use = "an event without its effects is lost"]
pub struct Effects<R: Role> {
    records: Vec<Record>,
    commands: Vec<Command<R>>,
}

impl<R: Role> Effects<R> {
    pub(super) fn new() -> Self {
        Self {
            records: Vec::new(),
            commands: Vec::new(),
        }
    }

    pub(super) fn keep(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(super) fn then(&mut self, command: Command<R>) {
        self.commands.push(command);
    }

    /// Keeps the records, all at once, and hands out the commands.
    ///
    /// # Errors
    /// [`JournalError`]: the commands are dropped; the driver is to be told
    /// by [`Event::CannotKeep`](super::Event::CannotKeep).
    pub fn commit(self, journal: &mut dyn Journal) -> Result<Vec<Command<R>>, JournalError> {
        if !self.records.is_empty() {
            journal.commit(&self.records)?;
        }
        Ok(self.commands)
    }
}
