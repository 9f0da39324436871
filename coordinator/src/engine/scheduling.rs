//! Which queued jobs start.
//!
//! A job starts when both its parties are there, have its dataset, and have
//! room. In order of submission, and a job that cannot start does not stand in
//! the way of those behind it: its parties are busy or away, theirs may not
//! be. Both parties' room is taken at once, in memory, before anybody is told,
//! so no two jobs hold half of what they need and wait for the other half.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::job::{JobId, PartyName, Side};

use super::{Command, Engine, EngineError};
use crate::{
    clock::Millis,
    job::{JobRecord, JobState},
};

/// Why a queued job does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// A party is not there.
    Away(PartyName),
    /// A party does not have the dataset.
    NoDataset(PartyName, String),
    /// A party is busy.
    Full(PartyName, u32),
}

/// For a person, as the object of "waits for".
impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(party) => write!(f, "{party} to connect"),
            Self::NoDataset(party, dataset) => {
                write!(f, "the dataset {dataset:?}, which {party} does not have")
            }
            Self::Full(party, capacity) => {
                write!(f, "room at {party}, which runs {capacity} jobs at most")
            }
        }
    }
}

/// How many jobs each party is at.
#[derive(Debug, Default)]
pub(super) struct Occupancy(BTreeMap<PartyName, u32>);

impl Occupancy {
    pub(super) fn of(&self, party: &PartyName) -> u32 {
        self.0.get(party).copied().unwrap_or(0)
    }

    fn take(&mut self, party: &PartyName) {
        let count = self.0.entry(party.clone()).or_default();
        *count = count.saturating_add(1);
    }
}

impl Engine {
    /// A party is at the jobs that run, until both sides have finished (one
    /// that begins anew has its half to do again), and at those that it has
    /// not surely stopped yet.
    pub(super) fn at_work(&self) -> BTreeSet<(&PartyName, JobId)> {
        let mut pairs: BTreeSet<(&PartyName, JobId)> = BTreeSet::new();
        for record in self.live_in(JobState::Running) {
            for side in [Side::Active, Side::Passive] {
                pairs.insert((record.task.party(side), record.id));
            }
        }
        for (name, party) in &self.parties {
            pairs.extend(party.may_be_at().map(|id| (name, id)));
        }
        pairs
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        let mut occupancy = Occupancy::default();
        for (name, _) in self.at_work() {
            occupancy.take(name);
        }
        occupancy
    }

    /// Why `record` does not start; nothing if it can.
    pub(super) fn blocker(
        &self,
        record: &JobRecord,
        occupancy: &Occupancy,
        now: Millis,
    ) -> Option<Blocker> {
        [Side::Active, Side::Passive]
            .into_iter()
            .find_map(|side| self.blocker_at(record, side, occupancy, now))
    }

    /// Why `record` does not start, on one side's account.
    pub(super) fn blocker_at(
        &self,
        record: &JobRecord,
        side: Side,
        occupancy: &Occupancy,
        now: Millis,
    ) -> Option<Blocker> {
        let name = record.task.party(side);
        let Some(party) = self.connected(name, now) else {
            return Some(Blocker::Away(name.clone()));
        };
        let missing = record.task.dataset(side);
        if let Some(dataset) = missing.filter(|of| !party.datasets.contains(*of)) {
            return Some(Blocker::NoDataset(name.clone(), dataset.to_owned()));
        }
        (occupancy.of(name) >= party.capacity).then(|| Blocker::Full(name.clone(), party.capacity))
    }

    pub(super) fn start_what_can(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let mut occupancy = self.occupancy();
        let mut starting = Vec::new();
        for record in self.live_in(JobState::Queued) {
            if self.blocker(record, &occupancy, now).is_none() {
                occupancy.take(record.task.party(Side::Active));
                occupancy.take(record.task.party(Side::Passive));
                starting.push(record.id);
            }
        }
        for id in starting {
            let window = self.settings.window;
            self.change(id, now, commands, |record| {
                record.state = JobState::Running;
                record.granted = window;
            })?;
        }
        Ok(())
    }
}
