//! What each party keeps of a model, and the model that only both make.

use core::fmt;

use entente_wire::{
    Decode, DecodeError, Encode, Reader, RingMatrix, Secret, Shape, decode_exactly,
};

use crate::{Half, job::Job, network::NamedTensor};

/// The most tensors of a bottom network.
const MAX_TENSORS: usize = 100_000;
/// The longest preparation: a few numbers for each of a million columns.
const MAX_PREPARATION_BYTES: usize = 1 << 27;

/// What the halves begin with.
const ACTIVE: &[u8] = b"entente acml active 2";
const PASSIVE: &[u8] = b"entente acml passive 1";

/// The active party's half: `E` and the bottom network.
pub struct ActiveHalf {
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
    pub(super) fn seal(share: &RingMatrix, bottom: &[NamedTensor], preparation: &[u8]) -> Half {
        let mut out = ACTIVE.to_vec();
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
    pub(super) fn seal(weights: &RingMatrix, bias: &RingMatrix) -> Half {
        let mut out = PASSIVE.to_vec();
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
        let share = RingMatrix::decode(cut, input)?;
        let count = input.count("tensors", MAX_TENSORS)?;
        let bottom = (0..count)
            .map(|_| NamedTensor::decode(&(), input))
            .collect::<Result<_, _>>()?;
        let preparation = input.bytes("preparation", MAX_PREPARATION_BYTES)?;
        Ok(Self {
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
        let half = ActiveHalf::seal(&share, &bottom, preparation);
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
