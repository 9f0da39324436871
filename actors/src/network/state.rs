//! A network between two rounds, as bytes.

use entente_protocol::network::{NamedTensor, NetworkError};
use entente_wire::{Decode, DecodeError, Encode, Reader, Secret, decode_exactly};

use super::learner::Kept;

/// What the bytes begin with.
const TITLE: &[u8] = b"entente network state 1";
/// The most tensors, and the longest name, that a state may have.
const MAX_TENSORS: usize = 400_000;
const MAX_NAME_BYTES: usize = 200;

/// Everything that the next step depends on.
pub(super) struct State {
    pub(super) parameters: Vec<NamedTensor>,
    pub(super) kept: Kept,
}

impl State {
    /// As bytes: the same state, the same bytes.
    pub(super) fn seal(&self) -> Secret<Vec<u8>> {
        let mut out = TITLE.to_vec();
        for tensors in [&self.parameters, &self.kept.tensors] {
            (tensors.len() as u32).encode(&mut out);
            tensors.iter().for_each(|tensor| tensor.encode(&mut out));
        }
        (self.kept.counts.len() as u32).encode(&mut out);
        for (name, count) in &self.kept.counts {
            (name.len() as u32).encode(&mut out);
            out.extend_from_slice(name.as_bytes());
            count.encode(&mut out);
        }
        Secret::new(out)
    }

    /// From bytes.
    pub(super) fn open(bytes: &Secret<Vec<u8>>) -> Result<Self, NetworkError> {
        decode_exactly(&(), bytes.expose()).map_err(|error| NetworkError::State(error.to_string()))
    }
}

fn tensors(input: &mut Reader<'_>) -> Result<Vec<NamedTensor>, DecodeError> {
    let count = input.count("tensors", MAX_TENSORS)?;
    (0..count)
        .map(|_| NamedTensor::decode(&(), input))
        .collect()
}

impl Decode for State {
    fn decode(_: &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if input.take("title", TITLE.len())? != TITLE {
            return Err(DecodeError::Invalid {
                what: "state of a network",
                why: "another version, or no such thing",
            });
        }
        let (parameters, kept) = (tensors(input)?, tensors(input)?);
        let count = input.count("counts", MAX_TENSORS)?;
        let counts = (0..count).map(|_| {
            let name = input.bytes("name", MAX_NAME_BYTES)?.to_vec();
            let name = String::from_utf8(name).map_err(|_| DecodeError::Invalid {
                what: "name",
                why: "not UTF-8",
            })?;
            Ok((name, input.u64("count")?))
        });
        let counts = counts.collect::<Result<_, DecodeError>>()?;
        Ok(Self {
            parameters,
            kept: Kept {
                tensors: kept,
                counts,
            },
        })
    }
}
