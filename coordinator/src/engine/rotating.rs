//! A job that shall go on under another encryption key.
//!
//! "Rotating" is no state of a job. A state is what decides what may happen to it
//! next: whether it has its places, what an order does, what a failure leads to.
//! None of that is another while its key changes; a job that is parked, paused or
//! killed in the middle is so as ever, and both parties have the whole of it in
//! their checkpoints. So it is told beside the state ([`JobView::key`]), by the
//! party that makes the key.
//!
//! What is wished is the number of a key and no event: said again and again, over
//! restarts of everybody, it leads to one rotation.
//!
//! [`JobView::key`]: crate::job::JobView::key

use entente_protocol::{control::Progress, job::JobId};
use entente_tls::Identity;

use super::{Command, Engine, EngineError};
use crate::{audit::What, clock::Millis, job::JobRecord};

/// The number of the key that the party with the secret one last said it is at.
fn at_key(record: &JobRecord) -> u32 {
    let Progress { key, .. } = record.sides.active.progress;
    key.map_or(1, |key| key.epoch)
}

impl Engine {
    /// Asked twice before it has come about, it is asked once.
    pub(super) fn rotate_key(
        &mut self,
        id: JobId,
        by: &Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let record = self.jobs.get(&id).ok_or(EngineError::Unknown(id))?;
        let at = at_key(record);
        if record.key_epoch > at {
            return Ok(());
        }
        let what = Some(What::KeyRotation);
        self.change_as(what, Some(by), id, now, commands, |record| {
            record.key_epoch = at.saturating_add(1);
        })
    }
}
