//! What may leave a party, and in which bytes.
//!
//! ```text
//!   a party's memory                       │ the wire
//!                                          │
//!   RingMatrix ──┐  no way through         │
//!   Secret<T>  ──┤                         │
//!                │                         │
//!   Mask ────────┴─▶ Masked ───────────────┼─▶
//!   Mask::give_away(why) ──────────────────┼─▶
//!   Secret ──split─▶ Share  ───────────────┼─▶   Body::field::<T: Wire>
//!   HE scheme ─────▶ its ciphertexts ──────┼─▶   is the only pen there is
//!   Public::declassify(value, why) ────────┼─▶
//! ```
//!
//! The obvious design, messages that derive a serialiser, was refused: there
//! every field of every type is one derive away from the network, and a
//! plaintext gradient looks like any other matrix. Here a message is written
//! through [`Body`], `Body` takes nothing but [`Wire`], and `Wire` is sealed:
//! implemented for ciphertexts, masked values, shares, and values that
//! somebody declared public with a reason. A test of the workspace keeps the
//! list of both: who implements the seal, and who declassifies what.
//!
//! Decoding takes what the receiver already knows (its state) as a parameter,
//! checks lengths before it allocates, and refuses trailing bytes; every
//! failure is a [`DecodeError`], never a panic.
//!
//! The format has versions, of which a build speaks two: [`WireVersion`] and the
//! rule by which one is added and one retired.

mod body;
mod codec;
mod digest;
mod envelope;
mod frame;
mod mask;
mod public;
mod ring;
mod secret;
mod session;
mod share;
mod version;

pub use body::{Body, Kind, Message, read_kind};
pub use codec::{Decode, DecodeError, Encode, Reader, decode_exactly};
pub use digest::Digest;
pub use envelope::{Envelope, Position};
pub use frame::{Address, Frame, Hello, MAX_FRAME_BYTES, Refusal};
pub use mask::{GivenMask, Mask, Masked};
pub use public::Public;
pub use ring::{RingMatrix, Shape};
pub use secret::Secret;
pub use session::{Session, SessionId};
pub use share::Share;
pub use version::{Common, NotSpoken, Spoken, WireVersion, listed as listed_versions};

#[doc(hidden)]
pub mod sealed {
    /// Implemented where a value is safe to show the other party, and nowhere
    /// else. The list of implementors is kept by a test of the workspace.
    pub trait Sealed {}
}

/// A value that may leave a party.
///
/// Sealed: ciphertexts, [`Masked`] values, [`GivenMask`]s, [`Share`]s and
/// [`Public`] values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not leave a party",
    label = "not a ciphertext, a masked value, a share or a declassified value"
)]
pub trait Wire: sealed::Sealed + Encode {}
impl<T: sealed::Sealed + Encode> Wire for T {}
