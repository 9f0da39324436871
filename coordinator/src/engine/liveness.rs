//! When a job is over without anybody having said so: nothing goes on, or
//! nobody is left to be waited for.
//!
//! One rule in place of many time-outs: an attempt of which neither party's
//! count of exchanges grew within the job's stall budget has failed. A party
//! that is away, a link that is down, a computation that hangs: all are seen by
//! what they have in common.

use entente_protocol::job::{JobId, Side};
use entente_wire::listed_versions;

use super::{
    Command, Engine, EngineError,
    attention::after,
    why::{in_words, stall_budget},
};
use crate::{
    clock::{Millis, Span},
    job::{FailureRecord, JobRecord, JobState, Sides},
};

/// How a live job goes on.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// When a count last grew, or the attempt was given its places.
    pub(super) grown_at: Millis,
    /// Since when the time that passes does not count.
    stopped_at: Option<Millis>,
    /// The most exchanges that each side has reported: one that starts over
    /// and over does not grow.
    most: Sides<u64>,
    /// Since when a side waits though it could go on by its grant.
    pub(super) waits: Sides<Option<Millis>>,
    /// When the grant was last raised.
    pub(super) granted_at: Millis,
    /// When an exchange was last heard to be done, or this began to be watched; not
    /// moved by what does not count.
    pub(super) progressed_at: Millis,
    /// For how long it was parked before, as far as it was watched.
    pub(super) parked: Span,
    /// The first progress that was heard of: how many exchanges were done, when, and for
    /// how long it had been parked by then.
    first: Option<(u64, Millis, Span)>,
}

impl Pace {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            grown_at: now,
            stopped_at: None,
            most: Sides::default(),
            waits: Sides::default(),
            granted_at: now,
            progressed_at: now,
            parked: Span(0),
            first: None,
        }
    }

    /// Of an attempt that was parked for so long before it got its places again.
    pub(super) fn parked_before(self, parked: Span) -> Self {
        Self { parked, ..self }
    }

    pub(super) fn see(&mut self, side: Side, exchanges_done: u64, now: Millis) {
        let most = self.most.of_mut(side);
        if exchanges_done > *most {
            *most = exchanges_done;
            self.grown_at = now;
            self.progressed_at = now;
            let both = self.exchanges_done();
            if both > 0 {
                self.first.get_or_insert((both, now, self.parked));
            }
            if self.stopped_at.is_some() {
                self.stopped_at = Some(now);
            }
        }
    }

    /// What both sides have reported.
    fn exchanges_done(&self) -> u64 {
        self.most.active.min(self.most.passive)
    }

    /// For how long it will go on until `exchanges` are done, at the pace since progress was
    /// first heard of; nothing before there is a pace.
    pub(super) fn left(&self, exchanges: u64, now: Millis) -> Option<Span> {
        let (begun, at, parked) = self.first?;
        let done = self.exchanges_done();
        let gone = done.checked_sub(begun).filter(|gone| *gone > 0)?;
        let parked = self.parked.0.saturating_sub(parked.0);
        let took = self.progressed_at.since(at).0.saturating_sub(parked);
        let left = u128::from(took) * u128::from(exchanges.saturating_sub(done)) / u128::from(gone);
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        Some(Span(left.saturating_sub(now.since(self.progressed_at).0)))
    }

    /// A grant was raised: what a side waited for before was that.
    pub(super) fn granted(&mut self, now: Millis) {
        self.granted_at = now;
        self.waits = Sides::default();
    }

    /// From now on no time counts.
    pub(super) fn stop(&mut self, now: Millis) {
        self.stopped_at.get_or_insert(now);
    }

    /// From now on time counts again.
    pub(super) fn go_on(&mut self, now: Millis) {
        if let Some(stopped_at) = self.stopped_at.take() {
            let Span(stopped) = now.since(stopped_at);
            self.grown_at = Millis(self.grown_at.0.saturating_add(stopped));
        }
    }

    /// When nothing will have grown for longer than `budget`; nothing while no
    /// time counts.
    pub(super) fn stalls_at(&self, budget: Span) -> Option<Millis> {
        match self.stopped_at {
            Some(_) => None,
            None => Some(after(self.grown_at, budget)),
        }
    }

    /// For how long nothing has grown, as far as it counts.
    pub(super) fn still_for(&self, now: Millis) -> Span {
        self.stopped_at.unwrap_or(now).since(self.grown_at)
    }
}

