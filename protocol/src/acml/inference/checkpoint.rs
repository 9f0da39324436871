//! Both parties of an inference at rest, as bytes.
//!
//! ```text
//!   pairing of the half │ seed of masks
//!       active:   secret key │ answers, where this side gets them
//!       passive:  rows of the other side and its key, from the set-up on │ what it has found
//! ```
//!
//! The half is not in it: a party has it among its models, and the pairing says
//! whether it is still the same.

use entente_he::Scheme;
use entente_wire::{Decode, DecodeError, Digest, Encode, Public, Reader, Secret};

use super::{Terms, passive::Task};
use crate::{
    acml::{masks::Masks, messages::rows_asked_about},
    checkpoint::{CheckpointError, Of, bytes, option, put_bytes, put_option},
    product::{Evaluating, Predictions},
};

impl Terms {
    fn checkpoint_of(&self, role: &'static str) -> Of {
        Of {
            role,
            job: self.digest(),
        }
    }

    fn close(
        &self,
        role: &'static str,
        masks: &Masks,
        bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Secret<Vec<u8>> {
        self.checkpoint_of(role).close(bytes, |out| {
            self.pairing.digest().encode(out);
            masks.encode(out);
            write(out);
        })
    }

    fn open<T>(
        &self,
        role: &'static str,
        checkpoint: &Secret<Vec<u8>>,
        read: impl FnOnce(Masks, &mut Reader<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, CheckpointError> {
        self.checkpoint_of(role).open(checkpoint, |input| {
            if Digest::decode(&(), input)? != self.pairing.digest() {
                return Err(CheckpointError::OtherModel);
            }
            Ok(read(Masks::decode(&(), input)?, input)?)
        })
    }
}

const ACTIVE: &str = "acml active inference";
const PASSIVE: &str = "acml passive inference";

/// Of an active party.
pub(super) fn active(
    terms: &Terms,
    masks: &Masks,
    key: &Secret<Vec<u8>>,
    answers: &Option<Predictions>,
) -> Secret<Vec<u8>> {
    let room = key.expose().len() + answers.as_ref().map_or(0, Predictions::encoded_bytes) + 128;
    terms.close(ACTIVE, masks, room, |out| {
        put_bytes(key, out);
        if let Some(answers) = answers {
            answers.encode(out);
        }
    })
}

/// What the checkpoint of an active party says.
pub(super) struct Active {
    pub(super) masks: Masks,
    pub(super) key: Secret<Vec<u8>>,
    pub(super) answers: Option<Predictions>,
}

impl Active {
    pub(super) fn read(
        terms: &Terms,
        checkpoint: &Secret<Vec<u8>>,
    ) -> Result<Self, CheckpointError> {
        terms.open(ACTIVE, checkpoint, |masks, input| {
            let key = bytes("secret key", input)?;
            let answers = terms
                .answers_active()
                .then(|| Predictions::decode(&terms.classes(), input));
            Ok(Self {
                masks,
                key,
                answers: answers.transpose()?,
            })
        })
    }
}

/// Of a passive party; `peer` is what the set-up told of the other side.
pub(super) fn passive<S: Scheme>(
    terms: &Terms,
    masks: &Masks,
    peer: Option<(Public<u64>, &S::PublicKey)>,
    task: &Task,
) -> Secret<Vec<u8>> {
    let found = match task {
        Task::Evaluate(_, evaluating) => evaluating.encoded_bytes(),
        Task::PredictHere(predictions) => predictions.encoded_bytes(),
        Task::PredictThere => 0,
    };
    let key = peer.map_or(0, |(_, key)| key.encoded().len());
    terms.close(PASSIVE, masks, found + key + 128, |out| {
        put_option(peer.as_ref(), out, |(rows, key), out| {
            rows.encode(out);
            key.encode(out);
        });
        match task {
            Task::Evaluate(_, evaluating) => evaluating.encode(out),
            Task::PredictHere(predictions) => predictions.encode(out),
            Task::PredictThere => {}
        }
    })
}

/// What the checkpoint of a passive party says.
pub(super) struct Passive<S: Scheme> {
    pub(super) masks: Masks,
    pub(super) peer: Option<(Public<u64>, S::PublicKey)>,
}

impl<S: Scheme> Passive<S> {
    /// Puts what has been found into `task`.
    pub(super) fn read(
        terms: &Terms,
        task: &mut Task,
        checkpoint: &Secret<Vec<u8>>,
    ) -> Result<Self, CheckpointError> {
        terms.open(PASSIVE, checkpoint, |masks, input| {
            let peer = option("other side", input, |input| {
                let rows = rows_asked_about(input)?;
                Ok((rows, S::PublicKey::decode(&terms.key_bits(), input)?))
            })?;
            let classes = terms.classes();
            match task {
                Task::Evaluate(_, found) => *found = Evaluating::decode(&classes, input)?,
                Task::PredictHere(found) => *found = Predictions::decode(&classes, input)?,
                Task::PredictThere => {}
            }
            Ok(Self { masks, peer })
        })
    }
}
