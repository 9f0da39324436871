//! Where every job stands, so that nobody has to ask all of them.
//!
//! All of it follows from the records, and it changes where a record does: in
//! one place. Nothing is counted up and down: how much of a party's room is taken
//! is asked of the jobs that are named here, one by one, so no path can
//! forget to give a place back.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use entente_protocol::job::{JobId, PartyName};

use crate::job::{JobRecord, JobState};

/// Where every job stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Board {
    by_state: BTreeMap<JobState, BTreeSet<JobId>>,
    /// The jobs that have not ended and of which a party may have to be told, or
    /// may have something to tell.
    at: BTreeMap<PartyName, BTreeSet<JobId>>,
}

impl Board {
    pub(super) fn of<'a>(records: impl IntoIterator<Item = &'a JobRecord>) -> Self {
        let mut board = Self::default();
        for record in records {
            board.put(None, record);
        }
        board
    }

    /// A record is as it is now; it was as it was before.
    pub(super) fn put(&mut self, before: Option<&JobRecord>, now: &JobRecord) {
        let id = now.id;
        if let Some(before) = before.filter(|before| before.state != now.state)
            && let Some(same) = self.by_state.get_mut(&before.state)
        {
            same.remove(&id);
        }
        self.by_state.entry(now.state).or_default().insert(id);
        for party in [&now.task.parties().active, &now.task.parties().passive] {
            if concerns_parties(now) {
                self.at.entry(party.clone()).or_default().insert(id);
            } else if let Some(jobs) = self.at.get_mut(party) {
                jobs.remove(&id);
                if jobs.is_empty() {
                    self.at.remove(party);
                }
            }
        }
    }

    /// The jobs in a state up to some job, in order of submission.
    pub(super) fn in_state(
        &self,
        state: JobState,
        up_to: Bound<JobId>,
    ) -> impl DoubleEndedIterator<Item = JobId> {
        let jobs = self.by_state.get(&state).into_iter();
        jobs.flat_map(move |jobs| jobs.range((Bound::Unbounded, up_to)).copied())
    }

    /// How many there are of them.
    pub(super) fn count(&self, state: JobState) -> usize {
        self.by_state.get(&state).map_or(0, BTreeSet::len)
    }

    /// The jobs that a party may have to do with, in order of submission.
    pub(super) fn at(&self, party: &PartyName) -> impl Iterator<Item = JobId> {
        self.at.get(party).into_iter().flatten().copied()
    }
}

/// Of one that waits for its first places no party knows.
fn concerns_parties(record: &JobRecord) -> bool {
    let unknown = record.state == JobState::Queued && !record.has_begun();
    !unknown && !record.state.is_ended()
}