impl Engine {
    pub(super) fn end_what_is_over(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let stalled: Vec<(JobId, FailureRecord)> =
            [JobState::Reserved, JobState::Running, JobState::Parked]
                .into_iter()
                .flat_map(|state| self.looked_at(state))
                .filter_map(|record| {
                    let over = self.stall(record, now);
                    Some((record.id, over.or_else(|| self.went_back(record, now))?))
                })
                .collect();
        for (id, failure) in stalled {
            self.change(id, now, commands, |record| {
                record.failures.push(failure);
                record.state = JobState::Failing;
            })?;
        }
        let left: Vec<JobId> = self
            .looked_at(JobState::Cancelling)
            .filter(|record| self.is_left(record, now))
            .map(|record| record.id)
            .collect();
        for id in left {
            self.change(id, now, commands, |record| {
                record.state = JobState::Cancelled;
            })?;
        }
        Ok(())
    }

    /// A party whose release before was put back, and which does not know the version
    /// of the wire format in which the attempt began: it cannot go on there, nor
    /// be told of it. One that has gone too far ahead is waited for: it may yet
    /// come back.
    fn went_back(&self, record: &JobRecord, now: Millis) -> Option<FailureRecord> {
        let parties = record.task.parties();
        let back = [&parties.active, &parties.passive]
            .into_iter()
            .find(|name| {
                let party = self.connected(name, now);
                party.is_some_and(|party| !party.can_be_told(record.wire))
            })?;
        let message = format!(
            "this attempt began in wire version {}, and {back} speaks none beyond {} any more: \
             what follows is in a version that both parties speak",
            record.wire,
            listed_versions(&self.speaks(back))
        );
        Some(FailureRecord {
            label: "wire_version".into(),
            ..FailureRecord::stalled(message, record.exchanges_done(), now)
        })
    }

    fn stall(&self, record: &JobRecord, now: Millis) -> Option<FailureRecord> {
        let budget = stall_budget(record);
        let pace = self.live.get(&record.id)?;
        if pace.still_for(now) <= budget {
            return None;
        }
        let why = match self.standstill(record, now) {
            Some(what) => format!("waiting for {what}"),
            None => "while both parties say that they compute".into(),
        };
        let message = format!(
            "no exchange was finished for {budget} (liveness.stall_budget_s), {why}: \
             remove the cause, and retry the job if no attempt follows by itself"
        );
        let exchange = record.exchanges_done();
        Some(FailureRecord::stalled(message, exchange, now))
    }

    /// What a job that has its places waits for, as far as it is known.
    pub(super) fn standstill(&self, record: &JobRecord, now: Millis) -> Option<String> {
        let sides = [Side::Active, Side::Passive].into_iter();
        let reasons = sides.filter_map(|side| self.why_standing(record, side, now));
        in_words(reasons)
    }

    /// Whether no party is at the job any more, or none can be asked.
    fn is_left(&self, record: &JobRecord, now: Millis) -> bool {
        [Side::Active, Side::Passive]
            .into_iter()
            .all(|side| self.has_left(record, side, now))
    }

    pub(super) fn has_left(&self, record: &JobRecord, side: Side, now: Millis) -> bool {
        let party = record.task.party(side);
        let free = self
            .parties
            .get(party)
            .is_some_and(|party| party.is_free_of(record.id));
        free || self.away_for(party, now).is_some()
    }
}
