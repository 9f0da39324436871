//! What happens to jobs: events in, commands out.
//!
//! ```text
//!   API ──Submit, Cancel──▶ ┌────────┐ ──Insert, Write──▶ store
//!   party ────Sync────────▶ │ Engine │
//!   clock ────Tick────────▶ └────────┘ ──Wake──▶ parties that wait for a wish
//! ```
//!
//! The engine knows no store, socket or clock: whoever drives it performs its
//! commands in order and says what time it is. So its tests compare lists, and
//! hours of a job pass in none.
//!
//! Every event ends with the same settling: whatever follows
//! from what is now known. There is no event of which something follows *only
//! then*, so none can be lost with consequences: what a lost one would have
//! caused, the next one causes.
//!
//! What the store holds is the truth. A driver whose write fails forgets what
//! the engine thought and [reloads](Engine::reload) it.

mod listing;
mod liveness;
mod models;
mod parties;
mod reports;
mod scheduling;
mod submitting;
mod views;
mod why;
mod wishes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use entente_protocol::{
    control::Sync,
    job::{JobId, PartyName, Task},
};
use entente_tls::{Identity, IdentityKind};
use thiserror::Error;

use self::{liveness::Pace, parties::Party, submitting::key};
use crate::{
    clock::{Millis, Span},
    job::{Change, IdempotencyKey, IllegalTransition, JobRecord, JobState, Submission},
};

pub use listing::{Listing, Page};
pub use models::NoModel;
pub use scheduling::Blocker;

/// What an engine is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Exchanges that may begin beyond those that both parties have done.
    pub window: u64,
    /// A party that was not heard of for this long is away.
    pub party_timeout: Span,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A user wants a job.
    Submit {
        /// Its identity; sorts after every earlier one.
        id: JobId,
        /// What to do.
        task: Box<Task>,
        /// Who wants it.
        by: Identity,
        /// What makes it the same when it comes again.
        submission: Option<Submission>,
    },
    /// Somebody wants a job no more.
    Cancel {
        /// The job.
        id: JobId,
        /// Who.
        by: Identity,
    },
    /// A party said where it stands.
    Sync {
        /// Who: as its certificate says.
        party: PartyName,
        /// What.
        sync: Sync,
    },
    /// Time has passed.
    Tick,
}

/// Something to be done, in order. Not done in whole if one fails.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Keep a new job.
    Insert(Box<JobRecord>),
    /// Change what is kept of a job.
    Write(Box<Change>),
    /// Answer a party that waits for a wish: there is news for it.
    Wake(PartyName),
    /// Count and log what a party said too late; nothing is written.
    Refuse(Late),
}

/// A party says that a job ended otherwise than the record does: it came too
/// late, or contradicts what the party said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The job.
    pub job: JobId,
    /// Who says so.
    pub party: PartyName,
    /// How the job has ended.
    pub state: JobState,
    /// What it says: `finished` or `failed`.
    pub says: &'static str,
}

/// Why an event was refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// There is no such job.
    #[error("there is no job {0}")]
    Unknown(JobId),
    /// Something else was submitted under the same key.
    #[error("the key was used for job {id}, and for another specification")]
    KeyReused {
        /// What was submitted under it.
        id: JobId,
    },
    /// The job is somebody else's.
    #[error("job {id} is {owner}'s")]
    NotTheirs {
        /// The job.
        id: JobId,
        /// Who submitted it.
        owner: Identity,
    },
    /// The job has ended.
    #[error("job {id} has {state} already")]
    Ended {
        /// The job.
        id: JobId,
        /// How.
        state: JobState,
    },
    /// There is no such model to ask.
    #[error(transparent)]
    Model(#[from] NoModel),
    /// A defect of the engine.
    #[error(transparent)]
    Transition(#[from] IllegalTransition),
}

/// All jobs, and the parties as they last were heard of.
///
/// Ended jobs stay in memory, some two kilobytes each; only those that have
/// not ended cost time.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    /// Before this moment no party could have been heard of.
    begun_at: Millis,
    jobs: BTreeMap<JobId, JobRecord>,
    /// Whose keys stand for which jobs.
    keys: BTreeMap<(Identity, IdempotencyKey), JobId>,
    /// The jobs that have not ended, in order of submission.
    live: BTreeMap<JobId, Pace>,
    parties: BTreeMap<PartyName, Party>,
}

