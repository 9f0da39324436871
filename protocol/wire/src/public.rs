//! The one door for values that are neither hidden nor encrypted.

use crate::{Decode, DecodeError, Encode, Reader, sealed::Sealed};

/// A value that somebody declared fit for the other party to see.
///
/// [`Public::declassify`] is the only way in, it asks for the reason, and a
/// test keeps the list of its call sites: a new one is a review, not a habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Public<T>(T);

impl<T> Public<T> {
    /// Declares `value` public. `why` is for the reader of the call site.
    pub fn declassify(value: T, _why: &'static str) -> Self {
        Self(value)
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The value, owned.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Encode> Encode for Public<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl<C: ?Sized, T: Decode<C>> Decode<C> for Public<T> {
    /// What a peer sent in the clear is public already.
    fn decode(context: &C, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::decode(context, input).map(Self)
    }
}

impl<T> Sealed for Public<T> {}
