//! A submission, which makes one job however often it comes.

use entente_protocol::job::JobId;
use entente_tls::{Identity, IdentityKind};

use super::{Command, Engine, EngineError, Pace};
use crate::{
    clock::Millis,
    job::{IdempotencyKey, JobRecord, Priority, Submission},
};

impl Engine {
    pub(super) fn submit(&mut self, record: JobRecord, now: Millis, commands: &mut Vec<Command>) {
        commands.push(Command::Insert(Box::new(record.clone())));
        self.keys.extend(key(&record));
        self.retried.extend(retry(&record));
        self.live.insert(record.id, Pace::new(now));
        self.board.put(None, &record);
        self.attention.changed(&record);
        self.jobs.insert(record.id, record);
    }

    /// Whether the same was submitted before.
    pub(super) fn was_submitted(
        &self,
        by: &Identity,
        submission: Option<&Submission>,
        priority: Priority,
    ) -> Result<bool, EngineError> {
        let Some(submission) = submission else {
            return Ok(false);
        };
        let Some(id) = self.submitted_as(by, &submission.key) else {
            return Ok(false);
        };
        let same = |job: &JobRecord| {
            let first = job.submission.as_ref();
            job.priority == priority && first.is_some_and(|first| first.digest == submission.digest)
        };
        if self.jobs.get(&id).is_some_and(same) {
            return Ok(true);
        }
        Err(EngineError::KeyReused { id })
    }

    /// The job that somebody submitted under a key.
    pub fn submitted_as(&self, by: &Identity, key: &IdempotencyKey) -> Option<JobId> {
        self.keys.get(&(by.clone(), key.clone())).copied()
    }
}

/// Were everybody free to be in more of a hurry than the others, all would be.
pub(super) fn check_priority(by: &Identity, priority: Priority) -> Result<(), EngineError> {
    if priority > Priority::Normal && by.kind != IdentityKind::Operator {
        let by = by.clone();
        return Err(EngineError::TooUrgent { by, priority });
    }
    Ok(())
}

/// Whose key stands for which job.
pub(super) fn key(record: &JobRecord) -> Option<((Identity, IdempotencyKey), JobId)> {
    let submission = record.submission.as_ref()?;
    let key = (record.submitted_by.clone(), submission.key.clone());
    Some((key, record.id))
}

/// Which job does the same again as which.
pub(super) fn retry(record: &JobRecord) -> Option<(JobId, JobId)> {
    Some((record.retry_of?, record.id))
}
