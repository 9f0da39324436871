//! When a job stands still, and others may have its places meanwhile.
//!
//! ```text
//!   running ── a party is away, or waits for more than 10 s ──▶ parked
//!   parked ─── both are there, neither waits, room at both ───▶ running
//! ```
//!
//! A parked job keeps what it was granted and its parties keep it at hand: when
//! the link is back they go on with what is left of the grant. They get no more
//! before the job has its places again. To have them let go of it, as in a pause,
//! would make every short loss of a link cost the opening of data and keys.
//!
//! A party that waits for a grant is not held up by anything outside, so it does
//! not count as waiting; nor does one whose peer computes for long: it says that
//! it runs.
//!
//! The stall budget goes on while a job is parked, and alone ends it; but not
//! while nothing is wrong any more and only room is missing: that others use a
//! place that was lent to them must not fail the lender.

use entente_protocol::{
    control::{JobReport, Phase},
    job::{JobId, Side},
};

use super::{Command, Engine, EngineError};
use crate::{
    clock::{Millis, Span},
    job::{JobRecord, JobState},
};

/// A party may wait for so long before its job is parked.
pub(super) const GRACE: Span = Span::seconds(10);

impl Engine {
    /// Notes since when a party waits though it could go on by its grant.
    pub(super) fn note_waiting(&mut self, side: Side, report: &JobReport, now: Millis) {
        let granted = self.jobs.get(&report.job).map_or(0, |job| job.granted);
        let Some(pace) = self.live.get_mut(&report.job) else {
            return;
        };
        *pace.waits.of_mut(side) = match report.phase {
            Phase::Waiting { for_ms, .. } if report.progress.exchanges_done < granted => {
                let since = Millis(now.0.saturating_sub(for_ms));
                // What it waited for before was the grant.
                Some(since.max(pace.granted_at))
            }
            _ => None,
        };
    }

    pub(super) fn park_what_stands(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let stands = |record: &&JobRecord| {
            let mut sides = [Side::Active, Side::Passive].into_iter();
            sides.any(|side| self.is_held_up(record, side, now))
        };
        let standing = self.looked_at(JobState::Running).filter(stands);
        let standing: Vec<JobId> = standing.map(|record| record.id).collect();
        for id in standing {
            self.change(id, now, commands, |record| record.state = JobState::Parked)?;
        }
        let is_away = |record: &&JobRecord| {
            let mut sides = [Side::Active, Side::Passive].into_iter();
            sides.any(|side| self.away_for(record.task.party(side), now).is_some())
        };
        let unprepared = self.looked_at(JobState::Reserved).filter(is_away);
        let unprepared: Vec<JobId> = unprepared.map(|record| record.id).collect();
        for id in unprepared {
            self.change(id, now, commands, |record| record.state = JobState::Queued)?;
        }
        self.note_readiness(now);
        Ok(())
    }

    /// Whether a side cannot go on, whatever it is granted. One that has
    /// finished need not.
    fn is_held_up(&self, record: &JobRecord, side: Side, now: Millis) -> bool {
        let waits = self
            .live
            .get(&record.id)
            .and_then(|pace| *pace.waits.of(side))
            .is_some_and(|since| now.since(since) > GRACE);
        let away = self.away_for(record.task.party(side), now).is_some();
        !record.sides.of(side).is_finished() && (waits || away)
    }

    /// Whether nothing but room is missing.
    pub(super) fn is_ready(&self, record: &JobRecord, now: Millis) -> bool {
        let nobody_waits = self
            .live
            .get(&record.id)
            .is_some_and(|pace| pace.waits.iter().all(Option::is_none));
        let mut sides = [Side::Active, Side::Passive].into_iter();
        nobody_waits && sides.all(|side| self.connected(record.task.party(side), now).is_some())
    }

    /// Stops the stall budget of parked jobs while they are ready.
    fn note_readiness(&mut self, now: Millis) {
        let parked = self.looked_at(JobState::Parked);
        let ready: Vec<(JobId, bool)> = parked
            .map(|record| (record.id, self.is_ready(record, now)))
            .collect();
        for (id, is_ready) in ready {
            if let Some(pace) = self.live.get_mut(&id) {
                match is_ready {
                    true => pace.stop(now),
                    false => pace.go_on(now),
                }
            }
        }
    }
}
