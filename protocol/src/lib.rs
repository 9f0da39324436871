//! The protocols: role machines, pure.
//!
//! No runtime, socket, clock, thread, metric or ambient randomness is known
//! here. A [`Role`] is one party's half of a job at rest between two
//! exchanges; an exchange (set-up, one mini-batch, one batch of inference) is
//! a [`Machine`] that consumes the peer's messages and writes its own into an
//! [`Outbox`]; when it is done the role comes back, one exchange older.
//!
//! ```text
//!           begin(k)                    handle(payload)
//!   Role ───────────▶ Machine ──▶ Machine ──▶ ... ──▶ Done(Role, report)
//!     ▲                  │            │                        │
//!     │                  ▼            ▼                        │
//!     │                Outbox       Outbox                     │
//!     └──────────────────── k + 1 ◀────────────────────────────┘
//! ```
//!
//! Which protocol runs is known to [`acml`] and to whoever builds the role;
//! machine, envelope and control never mention one by name.

pub mod acml;
mod checkpoint;
pub mod contract;
pub mod control;
pub mod course;
mod error;
pub mod fixed;
pub mod job;
pub mod loopback;
mod machine;
pub mod network;
mod normal;
pub mod privacy;
pub mod product;
mod role;
pub mod rows;
pub mod schedule;
pub mod score;
pub mod session;
pub mod split;
#[cfg(test)]
mod vectors;
pub mod verdict;

pub use checkpoint::CheckpointError;
pub use error::{Class, ProtocolError};
pub use machine::{Machine, Next, Outbox, Sent};
pub use product::{Half, Product};
pub use role::{KeyState, Report, Rest, Role};
