//! The identity of one attempt at one job.

use entente_wire::{Digest, SessionId};

use crate::job::JobId;

/// The session of an attempt: the digest over the job's identity, what the
/// job says (its own digest), and which attempt it is. Messages of one session mean nothing in
/// another, whoever replays them.
pub fn session_id(id: JobId, job: Digest, attempt: u32) -> SessionId {
    SessionId(Digest::of(
        "entente session",
        &[id.as_bytes(), job.as_bytes(), &attempt.to_be_bytes()],
    ))
}
