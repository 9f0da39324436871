//! What users and operators want done with a job.
//!
//! Each order may come twice, since an answer may be lost: what is so already
//! stays so and is no error. Users order their own jobs about, operators
//! anybody's.

use entente_protocol::job::JobId;
use entente_tls::{Identity, IdentityKind};

use super::{Command, Engine, EngineError, Order};
use crate::{
    clock::Millis,
    job::{JobRecord, JobState},
};

impl Engine {
    pub(super) fn cancel(
        &mut self,
        id: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.ordered(id, by, Order::Cancel)?;
        let next = match record.state {
            JobState::AwaitingApproval => JobState::Cancelled,
            JobState::Queued | JobState::Paused if !record.has_begun() => JobState::Cancelled,
            JobState::Queued
            | JobState::Reserved
            | JobState::Running
            | JobState::Parked
            | JobState::Paused
            | JobState::Failing => JobState::Cancelling,
            JobState::Cancelling => return Ok(()),
            state @ (JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Rejected) => {
                return Err(EngineError::Ended { id, state });
            }
        };
        self.change_by(Some(by), id, now, commands, |record| record.state = next)
    }

    /// The parties come to rest and keep their checkpoints; each place is free
    /// once its party says that it rests.
    pub(super) fn pause(
        &mut self,
        id: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.ordered(id, by, Order::Pause)?;
        match record.state {
            JobState::Queued | JobState::Reserved | JobState::Running | JobState::Parked => {}
            JobState::Paused => return Ok(()),
            state @ (JobState::AwaitingApproval | JobState::Failing | JobState::Cancelling) => {
                let order = Order::Pause;
                return Err(EngineError::NotNow { id, state, order });
            }
            state @ (JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Rejected) => {
                return Err(EngineError::Ended { id, state });
            }
        }
        self.change_by(Some(by), id, now, commands, |record| {
            record.state = JobState::Paused;
        })
    }

    /// Into the queue, at its old place, since it sorts by its submission: there
    /// it waits for room as if it were new, and goes on with the same attempt
    /// from where it rested.
    pub(super) fn resume(
        &mut self,
        id: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.ordered(id, by, Order::Resume)?;
        match record.state {
            JobState::Paused => {}
            JobState::AwaitingApproval
            | JobState::Queued
            | JobState::Reserved
            | JobState::Running
            | JobState::Parked
            | JobState::Failing => return Ok(()),
            state @ JobState::Cancelling => {
                let order = Order::Resume;
                return Err(EngineError::NotNow { id, state, order });
            }
            state @ (JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Rejected) => {
                return Err(EngineError::Ended { id, state });
            }
        }
        self.change_by(Some(by), id, now, commands, |record| {
            record.state = JobState::Queued;
        })
    }

    /// Another job of the same specification: nothing leads out of an end, so
    /// that no word that comes late can undo one. It belongs to whoever asked
    /// for it, and there is one for each job, however often it is asked for.
    pub(super) fn retry(
        &mut self,
        id: JobId,
        new: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.ordered(id, by, Order::Retry)?;
        match record.state {
            JobState::Failed | JobState::Cancelled | JobState::Rejected => {}
            state @ JobState::Succeeded => return Err(EngineError::Ended { id, state }),
            state => {
                let order = Order::Retry;
                return Err(EngineError::NotNow { id, state, order });
            }
        }
        let successor = self.retried_as(id).and_then(|other| self.jobs.get(&other));
        match successor {
            None => {
                let again = JobRecord {
                    retry_of: Some(id),
                    priority: record.priority,
                    ..JobRecord::submitted(new, record.task.clone(), by.clone(), now)
                };
                self.submit(again, now, commands);
                Ok(())
            }
            Some(other) if other.state.is_ended() && other.state != JobState::Succeeded => {
                Err(EngineError::Retried {
                    id,
                    successor: other.id,
                    state: other.state,
                })
            }
            Some(_) => Ok(()),
        }
    }

    /// The job that does the same again as this one.
    pub fn retried_as(&self, id: JobId) -> Option<JobId> {
        self.retried.get(&id).copied()
    }

    /// The job, if `by` may order it about.
    pub(super) fn ordered(
        &self,
        id: JobId,
        by: &Identity,
        order: Order,
    ) -> Result<&JobRecord, EngineError> {
        let record = self.jobs.get(&id).ok_or(EngineError::Unknown(id))?;
        if record.submitted_by != *by && by.kind != IdentityKind::Operator {
            let owner = record.submitted_by.clone();
            return Err(EngineError::NotTheirs { id, owner, order });
        }
        Ok(record)
    }
}
