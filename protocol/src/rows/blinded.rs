//! Points of ristretto255 under a secret scalar.

use core::fmt;

use curve25519_dalek::{
    RistrettoPoint, Scalar, ristretto::CompressedRistretto, traits::IsIdentity,
};
use entente_he::Rng;
use entente_wire::{Decode, DecodeError, Digest, Encode, Reader, Secret, sealed::Sealed};
use rayon::prelude::*;

const POINT_BYTES: usize = 32;

/// A point that is the hash of `content`: nobody knows its logarithm to the
/// base of any other.
pub(super) fn hashed(domain: &str, content: &[&[u8]]) -> RistrettoPoint {
    let mut uniform = [0; 64];
    for (number, half) in uniform.chunks_exact_mut(32).enumerate() {
        let number = [number as u8];
        let parts: Vec<&[u8]> = content.iter().copied().chain([&number[..]]).collect();
        half.copy_from_slice(Digest::of(domain, &parts).as_bytes());
    }
    RistrettoPoint::from_uniform_bytes(&uniform)
}

/// A secret scalar. What it multiplies can be shown.
pub(super) struct Blind(Secret<Scalar>);

impl Blind {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let mut uniform = Secret::new([0; 64]);
        rng.fill_bytes(uniform.expose_mut());
        Self(Secret::new(Scalar::from_bytes_mod_order_wide(
            uniform.expose(),
        )))
    }

    pub(super) fn cover(&self, point: &RistrettoPoint) -> Blinded {
        Blinded(self.0.expose() * point)
    }

    pub(super) fn cover_again(&self, point: &Blinded) -> Blinded {
        self.cover(&point.0)
    }
}

/// A point under at least one scalar that its receiver does not know.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Blinded(RistrettoPoint);

impl Sealed for Blinded {}

impl Encode for Blinded {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.compress().as_bytes());
    }
}

impl Decode for Blinded {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        parse(input.array::<POINT_BYTES>("blinded point")?)
    }
}

/// The one way from bytes to a point: on the curve, in its one encoding, and
/// not the identity, which every scalar leaves where it is.
fn parse(bytes: [u8; POINT_BYTES]) -> Result<Blinded, DecodeError> {
    let invalid = |why| DecodeError::Invalid {
        what: "blinded point",
        why,
    };
    let point = CompressedRistretto(bytes)
        .decompress()
        .ok_or_else(|| invalid("no point of ristretto255"))?;
    if point.is_identity() {
        return Err(invalid("the identity"));
    }
    Ok(Blinded(point))
}

/// Blinded ids as a set: each once, ascending by encoding.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BlindedSet {
    points: Vec<([u8; POINT_BYTES], RistrettoPoint)>,
}

impl BlindedSet {
    /// Each of `points` under `blind`.
    pub(super) fn cover(
        blind: &Blind,
        points: impl IndexedParallelIterator<Item = RistrettoPoint>,
    ) -> Self {
        let mut points: Vec<_> = points
            .map(|point| {
                let Blinded(point) = blind.cover(&point);
                (*point.compress().as_bytes(), point)
            })
            .collect();
        points.par_sort_unstable_by_key(|(bytes, _)| *bytes);
        Self { points }
    }

    /// The set under one more scalar.
    pub(super) fn cover_again(&self, blind: &Blind) -> Self {
        Self::cover(blind, self.points.par_iter().map(|(_, point)| *point))
    }

    /// How many points both sets have.
    pub(super) fn in_common(&self, other: &Self) -> u64 {
        let has = |bytes: &[u8; POINT_BYTES]| {
            let found = other.points.binary_search_by_key(bytes, |(own, _)| *own);
            found.is_ok()
        };
        self.points.iter().filter(|(bytes, _)| has(bytes)).count() as u64
    }
}

impl fmt::Debug for BlindedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlindedSet({})", self.points.len())
    }
}

impl Sealed for BlindedSet {}

impl Encode for BlindedSet {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.points.len() as u32).encode(out);
        out.reserve(POINT_BYTES * self.points.len());
        for (bytes, _) in &self.points {
            out.extend_from_slice(bytes);
        }
    }
}

/// The receiver knows how many points must come: as many as were announced.
impl Decode<u64> for BlindedSet {
    fn decode(count: &u64, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let got = input.u32("blinded ids")?;
        if u64::from(got) != *count {
            return Err(DecodeError::Invalid {
                what: "blinded ids",
                why: "another number than was announced",
            });
        }
        let bytes = input.take("blinded ids", (got as usize).saturating_mul(POINT_BYTES))?;
        let (chunks, _) = bytes.as_chunks::<POINT_BYTES>();
        if !chunks.is_sorted_by(|one, next| one < next) {
            return Err(DecodeError::Invalid {
                what: "blinded ids",
                why: "not ascending, or one of them twice",
            });
        }
        let points: Result<_, _> = chunks
            .par_iter()
            .map(|bytes| parse(*bytes).map(|Blinded(point)| (*bytes, point)))
            .collect();
        Ok(Self { points: points? })
    }
}
