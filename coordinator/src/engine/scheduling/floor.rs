//! What parties are like, as far as it matters to who starts.

use std::collections::BTreeSet;

use entente_protocol::job::{JobId, PartyName, Side};

use super::{Class, Entry, Need, Queue, Room};
use crate::job::Lack;

/// A party that is there.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Spot<'a> {
    pub(in crate::engine) room: Room,
    pub(in crate::engine) datasets: &'a BTreeSet<String>,
    /// The versions of the wire format that it speaks.
    pub(in crate::engine) wire: &'a BTreeSet<u16>,
    /// Whether nothing new begins there.
    pub(in crate::engine) draining: bool,
}

/// The newest version of the wire format that two parties speak. Numbers, and no
/// more: the coordinator sees no message, and need not know what they stand for.
pub(in crate::engine) fn newest_common(one: &BTreeSet<u16>, other: &BTreeSet<u16>) -> Option<u16> {
    one.intersection(other).max().copied()
}

/// Why a job does not start, on one party's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Obstacle {
    /// The party is not there.
    Away,
    /// It does not have the dataset.
    NoDataset,
    /// It does not speak the version of the wire format in which the job has begun;
    /// or it and its peer speak none in common.
    NoWireVersion,
    /// Nothing new begins there, and this is new.
    Draining,
    /// It has too little room.
    Full(Lack),
    /// It has room, which is kept for another job.
    Kept(JobId),
}

impl Obstacle {
    /// A closed set of names, for metrics: those of the reasons that the API has.
    pub(in crate::engine) fn label(&self) -> &'static str {
        match self {
            Self::Away => "not_connected",
            Self::NoDataset => "no_dataset",
            Self::NoWireVersion => "no_wire_version",
            Self::Draining => "draining",
            Self::Full(_) => "no_room",
            Self::Kept(_) => "kept",
        }
    }
}

/// The parties, as they are now.
pub(in crate::engine) trait Floor {
    /// The party, if it is there.
    fn spot(&self, party: &PartyName) -> Option<Spot<'_>>;

    /// What is taken of its room by other jobs than this one.
    fn taken(&self, party: &PartyName, beside: JobId) -> Need;

    /// Whether jobs of a class, that have begun or not, lack nothing but, at
    /// most, room that others have.
    fn is_open(&self, class: &Class, begun: bool) -> bool {
        [Side::Active, Side::Passive].into_iter().all(|side| {
            let spot = self.spot(class.parties.of(side));
            spot.is_some_and(|spot| {
                spot.has(class, side)
                    && self.understand(class, spot, side)
                    && spot.goes_on_with(begun)
                    && spot.room.could_hold(class.need)
            })
        })
    }

    /// Whether a party speaks what a job of this class needs it to. Of a peer that
    /// is not there nothing is known, and it is waited for anyhow.
    fn understand(&self, class: &Class, spot: Spot<'_>, side: Side) -> bool {
        if let Some(begun_in) = class.wire {
            return spot.wire.contains(&begun_in);
        }
        let peer = self.spot(class.parties.of(side.other()));
        peer.is_none_or(|peer| newest_common(spot.wire, peer.wire).is_some())
    }

    /// Why a job does not start, on one side's account; nothing if it may.
    fn obstacle(&self, queue: &Queue, entry: &Entry, side: Side) -> Option<Obstacle> {
        let class = &entry.class;
        let party = class.parties.of(side);
        let Some(spot) = self.spot(party) else {
            return Some(Obstacle::Away);
        };
        if !spot.has(class, side) {
            return Some(Obstacle::NoDataset);
        }
        if !self.understand(class, spot, side) {
            return Some(Obstacle::NoWireVersion);
        }
        if !spot.goes_on_with(entry.begun) {
            return Some(Obstacle::Draining);
        }
        let taken = self.taken(party, entry.id);
        if let Some(lack) = spot.room.lacks(taken, class.need) {
            return Some(Obstacle::Full(lack));
        }
        let claim = queue.claim(party).filter(|claim| claim.id != entry.id)?;
        let kept = taken.and(claim.class.need);
        let lacks = spot.room.lacks(kept, class.need);
        lacks.map(|_| Obstacle::Kept(claim.id))
    }

    /// Whether a job may start.
    fn admits(&self, queue: &Queue, entry: &Entry) -> bool {
        [Side::Active, Side::Passive]
            .into_iter()
            .all(|side| self.obstacle(queue, entry, side).is_none())
    }
}

impl Spot<'_> {
    fn has(&self, class: &Class, side: Side) -> bool {
        let needed = class.datasets.of(side).as_ref();
        needed.is_none_or(|dataset| self.datasets.contains(dataset))
    }

    /// What has begun is brought to its end.
    fn goes_on_with(&self, begun: bool) -> bool {
        begun || !self.draining
    }
}
