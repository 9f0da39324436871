//! What others get to see.

use std::collections::BTreeMap;

use entente_protocol::job::{JobId, PartyName};

use super::{Engine, scheduling::Occupancy};
use crate::{
    clock::Millis,
    job::{JobRecord, JobState, JobView, PartyView},
};

impl Engine {
    /// One job.
    pub fn job(&self, id: JobId, now: Millis) -> Option<JobView> {
        let record = self.jobs.get(&id)?;
        Some(self.view(record, &self.occupancy(), now))
    }

    /// The parties that have been heard of.
    pub fn parties(&self, now: Millis) -> Vec<PartyView> {
        let occupancy = self.occupancy();
        let view = |(name, party): (&PartyName, &super::Party)| PartyView {
            name: name.clone(),
            connected: self.connected(name, now).is_some(),
            heard_at: party.heard_at.into(),
            software: party.software.clone(),
            datasets: party.datasets.iter().cloned().collect(),
            capacity: party.capacity,
            jobs: occupancy.of(name),
        };
        self.parties.iter().map(view).collect()
    }

    /// How many jobs are in each state.
    pub fn count_jobs(&self) -> BTreeMap<JobState, usize> {
        let mut counts: BTreeMap<_, _> = JobState::ALL.map(|state| (state, 0)).into();
        for record in self.jobs.values() {
            *counts.entry(record.state).or_default() += 1;
        }
        counts
    }

    /// How many parties are connected.
    pub fn count_connected(&self, now: Millis) -> usize {
        self.parties
            .keys()
            .filter(|name| self.connected(name, now).is_some())
            .count()
    }

    pub(super) fn view(&self, record: &JobRecord, occupancy: &Occupancy, now: Millis) -> JobView {
        let waiting_for = match record.state {
            JobState::Queued => self
                .blocker(record, occupancy, now)
                .map(|blocker| blocker.to_string()),
            JobState::Running => self.standstill(record, now),
            _ => None,
        };
        JobView::new(record, waiting_for)
    }
}
