//! The jobs that a party knows of, as its jobs have told them.

use std::{
    collections::{BTreeMap, btree_map::Values},
    mem,
    time::{Duration, Instant},
};

use entente_protocol::{
    control::{Assignment, Failure, JobReport, Phase, Progress},
    job::JobId,
};
use entente_wire::Session;
use tracing::Span;

use super::{JobHandle, messages::JobTold};
use crate::{
    driver::{Awaited, Standing, Status},
    spans,
    telemetry::{Meters, Waited, awaited},
};

/// A job, and whoever runs it.
pub(super) struct Entry {
    pub(super) attempt: u32,
    /// What lines of the log about it stand in.
    pub(super) span: Span,
    pub(super) runner: Option<(Session, JobHandle)>,
    /// Since when there is no room for its journal.
    without_room: Option<Instant>,
    /// As the coordinator wishes it, with what has become of it since.
    assignment: Box<Assignment>,
    /// How often jobs have begun here, up to this one: what an earlier
    /// beginning brings is not taken for this one's.
    beginning: u64,
    status: Status,
    /// Exchanges done when the last grant came: where the window begins.
    window_start: u64,
    waited: Waited,
}

/// Jobs by their identity.
#[derive(Default)]
pub(super) struct Table {
    entries: BTreeMap<JobId, Entry>,
    beginnings: u64,
}

impl Table {
    /// The attempts that are known.
    pub(super) fn attempts(&self) -> BTreeMap<JobId, u32> {
        let entries = self.entries.iter();
        entries.map(|(job, entry)| (*job, entry.attempt)).collect()
    }

    pub(super) fn entries(&self) -> Values<'_, JobId, Entry> {
        self.entries.values()
    }

    /// A job begins to be prepared; which beginning it is.
    pub(super) fn begin(&mut self, assignment: Box<Assignment>) -> u64 {
        self.beginnings += 1;
        let status = Status {
            standing: Standing::Preparing,
            progress: Progress::default(),
            granted: assignment.granted,
        };
        let last = self.attempt(assignment.job, assignment.attempt);
        let entry = Entry {
            attempt: assignment.attempt,
            span: spans::assigned(&assignment),
            runner: None,
            without_room: last.and_then(|last| last.without_room),
            beginning: self.beginnings,
            status,
            window_start: 0,
            waited: Waited::nothing(Instant::now()),
            assignment,
        };
        self.entries.insert(entry.assignment.job, entry);
        self.beginnings
    }

    /// The entry of a beginning, while it is the one that counts.
    pub(super) fn beginning(&mut self, job: JobId, beginning: u64) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&job);
        entry.filter(|entry| entry.beginning == beginning)
    }

    /// The entry of an attempt, while it is the one that counts.
    pub(super) fn attempt(&mut self, job: JobId, attempt: u32) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&job);
        entry.filter(|entry| entry.attempt == attempt)
    }

    /// Notes a grant. It says whether it is another one, and who is to hear it.
    pub(super) fn grant(&mut self, job: JobId, granted: u64) -> Option<&JobHandle> {
        let entry = self.entries.get_mut(&job)?;
        if entry.status.granted == granted {
            return None;
        }
        entry.status.granted = granted;
        entry.assignment.granted = granted;
        entry.window_start = entry.status.progress.exchanges_done;
        entry.runner.as_ref().map(|(_, handle)| handle)
    }

    /// Notes which key a job shall have come to. It says who is to hear it, if that
    /// is news.
    pub(super) fn key(&mut self, job: JobId, epoch: u32) -> Option<&JobHandle> {
        let entry = self.entries.get_mut(&job)?;
        if entry.assignment.key_epoch == epoch {
            return None;
        }
        entry.assignment.key_epoch = epoch;
        entry.runner.as_ref().map(|(_, handle)| handle)
    }

    /// Notes whether a job is paused. It says who is to hear it, or how the job
    /// is to begin again that was let go.
    pub(super) fn hold(&mut self, job: JobId, hold: bool) -> Option<Holding<'_>> {
        let entry = self.entries.get_mut(&job)?;
        if entry.assignment.hold == hold {
            return None;
        }
        entry.assignment.hold = hold;
        match &entry.runner {
            Some((_, handle)) => Some(Holding::Tell(handle)),
            None => entry.to_begin_again().map(Holding::Begin),
        }
    }

    pub(super) fn forget(&mut self, job: JobId) -> Option<Entry> {
        self.entries.remove(&job)
    }

    /// All entries, which are forgotten.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Entry> + use<> {
        mem::take(&mut self.entries).into_values()
    }

    /// Takes in what a job has told. Says whether the coordinator should hear
    /// it at once: what may change its wish, not every step of progress.
    pub(super) fn told(&mut self, told: JobTold) -> bool {
        let Some(entry) = self.attempt(told.job, told.attempt) else {
            return false;
        };
        let kind = mem::discriminant(&told.status.standing);
        let elsewhere = kind != mem::discriminant(&entry.status.standing);
        let granted = entry.status.granted;
        let before = entry.left();
        // The job may not have heard of the newest grant when it spoke.
        entry.status = Status {
            granted,
            ..told.status
        };
        let half = granted.saturating_sub(entry.window_start) / 2;
        // One in another process is not heard at every step.
        elsewhere || (before > half && entry.left() <= half)
    }

    /// Has the meters count how long each job has waited, up to now.
    pub(super) fn measure(&mut self, now: Instant, meters: &Meters) {
        for entry in self.entries.values_mut() {
            let what = awaited(&entry.status.standing);
            entry.waited.turn(now, what, meters);
        }
    }

    /// Where each job stands, for the coordinator.
    pub(super) fn report(&self, now: Instant) -> Vec<JobReport> {
        let entries = self.entries.iter();
        entries
            .map(|(job, entry)| JobReport {
                job: *job,
                attempt: entry.attempt,
                phase: phase(&entry.status.standing, now),
                progress: entry.status.progress,
            })
            .collect()
    }
}

