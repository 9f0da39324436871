//! When a job is over without anybody having said so: nothing goes on, or
//! nobody is left to be waited for.
//!
//! One rule in place of many time-outs: a running job of which neither party's
//! count of exchanges grew within its stall budget has failed. A party that is
//! away, a link that is down, a computation that hangs: all are seen by what
//! they have in common.

use entente_protocol::job::{JobId, Side};

use super::{Command, Engine, EngineError, why::stall_budget};
use crate::{
    clock::Millis,
    job::{FailureRecord, JobRecord, JobState, Sides},
};

/// How a live job goes on.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// When a count last grew.
    pub(super) grown_at: Millis,
    /// The most exchanges that each side has reported: one that starts over
    /// and over does not grow.
    most: Sides<u64>,
}

impl Pace {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            grown_at: now,
            most: Sides::default(),
        }
    }

    pub(super) fn see(&mut self, side: Side, exchanges_done: u64, now: Millis) {
        let most = self.most.of_mut(side);
        if exchanges_done > *most {
            *most = exchanges_done;
            self.grown_at = now;
        }
    }
}

impl Engine {
    pub(super) fn end_what_is_over(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let stalled: Vec<(JobId, FailureRecord)> = self
            .live_in(JobState::Running)
            .filter_map(|record| Some((record.id, self.stall(record, now)?)))
            .collect();
        for (id, failure) in stalled {
            self.change(id, now, commands, |record| {
                record.failures.push(failure);
                record.state = JobState::Failed;
            })?;
        }
        let left: Vec<JobId> = self
            .live_in(JobState::Cancelling)
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

    fn stall(&self, record: &JobRecord, now: Millis) -> Option<FailureRecord> {
        let budget = stall_budget(record);
        let pace = self.live.get(&record.id)?;
        if now.since(pace.grown_at) <= budget {
            return None;
        }
        let why = match self.standstill(record, now) {
            Some(what) => format!("waiting for {what}"),
            None => "while both parties say that they compute".into(),
        };
        let message = format!(
            "no exchange was finished for {budget} (liveness.stall_budget_s), {why}: \
             remove the cause and submit the job again"
        );
        let exchange = record.exchanges_done();
        Some(FailureRecord::stalled(message, exchange, now))
    }

    /// What a running job waits for, as far as it is known.
    pub(super) fn standstill(&self, record: &JobRecord, now: Millis) -> Option<String> {
        let reasons: Vec<String> = [Side::Active, Side::Passive]
            .into_iter()
            .filter_map(|side| self.why_standing(record, side, now))
            .map(|reason| reason.to_string())
            .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
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
