//! What a party measures, and where it is scraped.
//!
//! The maths measures nothing: steps are timed by the mailbox that sends them
//! to the pool, operations of the encryption scheme by a wrapper round it
//! ([`Measured`]), messages by whoever sends and receives them.
//!
//! | what | file |
//! |---|---|
//! | jobs, keys, the journal, the pool | `meters.rs` |
//! | messages and links | `traffic.rs`, `link.rs` |
//! | the encryption scheme | `scheme.rs`, `measured.rs`, `heard.rs` |
//! | what waits, and what runs | `waited.rs`, `roll.rs` |
//! | whether it takes work | `readiness.rs` |
//!
//! What a party's workers measure it serves with its own: `workers/accounts.rs`.

mod heard;
mod link;
mod measured;
mod meters;
mod readiness;
mod roll;
mod scheme;
mod server;
mod share;
mod traffic;
mod waited;

pub(crate) use link::LinkMeters;
pub(crate) use measured::Measured;
pub(crate) use meters::Meters;
pub(crate) use readiness::{IsDrained, Readiness};
pub(crate) use roll::Called;
pub(crate) use server::{MetricsServer, ServerError};
pub(crate) use share::Share;
pub(crate) use waited::{Waited, awaited};
