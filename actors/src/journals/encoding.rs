//! What stands in the rows, byte by byte, before they are sealed.

use std::sync::Arc;

use entente_protocol::score::Score;
use entente_wire::{Decode, Digest, Encode, Envelope, Position, Reader, Secret, Session};

use crate::delivery::{Checkpoint, Counts, JournalError, Packet, Received};

/// Progress is a few numbers.
const MAX_PROGRESS_BYTES: usize = 1 << 16;

/// ```text
///   length of progress (4) | progress | scores: learnt, validated, tested (24 each) | role
/// ```
pub(super) fn checkpoint(checkpoint: &Checkpoint) -> Result<Secret<Vec<u8>>, JournalError> {
    let (counts, role) = (&checkpoint.counts, checkpoint.role.expose());
    let progress = serde_json::to_vec(&counts.progress)
        .map_err(|error| JournalError::Unwritable(error.to_string()))?;
    // With all its room at once: a vector that grows leaves copies behind.
    let mut value = Secret::new(Vec::with_capacity(128 + progress.len() + role.len()));
    let out = value.expose_mut();
    out.extend_from_slice(&(progress.len() as u32).to_be_bytes());
    out.extend_from_slice(&progress);
    for score in [counts.learnt, counts.validated, counts.tested] {
        score.encode(out);
    }
    out.extend_from_slice(role);
    Ok(value)
}

/// Nothing for bytes that are not what was written there.
pub(super) fn read_checkpoint(
    exchanges_done: u64,
    value: &Secret<Vec<u8>>,
) -> Option<Arc<Checkpoint>> {
    let mut value = Reader::new(value.expose());
    let progress = value.bytes("progress", MAX_PROGRESS_BYTES).ok()?;
    let mut score = || Score::decode(&(), &mut value).ok();
    let (learnt, validated, tested) = (score()?, score()?, score()?);
    Some(Arc::new(Checkpoint {
        exchanges_done,
        counts: Counts {
            progress: serde_json::from_slice(progress).ok()?,
            learnt,
            validated,
            tested,
        },
        role: Secret::new(value.rest().to_vec()),
    }))
}

/// Nothing for a message that is not the one that was accepted.
pub(super) fn read_accepted(
    session: Session,
    position: Position,
    payload: &[u8],
    heard: Digest,
) -> Option<Arc<Received>> {
    let received = Received::from(Envelope::new(session, position, payload.to_vec()));
    (received.digest == heard).then(|| Arc::new(received))
}

/// Nothing for a message that is not the one that was sent there.
pub(super) fn read_sent(position: Position, frame: &[u8]) -> Option<Packet> {
    let packet = Packet::from_frame(frame.to_vec())?;
    (packet.position == position).then_some(packet)
}

/// Nothing for bytes of another length.
pub(super) fn read_digest(value: &[u8]) -> Option<Digest> {
    value.try_into().ok().map(Digest::from_bytes)
}
