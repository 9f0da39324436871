//! Why a job stands where it does.

use entente_protocol::{
    control::Phase,
    job::{JobId, PartyName, Side},
};

use super::{Blocker, Engine, scheduling::Occupancy};
use crate::{
    clock::{Millis, Span},
    job::{Behind, JobRecord, JobState, Reason, Sides, Why, Word},
};

/// What somebody may see: all jobs, or those that a party takes part in.
type Sight<'a> = Option<&'a PartyName>;

impl Engine {
    /// Why a job stands where it does, for somebody who may see all jobs, or
    /// only those that `sight` takes part in.
    pub fn why(&self, id: JobId, sight: Option<&PartyName>, now: Millis) -> Option<Why> {
        let record = self.jobs.get(&id)?;
        let occupancy = self.occupancy();
        let reason = |side| match record.state {
            JobState::Queued => self.why_queued(record, side, &occupancy, sight, now),
            JobState::Running => self.why_standing(record, side, now),
            JobState::Cancelling => self.why_cancelling(record, side, now),
            JobState::Succeeded | JobState::Failed | JobState::Cancelled => None,
        };
        Some(Why {
            job: id,
            name: record.task.name().to_owned(),
            state: record.state,
            reasons: [Side::Active, Side::Passive]
                .into_iter()
                .filter_map(reason)
                .collect(),
            fails_in_ms: self.fails_in(record, now).map(|span| span.0),
            sides: Sides::from_fn(|side| self.word(record, side, &occupancy, now)),
        })
    }

    fn why_queued(
        &self,
        record: &JobRecord,
        side: Side,
        occupancy: &Occupancy,
        sight: Sight<'_>,
        now: Millis,
    ) -> Option<Reason> {
        let reason = match self.blocker_at(record, side, occupancy, now)? {
            Blocker::Away(party) => self.not_connected(&party, now),
            Blocker::NoDataset(party, dataset) => Reason::NoDataset { party, dataset },
            Blocker::Full(party, capacity) => Reason::NoRoom {
                running: self.behind(self.jobs_at(&party), sight),
                queued: self.behind(self.queued_before(record, &party), sight),
                party,
                capacity,
            },
        };
        Some(reason)
    }

    /// The jobs that a party has been told of or is at.
    fn jobs_at(&self, party: &PartyName) -> impl Iterator<Item = JobId> {
        let pairs = self.at_work().into_iter();
        pairs.filter_map(move |(name, job)| (name == party).then_some(job))
    }

    fn queued_before(&self, record: &JobRecord, party: &PartyName) -> impl Iterator<Item = JobId> {
        self.live_in(JobState::Queued)
            .take_while(|other| other.id < record.id)
            .filter(|other| other.task.side_of(party).is_some())
            .map(|other| other.id)
    }

    /// Which of them may be told by name.
    fn behind(&self, ids: impl Iterator<Item = JobId>, sight: Sight<'_>) -> Behind {
        let mut behind = Behind::default();
        for id in ids {
            let shown = match (sight, self.jobs.get(&id)) {
                (None, _) => true,
                (Some(party), Some(record)) => record.task.side_of(party).is_some(),
                (Some(_), None) => false,
            };
            match shown {
                true => behind.jobs.push(id),
                false => behind.others += 1,
            }
        }
        behind
    }

    /// What a side of a running job waits for.
    pub(super) fn why_standing(
        &self,
        record: &JobRecord,
        side: Side,
        now: Millis,
    ) -> Option<Reason> {
        let party = record.task.party(side);
        if self.away_for(party, now).is_some() {
            return Some(self.not_connected(party, now));
        }
        let party = party.clone();
        match record.sides.of(side).phase.clone() {
            Some(Phase::Waiting { what, for_ms }) => Some(Reason::PartyWaits {
                party,
                what,
                for_ms,
            }),
            None => Some(Reason::NotBegun { party }),
            Some(_) => None,
        }
    }

    fn why_cancelling(&self, record: &JobRecord, side: Side, now: Millis) -> Option<Reason> {
        let party = record.task.party(side);
        let left = self.has_left(record, side, now);
        (!left).then(|| Reason::StillAtIt {
            party: party.clone(),
        })
    }

    fn not_connected(&self, party: &PartyName, now: Millis) -> Reason {
        Reason::NotConnected {
            party: party.clone(),
            silent_ms: self.away_for(party, now).map(|span| span.0),
        }
    }

    fn word(&self, record: &JobRecord, side: Side, occupancy: &Occupancy, now: Millis) -> Word {
        let name = record.task.party(side);
        let party = self.parties.get(name);
        Word {
            party: name.clone(),
            connected: self.connected(name, now).is_some(),
            heard_at: party.map(|party| party.heard_at.into()),
            jobs: occupancy.of(name),
            capacity: party.map(|party| party.capacity),
            phase: record.sides.of(side).phase.clone(),
        }
    }

    fn fails_in(&self, record: &JobRecord, now: Millis) -> Option<Span> {
        if record.state != JobState::Running {
            return None;
        }
        let pace = self.live.get(&record.id)?;
        let budget = stall_budget(record);
        let passed = now.since(pace.grown_at);
        Some(Span(budget.0.saturating_sub(passed.0)))
    }
}

/// How long nothing may go on.
pub(super) fn stall_budget(record: &JobRecord) -> Span {
    Span::seconds(record.task.stall_budget_s())
}