/// What follows from a change of whether a job is paused.
pub(super) enum Holding<'a> {
    /// It runs, and is to hear of it.
    Tell(&'a JobHandle),
    /// It was let go, and begins again.
    Begin(Box<Assignment>),
}

impl Entry {
    /// Exchanges that it may begin yet.
    fn left(&self) -> u64 {
        let done = self.status.progress.exchanges_done;
        self.status.granted.saturating_sub(done)
    }

    /// It failed before it had a driver.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.status.standing = Standing::Failed(failure);
    }

    /// Its journal cannot be made or opened now, for want of `what`. How it is
    /// to begin again after a while, within its stall budget.
    pub(super) fn waits(
        &mut self,
        now: Instant,
        what: &'static str,
        budget: Duration,
    ) -> Option<Box<Assignment>> {
        let since = *self.without_room.get_or_insert(now);
        self.status.standing = Standing::Waiting {
            what: Awaited::Disk(what),
            since,
        };
        let left = now.saturating_duration_since(since) < budget;
        left.then(|| self.assignment.clone())
    }

    /// It is paused, and nothing of it is here but its journal. How it is to
    /// begin again, if it is not paused any more.
    pub(super) fn let_go(&mut self, progress: Progress) -> Option<Box<Assignment>> {
        self.runner = None;
        self.status.standing = Standing::Held;
        self.status.progress = progress;
        self.to_begin_again()
    }

    fn to_begin_again(&self) -> Option<Box<Assignment>> {
        let held = self.status.standing == Standing::Held && self.runner.is_none();
        let wanted = held && !self.assignment.hold;
        wanted.then(|| {
            let mut assignment = self.assignment.clone();
            let done = &mut assignment.exchanges_done;
            *done = self.status.progress.exchanges_done.max(*done);
            assignment
        })
    }

    /// Its journal is open.
    pub(super) fn has_room(&mut self) {
        self.without_room = None;
    }

    pub(super) fn is_paused(&self) -> bool {
        self.assignment.hold
    }

    /// The number of the key that it shall have come to.
    pub(super) fn key_wished(&self) -> u32 {
        self.assignment.key_epoch
    }

    pub(super) fn progress(&self) -> Progress {
        self.status.progress
    }

    pub(super) fn standing(&self) -> &Standing {
        &self.status.standing
    }

    pub(super) fn granted(&self) -> u64 {
        self.status.granted
    }
}

fn phase(standing: &Standing, now: Instant) -> Phase {
    match standing {
        Standing::Preparing => Phase::Preparing,
        Standing::Running => Phase::Running,
        Standing::Waiting { what, since } => Phase::Waiting {
            what: what.to_string(),
            for_ms: now.saturating_duration_since(*since).as_millis() as u64,
        },
        Standing::Held => Phase::Held,
        Standing::Finished => Phase::Finished,
        Standing::Failed(failure) => Phase::Failed {
            failure: failure.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::testbed::assignment;

    fn told(job: JobId, attempt: u32, standing: Standing, exchanges_done: u64) -> JobTold {
        let progress = Progress {
            exchanges_done,
            ..Progress::default()
        };
        let status = Status {
            standing,
            progress,
            granted: 0,
        };
        JobTold {
            job,
            attempt,
            status,
        }
    }

    fn begun(job: JobId, attempt: u32) -> Table {
        let mut table = Table::default();
        table.begin(Box::new(Assignment {
            job,
            attempt,
            granted: 0,
            ..assignment(1, "bank-a", "bank-b")
        }));
        table
    }

    #[test]
    fn a_job_that_was_let_go_begins_again_when_it_is_not_paused_any_more() {
        let job: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let mut table = begun(job, 1);
        assert!(table.hold(job, true).is_none(), "nobody to tell");
        let progress = Progress {
            exchanges_done: 3,
            ..Progress::default()
        };
        let entry = table.attempt(job, 1).unwrap();
        assert!(entry.let_go(progress).is_none(), "it is paused");
        assert_eq!(table.report(Instant::now())[0].phase, Phase::Held);
        let Some(Holding::Begin(again)) = table.hold(job, false) else {
            panic!("it begins again")
        };
        assert_eq!((again.exchanges_done, again.hold), (3, false));
        // The pause was over before it was let go.
        let entry = table.attempt(job, 1).unwrap();
        assert!(entry.let_go(progress).is_some());
    }

    #[test]
    fn the_coordinator_hears_at_once_what_may_change_its_wish() {
        let job: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let mut table = begun(job, 1);
        table.grant(job, 8);
        assert!(table.told(told(job, 1, Standing::Running, 0)));
        let urgent = (1..=8).map(|done| table.told(told(job, 1, Standing::Running, done)));
        let urgent: Vec<bool> = urgent.collect();
        assert_eq!(
            urgent,
            [false, false, false, true, false, false, false, false]
        );
        assert!(table.told(told(job, 1, Standing::Finished, 8)));
    }

    #[test]
    fn an_earlier_attempt_is_not_heard() {
        let job: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let mut table = begun(job, 2);
        assert!(!table.told(told(job, 1, Standing::Finished, 8)));
        assert_eq!(table.report(Instant::now())[0].phase, Phase::Preparing);
    }
}