impl Engine {
    /// With the jobs that a store has. Those that run go on: no party has been
    /// heard of yet, and none counts as away before it had time to speak.
    pub fn new(settings: Settings, jobs: Vec<JobRecord>, now: Millis) -> Self {
        let mut engine = Self {
            settings,
            begun_at: now,
            jobs: BTreeMap::new(),
            keys: BTreeMap::new(),
            live: BTreeMap::new(),
            parties: BTreeMap::new(),
        };
        engine.reload(jobs, now);
        engine
    }

    /// Takes the jobs that a store has in place of all that was thought of
    /// them. What is known of parties stays.
    pub fn reload(&mut self, jobs: Vec<JobRecord>, now: Millis) {
        self.jobs = jobs.into_iter().map(|record| (record.id, record)).collect();
        self.keys = self.jobs.values().filter_map(key).collect();
        self.live = self
            .jobs
            .values()
            .filter(|record| !record.state.is_ended())
            .map(|record| (record.id, Pace::new(now)))
            .collect();
    }

    /// Takes in an event.
    ///
    /// # Errors
    /// [`EngineError`]; after [`EngineError::Transition`] the engine must be
    /// [reloaded](Self::reload), after the others nothing has changed.
    pub fn handle(&mut self, event: Event, now: Millis) -> Result<Vec<Command>, EngineError> {
        let mut commands = Vec::new();
        match event {
            Event::Submit {
                id,
                task,
                by,
                submission,
            } => {
                // First, since asking again must find the job whatever the
                // newest version is by now.
                if !self.was_submitted(&by, submission.as_ref())? {
                    let task = self.with_version(*task)?;
                    let record = JobRecord {
                        submission,
                        ..JobRecord::submitted(id, task, by, now)
                    };
                    self.submit(record, now, &mut commands);
                }
            }
            Event::Cancel { id, by } => self.cancel(id, &by, now, &mut commands)?,
            Event::Sync { party, sync } => self.take_in(&party, sync, now, &mut commands)?,
            Event::Tick => {}
        }
        self.settle(now, &mut commands)?;
        Ok(commands)
    }

    /// Whatever follows from what is known now.
    fn settle(&mut self, now: Millis, commands: &mut Vec<Command>) -> Result<(), EngineError> {
        self.end_what_is_over(now, commands)?;
        self.start_what_can(now, commands)?;
        self.raise_grants(now, commands)?;
        self.renew_wishes(now, commands);
        Ok(())
    }

    /// Users end their own jobs, operators anybody's.
    fn cancel(
        &mut self,
        id: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.jobs.get(&id).ok_or(EngineError::Unknown(id))?;
        if record.submitted_by != *by && by.kind != IdentityKind::Operator {
            let owner = record.submitted_by.clone();
            return Err(EngineError::NotTheirs { id, owner });
        }
        let next = match record.state {
            JobState::Queued => JobState::Cancelled,
            JobState::Running => JobState::Cancelling,
            JobState::Cancelling => return Ok(()),
            state => return Err(EngineError::Ended { id, state }),
        };
        self.change_by(Some(by), id, now, commands, |record| record.state = next)
    }

    /// A change that nobody asked for: time has passed, or all is ready.
    fn change(
        &mut self,
        id: JobId,
        now: Millis,
        commands: &mut Vec<Command>,
        edit: impl FnOnce(&mut JobRecord),
    ) -> Result<(), EngineError> {
        self.change_by(None, id, now, commands, edit)
    }

    /// The one way in which a record changes: by the table, with a command
    /// that writes it, and with what goes along with the new state.
    fn change_by(
        &mut self,
        who: Option<&Identity>,
        id: JobId,
        now: Millis,
        commands: &mut Vec<Command>,
        edit: impl FnOnce(&mut JobRecord),
    ) -> Result<(), EngineError> {
        let Some(before) = self.jobs.get(&id) else {
            return Err(EngineError::Unknown(id));
        };
        let mut after = before.clone();
        edit(&mut after);
        if after.state != before.state {
            if after.state == JobState::Running {
                after.started_at = Some(now);
                self.live.insert(id, Pace::new(now));
            }
            if after.state.is_ended() {
                after.ended_at = Some(now);
                self.live.remove(&id);
            }
        }
        let change = Change::new(before, after)?.done_by(who.cloned(), now);
        self.jobs.insert(id, change.record().clone());
        commands.push(Command::Write(Box::new(change)));
        Ok(())
    }

    /// The jobs that have not ended and are in `state`, in order of
    /// submission.
    fn live_in(&self, state: JobState) -> impl Iterator<Item = &JobRecord> {
        self.live
            .keys()
            .filter_map(|id| self.jobs.get(id))
            .filter(move |record| record.state == state)
    }
}
