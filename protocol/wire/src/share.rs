//! Additive shares: `x = given - kept`, each alone uniform.

use rand::CryptoRng;

use crate::{Decode, DecodeError, Encode, Reader, RingMatrix, Secret, Shape, sealed::Sealed};

/// The half of a shared value that is meant for the other party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share(RingMatrix);

impl Share {
    /// Splits `secret` into what stays (`kept`, uniform) and what goes
    /// (`secret + kept`, uniform on its own).
    pub fn split(
        secret: &RingMatrix,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Secret<RingMatrix>, Self) {
        let kept = RingMatrix::uniform(secret.shape(), rng);
        let given = Self(secret.add(&kept));
        (Secret::new(kept), given)
    }

    /// The matrix, at the party that received it.
    pub fn into_matrix(self) -> RingMatrix {
        self.0
    }
}

impl Sealed for Share {}

impl Encode for Share {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode<Shape> for Share {
    fn decode(shape: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        RingMatrix::decode(shape, input).map(Self)
    }
}
