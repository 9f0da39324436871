//! What a job that a worker runs is told, beside what every job is told.

use std::fs::File;

use actix::{Message as Mail, Recipient};
use entente_protocol::control::Assignment;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::super::{Message, Order, Seen, WorkerId, Workers};
use crate::{launch::Plan, party::JobTold, telemetry::Meters};

/// A connection to a worker. While this lives, it stands.
pub(in crate::workers) struct Line {
    pub(in crate::workers) number: u64,
    pub(in crate::workers) orders: watch::Sender<Option<Order>>,
    pub(in crate::workers) queue: mpsc::Sender<Message>,
    /// Tells the worker to leave.
    pub(in crate::workers) leave: CancellationToken,
}

/// A worker has connected.
#[derive(Mail)]
#[rtype(result = "()")]
pub(in crate::workers) struct Came {
    pub(in crate::workers) line: Line,
    /// Which process it is.
    pub(in crate::workers) process: u64,
}

/// A worker has said something.
#[derive(Mail)]
#[rtype(result = "()")]
pub(in crate::workers) struct Heard(pub(in crate::workers) Message);

/// The connection of this number is gone.
#[derive(Mail)]
#[rtype(result = "()")]
pub(in crate::workers) struct Gone(pub(in crate::workers) u64);

/// What there is of the worker.
#[derive(Mail)]
#[rtype(result = "()")]
pub(in crate::workers) struct Condition(pub(in crate::workers) Seen);

/// What it is given when it starts.
pub(in crate::workers) struct Given {
    pub(in crate::workers) id: WorkerId,
    pub(in crate::workers) plan: Plan,
    pub(in crate::workers) assignment: Assignment,
    pub(in crate::workers) workers: Workers,
    pub(in crate::workers) told: Recipient<JobTold>,
    pub(in crate::workers) meters: Meters,
    /// Kept from being deleted meanwhile.
    pub(in crate::workers) model: Option<File>,
}
