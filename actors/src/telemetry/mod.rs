//! What a party measures, and where it is scraped.
//!
//! The maths measures nothing: steps are timed by the mailbox that sends them
//! to the pool, operations of the encryption scheme by a wrapper round it
//! ([`Measured`]), messages by whoever sends and receives them.

mod depth;
mod measured;
mod meters;
mod readiness;
mod server;

pub(crate) use measured::Measured;
pub(crate) use meters::Meters;
pub(crate) use readiness::{IsDrained, Readiness};
pub(crate) use server::{MetricsServer, ServerError};
