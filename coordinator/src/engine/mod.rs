//! What happens to jobs: events in, commands out.
//!
//! ```text
//!   API ──Submit, Order───▶ ┌────────┐ ──Insert, Write──▶ store
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

mod approving;
mod attempts;
mod attention;
mod board;
mod draining;
mod event;
mod in_line;
mod listing;
mod liveness;
mod models;
mod orders;
mod parking;
mod parties;
mod reports;
mod rotating;
mod scheduling;
mod submitting;
mod views;
mod vitals;
mod why;
mod wishes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use entente_protocol::job::{JobId, PartyName};
use entente_tls::Identity;
use rand_chacha::ChaCha20Rng;

use self::{
    attention::Attention,
    board::Board,
    liveness::Pace,
    parties::Party,
    scheduling::{Queue, Share},
    submitting::{check_priority, key, retry},
};
use crate::{
    audit::What,
    clock::{Millis, Span},
    job::{Change, IdempotencyKey, JobRecord, JobState},
};

pub use approving::Answer;
pub use attempts::Retries;
pub(crate) use attempts::blame;
pub use draining::Draining;
pub use event::{Command, EngineError, Event, Late};
pub use listing::{Listing, Page};
pub use models::NoModel;
pub use orders::Order;
pub use scheduling::Blocker;
pub(crate) use vitals::Vitals;

/// What an engine is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Exchanges that may begin beyond those that both parties have done.
    pub window: u64,
    /// A party that was not heard of for this long is away.
    pub party_timeout: Span,
    /// How often a job is tried again.
    pub retries: Retries,
    /// A job of normal priority that waits for longer than this goes before
    /// others and has places kept for it.
    pub patience: Span,
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
    /// Which jobs do the same again as which.
    retried: BTreeMap<JobId, JobId>,
    /// The jobs that have not ended, in order of submission.
    live: BTreeMap<JobId, Pace>,
    parties: BTreeMap<PartyName, Party>,
    board: Board,
    attention: Attention,
    /// While nothing new begins.
    draining: Option<Draining>,
    queue: Queue,
    share: Share,
    /// For how long jobs were parked that are not any more.
    parked: Span,
    /// Spreads the waits between attempts.
    jitter: ChaCha20Rng,
}

impl Engine {
    /// With the jobs that a store has. Those that run go on: no party has been
    /// heard of yet, and none counts as away before it had time to speak.
    /// `jitter` spreads the waits between attempts; no secret depends on it.
    pub fn new(settings: Settings, jobs: Vec<JobRecord>, jitter: ChaCha20Rng, now: Millis) -> Self {
        let mut engine = Self {
            settings,
            begun_at: now,
            jobs: BTreeMap::new(),
            keys: BTreeMap::new(),
            retried: BTreeMap::new(),
            live: BTreeMap::new(),
            parties: BTreeMap::new(),
            board: Board::default(),
            attention: Attention::default(),
            draining: None,
            queue: Queue::default(),
            share: Share::default(),
            parked: Span(0),
            jitter,
        };
        engine.reload(jobs, None, now);
        engine
    }

