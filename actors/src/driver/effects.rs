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
    Tell(Box<Status>),
}

/// What follows from an event: records to keep, then commands to do.
///
/// The commands can be had through [`Effects::commit`] alone. So nothing
/// leaves a party whose record is not kept: not by discipline, but because
/// there is no other way to it. A computation alone does not wait: nothing of
/// it leaves before its result has come back as an event with records of its
/// own.
///
/// The effects of several events become one by [`Effects::append`]: while a
/// disk is busy with some, those that follow gather, and are kept at once.
#[derive(Debug)]
#[must_use = "an event without its effects is lost"]
pub struct Effects<R: Role> {
    turn: Turn,
    records: Vec<Record>,
    commands: Vec<Command<R>>,
}

/// When effects have their turn among those of earlier events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// After them.
    After,
    /// Before those that cannot be kept, which wait.
    Before,
    /// In the place of those that cannot be kept, which are dropped.
    Instead,
}

/// Effects that could not be kept, whole, to be tried again.
#[derive(Debug)]
pub struct Unkept<R: Role> {
    /// What was not done.
    pub effects: Effects<R>,
    /// Why.
    pub error: JournalError,
}

impl<R: Role> Effects<R> {
    pub(crate) fn new() -> Self {
        Self {
            turn: Turn::After,
            records: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// They say no more than that records cannot be kept.
    pub(super) fn come_before(&mut self) {
        self.turn = Turn::Before;
    }

    /// They give up on records that cannot be kept.
    pub(super) fn come_instead(&mut self) {
        self.turn = Turn::Instead;
        self.records.clear();
    }

    pub(super) fn keep(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(super) fn then(&mut self, command: Command<R>) {
        self.commands.push(command);
    }

    /// Whether there is nothing to keep and nothing to do.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.commands.is_empty()
    }

    /// Whether there is nothing to keep.
    pub fn keeps_nothing(&self) -> bool {
        self.records.is_empty()
    }

    /// What is to be kept of it.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Takes in the effects of a later event. Those that have their turn before
    /// or instead of these, and have nothing to keep, are handed out.
    pub fn append(&mut self, later: Self) -> Vec<Command<R>> {
        match later.turn {
            Turn::After => {
                self.records.extend(later.records);
                self.commands.extend(later.commands);
                return Vec::new();
            }
            Turn::Before => {}
            Turn::Instead => *self = Self::new(),
        }
        later.commands
    }

    /// The computation among the commands, which may begin at once.
    pub fn take_work(&mut self) -> Option<Work<R>> {
        let is_work = |command: &Command<R>| matches!(command, Command::Compute(_));
        let index = self.commands.iter().position(is_work)?;
        match self.commands.remove(index) {
            Command::Compute(work) => Some(work),
            other => {
                self.commands.insert(index, other);
                None
            }
        }
    }

    /// Keeps the records, all at once, and hands out the commands.
    ///
    /// # Errors
    /// [`Unkept`], with these effects as they were: they are to be committed
    /// again later, and the driver to be told by
    /// [`Event::CannotKeep`](super::Event::CannotKeep).
    pub fn commit(self, journal: &mut dyn Journal) -> Result<Vec<Command<R>>, Unkept<R>> {
        if self.records.is_empty() {
            return Ok(self.commands);
        }
        match journal.commit(&self.records) {
            Ok(()) => Ok(self.commands),
            Err(error) => {
                let effects = self;
                Err(Unkept { effects, error })
            }
        }
    }
}
