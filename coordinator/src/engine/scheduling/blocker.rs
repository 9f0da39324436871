//! Why a job does not take its places.

use core::fmt;

use entente_protocol::job::{JobId, PartyName, Side};

use super::{Floor, Obstacle};
use crate::{
    clock::{Millis, Span},
    engine::Engine,
    job::{JobRecord, Lack},
};

/// Why a job does not take its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// The last attempt has failed, and this one is not due.
    NotDue(u32, Span),
    /// A party is not there.
    Away(PartyName),
    /// A party does not have the dataset.
    NoDataset(PartyName, String),
    /// Nothing new begins: at a party, or anywhere.
    Draining(Option<PartyName>),
    /// A party is busy.
    Full(PartyName, Lack),
    /// A party has room, which is kept for another job.
    Kept(PartyName, JobId),
}

/// For a person, as the object of "waits for".
impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDue(attempt, left) => write!(f, "attempt {attempt}, which begins in {left}"),
            Self::Away(party) => write!(f, "{party} to connect"),
            Self::NoDataset(party, dataset) => {
                write!(f, "the dataset {dataset:?}, which {party} does not have")
            }
            Self::Draining(Some(party)) => {
                write!(f, "{party}, which is being drained and begins nothing new")
            }
            Self::Draining(None) => {
                f.write_str("the coordinator, which is being drained and begins nothing new")
            }
            Self::Full(party, lack) => write!(f, "room at {party}, which {lack}"),
            // Whose job it is may not be everybody's affair.
            Self::Kept(party, _) => {
                write!(
                    f,
                    "room at {party}, which is kept for a job that waits longer"
                )
            }
        }
    }
}

impl Engine {
    /// Why `record` does not take its places; nothing if it can.
    pub(in crate::engine) fn blocker(&self, record: &JobRecord, now: Millis) -> Option<Blocker> {
        let at_sides = || {
            let mut sides = [Side::Active, Side::Passive].into_iter();
            sides.find_map(|side| self.blocker_at(record, side, now))
        };
        not_due(record, now).or_else(at_sides)
    }

    /// Why `record` does not take its places, on one side's account.
    pub(in crate::engine) fn blocker_at(
        &self,
        record: &JobRecord,
        side: Side,
        now: Millis,
    ) -> Option<Blocker> {
        let entry = self.entry(record);
        let party = record.task.party(side).clone();
        let obstacle = self.rooms(now).obstacle(&self.queue, &entry, side)?;
        Some(match obstacle {
            Obstacle::Away => Blocker::Away(party),
            Obstacle::NoDataset => {
                let dataset = record.task.dataset(side).unwrap_or_default().to_owned();
                Blocker::NoDataset(party, dataset)
            }
            Obstacle::Draining => Blocker::Draining(self.draining.is_none().then_some(party)),
            Obstacle::Full(lack) => Blocker::Full(party, lack),
            Obstacle::Kept(job) => Blocker::Kept(party, job),
        })
    }
}

/// Why an attempt does not begin yet, on no side's account.
pub(in crate::engine) fn not_due(record: &JobRecord, now: Millis) -> Option<Blocker> {
    let left = record.not_before?.since(now);
    (left > Span(0)).then_some(Blocker::NotDue(record.attempt, left))
}
