//! Who did what to which job: a log that can only grow, and that shows when it
//! was altered.
//!
//! ```text
//!   1 user/alice submitted 0190..  ─hash─▶ 2 coordinator started 0190..  ─hash─▶ ...
//! ```
//!
//! Every entry holds the hash of the one before it, so whoever alters, removes or
//! inserts one must make all later ones anew. An entry is written in the same
//! transaction as what it tells of: there is no job without its submission here,
//! and no end without the entry that says so.
//!
//! What a chain without a secret cannot show is that it was made anew from some
//! entry on, or cut short. For that its [`Head`] is kept elsewhere: a person notes
//! it, and [`verify()`] asks for it again.
//!
//! A signature by the coordinator was refused: its key lies on the same machine as
//! the store, so whoever can write the one can read the other.

mod entry;
mod verify;

pub use entry::{Deed, Entry, What};
pub use verify::{Head, HeadError, Tampered, verify};
