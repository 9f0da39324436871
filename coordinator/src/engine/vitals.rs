//! What is measured of the jobs that run, of those that wait, and of the parties.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use entente_protocol::job::{JobId, Side};

use super::{
    Engine,
    scheduling::{Class, Entry, Floor, not_due},
    why::stall_budget,
};
use crate::{
    clock::{Millis, Span},
    job::{JobRecord, JobState, Reason},
};

/// What is measured of a job that runs.
#[derive(Debug)]
pub(crate) struct Vitals<'a> {
    /// What is kept of it.
    pub(crate) record: &'a JobRecord,
    /// When an exchange was last heard to be done, or it began to be watched.
    pub(crate) progressed_at: Millis,
    /// For how long nothing has grown, as far as it counts.
    pub(crate) still: Span,
    /// For how long that may be.
    pub(crate) stall_budget: Span,
    /// For how long the attempt has been parked, as far as it was watched.
    pub(crate) parked: Span,
    /// When it will be done, as it looks; nothing if that is not known, or it is parked.
    pub(crate) left: Option<Span>,
    /// What it waits for.
    pub(crate) waits_for: Vec<Reason>,
}

/// What a queued job waits for if it waits for nothing: the next look at the queue.
const NOTHING: &str = "nothing";
/// What a queued job waits for whose attempt is not due.
const NOT_DUE: &str = "not_due";

/// The jobs that have their places, or have lent them.
const RUN: [JobState; 3] = [JobState::Reserved, JobState::Running, JobState::Parked];

impl Engine {
    /// What queued jobs may be [blocked](Self::blocked) by.
    pub(crate) const BLOCKED_BY: [&'static str; 8] = [
        NOT_DUE,
        "not_connected",
        "no_dataset",
        "no_wire_version",
        "draining",
        "no_room",
        "kept",
        NOTHING,
    ];

    /// The jobs that run, the oldest first; `most` of them, and how many more there are.
    pub(crate) fn vitals(&self, most: usize, now: Millis) -> (Vec<Vitals<'_>>, usize) {
        let ids = RUN.iter();
        let ids = ids.flat_map(|state| self.board.in_state(*state, Bound::Unbounded));
        let ids: BTreeSet<JobId> = ids.collect();
        let shown = ids.iter().take(most);
        let vitals = shown.filter_map(|id| self.vitals_of(*id, now));
        (vitals.collect(), ids.len().saturating_sub(most))
    }

    fn vitals_of(&self, id: JobId, now: Millis) -> Option<Vitals<'_>> {
        let (record, pace) = (self.jobs.get(&id)?, self.live.get(&id)?);
        let exchanges = record.sides.iter().map(|side| side.progress.exchanges);
        let goes_on = record.state == JobState::Running;
        let left = || pace.left(exchanges.max()?, now);
        Some(Vitals {
            record,
            progressed_at: pace.progressed_at,
            still: pace.still_for(now),
            stall_budget: stall_budget(record),
            parked: Span(pace.parked.0 + self.parked_for(record, now).0),
            left: goes_on.then(left).flatten(),
            waits_for: self.reasons(record, None, now),
        })
    }

    /// For how long a job has been parked now, while this coordinator led.
    pub(super) fn parked_for(&self, record: &JobRecord, now: Millis) -> Span {
        match record.state {
            JobState::Parked => now.since(record.since.max(self.begun_at)),
            _ => Span(0),
        }
    }

    /// For how long jobs have been parked while this coordinator led, all together.
    pub(crate) fn parked(&self, now: Millis) -> Span {
        let parked = self.board.in_state(JobState::Parked, Bound::Unbounded);
        let parked = parked.filter_map(|id| self.jobs.get(&id));
        let still = parked.map(|record| self.parked_for(record, now).0);
        Span(still.fold(self.parked.0, u64::saturating_add))
    }

    /// Since when the job waits that has been queued for longest.
    pub(crate) fn queued_since(&self) -> Option<Millis> {
        let queued = self.board.in_state(JobState::Queued, Bound::Unbounded);
        let queued = queued.filter_map(|id| self.jobs.get(&id));
        queued.map(|record| record.since).min()
    }

    /// How many queued jobs wait for what. Jobs that can start at the same moments wait for
    /// the same, so each class of them is looked at once.
    pub(crate) fn blocked(&self, now: Millis) -> BTreeMap<&'static str, usize> {
        let mut blocked: BTreeMap<_, _> = Self::BLOCKED_BY.map(|by| (by, 0)).into();
        let mut known: BTreeMap<(Arc<Class>, bool, bool), &'static str> = BTreeMap::new();
        let rooms = self.rooms(now);
        let obstacle = |entry: &Entry| {
            let mut sides = [Side::Active, Side::Passive].into_iter();
            let obstacle = sides.find_map(|side| rooms.obstacle(&self.queue, entry, side));
            obstacle.map_or(NOTHING, |obstacle| obstacle.label())
        };
        for id in self.board.in_state(JobState::Queued, Bound::Unbounded) {
            let due = self
                .jobs
                .get(&id)
                .map(|record| not_due(record, now).is_none());
            let by = match (due, self.queue.entry(id)) {
                (Some(false), _) => NOT_DUE,
                (_, None) => NOTHING,
                (_, Some(entry)) => {
                    let mut parties = entry.class.parties.iter();
                    let claims = |claim: &Entry| claim.id == id;
                    let claims = parties.any(|party| self.queue.claim(party).is_some_and(claims));
                    let class = (entry.class.clone(), entry.begun, claims);
                    known.entry(class).or_insert_with(|| obstacle(entry))
                }
            };
            *blocked.entry(by).or_default() += 1;
        }
        blocked
    }
}
