//! Which rows there are, and that both parties mean the same ones.
//!
//! A wrong pairing of features and labels trains a network on noise, without
//! an error. So before the first round each side shows the other that it holds
//! the same ids in the same order, without showing an id.
//!
//! ```text
//!   asks (active)                                   answers (passive)
//!   P = hash to the curve of the whole list,        Q likewise
//!   a, a' fresh scalars                             b, b' fresh scalars
//!      ── row_list: how many, aP ─────────────────────▶
//!      ◀──────────── row_list_answer: how many, abP, bQ
//!   equal if a(bQ) = abP
//!      ── row_list_proof: abQ ────────────────────────▶
//!                                        equal if abQ = b(aP)
//!   ── and only if they differ: ──────────────────────────
//!      ── blinded_ids: {a'x} ─────────────────────────▶
//!      ◀─────────────── blinded_both: {a'b'x}, {b'y}
//!   counts {a'b'y} in {a'b'x}
//!      ── blinded_back: {a'b'y} ──────────────────────▶
//!                            counts {a'b'x} in {a'b'y}
//!      ◀──────────────────────────── rows_compared
//! ```
//!
//! The obvious design, a digest of the list, was refused, with a salt too: who
//! holds all of a list but one id hashes the list with each candidate in turn
//! and learns which id the other has. Here a candidate can be held against
//! what was sent only by one who knows a scalar that never leaves the other
//! side (to tell `abQ` from a random point is the decisional Diffie-Hellman
//! problem in ristretto255), and the scalars are fresh for every set-up, so
//! two runs cannot be held against each other either.
//!
//! When the lists differ, both sides learn how many ids they share: the
//! cardinality of the intersection (after Huberman, Franklin and Hogg, 1999).
//! Sets travel sorted by their encodings. To whom does not know the scalar
//! these are random, so the order is a shuffle, and a twice blinded id that
//! comes back cannot be told to belong to any of one's own.
//!
//! **What it reveals.** In a match: that the lists are equal. In a mismatch:
//! how many ids each side has and how many both have, and nothing of which.
//! That holds for parties who follow it. One who lies about its own set can
//! ask whether a single id is among the other's, once a set-up; one who runs
//! job after job with chosen files learns the same from counts. Both leave a
//! failed job in the record of the other side for each question. One who lies
//! about the proof makes the other train on rows that do not match, and learns
//! nothing by it.

#[cfg(any(test, feature = "fuzzing"))]
mod again;
mod answering;
mod asking;
mod blinded;
mod difference;
mod ids;
mod messages;
mod own;
#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "fuzzing"))]
pub use again::written_again;
pub use answering::Answering;
pub use asking::Asking;
pub use difference::{Common, MAX_COUNTED_IDS, RowsDiffer};
pub use ids::{Duplicate, RowId, RowIds};

pub(crate) use messages::name_of;
