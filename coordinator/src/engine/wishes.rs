//! What each party is wished, and how far each job may go.

use entente_protocol::{
    control::{Assignment, Wish},
    job::{JobId, PartyName},
};

use super::{Command, Engine, EngineError};
use crate::{
    clock::Millis,
    job::{JobRecord, JobState},
};

/// What of an assignment can change. The rest follows from the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) job: JobId,
    pub(super) attempt: u32,
    wire: u16,
    granted: u64,
    key_epoch: u32,
    pub(super) hold: bool,
}

impl Ticket {
    /// What the parties of a job are wished; nothing if they are to forget it.
    ///
    /// While a job waits for its place again they hold it: what is not listed
    /// is forgotten, and its checkpoint with it. So is an attempt that has
    /// failed, until the other side's reason is known.
    fn new(record: &JobRecord) -> Option<Self> {
        let (granted, hold) = match record.state {
            JobState::Reserved => (0, false),
            JobState::Running | JobState::Parked => (record.granted, false),
            JobState::Queued | JobState::Paused if record.has_begun() => (record.granted, true),
            JobState::Failing => (record.granted, true),
            JobState::AwaitingApproval
            | JobState::Queued
            | JobState::Paused
            | JobState::Cancelling
            | JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Rejected => return None,
        };
        Some(Self {
            job: record.id,
            attempt: record.attempt,
            wire: record.wire,
            granted,
            key_epoch: record.key_epoch,
            hold,
        })
    }
}

/// The most that a store's 64-bit signed column holds. Counts come from
/// parties, who may say anything.
const MOST: u64 = i64::MAX as u64;

impl Engine {
    /// The wish for a party; an empty one of revision 0 for one that was never
    /// heard of.
    pub fn wish(&self, name: &PartyName) -> Wish {
        let Some(party) = self.parties.get(name) else {
            return Wish {
                revision: 0,
                jobs: Vec::new(),
                proposals: Vec::new(),
            };
        };
        let assignments = party.wished.iter().filter_map(|ticket| {
            let record = self.jobs.get(&ticket.job)?;
            let side = record.task.side_of(name)?;
            Some(Assignment {
                job: ticket.job,
                attempt: ticket.attempt,
                wire: ticket.wire,
                side,
                spec: record.task.spec(),
                signatures: record.approvals.signatures(),
                granted: ticket.granted,
                exchanges_done: record.sides.of(side).progress.exchanges_done,
                key_epoch: ticket.key_epoch,
                hold: ticket.hold,
            })
        });
        let proposed = party.proposed.iter();
        Wish {
            revision: party.revision,
            jobs: assignments.collect(),
            proposals: proposed.filter_map(|id| self.proposal(*id, name)).collect(),
        }
    }

    /// A grant is raised when half a window has been used up: parties always
    /// have something to go on with, and hear of it twice in a window instead
    /// of after every exchange. It never falls within an attempt, and stands
    /// while a job is parked.
    pub(super) fn raise_grants(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let window = self.settings.window;
        let worth_it = (window / 2).max(1);
        let raised: Vec<(JobId, u64)> = self
            .looked_at(JobState::Running)
            .map(|record| (record, target(record, window)))
            .filter(|(record, target)| *target >= record.granted.saturating_add(worth_it))
            .map(|(record, target)| (record.id, target))
            .collect();
        for (id, granted) in raised {
            self.change(id, now, commands, |record| record.granted = granted)?;
            if let Some(pace) = self.live.get_mut(&id) {
                pace.granted(now);
            }
        }
        Ok(())
    }

    /// Wakes every party whose wish is another than before.
    pub(super) fn renew_wishes(&mut self, now: Millis, commands: &mut Vec<Command>) {
        for name in core::mem::take(&mut self.attention.parties) {
            let wished = self.board.at(&name).filter_map(|id| self.jobs.get(&id));
            let party = self.parties.get(&name);
            let can_be_told =
                |ticket: &Ticket| party.is_some_and(|party| party.can_be_told(ticket.wire));
            let wished = wished.filter_map(Ticket::new).filter(can_be_told).collect();
            let proposed = self.proposed_to(&name);
            let Some(party) = self.parties.get_mut(&name) else {
                continue;
            };
            if party.wish(wished, proposed, now) {
                commands.push(Command::Wake(name.clone()));
                // What it was wished tells what it may be at.
                self.attention.parties.insert(name);
            }
        }
    }
}

/// How far a job could be granted now.
pub(super) fn target(record: &JobRecord, window: u64) -> u64 {
    record.exchanges_done().saturating_add(window).min(MOST)
}
