//! Why a job does not take its places.

use core::fmt;

use entente_protocol::job::{JobId, PartyName, Side};
use entente_wire::listed_versions;

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
    /// A party does not speak the version of the wire format in which the attempt has
    /// begun (the number), but others.
    NotSpoken(PartyName, u16, Vec<u16>),
    /// Two parties speak no version of the wire format in common.
    NoWireVersion([(PartyName, Vec<u16>); 2]),
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
            Self::NotSpoken(party, begun_in, spoken) => write!(
                f,
                "{party} to speak wire version {begun_in}, in which the attempt has begun (it \
                 speaks {})",
                listed_versions(spoken)
            ),
            Self::NoWireVersion([(one, theirs), (other, others)]) => write!(
                f,
                "a wire version in common: {one} speaks {}, {other} {}; upgrade the older one",
                listed_versions(theirs),
                listed_versions(others)
            ),
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
            Obstacle::NoWireVersion if record.has_begun() => {
                let spoken = self.speaks(&party);
                Blocker::NotSpoken(party, record.wire, spoken)
            }
            Obstacle::NoWireVersion => {
                let parties = record.task.parties();
                let of = |party: &PartyName| (party.clone(), self.speaks(party));
                Blocker::NoWireVersion([of(&parties.active), of(&parties.passive)])
            }
            Obstacle::Draining => Blocker::Draining(self.draining.is_none().then_some(party)),
            Obstacle::Full(lack) => Blocker::Full(party, lack),
            Obstacle::Kept(job) => Blocker::Kept(party, job),
        })
    }
}

impl Engine {
    /// The versions of the wire format that a party speaks, newest first.
    pub(in crate::engine) fn speaks(&self, party: &PartyName) -> Vec<u16> {
        let party = self.parties.get(party).into_iter();
        let spoken = party.flat_map(|party| party.wire.iter().rev());
        spoken.copied().collect()
    }
}

/// Why an attempt does not begin yet, on no side's account.
pub(in crate::engine) fn not_due(record: &JobRecord, now: Millis) -> Option<Blocker> {
    let left = record.not_before?.since(now);
    (left > Span(0)).then_some(Blocker::NotDue(record.attempt, left))
}
