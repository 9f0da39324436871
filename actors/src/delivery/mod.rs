//! At least once on the wire, exactly once into the machine.
//!
//! ```text
//!   machine ─▶ Outbound ─ Data(k.s) ─▶ ... ─▶ Inbound ─▶ machine
//!                 ▲   resent until             │ fresh: kept, taken once
//!                 │   acknowledged             │ same digest: known
//!                 └──────── Ack ◀──────────────┤
//!                                              └ other digest: equivocation
//! ```
//!
//! A message's key is session, authenticated sender and position; which digest
//! stands behind a key is decided by the first delivery. What was sent once is
//! kept as bytes and sent again as the same bytes: encryption is randomised,
//! and a step that the peer may have seen is never computed a second time
//! (two different ciphertexts of one step would look like equivocation, and
//! two different masks of one value would be one too few).
//!
//! [`Sessions`] decides whose message it is, [`Inbound`] whether it is new,
//! [`Outbound`] when to send again, and a [`Journal`] keeps what must survive
//! before anything leaves. What it holds, [`Kept`], is what a session goes on
//! from after its process has died: the role at rest, the peer's messages since,
//! which are handed in again, and the own ones, which are not written again.

mod checkpoint;
mod inbound;
mod journal;
mod kept;
mod outbound;
mod sessions;

pub use checkpoint::{Checkpoint, Counts};
pub use inbound::{Inbound, Received, Verdict};
pub use journal::{Journal, JournalError, MemoryJournal, Record};
pub use kept::{Ended, Kept, Left, Messages, Restored};
pub(crate) use kept::{digests_from, whole_from};
pub use outbound::{Acknowledgement, Leaving, Outbound, Packet};
pub use sessions::Sessions;
