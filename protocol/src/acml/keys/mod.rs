//! Which key is in use, and how it gives way to the next.
//!
//! ```text
//!   exchange      k - 1        │ k            │ k + 1        │ k + 2
//!   active        ... rest:    │              │ NextKey ──▶  │
//!                 takes it     │              │              │
//!                 from whoever │ checkpoint   │ checkpoint   │ checkpoint
//!                 makes keys   │ has both     │ has both     │ has the new one
//!   passive                    │              │ certifies it │
//!   key in use    e            │ e            │ e            │ e + 1
//! ```
//!
//! **Exactly one.** Both sides change keys where they come to rest, and each does so
//! because of a message of the exchange that it has just gone through: the active
//! party because it has sent one, the passive because it has taken it. An exchange
//! is over for a side when it has heard all that the other has to say in it, and so
//! none is over for the active party whose announcement was not accepted: what it
//! hears next in exchange k + 1 is an answer that the passive party gives only after
//! the key has passed. There is no acknowledgement, because that would be one.
//!
//! **Across a crash.** A key is drawn and not computed, so it must be in a checkpoint
//! before anybody hears of it. It is in two: a party keeps its last two checkpoints
//! and may have to go back to the older one, and what the exchange after that has
//! said must come out as it was. That is why a key waits for an exchange between the
//! rest at which it is taken and its announcement. A party that crashes before takes
//! another one, or none, which is as good; one that crashes after has the same one,
//! announces it in the same exchange, and finds there the bytes that it had sent.
//!
//! **No stall.** Who makes keys ([`NextKeys`]) does so on a thread of its own, and is
//! asked at every rest whether there is one. One that is late is late: rounds go on
//! under the old key for as many rounds again as the job gives a key
//! ([`due::Due`]). Only then they wait, on both sides, because that is what was agreed;
//! and the passive party, which knows the job as well, takes no message under a key
//! that should be gone.
//!
//! **No effect.** Masks cancel whatever they are, plaintexts are what they are under
//! any key, and the announcement has a place in an exchange that there is anyway: no
//! exchange is added, so that what is derived from their numbers (order of samples,
//! pace, noise) stays. The weights are those of a job without rotation, bit for bit.

mod announcement;
mod due;
mod epoch;
mod fault;
mod next;
mod own;
mod peer;
mod witness;

pub use epoch::KeyEpoch;
pub use fault::KeyFault;
pub use next::{MadeInTurn, NextKeys, Turn, Wanted};
pub use witness::{Notary, NotaryError, Witness};

pub(super) use announcement::Announcement;
pub(super) use epoch::Keyed;
pub(super) use own::{OwnKeys, SavedKeys};
pub(super) use peer::{PeerKeys, SavedPeerKeys};
