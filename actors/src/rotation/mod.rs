//! Keys that follow the first: who makes them, when, and who vouches for them.
//!
//! ```text
//!   job: [keys] ──────────────┐
//!   clock ────────────────────┼─▶ Locksmith ── a thread of its own ──▶ a key
//!   entente job rotate-key ──▶│                                         │
//!     coordinator ─▶ wish ────┘     role, at rest: "is there one?" ◀────┘
//! ```
//!
//! What the protocol makes of a key is in [`entente_protocol::acml`]. Here is what a
//! role must not know: a clock, threads, and that somebody asked.
//!
//! **What is wished is a number.** "Change the key" is an event, and events get lost
//! or are heard twice. The coordinator wishes that a job has come to key 4; a party
//! that is at key 3 makes another one, a party that is at key 4 does nothing, and
//! either may hear it as often as it is said.
//!
//! **Fresh randomness for each key.** A generator that was used for one key and is
//! still in memory can be turned back to it: to wipe the key would be for show. So
//! each is made with a generator of its own, from the operating system, that is gone
//! with the thread.

mod notary;
mod smith;
mod wish;

#[cfg(test)]
mod tests;

pub(crate) use notary::Certified;
pub(crate) use smith::{Locksmith, OwnEntropy};
pub(crate) use wish::KeyWish;
