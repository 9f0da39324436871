//! What users and operators want done with a job.
//!
//! Each order may come twice, since an answer may be lost: what is so already
//! stays so and is no error. Users order their own jobs about, operators
//! anybody's. What an order comes to in which state is [one table](Order::ruling);
//! what follows where it is obeyed is each order's own.

use core::fmt;

use entente_protocol::job::{JobId, Task};
use entente_tls::{Identity, IdentityKind};

use super::{Command, Engine, EngineError};
use crate::{
    clock::Millis,
    job::{JobRecord, JobState},
};

/// What somebody may want done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// That it ends.
    Cancel,
    /// That it rests: the parties keep their checkpoints, and each place is free
    /// once its party says that it rests.
    Pause,
    /// That it goes on.
    Resume,
    /// That the same is done again, since it came to nothing.
    Retry {
        /// The identity of the job that does it, if there is none yet; sorts after
        /// every earlier one.
        new: JobId,
    },
    /// That it goes on under another encryption key.
    RotateKey,
}

/// As a verb.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry { .. } => "retry",
            Self::RotateKey => "rotate the key of",
        })
    }
}

/// What an order comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ruling {
    /// It is done.
    Obeyed,
    /// It is so already.
    IsSo,
    /// Not as long as the job is where it is.
    NotNow,
    /// Never: the job has ended.
    Ended,
}

impl Order {
    /// What it comes to for a job in this state. Nothing leads out of an end, so
    /// that no word that comes late can undo one; a job that came to nothing is
    /// retried as another one.
    fn ruling(self, state: JobState) -> Ruling {
        use JobState::*;
        match (self, state) {
            (Self::Retry { .. }, Failed | Cancelled | Rejected) => Ruling::Obeyed,
            (_, Succeeded | Failed | Cancelled | Rejected) => Ruling::Ended,

            (Self::Cancel, Cancelling) => Ruling::IsSo,
            (
                Self::Cancel,
                AwaitingApproval | Queued | Reserved | Running | Parked | Paused | Failing,
            ) => Ruling::Obeyed,

            (Self::Pause, Queued | Reserved | Running | Parked) => Ruling::Obeyed,
            (Self::Pause, Paused) => Ruling::IsSo,
            (Self::Pause, AwaitingApproval | Failing | Cancelling) => Ruling::NotNow,

            (Self::Resume, Paused) => Ruling::Obeyed,
            (Self::Resume, AwaitingApproval | Queued | Reserved | Running | Parked | Failing) => {
                Ruling::IsSo
            }
            (Self::Resume, Cancelling) => Ruling::NotNow,

            (Self::RotateKey, Running | Parked) => Ruling::Obeyed,
            (
                Self::RotateKey,
                AwaitingApproval | Queued | Reserved | Paused | Failing | Cancelling,
            ) => Ruling::NotNow,

            (
                Self::Retry { .. },
                AwaitingApproval | Queued | Reserved | Running | Parked | Paused | Failing
                | Cancelling,
            ) => Ruling::NotNow,
        }
    }
}

impl Engine {
    pub(super) fn order(
        &mut self,
        id: JobId,
        order: Order,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.ordered(id, order, by)?;
        let state = record.state;
        match order.ruling(state) {
            Ruling::Obeyed => {}
            Ruling::IsSo => return Ok(()),
            Ruling::NotNow => return Err(EngineError::NotNow { id, state, order }),
            Ruling::Ended => return Err(EngineError::Ended { id, state }),
        }
        let next = match order {
            Order::Cancel => match state {
                JobState::AwaitingApproval => JobState::Cancelled,
                // No party was told of it, and none has to let go of it.
                JobState::Queued | JobState::Paused if !record.has_begun() => JobState::Cancelled,
                _ => JobState::Cancelling,
            },
            Order::Pause => JobState::Paused,
            // At its old place, since the queue sorts by submission: there it waits
            // for room as if it were new, and goes on with the same attempt from
            // where it rested.
            Order::Resume => JobState::Queued,
            Order::RotateKey => return self.rotate_key(id, by, now, commands),
            Order::Retry { new } => return self.retry(id, new, by, now, commands),
        };
        self.change_by(Some(by), id, now, commands, |record| record.state = next)
    }

    /// The job, if it is one that this can be ordered of, and `by` may order it about.
    fn ordered(&self, id: JobId, order: Order, by: &Identity) -> Result<&JobRecord, EngineError> {
        let record = self.jobs.get(&id).ok_or(EngineError::Unknown(id))?;
        if record.submitted_by != *by && by.kind != IdentityKind::Operator {
            let owner = record.submitted_by.clone();
            return Err(EngineError::NotTheirs { id, owner, order });
        }
        match (order, &*record.task) {
            (Order::RotateKey, Task::Infer(_)) => Err(EngineError::OneKey { id }),
            _ => Ok(record),
        }
    }

    /// It belongs to whoever asked for it, and there is one for each job, however
    /// often it is asked for.
    fn retry(
        &mut self,
        id: JobId,
        new: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.jobs.get(&id).ok_or(EngineError::Unknown(id))?;
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
}
