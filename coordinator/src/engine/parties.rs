//! A party as it was last heard of.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::{
    control::{Phase, Sync},
    job::{JobId, PartyName},
};

use super::{Engine, wishes::Ticket};
use crate::clock::{Millis, Span};

/// A party as it was last heard of. Lost when the coordinator ends: it says
/// all of it again.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) heard_at: Millis,
    pub(super) software: String,
    pub(super) datasets: BTreeSet<String>,
    pub(super) capacity: u32,
    /// The jobs that it knows of, and whether it is still at them.
    pub(super) knows: BTreeMap<JobId, bool>,
    /// What it was last wished.
    pub(super) wished: Vec<Ticket>,
    /// Of that wish.
    pub(super) revision: u64,
    /// The jobs that are wished no more and were not over there, each until
    /// the party has taken in the wish of this revision, the first without
    /// it: until then it may be at the job, or begin it.
    pub(super) withdrawn: BTreeMap<JobId, u64>,
}

impl Party {
    pub(super) fn new(sync: &Sync, now: Millis) -> Self {
        let mut party = Self {
            heard_at: now,
            software: String::new(),
            datasets: BTreeSet::new(),
            capacity: 0,
            knows: BTreeMap::new(),
            wished: Vec::new(),
            // Counts from the time of day: grows over restarts of the
            // coordinator too, and is never the 0 of "none seen".
            revision: now.0.max(1),
            withdrawn: BTreeMap::new(),
        };
        party.hear(sync, now);
        party
    }

    /// Everything anew: a sync is the whole truth.
    pub(super) fn hear(&mut self, sync: &Sync, now: Millis) {
        self.heard_at = now;
        self.software.clone_from(&sync.software);
        self.datasets = sync.datasets.iter().cloned().collect();
        self.capacity = sync.capacity;
        self.knows = sync
            .jobs
            .iter()
            .map(|report| {
                let over = matches!(report.phase, Phase::Finished | Phase::Failed { .. });
                (report.job, !over)
            })
            .collect();
        self.withdrawn
            .retain(|_, revision| *revision > sync.seen_revision);
    }

    /// Wishes something else than before; whether it is something else.
    pub(super) fn wish(&mut self, wished: Vec<Ticket>, now: Millis) -> bool {
        if self.wished == wished {
            return false;
        }
        self.revision = now.0.max(self.revision.saturating_add(1));
        for ticket in &self.wished {
            let still_wished = wished.iter().any(|other| other.job == ticket.job);
            let over = self.knows.get(&ticket.job) == Some(&false);
            if !still_wished && !over {
                self.withdrawn.insert(ticket.job, self.revision);
            }
        }
        self.wished = wished;
        true
    }

    /// The jobs that it says it is at, and those that it was told of, has not
    /// been told to forget as far as is known, and has not spoken of.
    pub(super) fn may_be_at(&self) -> impl Iterator<Item = JobId> {
        let says = self.knows.iter().filter(|(_, at_it)| **at_it);
        let told = self.wished.iter().map(|ticket| ticket.job);
        let silent = told
            .chain(self.withdrawn.keys().copied())
            .filter(|job| !self.knows.contains_key(job));
        says.map(|(job, _)| *job).chain(silent)
    }

    /// Whether it is surely not at a job.
    pub(super) fn is_free_of(&self, job: JobId) -> bool {
        !self.knows.contains_key(&job)
            && !self.withdrawn.contains_key(&job)
            && !self.wished.iter().any(|ticket| ticket.job == job)
    }
}

impl Engine {
    /// The party, if it was heard of lately.
    pub(super) fn connected(&self, party: &PartyName, now: Millis) -> Option<&Party> {
        self.parties
            .get(party)
            .filter(|party| now.since(party.heard_at) <= self.settings.party_timeout)
    }

    /// For how long a party has been away; nothing while it may yet speak.
    pub(super) fn away_for(&self, party: &PartyName, now: Millis) -> Option<Span> {
        let last = self
            .parties
            .get(party)
            .map_or(self.begun_at, |party| party.heard_at);
        let silent = now.since(last);
        (silent > self.settings.party_timeout).then_some(silent)
    }
}
