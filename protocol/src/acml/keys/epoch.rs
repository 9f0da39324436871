//! The number of a key.

use core::fmt;
use std::sync::Arc;

use entente_wire::{Decode, DecodeError, Encode, Public, Reader};

/// Which key of a session it is: 1 is the one of the set-up, and each rotation
/// counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyEpoch(u32);

impl KeyEpoch {
    /// Of the set-up.
    pub const FIRST: Self = Self(1);

    /// Of the key that follows. A session that went through them all would have
    /// had four billion rounds.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// For a message: what it is under.
    pub(in crate::acml) fn shown(self) -> Public<Self> {
        Public::declassify(self, "both sides count the keys")
    }

    /// Reads the number of the key that a message is under, before anything of
    /// what is: what is under another key is not looked at.
    pub(in crate::acml) fn expect(self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let got = Self::decode(&(), input)?;
        match got == self {
            true => Ok(self),
            false => Err(DecodeError::OtherKeyEpoch {
                expected: self.0,
                got: got.0,
            }),
        }
    }
}

impl fmt::Display for KeyEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Encode for KeyEpoch {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for KeyEpoch {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.u32("key epoch").map(Self)
    }
}

/// An end of the scheme, and the number of its key.
pub(in crate::acml) struct Keyed<T: ?Sized> {
    pub(in crate::acml) epoch: KeyEpoch,
    pub(in crate::acml) end: Arc<T>,
}

impl<T: ?Sized> Clone for Keyed<T> {
    fn clone(&self) -> Self {
        Self {
            epoch: self.epoch,
            end: self.end.clone(),
        }
    }
}
