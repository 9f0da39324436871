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
    attempt: u32,
    granted: u64,
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
            };
        };
        let assignments = party.wished.iter().filter_map(|ticket| {
            let record = self.jobs.get(&ticket.job)?;
            Some(Assignment {
                job: ticket.job,
                attempt: ticket.attempt,
                side: record.task.side_of(name)?,
                spec: record.task.spec(),
                granted: ticket.granted,
            })
        });
        Wish {
            revision: party.revision,
            jobs: assignments.collect(),
        }
    }

    /// A grant is raised when half a window has been used up: parties always
    /// have something to go on with, and hear of it twice in a window instead
    /// of after every exchange. It never falls.
    pub(super) fn raise_grants(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let window = self.settings.window;
        let worth_it = (window / 2).max(1);
        let raised: Vec<(JobId, u64)> = self
            .live_in(JobState::Running)
            .map(|record| (record, target(record, window)))
            .filter(|(record, target)| *target >= record.granted.saturating_add(worth_it))
            .map(|(record, target)| (record.id, target))
            .collect();
        for (id, granted) in raised {
            self.change(id, now, commands, |record| record.granted = granted)?;
        }
        Ok(())
    }

    /// Wakes every party whose wish is another than before.
    pub(super) fn renew_wishes(&mut self, now: Millis, commands: &mut Vec<Command>) {
        let mut wishes: Vec<Vec<Ticket>> = Vec::with_capacity(self.parties.len());
        for name in self.parties.keys() {
            wishes.push(
                self.live_in(JobState::Running)
                    .filter(|record| record.task.side_of(name).is_some())
                    .map(|record| Ticket {
                        job: record.id,
                        attempt: record.attempt,
                        granted: record.granted,
                    })
                    .collect(),
            );
        }
        for ((name, party), wish) in self.parties.iter_mut().zip(wishes) {
            if party.wish(wish, now) {
                commands.push(Command::Wake(name.clone()));
            }
        }
    }
}

/// How far a job could be granted now.
fn target(record: &JobRecord, window: u64) -> u64 {
    record.exchanges_done().saturating_add(window).min(MOST)
}
