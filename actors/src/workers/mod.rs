//! Jobs that run in processes of their own.
//!
//! ```text
//!   coordinator ◀── Sync/Wish ──▶ party ◀────── mutual TLS ──────▶ peer
//!                                 │  ▲ one address, one certificate
//!        Cluster: make, stop      │  │ frames, unopened
//!        ┌────────────────────────┘  │ Order ▼  ▲ Report
//!        ▼                           ▼ mutual TLS, the party's own on both ends
//!   a process, a pod ─────▶ worker: data, network, role, driver, journal
//! ```
//!
//! The party stays what others know: it agrees upon jobs, syncs, and holds the link
//! to each peer. A **worker** runs one attempt at one job. To the worker the party is
//! both its coordinator and its peer: what a [wish](entente_protocol::control::Wish)
//! is to a party, an order is to a worker, and the same actor
//! (`PartyActor`) does the same with it. So there is one way in which a
//! job begins, is paused, goes on from its journal and ends, wherever it runs.
//!
//! The party keeps nothing of a job that a worker runs. A message is acknowledged by
//! the worker, after the worker's journal has it, and sent again until then: party,
//! worker or both may be killed at any moment, and nobody who is left knows less than
//! before. What a worker goes on from lies in a directory of its own, which is there
//! again when the worker is made again, and is deleted when the coordinator's wish
//! does not name the attempt any more. A lock on it keeps two processes from going on
//! from one journal.
//!
//! # What a worker counts
//! It serves nothing: its party serves what it counts, with what the party and its other
//! workers do, so that whoever looks at a party need not know where its jobs run, and no
//! pod has to be found that will be gone in an hour. It tells all that it has counted
//! since it began, every few seconds and before it parts (`telling`, `accounts`).
//! Killed, it takes with it what it had not told.
//!
//! # Why the peer does not reach the worker
//! It would have to be told where the worker is, through every firewall between two
//! banks, at every eviction. Here it knows one address and one certificate.
//!
//! # What the worker is trusted with
//! Everything: it holds the party's certificate, its data and its sealing key. It is
//! the party, in another place. Nobody else's certificate is let in where workers
//! call, and a worker calls nobody else.
//!
//! | | |
//! |---|---|
//! | `posts` | which workers there shall be |
//! | `foreman` | what there is compared with what shall be, again and again |
//! | `cluster` | where processes are made; `process`, `kubernetes` |
//! | `reception`, `attendance` | where workers call |
//! | `job` | a job, as the rest of the party sees it |
//! | `accounts`, `counted` | what workers have counted, and in which bytes they say it |
//! | `gateway`, `telling`, `worker` | the other end |

mod accounts;
mod attendance;
mod cluster;
mod counted;
mod foreman;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gateway;
mod job;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod message;
mod parcel;
mod posts;
mod process;
mod reception;
mod telling;
mod worker;

#[cfg(test)]
mod tests;

#[cfg(feature = "kubernetes")]
pub(crate) use self::kubernetes::{Kubernetes, template};
pub(crate) use self::{
    cluster::Cluster,
    posts::Workers,
    process::Processes,
    reception::{Reception, ReceptionError},
};
pub use self::{
    cluster::WorkerId,
    gateway::{Parting, PartyAt},
    worker::{WorkerSettings, work},
};
use self::{
    cluster::{Lack, LackKind, Seen, Wanted},
    message::{Hello, Linked, Message, Order},
    parcel::{Incoming, Outgoing, Parcel},
};

/// Files of workers, below the party's state directory.
pub(crate) const FOLDER: &str = "workers";
