//! What stands in the tables, byte by byte.

use std::sync::Arc;

use entente_protocol::score::Score;
use entente_wire::{Decode, Digest, Encode, Envelope, Position, Reader, Secret, SessionId};

use crate::delivery::{Checkpoint, Counts, JournalError, Packet, Received};

/// Progress is a few numbers.
const MAX_PROGRESS_BYTES: usize = 1 << 16;

/// ```text
///   digest of all that follows (32) | length of progress (4) | progress
///     | scores: learnt, validated, tested (24 each) | role
/// ```
pub(super) fn checkpoint(
    session: SessionId,
    checkpoint: &Checkpoint,
) -> Result<Secret<Vec<u8>>, JournalError> {
    let (counts, role) = (&checkpoint.counts, checkpoint.role.expose());
    let progress = serde_json::to_vec(&counts.progress)
        .map_err(|error| JournalError::Unwritable(error.to_string()))?;
    let mut counted = Vec::with_capacity(128 + progress.len());
    counted.extend_from_slice(&(progress.len() as u32).to_be_bytes());
    counted.extend_from_slice(&progress);
    for score in [counts.learnt, counts.validated, counts.tested] {
        score.encode(&mut counted);
    }
    let digest = checkpoint_digest(session, checkpoint.exchanges_done, [&counted, role]);
    // With all its room at once: a vector that grows leaves copies behind.
    let mut value = Secret::new(Vec::with_capacity(32 + counted.len() + role.len()));
    for part in [digest.as_bytes().as_slice(), &counted, role] {
        value.expose_mut().extend_from_slice(part);
    }
    Ok(value)
}

/// Nothing for bytes that are not what was written there.
pub(super) fn read_checkpoint(
    session: SessionId,
    exchanges_done: u64,
    value: &[u8],
) -> Option<Arc<Checkpoint>> {
    let (digest, all) = value.split_at_checked(32)?;
    let mut value = Reader::new(all);
    let progress = value.bytes("progress", MAX_PROGRESS_BYTES).ok()?;
    let mut score = || Score::decode(&(), &mut value).ok();
    let (learnt, validated, tested) = (score()?, score()?, score()?);
    let role = value.rest();
    let counted = all.get(..all.len() - role.len())?;
    if checkpoint_digest(session, exchanges_done, [counted, role]) != read_digest(digest)? {
        return None;
    }
    Some(Arc::new(Checkpoint {
        exchanges_done,
        counts: Counts {
            progress: serde_json::from_slice(progress).ok()?,
            learnt,
            validated,
            tested,
        },
        role: Secret::new(role.to_vec()),
    }))
}

fn checkpoint_digest(session: SessionId, done: u64, [counted, role]: [&[u8]; 2]) -> Digest {
    let parts: [&[u8]; 4] = [session.0.as_bytes(), &done.to_be_bytes(), counted, role];
    Digest::of("entente checkpoint", &parts)
}

/// Nothing for a message that is not the one that was accepted.
pub(super) fn read_accepted(
    session: SessionId,
    position: Position,
    payload: &[u8],
    heard: Digest,
) -> Option<Arc<Received>> {
    let received = Received::from(Envelope {
        session,
        position,
        payload: payload.to_vec(),
    });
    (received.digest == heard).then(|| Arc::new(received))
}

/// ```text
///   digest of the message (32) | its frame
/// ```
pub(super) fn sent(packet: &Packet) -> Vec<u8> {
    [packet.digest.as_bytes().as_slice(), &packet.frame].concat()
}

/// Nothing for a message that is not the one that was sent.
pub(super) fn read_sent(position: Position, value: &[u8]) -> Option<Packet> {
    let (digest, frame) = value.split_at_checked(32)?;
    let packet = Packet::from_frame(frame.to_vec())?;
    let same = packet.digest.as_bytes() == digest && packet.position == position;
    same.then_some(packet)
}

/// Which small row it is.
#[derive(Clone, Copy)]
pub(super) enum Row {
    Heard(Position),
    Written(u64),
    Ended,
}

impl Row {
    fn digest(self, session: SessionId, value: &[u8]) -> Digest {
        let (domain, key) = match self {
            Self::Heard(position) => ("entente heard", position.encoded()),
            Self::Written(exchange) => ("entente written", exchange.encoded()),
            Self::Ended => ("entente ended", Vec::new()),
        };
        Digest::of(domain, &[session.0.as_bytes(), &key, value])
    }

    /// ```text
    ///   digest of place and value (32) | value
    /// ```
    pub(super) fn sealed(self, session: SessionId, value: &[u8]) -> Vec<u8> {
        [self.digest(session, value).as_bytes().as_slice(), value].concat()
    }

    /// Nothing for what was not sealed for this place.
    pub(super) fn opened(self, session: SessionId, sealed: &[u8]) -> Option<&[u8]> {
        let (digest, value) = sealed.split_at_checked(32)?;
        (self.digest(session, value).as_bytes() == digest).then_some(value)
    }
}

/// Nothing for bytes of another length.
pub(super) fn read_digest(value: &[u8]) -> Option<Digest> {
    value.try_into().ok().map(Digest::from_bytes)
}
