//! One-time masks: `x + s` with `s` uniform in the ring tells nothing of `x`.

use rand::CryptoRng;

use crate::{Decode, DecodeError, Encode, Reader, RingMatrix, Secret, Shape, sealed::Sealed};

/// A fresh uniform matrix that hides one value once. Not `Clone`: reuse of a
/// mask shows the difference of what it hid, so removing it consumes it.
#[derive(Debug)]
pub struct Mask(Secret<RingMatrix>);

impl Mask {
    /// Draws a mask, independent in every entry.
    pub fn draw(shape: Shape, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(Secret::new(RingMatrix::uniform(shape, rng)))
    }

    /// The mask itself, for the scheme that adds it under encryption.
    pub fn expose(&self) -> &RingMatrix {
        self.0.expose()
    }

    /// Restores a mask from a party's own durable state.
    pub fn restore(matrix: RingMatrix) -> Self {
        Self(Secret::new(matrix))
    }
}

/// A mask that its party gives away, because the value under it is the peer's to
/// know: the one use of a mask that is not to hide. It takes the mask, so what
/// else it might have hidden stays hidden; and it can be had from a [`Mask`]
/// alone, so nothing but a mask can be given away as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenMask(RingMatrix);

impl Mask {
    /// Gives the mask away, less `row` (`1 x cols`) in each of its rows: whoever
    /// removes it is left with the value plus `row`. Uniform on its own. `why`
    /// is for the reader of the call site; a test keeps the list of them.
    pub fn give_away(self, row: &RingMatrix, _why: &'static str) -> GivenMask {
        GivenMask(self.expose().sub_row(row))
    }
}

impl Sealed for GivenMask {}

impl Encode for GivenMask {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode<Shape> for GivenMask {
    fn decode(shape: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        RingMatrix::decode(shape, input).map(Self)
    }
}

/// A value under a mask: its own party's, or the peer's. May be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked(RingMatrix);

impl Masked {
    /// `value + mask`.
    pub fn cover(value: &RingMatrix, mask: &Mask) -> Self {
        Self(value.add(mask.expose()))
    }

    /// A decryption of something that the evaluator masked before it sent it.
    /// Only an HE scheme's key owner may say so; a test keeps the list.
    #[doc(hidden)]
    pub fn from_masked_decryption(plain: RingMatrix) -> Self {
        Self(plain)
    }

    /// `self + value`: still masked.
    #[must_use]
    pub fn plus(&self, value: &RingMatrix) -> Self {
        Self(self.0.add(value))
    }

    /// `self - value`: still masked.
    #[must_use]
    pub fn minus(&self, value: &RingMatrix) -> Self {
        Self(self.0.sub(value))
    }

    /// `self - mask`, by the party that drew the mask.
    pub fn remove(self, mask: Mask) -> RingMatrix {
        self.0.sub(mask.expose())
    }

    /// `self - mask`, by the party that was given it.
    pub fn remove_given(self, mask: GivenMask) -> RingMatrix {
        self.0.sub(&mask.0)
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.0.shape()
    }
}

impl Sealed for Masked {}

impl Encode for Masked {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode<Shape> for Masked {
    fn decode(shape: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        RingMatrix::decode(shape, input).map(Self)
    }
}
