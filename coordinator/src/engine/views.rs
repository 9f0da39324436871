//! What others get to see.

use std::collections::BTreeMap;

use entente_protocol::job::{JobId, PartyName};

use super::Engine;
use crate::{
    clock::Millis,
    job::{JobRecord, JobState, JobView, PartyView},
};

impl Engine {
    /// One job.
    pub fn job(&self, id: JobId, now: Millis) -> Option<JobView> {
        let record = self.jobs.get(&id)?;
        Some(self.view(record, now))
    }

    /// How often what is kept of a job was written.
    pub fn version(&self, id: JobId) -> Option<u64> {
        self.jobs.get(&id).map(|record| record.version)
    }

    /// One job, as it is kept.
    pub fn record(&self, id: JobId) -> Option<&JobRecord> {
        self.jobs.get(&id)
    }

    /// The parties that have been heard of.
    pub fn parties(&self, now: Millis) -> Vec<PartyView> {
        let view = |(name, party): (&PartyName, &super::Party)| PartyView {
            name: name.clone(),
            connected: self.connected(name, now).is_some(),
            heard_at: party.heard_at.into(),
            software: party.software.clone(),
            datasets: party.datasets.iter().cloned().collect(),
            capacity: party.room.jobs,
            threads: party.room.threads,
            memory_bytes: party.room.memory_bytes,
            draining: party.draining,
            wire: self.speaks(name),
            jobs: self.count_at(name, now),
        };
        self.parties.iter().map(view).collect()
    }

    /// How many jobs are in each state.
    pub fn count_jobs(&self) -> BTreeMap<JobState, usize> {
        JobState::ALL
            .map(|state| (state, self.board.count(state)))
            .into()
    }

    /// How many parties are connected.
    pub fn count_connected(&self, now: Millis) -> usize {
        self.parties
            .keys()
            .filter(|name| self.connected(name, now).is_some())
            .count()
    }

    pub(super) fn view(&self, record: &JobRecord, now: Millis) -> JobView {
        let blocked = || {
            let blocker = self.blocker(record, now);
            blocker.map(|blocker| blocker.to_string())
        };
        let waiting_for = match record.state {
            JobState::Queued => blocked(),
            JobState::Parked if self.is_ready(record, now) => blocked(),
            JobState::Running | JobState::Parked => self.standstill(record, now),
            JobState::AwaitingApproval
            | JobState::Reserved
            | JobState::Paused
            | JobState::Failing
            | JobState::Cancelling => self.in_words(record, now),
            JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::Rejected => {
                None
            }
        };
        let fails_in = self.fails_in(record, now);
        let fails_at = fails_in.map(|left| Millis(now.0.saturating_add(left.0)));
        let retried_as = self.retried_as(record.id);
        JobView::new(record, waiting_for, fails_at, retried_as)
    }
}
