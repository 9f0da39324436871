//! What the parties answer to a job before it may be queued.
//!
//! A job is proposed to both its parties at once, and stays proposed until both
//! have signed or one has refused; they repeat their answers meanwhile, so none can
//! be lost. Whoever drives the engine has [verified](Engine::open_terms) a
//! signature before it is told of one. Both are verified again by each party before
//! it begins: a job runs because they agreed, not because it is written here.
//!
//! Nobody waits in vain: a job that is not approved takes no place, stands in
//! nobody's way, and may be cancelled. It has no stall budget, since people need
//! the time that they need.

use entente_protocol::{
    contract::{Contract, Signed, Terms},
    control::Proposal,
    job::{JobId, PartyName, Side, Task},
};

use super::{Command, Engine, EngineError, reports::identity};
use crate::{
    audit::What,
    clock::Millis,
    job::{Approval, JobRecord, JobState, Reason, Rejection},
};

/// What a party answers to a job, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has signed.
    Signed(Signed),
    /// It does not take part.
    Rejected {
        /// The rule of its policy, or `person`.
        rule: String,
        /// For a person.
        reason: String,
    },
}

impl Engine {
    /// What a party is asked to sign, and on which side, if the job waits for its
    /// answer.
    pub fn open_terms(&self, id: JobId, party: &PartyName) -> Option<(Terms, Side)> {
        let record = self.jobs.get(&id)?;
        let side = record.task.side_of(party)?;
        let open =
            record.state == JobState::AwaitingApproval && record.approvals.of(side).is_none();
        open.then(|| (Terms::of(id, &record.task), side))
    }

    /// The contract of a job; the party that has not signed if there is none.
    ///
    /// # Errors
    /// [`EngineError::Unknown`]
    pub fn contract(&self, id: JobId) -> Result<Result<Contract, PartyName>, EngineError> {
        let record = self.jobs.get(&id).ok_or(EngineError::Unknown(id))?;
        let signatures = record.approvals.signatures();
        Ok(Contract::of(id, &record.task, &signatures))
    }

    /// A party's answer. The second signature queues the job in the same write:
    /// there is no moment at which both have signed and nobody acts upon it.
    pub(super) fn answer(
        &mut self,
        id: JobId,
        party: &PartyName,
        answer: Answer,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        // Said again, or too late: what is written stands.
        let Some((_, side)) = self.open_terms(id, party) else {
            return Ok(());
        };
        let (what, approval) = match answer {
            Answer::Signed(signed) => (What::Approved, Approval::Signed(signed)),
            Answer::Rejected { rule, reason } => {
                let rejection = Rejection::new(now, &rule, &reason);
                (What::Rejected, Approval::Rejected(rejection))
            }
        };
        let who = identity(party);
        self.change_as(Some(what), who.as_ref(), id, now, commands, |record| {
            *record.approvals.of_mut(side) = Some(approval);
            if what == What::Rejected {
                record.state = JobState::Rejected;
            } else if record.approvals.is_agreed() {
                record.state = JobState::Queued;
            }
        })
    }

    /// The jobs that are proposed to a party, in order of submission.
    pub(super) fn proposed_to(&self, party: &PartyName) -> Vec<JobId> {
        let jobs = self.board.at(party).filter_map(|id| self.jobs.get(&id));
        jobs.filter(|record| record.state == JobState::AwaitingApproval)
            .map(|record| record.id)
            .collect()
    }

    pub(super) fn proposal(&self, id: JobId, party: &PartyName) -> Option<Proposal> {
        let task: &Task = &self.jobs.get(&id)?.task;
        Some(Proposal {
            job: id,
            side: task.side_of(party)?,
            spec: task.spec(),
        })
    }

    /// Whose answer a job waits for, on one side's account.
    pub(super) fn why_not_approved(
        &self,
        record: &JobRecord,
        side: Side,
        now: Millis,
    ) -> Option<Reason> {
        if record.approvals.of(side).is_some() {
            return None;
        }
        let name = record.task.party(side);
        let Some(party) = self.connected(name, now) else {
            return Some(self.not_connected(name, now));
        };
        Some(Reason::NotApproved {
            party: name.clone(),
            needs_person: party.asks_people.contains(&record.id),
        })
    }
}
