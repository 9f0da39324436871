//! Which jobs are given their places.
//!
//! A job takes its places when both its parties are there, have its dataset, and
//! have room: for one more job, for its threads, and for its memory. Both
//! parties' room is taken at once, in one change of the record, before anybody is
//! told, so no two jobs hold half of what they need and wait for the other half.
//!
//! ```text
//!   records ──▶ board, share ─┐
//!   parties ──▶ rooms ────────┼─▶ pass ──▶ who takes places, one after the other
//!   who waits ──▶ queue ──────┘
//! ```
//!
//! | what | where |
//! |---|---|
//! | which of two comes first, and that nobody waits for ever | `standing.rs` |
//! | who has had how much | `share.rs` |
//! | who may start before whom, and for whom places are kept | `queue.rs` |
//! | what a job takes and a party has | `room.rs` |
//! | which jobs can start at the same moments | `line.rs` |
//! | that few are looked at | `pass.rs` |
//!
//! A new job is prepared in its places before it is granted anything: keys and
//! data may take minutes, and one that is granted exchanges meanwhile would send
//! them to a peer that does not know its session yet.

mod blocker;
mod floor;
mod line;
mod pass;
mod queue;
mod room;
mod rooms;
mod share;
mod standing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use entente_protocol::job::JobId;

use super::{Command, Engine, EngineError, wishes::target};
use crate::{
    clock::Millis,
    job::{JobRecord, JobState, SideStatus},
};

pub use self::blocker::Blocker;
use self::line::Line;
pub(super) use self::{
    blocker::not_due,
    floor::{Floor, Obstacle, Spot, newest_common},
    line::{Class, Entry},
    pass::Pass,
    queue::Queue,
    room::{Need, Room},
    share::Share,
    standing::{Patience, Standing},
};

impl Engine {
    /// Gives places to those that wait for them, in order.
    pub(super) fn take_places(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        self.renew_queue(now);
        let mut pass = Pass::default();
        while let Some((id, next)) = self.next_to_place(&mut pass, now) {
            self.queue.remove(id);
            let wire = self.wire_for(id);
            self.change(id, now, commands, |record| {
                record.state = next;
                record.wire = wire.unwrap_or(record.wire);
            })?;
            if let Some(pace) = self.live.get_mut(&id) {
                pace.go_on(now);
            }
        }
        Ok(())
    }

    fn next_to_place(&mut self, pass: &mut Pass, now: Millis) -> Option<(JobId, JobState)> {
        let rooms = rooms::Rooms {
            parties: &self.parties,
            jobs: &self.jobs,
            board: &self.board,
            draining: self.draining.is_some(),
            party_timeout: self.settings.party_timeout,
            now,
            known: Default::default(),
        };
        loop {
            let id = pass.next(&mut self.queue, &rooms, &self.share, now)?;
            match self.jobs.get(&id).map(|record| record.state) {
                Some(JobState::Queued) => return Some((id, JobState::Reserved)),
                Some(JobState::Parked) => return Some((id, JobState::Running)),
                // Nothing else is in the queue.
                _ => self.queue.remove(id),
            };
        }
    }

    /// The version of the wire format for an attempt that begins now; nothing for one
    /// that goes on in its own.
    fn wire_for(&self, id: JobId) -> Option<u16> {
        let record = self.jobs.get(&id).filter(|record| !record.has_begun())?;
        let parties = record.task.parties();
        let of = |party| self.parties.get(party).map(|party| &party.wire);
        newest_common(of(&parties.active)?, of(&parties.passive)?)
    }

    /// Puts into the queue what waits for places, and takes out what does not.
    fn renew_queue(&mut self, now: Millis) {
        let looked_at = self.attention.jobs.iter();
        let waiting: Vec<(JobId, Option<Entry>)> = looked_at
            .filter_map(|id| self.jobs.get(id))
            .map(|record| {
                let waits = match record.state {
                    JobState::Queued => not_due(record, now).is_none(),
                    JobState::Parked => self.is_ready(record, now),
                    _ => false,
                };
                (record.id, waits.then(|| self.entry(record)))
            })
            .collect();
        for (id, entry) in waiting {
            match entry {
                Some(entry) if self.queue.entry(id) == Some(&entry) => {}
                Some(entry) => self.queue.insert(entry),
                None => drop(self.queue.remove(id)),
            }
        }
    }

    /// A job as the queue knows it. A later attempt begins to wait when it is
    /// due, and not when the job was submitted: it has had its turn.
    pub(super) fn entry(&self, record: &JobRecord) -> Entry {
        let since = record.not_before.unwrap_or_default().max(record.since);
        let may_be_there = record.has_begun() || record.attempt > 1;
        let alone = may_be_there.then_some(record.id);
        let patience = Patience(self.settings.patience);
        let wire = record.has_begun().then_some(record.wire);
        Entry {
            id: record.id,
            class: Arc::new(Class::of(&record.task, wire, alone)),
            by: record.submitted_by.clone(),
            priority: record.priority,
            since,
            begun: record.has_begun(),
            overdue_at: patience.ends(record.priority, since),
        }
    }

    /// With the first grant; or, of one that was paused and resumed, with the
    /// next. One of which both halves turn out to be done has succeeded.
    pub(super) fn run_what_is_prepared(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let prepared = self.looked_at(JobState::Reserved).filter(|record| {
            let mut sides = record.sides.iter();
            sides.all(SideStatus::is_prepared)
        });
        let prepared: Vec<JobId> = prepared.map(|record| record.id).collect();
        for id in prepared {
            let window = self.settings.window;
            self.change(id, now, commands, |record| {
                record.state = JobState::Running;
                record.granted = record.granted.max(target(record, window));
            })?;
            if let Some(pace) = self.live.get_mut(&id) {
                pace.granted(now);
            }
        }
        let finished = self.looked_at(JobState::Running);
        let finished = finished.filter(|record| record.is_finished());
        let finished: Vec<JobId> = finished.map(|record| record.id).collect();
        for id in finished {
            self.change(id, now, commands, |record| {
                record.state = JobState::Succeeded;
            })?;
        }
        Ok(())
    }
}