    /// Takes what a store has in place of all that was thought of it. What is
    /// known of parties stays.
    pub fn reload(&mut self, jobs: Vec<JobRecord>, draining: Option<Draining>, now: Millis) {
        self.draining = draining;
        self.jobs = jobs.into_iter().map(|record| (record.id, record)).collect();
        self.keys = self.jobs.values().filter_map(key).collect();
        self.retried = self.jobs.values().filter_map(retry).collect();
        self.live = self
            .jobs
            .values()
            .filter(|record| !record.state.is_ended())
            .map(|record| (record.id, Pace::new(now)))
            .collect();
        self.look_at_everything();
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
                priority,
            } => {
                check_priority(&by, priority)?;
                // First, since asking again must find the job whatever the
                // newest version is by now.
                if !self.was_submitted(&by, submission.as_ref(), priority)? {
                    let task = self.with_version(*task)?;
                    let record = JobRecord {
                        submission,
                        priority,
                        ..JobRecord::submitted(id, task, by, now)
                    };
                    self.submit(record, now, &mut commands);
                }
            }
            Event::Order { id, order, by } => self.order(id, order, &by, now, &mut commands)?,
            Event::Drain { drain, by } => self.drain(drain, by, now, &mut commands),
            Event::Sync { party, sync } => self.take_in(&party, sync, now, &mut commands)?,
            Event::Answer { id, party, answer } => {
                self.answer(id, &party, answer, now, &mut commands)?;
            }
            Event::Tick => {}
        }
        self.settle(now, &mut commands)?;
        Ok(commands)
    }

    /// Whatever follows from what is known now. First what frees places, then
    /// what takes them.
    fn settle(&mut self, now: Millis, commands: &mut Vec<Command>) -> Result<(), EngineError> {
        self.pay_attention(now);
        self.end_what_is_over(now, commands)?;
        self.close_failed_attempts(now, commands)?;
        self.park_what_stands(now, commands)?;
        self.run_what_is_prepared(now, commands)?;
        self.take_places(now, commands)?;
        self.raise_grants(now, commands)?;
        self.renew_wishes(now, commands);
        self.rest();
        Ok(())
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

    /// A change that somebody asked for.
    fn change_by(
        &mut self,
        who: Option<&Identity>,
        id: JobId,
        now: Millis,
        commands: &mut Vec<Command>,
        edit: impl FnOnce(&mut JobRecord),
    ) -> Result<(), EngineError> {
        self.change_as(None, who, id, now, commands, edit)
    }

    /// The one way in which a record changes: by the table, with a command
    /// that writes it, and with what goes along with the new state. The audit log
    /// tells of `what`, or of the new state.
    fn change_as(
        &mut self,
        what: Option<What>,
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
            let parked = self.parked_for(before, now);
            self.parked.0 = self.parked.0.saturating_add(parked.0);
            if let Some(pace) = self.live.get_mut(&id) {
                pace.parked.0 = match after.attempt == before.attempt {
                    true => pace.parked.0.saturating_add(parked.0),
                    false => 0,
                };
            }
            after.since = now;
            match after.state {
                JobState::Reserved => {
                    after.begun_at.get_or_insert(now);
                    let parked = self.live.get(&id).map_or(Span(0), |pace| pace.parked);
                    self.live.insert(id, Pace::new(now).parked_before(parked));
                }
                JobState::Running => {
                    after.started_at.get_or_insert(now);
                }
                state if state.is_ended() => {
                    after.ended_at = Some(now);
                    self.live.remove(&id);
                }
                _ => {}
            }
        }
        match after.state.has_places() {
            true => after.tenure.take(now),
            false => after.tenure.give(now),
        }
        let change = Change::new(before, after)?;
        let change = match what {
            Some(what) => change.done_as(what, who.cloned(), now),
            None => change.done_by(who.cloned(), now),
        };
        self.note(before.clone(), change.record().clone());
        let change = match (change.expected_state(), change.entered()) {
            // What nobody asked for, and no failure explains.
            (_, Some(JobState::Parked)) | (JobState::Reserved, Some(JobState::Queued)) => {
                let reason = self.why_places_are_lost(change.record(), now);
                change.because(reason)
            }
            _ => change,
        };
        commands.push(Command::Write(Box::new(change)));
        Ok(())
    }

    /// What follows the records follows.
    fn note(&mut self, before: JobRecord, now: JobRecord) {
        self.board.put(Some(&before), &now);
        self.share.tell(&now, &before.tenure);
        self.attention.changed(&now);
        if before.state != now.state {
            let parties = now.task.parties();
            self.queue.stir(&parties.active);
            self.queue.stir(&parties.passive);
        }
        self.jobs.insert(now.id, now);
    }
}
