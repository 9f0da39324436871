//! How many values a plaintext carries.

use entente_wire::{DecodeError, Encode, Reader};

/// One value in each plaintext, or as many as there is room for. Both ends of
/// a job have to agree; the public key says which its owner uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As many as the key has room for: less traffic, and one exponentiation
    /// for all of them.
    #[default]
    Packed,
    /// One: what the literature counts in, kept to be measured against.
    Unpacked,
}

impl Layout {
    /// Slots of a plaintext that has room for `room`.
    pub(super) fn slots(self, room: usize) -> usize {
        match self {
            Self::Packed => room,
            Self::Unpacked => room.min(1),
        }
    }

    fn tag(self) -> u8 {
        match self {
            Self::Packed => 1,
            Self::Unpacked => 2,
        }
    }

    /// Reads the tag at the start of `what`.
    pub(super) fn decode(what: &'static str, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.u8(what)? {
            1 => Ok(Self::Packed),
            2 => Ok(Self::Unpacked),
            _ => Err(DecodeError::Invalid {
                what,
                why: "it is laid out in a way that is not known here",
            }),
        }
    }
}

impl Encode for Layout {
    fn encode(&self, out: &mut Vec<u8>) {
        self.tag().encode(out);
    }
}
