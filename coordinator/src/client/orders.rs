//! What is wanted done with jobs.

use entente_protocol::job::JobId;

use super::{Client, ClientError, at};
use crate::job::JobView;

impl Client {
    /// Cancels a job.
    ///
    /// # Errors
    /// [`ClientError`]; a job that has ended is a [`ClientError::Refused`].
    pub async fn cancel(&self, id: JobId) -> Result<JobView, ClientError> {
        let path = format!("/v1/jobs/{id}");
        self.ask(|base| self.http.delete(at(base, &path).as_str()).send())
            .await
    }

    /// Has a job rest, and its places free for others.
    ///
    /// # Errors
    /// [`ClientError`]; a job that cannot be paused now is a
    /// [`ClientError::Refused`].
    pub async fn pause(&self, id: JobId) -> Result<JobView, ClientError> {
        self.order(id, "pause").await
    }

    /// Has a job that rests go on.
    ///
    /// # Errors
    /// [`ClientError`]; a job that has ended is a [`ClientError::Refused`].
    pub async fn resume(&self, id: JobId) -> Result<JobView, ClientError> {
        self.order(id, "resume").await
    }

    /// Has a job go on under another encryption key.
    ///
    /// # Errors
    /// [`ClientError`]; a job that does not run, or has one key, is a
    /// [`ClientError::Refused`].
    pub async fn rotate_key(&self, id: JobId) -> Result<JobView, ClientError> {
        self.order(id, "rotate-key").await
    }

    /// Does what failed or was cancelled again: gives the job that does, the
    /// same one however often it is asked for.
    ///
    /// # Errors
    /// [`ClientError`]; a job that has not ended, or has succeeded, is a
    /// [`ClientError::Refused`].
    pub async fn retry(&self, id: JobId) -> Result<JobView, ClientError> {
        self.order(id, "retry").await
    }

    async fn order(&self, id: JobId, order: &str) -> Result<JobView, ClientError> {
        let path = format!("/v1/jobs/{id}/{order}");
        self.ask(|base| self.http.post(at(base, &path).as_str()).send())
            .await
    }
}
