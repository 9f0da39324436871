//! What an engine is told, what it wants done, and what it refuses.

use entente_protocol::{
    control::Sync,
    job::{JobId, PartyName, Task},
    session::Correlation,
};
use entente_tls::Identity;
use thiserror::Error;

use super::{Answer, Draining, NoModel, Order};
use crate::audit::Deed;
use crate::job::{Change, IllegalTransition, JobRecord, JobState, Priority, Submission};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A user wants a job.
    Submit {
        /// Its identity; sorts after every earlier one.
        id: JobId,
        /// What to do.
        task: Box<Task>,
        /// Who wants it.
        by: Identity,
        /// What makes it the same when it comes again.
        submission: Option<Submission>,
        /// How much of a hurry it is in.
        priority: Priority,
    },
    /// Somebody wants something done with a job.
    Order {
        /// The job.
        id: JobId,
        /// What.
        order: Order,
        /// Who.
        by: Identity,
    },
    /// An operator wants nothing new to begin, or has it begin again.
    Drain {
        /// Whether.
        drain: bool,
        /// Who.
        by: Identity,
    },
    /// A party said where it stands.
    Sync {
        /// Who: as its certificate says.
        party: PartyName,
        /// What.
        sync: Sync,
    },
    /// A party has answered whether it takes part in a job. Its signature was
    /// verified.
    Answer {
        /// The job.
        id: JobId,
        /// Who: as its certificate says.
        party: PartyName,
        /// What.
        answer: Answer,
    },
    /// Time has passed.
    Tick,
}

/// Something to be done, in order. Not done in whole if one fails.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Keep a new job.
    Insert(Box<JobRecord>),
    /// Change what is kept of a job.
    Write(Box<Change>),
    /// Keep that nothing new begins, or that it does again.
    Drain(Option<Draining>, Deed),
    /// Answer a party that waits for a wish: there is news for it.
    Wake(PartyName),
    /// Count and log what a party said too late; nothing is written.
    Refuse(Late),
}

/// A party says that a job ended otherwise than the record does: it came too
/// late, or contradicts what the party said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The job.
    pub job: JobId,
    /// Who says so.
    pub party: PartyName,
    /// How the job has ended.
    pub state: JobState,
    /// What it says: `finished` or `failed`.
    pub says: &'static str,
    /// The attempt that it speaks of.
    pub attempt: u32,
    /// What the logs call it.
    pub correlation: Correlation,
}

/// Why an event was refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// There is no such job.
    #[error("there is no job {0}")]
    Unknown(JobId),
    /// Something else was submitted under the same key.
    #[error("the key was used for job {id}, and for another specification")]
    KeyReused {
        /// What was submitted under it.
        id: JobId,
    },
    /// Only operators may ask for this priority.
    #[error("{by} may not ask for the priority {priority}")]
    TooUrgent {
        /// Who did.
        by: Identity,
        /// What for.
        priority: Priority,
    },
    /// The job is somebody else's.
    #[error("job {id} is {owner}'s")]
    NotTheirs {
        /// The job.
        id: JobId,
        /// Who submitted it.
        owner: Identity,
        /// What was wanted.
        order: Order,
    },
    /// The job has ended.
    #[error("job {id} has {state} already")]
    Ended {
        /// The job.
        id: JobId,
        /// How.
        state: JobState,
    },
    /// The state that the job is in does not allow it.
    #[error("job {id} is {state}: one cannot {order} it now")]
    NotNow {
        /// The job.
        id: JobId,
        /// Its state.
        state: JobState,
        /// What was wanted.
        order: Order,
    },
    /// The job has one encryption key from its beginning to its end.
    #[error("job {id} asks a model, and has one key")]
    OneKey {
        /// The job.
        id: JobId,
    },
    /// The job was retried, and that came to nothing either.
    #[error("job {id} was retried as {successor}, which is {state}")]
    Retried {
        /// The job.
        id: JobId,
        /// The one that did the same again.
        successor: JobId,
        /// How that one ended.
        state: JobState,
    },
    /// There is no such model to ask.
    #[error(transparent)]
    Model(#[from] NoModel),
    /// A defect of the engine.
    #[error(transparent)]
    Transition(#[from] IllegalTransition),
}
