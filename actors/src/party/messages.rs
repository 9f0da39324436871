//! What the actors of a party say to each other.

use std::sync::Arc;

use actix::Message;
use entente_protocol::{
    control::{Sync, Wish},
    job::{JobId, PartyName},
};
use entente_wire::{Digest, Position, Refusal};

use crate::{
    delivery::Received,
    driver::Status,
    launch::{Begun, LaunchError, Plan},
    transport::Link,
};

/// What a job hears from its party.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum JobEvent {
    /// There is a new link to the peer.
    Linked(Link),
    /// There is none.
    Unlinked,
    /// The peer's certificate was revoked: what is said of that.
    PeerRevoked(String),
    /// Exchanges below this number may begin.
    Granted(u64),
    /// Whether the job is paused.
    Hold(bool),
    /// The number of the key that it shall have come to, at least.
    KeyWished(u32),
    /// A message of the session.
    Arrived(Arc<Received>),
    /// The peer has a message.
    Acknowledged(Position, Digest),
    /// The peer does not take a message.
    Refused(Position, Refusal),
    /// The job is not wanted any more.
    Leave,
}

/// What a party hears from a job.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct JobTold {
    pub(crate) job: JobId,
    pub(crate) attempt: u32,
    pub(crate) status: Status,
}

/// A job has been prepared, or cannot be.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Prepared {
    pub(super) plan: Plan,
    /// Which beginning of the attempt this is.
    pub(super) beginning: u64,
    pub(super) outcome: Result<Begun, LaunchError>,
}

/// What does the coordinator want?
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Wished(pub(crate) Wish);

/// What is the whole truth of this party?
#[derive(Debug, Message)]
#[rtype(result = "Sync")]
pub(crate) struct Truth;

/// Stop everything.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Halt;

/// A peer is not trusted with what it has done: what is said of that.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Distrusted {
    pub(crate) peer: PartyName,
    pub(crate) why: String,
}
