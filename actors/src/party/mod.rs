//! The party as it runs: actors around drivers, links and the coordinator.
//!
//! ```text
//!   coordinator ◀── Sync / Wish ──▶ sync loop ──▶ PartyActor ◀── links
//!                                                   │    ▲
//!                                     JobEvent      ▼    │ JobTold
//!                                                JobActor<R>  (one per job)
//!                                                   │    ▲
//!                                            Work   ▼    │ Computed
//!                                                compute pool
//! ```
//!
//! An actor here is a mailbox and nothing more. What matters about a job is in
//! its [`Driver`](crate::driver::Driver), which knows no actor; what is to be
//! done about a wish is decided by [`reconcile`], which knows none either. The
//! supervisor of the framework is not used: it restarts a crashed actor with
//! its state as it was or none at all, and loses the message that was being
//! handled; here nothing that can crash runs in a mailbox.

mod actor;
mod job;
mod messages;
mod reconcile;
mod sync;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use actor::PartyActor;
pub(crate) use job::{JobHandle, Seat, seat};
pub(crate) use messages::{Distrusted, Halt, JobEvent, JobTold, Truth, Wished};
pub(crate) use sync::{Coordinator, SyncError, run as sync};
