//! The jobs that a party knows of, as its jobs have told them.

use std::{
    collections::{BTreeMap, btree_map::Values},
    mem,
    time::Instant,
};

use entente_protocol::{
    control::{Failure, JobReport, Phase, Progress},
    job::JobId,
};
use entente_wire::SessionId;

use super::{JobHandle, messages::JobTold};
use crate::driver::{Standing, Status};

/// A job, and whoever runs it.
pub(super) struct Entry {
    pub(super) attempt: u32,
    pub(super) runner: Option<(SessionId, JobHandle)>,
    status: Status,
    /// Exchanges done when the last grant came: where the window begins.
    window_start: u64,
}

/// Jobs by their identity.
#[derive(Default)]
pub(super) struct Table {
    entries: BTreeMap<JobId, Entry>,
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

    /// A job begins to be prepared.
    pub(super) fn begin(&mut self, job: JobId, attempt: u32) {
        let status = Status {
            standing: Standing::Preparing,
            progress: Progress::default(),
            granted: 0,
        };
        let entry = Entry {
            attempt,
            runner: None,
            status,
            window_start: 0,
        };
        self.entries.insert(job, entry);
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
        entry.window_start = entry.status.progress.exchanges_done;
        entry.runner.as_ref().map(|(_, handle)| handle)
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
        // The job may not have heard of the newest grant when it spoke.
        entry.status = Status {
            granted,
            ..told.status
        };
        let left = granted.saturating_sub(entry.status.progress.exchanges_done);
        let window = granted.saturating_sub(entry.window_start);
        elsewhere || left == window / 2
    }

    /// A job failed before it had a driver.
    pub(super) fn failed(&mut self, job: JobId, attempt: u32, failure: Failure) {
        if let Some(entry) = self.attempt(job, attempt) {
            entry.status.standing = Standing::Failed(failure);
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

impl Entry {
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
            what: what.clone(),
            for_ms: now.saturating_duration_since(*since).as_millis() as u64,
        },
        Standing::Finished => Phase::Finished,
        Standing::Failed(failure) => Phase::Failed {
            failure: failure.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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

    #[test]
    fn the_coordinator_hears_at_once_what_may_change_its_wish() {
        let job: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let mut table = Table::default();
        table.begin(job, 1);
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
        let mut table = Table::default();
        table.begin(job, 2);
        assert!(!table.told(told(job, 1, Standing::Finished, 8)));
        assert_eq!(table.report(Instant::now())[0].phase, Phase::Preparing);
    }
}
