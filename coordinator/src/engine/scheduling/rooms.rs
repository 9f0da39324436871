//! The engine's parties and jobs, as the queue sees them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use entente_protocol::job::{JobId, PartyName};

use super::{Floor, Need, Spot};
use crate::{
    clock::{Millis, Span},
    engine::{Board, Engine, Party},
    job::{JobRecord, JobState},
};

/// The engine's parties and jobs, as the queue sees them.
pub(in crate::engine) struct Rooms<'a> {
    pub(super) parties: &'a BTreeMap<PartyName, Party>,
    pub(super) jobs: &'a BTreeMap<JobId, JobRecord>,
    pub(super) board: &'a Board,
    /// Nothing new begins anywhere.
    pub(super) draining: bool,
    pub(super) party_timeout: Span,
    pub(super) now: Millis,
    /// What jobs take at a party, once it was asked for.
    pub(super) known: RefCell<BTreeMap<PartyName, Vec<(JobId, Need)>>>,
}

impl Rooms<'_> {
    /// The jobs that a party has room taken for: those that have places, until
    /// both sides have finished (one that begins anew has its half to do again),
    /// and those that it has not surely stopped yet. What is parked has lent its
    /// places.
    pub(in crate::engine) fn jobs_at(&self, party: &PartyName) -> BTreeSet<JobId> {
        let state = |id: &JobId| self.jobs.get(id).map(|record| record.state);
        let placed = self.board.at(party);
        let placed = placed.filter(|id| state(id).is_some_and(JobState::has_places));
        let may_be_at = self.parties.get(party).into_iter();
        let may_be_at = may_be_at.flat_map(Party::may_be_at);
        let not_lent = may_be_at.filter(|id| state(id) != Some(JobState::Parked));
        placed.chain(not_lent).collect()
    }
}

impl Floor for Rooms<'_> {
    fn spot(&self, party: &PartyName) -> Option<Spot<'_>> {
        let party = self.parties.get(party)?;
        (self.now.since(party.heard_at) <= self.party_timeout).then_some(Spot {
            room: party.room,
            datasets: &party.datasets,
            wire: &party.wire,
            draining: self.draining || party.draining,
        })
    }

    fn taken(&self, party: &PartyName, beside: JobId) -> Need {
        let mut known = self.known.borrow_mut();
        if !known.contains_key(party) {
            let needs = self.jobs_at(party).into_iter().map(|id| {
                let need = match self.jobs.get(&id) {
                    Some(record) => Need::of(record.task.resources()),
                    None => Need::unknown(),
                };
                (id, need)
            });
            known.insert(party.clone(), needs.collect());
        }
        let needs = known.get(party).into_iter().flatten();
        let others = needs.filter(|(id, _)| *id != beside);
        others.map(|(_, need)| *need).sum()
    }
}

impl Engine {
    pub(in crate::engine) fn rooms(&self, now: Millis) -> Rooms<'_> {
        Rooms {
            parties: &self.parties,
            jobs: &self.jobs,
            board: &self.board,
            draining: self.draining.is_some(),
            party_timeout: self.settings.party_timeout,
            now,
            known: RefCell::default(),
        }
    }

    /// How many jobs a party is at.
    pub(in crate::engine) fn count_at(&self, party: &PartyName, now: Millis) -> u32 {
        let jobs = self.rooms(now).jobs_at(party).len();
        u32::try_from(jobs).unwrap_or(u32::MAX)
    }
}
