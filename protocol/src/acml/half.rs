//! What each party keeps of a model, and the model that only both make.

use core::fmt;

use entente_wire::{
    Decode, DecodeError, Digest, Encode, Public, Reader, RingMatrix, Secret, Shape, decode_exactly,
};

use crate::{Half, job::Job, network::NamedTensor};

/// The most tensors of a bottom network.
const MAX_TENSORS: usize = 100_000;
/// The longest preparation: a few numbers for each of a million columns.
const MAX_PREPARATION_BYTES: usize = 1 << 27;

/// What the halves begin with.
const ACTIVE: &[u8] = b"entente acml active 3";
const PASSIVE: &[u8] = b"entente acml passive 2";

/// What two halves must have in common to belong together: the job, and the
/// encryption key of the one run of it that both were trained in. The key is
/// fresh for every run, so halves of two runs differ in it even where job and
/// weights are the same; and both sides know it without another message.
///
/// `W~` of one run beside `E` of another is `W2` plus a difference of uniform
/// masks: noise, without an error. So it is asked after before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pairing(Digest);

impl Pairing {
    pub(super) fn of(job: &Job, key: &[u8]) -> Self {
        let job = job.digest();
        let parts = [job.as_bytes().as_slice(), key];
        Self(Digest::of("entente halves of one training", &parts))
    }

    /// Of bytes that a checkpoint has.
    pub(super) fn digest(self) -> Digest {
        self.0
    }

    /// For the other side, which has the same if the halves belong together.
    pub(super) fn shown(self) -> Public<Digest> {
        Public::declassify(self.0, "of a public key and a job, which the peer has too")
    }
}

/// The active party's half: `E` and the bottom network.
pub struct ActiveHalf {
    /// Of which training it is a half.
    pub pairing: Pairing,
    /// `E`, `c x h`.
    pub share: RingMatrix,
    /// The bottom network's parameters in order, as inference takes them.
    pub bottom: Vec<NamedTensor>,
    /// What new data must go through before the network sees it, in the
    /// encoding of whoever prepared the features; empty if there is nothing.
    pub preparation: Vec<u8>,
}

/// The passive party's half: `W~` and `b2`.
pub struct PassiveHalf {
    /// Of which training it is a half.
    pub pairing: Pairing,
    /// `W~ = W2 + E`, `c x h`.
    pub weights: RingMatrix,
    /// `b2`, `1 x c`.
    pub bias: RingMatrix,
}

/// A whole model, which exists where both halves are brought together: in the
/// reference, in tests, and in the demonstration's comparison.
#[derive(PartialEq)]
pub struct Model {
    /// `W2`, `c x h`, on its grid.
    pub weights: RingMatrix,
    /// `b2`, `1 x c`, on the logits' grid.
    pub bias: RingMatrix,
    /// The bottom network's parameters in order, as inference takes them.
    pub bottom: Vec<NamedTensor>,
}

impl Model {
    /// `W2 = W~ - E`.
    pub fn join(active: ActiveHalf, passive: PassiveHalf) -> Self {
        Self {
            weights: passive.weights.sub(&active.share),
            bias: passive.bias,
            bottom: active.bottom,
        }
    }

    /// Whether every weight is the same, bit for bit.
    pub fn is_bit_identical(&self, other: &Self) -> bool {
        let mut pairs = self.bottom.iter().zip(&other.bottom);
        self.weights == other.weights
            && self.bias == other.bias
            && self.bottom.len() == other.bottom.len()
            && pairs.all(|(tensor, other)| tensor.is_bit_identical(other))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model(cut {}, ..)", self.weights.shape())
    }
}

impl ActiveHalf {
    pub(super) fn seal(
        pairing: Pairing,
        share: &RingMatrix,
        bottom: &[NamedTensor],
        preparation: &[u8],
    ) -> Half {
        let mut out = ACTIVE.to_vec();
        pairing.0.encode(&mut out);
        share.encode(&mut out);
        (bottom.len() as u32).encode(&mut out);
        bottom.iter().for_each(|tensor| tensor.encode(&mut out));
        (preparation.len() as u32).encode(&mut out);
        out.extend_from_slice(preparation);
        Secret::new(out)
    }

    /// Reads a saved half of a model that `job` trained.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not such a half.
    pub fn open(job: &Job, bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_exactly(&cut_shape(job), bytes)
    }
}

impl PassiveHalf {
    pub(super) fn seal(pairing: Pairing, weights: &RingMatrix, bias: &RingMatrix) -> Half {
        let mut out = PASSIVE.to_vec();
        pairing.0.encode(&mut out);
        weights.encode(&mut out);
        bias.encode(&mut out);
        Secret::new(out)
    }

    /// Reads a saved half of a model that `job` trained.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not such a half.
    pub fn open(job: &Job, bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_exactly(&cut_shape(job), bytes)
    }
}

/// `c x h`.
pub(super) fn cut_shape(job: &Job) -> Shape {
    Shape::new(job.logits(), job.width())
}

fn expect_title(title: &[u8], input: &mut Reader<'_>) -> Result<(), DecodeError> {
    if input.take("title", title.len())? == title {
        return Ok(());
    }
    Err(DecodeError::Invalid {
        what: "half of a model",
        why: "another party's half, another version, or no such file",
    })
}

impl Decode<Shape> for ActiveHalf {
    fn decode(cut: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        expect_title(ACTIVE, input)?;
        let pairing = Pairing(Digest::decode(&(), input)?);
        let share = RingMatrix::decode(cut, input)?;
        let count = input.count("tensors", MAX_TENSORS)?;
        let bottom = (0..count)
            .map(|_| NamedTensor::decode(&(), input))
            .collect::<Result<_, _>>()?;
        let preparation = input.bytes("preparation", MAX_PREPARATION_BYTES)?;
        Ok(Self {
            pairing,
            share,
            bottom,
            preparation: preparation.to_vec(),
        })
    }
}

impl Decode<Shape> for PassiveHalf {
    fn decode(cut: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        expect_title(PASSIVE, input)?;
        Ok(Self {
            pairing: Pairing(Digest::decode(&(), input)?),
            weights: RingMatrix::decode(cut, input)?,
            bias: RingMatrix::decode(&Shape::new(1, cut.rows), input)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn job() -> Job {
        Job::from_toml(include_str!("../../../deploy/iris.toml")).unwrap()
    }

    fn sealed(preparation: &[u8]) -> Vec<u8> {
        let share = RingMatrix::from_fn(cut_shape(&job()), |i, j| (i * 10 + j) as u64);
        let bottom = [NamedTensor {
            name: "0.bias".to_owned(),
            shape: vec![2],
            values: vec![1.0, -2.0],
        }];
        let pairing = Pairing::of(&job(), b"a key");
        let half = ActiveHalf::seal(pairing, &share, &bottom, preparation);
        half.expose().clone()
    }

    #[test]
    fn the_preparation_is_kept_and_a_cut_at_any_byte_is_refused() {
        let bytes = sealed(b"means and deviations");
        let half = ActiveHalf::open(&job(), &bytes).unwrap();
        assert_eq!(half.preparation, b"means and deviations");
        assert_eq!(half.bottom[0].values, [1.0, -2.0]);
        for cut in 0..bytes.len() {
            assert!(ActiveHalf::open(&job(), &bytes[..cut]).is_err(), "{cut}");
        }
    }
}
