//! A submission, which makes one job however often it comes.

use entente_protocol::job::JobId;
use entente_tls::Identity;

use super::{Command, Engine, EngineError, Pace};
use crate::{
    clock::Millis,
    job::{IdempotencyKey, JobRecord, Submission},
};

impl Engine {
    pub(super) fn submit(&mut self, record: JobRecord, now: Millis, commands: &mut Vec<Command>) {
        commands.push(Command::Insert(Box::new(record.clone())));
        self.keys.extend(key(&record));
        self.live.insert(record.id, Pace::new(now));
        self.jobs.insert(record.id, record);
    }

    /// Whether the same was submitted before.
    pub(super) fn was_submitted(
        &self,
        by: &Identity,
        submission: Option<&Submission>,
    ) -> Result<bool, EngineError> {
        let Some(submission) = submission else {
            return Ok(false);
        };
        let Some(id) = self.submitted_as(by, &submission.key) else {
            return Ok(false);
        };
        let first = self.jobs.get(&id).and_then(|job| job.submission.as_ref());
        if first.is_some_and(|first| first.digest == submission.digest) {
            return Ok(true);
        }
        Err(EngineError::KeyReused { id })
    }

    /// The job that somebody submitted under a key.
    pub fn submitted_as(&self, by: &Identity, key: &IdempotencyKey) -> Option<JobId> {
        self.keys.get(&(by.clone(), key.clone())).copied()
    }
}

/// Whose key stands for which job.
pub(super) fn key(record: &JobRecord) -> Option<((Identity, IdempotencyKey), JobId)> {
    let submission = record.submission.as_ref()?;
    let key = (record.submitted_by.clone(), submission.key.clone());
    Some((key, record.id))
}
