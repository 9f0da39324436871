//! A party as it was last heard of.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::{
    control::{Decision, Phase, Sync},
    job::{JobId, PartyName},
};

use super::{Engine, scheduling::Room, wishes::Ticket};
use crate::clock::{Millis, Span};

/// A party as it was last heard of. Lost when the coordinator ends: it says
/// all of it again.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) heard_at: Millis,
    pub(super) software: String,
    pub(super) datasets: BTreeSet<String>,
    pub(super) room: Room,
    /// Whether it begins nothing new.
    pub(super) draining: bool,
    /// The versions of the wire format that it speaks.
    pub(super) wire: BTreeSet<u16>,
    /// The jobs that it knows of.
    pub(super) knows: BTreeMap<JobId, Known>,
    /// The jobs on which a person there has to decide.
    pub(super) asks_people: BTreeSet<JobId>,
    /// What it was last wished.
    pub(super) wished: Vec<Ticket>,
    /// What it was proposed with it.
    pub(super) proposed: Vec<JobId>,
    /// Of that wish.
    pub(super) revision: u64,
    /// The jobs that are wished no more, or are to rest, and were not over
    /// there, each until the party has taken in the wish that says so: until
    /// then it may be at the job, or begin it.
    pub(super) withdrawn: BTreeMap<JobId, Withdrawn>,
}

/// A job as a party knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    attempt: u32,
    pub(super) stand: Stand,
}

/// How far a party is with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// It prepares, computes or waits.
    AtIt,
    /// It keeps a checkpoint, and may be wished to go on.
    Held,
    /// It has finished or failed.
    Over,
}

/// A job that a party was to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Withdrawn {
    attempt: u32,
    /// The first wish without it.
    pub(super) revision: u64,
}

/// Versions of the wire format that are looked at, the newest of a list.
const MOST_VERSIONS: usize = 16;

impl Party {
    pub(super) fn new(sync: &Sync, now: Millis) -> Self {
        let mut party = Self {
            heard_at: now,
            software: String::new(),
            datasets: BTreeSet::new(),
            room: Room::default(),
            draining: false,
            wire: BTreeSet::new(),
            knows: BTreeMap::new(),
            asks_people: BTreeSet::new(),
            wished: Vec::new(),
            proposed: Vec::new(),
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
        self.room = Room {
            jobs: sync.capacity,
            threads: sync.threads,
            memory_bytes: sync.memory_bytes,
        };
        self.draining = sync.draining;
        self.wire = sync.wire.iter().copied().take(MOST_VERSIONS).collect();
        self.knows = sync
            .jobs
            .iter()
            .map(|report| {
                let stand = match report.phase {
                    Phase::Preparing | Phase::Running | Phase::Waiting { .. } => Stand::AtIt,
                    Phase::Held => Stand::Held,
                    Phase::Finished | Phase::Failed { .. } => Stand::Over,
                };
                let attempt = report.attempt;
                (report.job, Known { attempt, stand })
            })
            .collect();
        let answers = sync.answers.iter();
        self.asks_people = answers
            .filter(|answer| answer.decision == Decision::NeedsPerson)
            .map(|answer| answer.job)
            .collect();
        self.withdrawn
            .retain(|_, withdrawn| withdrawn.revision > sync.seen_revision);
    }

    /// Wishes something else than before; whether it is something else.
    pub(super) fn wish(&mut self, wished: Vec<Ticket>, proposed: Vec<JobId>, now: Millis) -> bool {
        if self.wished == wished && self.proposed == proposed {
            return false;
        }
        self.revision = now.0.max(self.revision.saturating_add(1));
        for ticket in self.wished.iter().filter(|ticket| !ticket.hold) {
            let still_wished = wished
                .iter()
                .any(|other| other.job == ticket.job && !other.hold);
            if !still_wished && !self.is_over(ticket.job, ticket.attempt) {
                let withdrawn = Withdrawn {
                    attempt: ticket.attempt,
                    revision: self.revision,
                };
                self.withdrawn.insert(ticket.job, withdrawn);
            }
        }
        self.wished = wished;
        self.proposed = proposed;
        true
    }

    /// The jobs that it says it is at, and those that it was told to run, has
    /// not been told to leave as far as is known, and has not said to be over.
    pub(super) fn may_be_at(&self) -> impl Iterator<Item = JobId> {
        let at_it = self.knows.iter();
        let says = at_it.filter(|(_, known)| known.stand == Stand::AtIt);
        let wished = self.wished.iter().filter(|ticket| !ticket.hold);
        let told = wished.map(|ticket| (ticket.job, ticket.attempt));
        let withdrawn = self.withdrawn.iter();
        let silent = told
            .chain(withdrawn.map(|(job, withdrawn)| (*job, withdrawn.attempt)))
            .filter(|(job, attempt)| !self.is_over(*job, *attempt))
            .map(|(job, _)| job);
        says.map(|(job, _)| *job).chain(silent)
    }

    /// Whether it says that an attempt is over there. What it says of an
    /// earlier one tells nothing of this.
    fn is_over(&self, job: JobId, attempt: u32) -> bool {
        let over = Known {
            attempt,
            stand: Stand::Over,
        };
        self.knows.get(&job) == Some(&over)
    }

    /// Whether its release knows of this version of the wire format: to one that
    /// does not, the whole wish that names it would be none.
    pub(super) fn can_be_told(&self, wire: u16) -> bool {
        self.wire.last().is_some_and(|newest| *newest >= wire)
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
