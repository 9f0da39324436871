//! Jobs in a database, under the token of one taking of its lease.

use async_trait::async_trait;
use entente_protocol::job::JobId;
use sqlx::{Any, Row, Transaction};

use super::{Database, draining, failed, happenings, integer, log, record};
use crate::{
    audit::{Deed, Entry},
    clock::Millis,
    engine::Draining,
    job::{Change, Happening, JobRecord, LogEntry},
    store::{Store, StoreError, Token},
};

/// Jobs in a database, as the coordinator has them that leads. Clones are of one
/// taking.
#[derive(Debug, Clone)]
pub struct SqlStore {
    database: Database,
    token: Token,
}

impl SqlStore {
    pub(super) fn new(database: Database, token: Token) -> Self {
        Self { database, token }
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn own_token(&self) -> Token {
        self.token
    }

    /// Begins a write that nobody can be deposed during: who takes the lease
    /// waits for its end, and who has lost it gets no further. What is not
    /// committed is rolled back when it is dropped.
    async fn begin_write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let mut transaction = self.database.begin().await?;
        self.database.hold(&mut transaction, self.token).await?;
        Ok(transaction)
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn insert(&self, record: &JobRecord) -> Result<(), StoreError> {
        let mut both = self.begin_write().await?;
        let submission = record.submission.as_ref();
        let outcome = sqlx::query(
            "INSERT INTO jobs (version, state, attempt, granted, submitted_by, \
             submitted_at_ms, started_at_ms, ended_at_ms, sides, failures, since_ms, \
             begun_at_ms, not_before_ms, attempts, retry_of, approvals, tenure, priority, spec, \
             idempotency_key, submission_digest, key_epoch, wire, id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             $16, $17, $18, $19, $20, $21, $22, $23, $24) ON CONFLICT DO NOTHING",
        )
        .bind(integer(record.version)?)
        .bind(record.state.label())
        .bind(i64::from(record.attempt))
        .bind(integer(record.granted)?)
        .bind(record.submitted_by.to_string())
        .bind(integer(record.submitted_at.0)?)
        .bind(moment(record.started_at)?)
        .bind(moment(record.ended_at)?)
        .bind(json(&record.sides)?)
        .bind(json(&record.failures)?)
        .bind(integer(record.since.0)?)
        .bind(moment(record.begun_at)?)
        .bind(moment(record.not_before)?)
        .bind(json(&record.attempts)?)
        .bind(record.retry_of.map(|id| id.to_string()))
        .bind(json(&record.approvals)?)
        .bind(json(&record.tenure)?)
        .bind(record.priority.label())
        .bind(json(&record.task.spec())?)
        .bind(submission.map(|submission| submission.key.to_string()))
        .bind(submission.map(|submission| submission.digest.clone()))
        .bind(i64::from(record.key_epoch))
        .bind(i64::from(record.wire))
        .bind(record.id.to_string())
        .execute(&mut *both)
        .await
        .map_err(failed("keep a job"))?;
        if outcome.rows_affected() == 0 {
            return Err(StoreError::Exists(record.id));
        }
        log::append(&mut both, &Deed::submitted(record)).await?;
        let first = [Happening::submitted(record)];
        happenings::append(&mut both, record.id, &first).await?;
        both.commit().await.map_err(failed("keep a job"))
    }

    async fn write(&self, change: &Change) -> Result<(), StoreError> {
        let record = change.record();
        let mut both = self.begin_write().await?;
        let outcome = sqlx::query(
            "UPDATE jobs SET version = $1, state = $2, attempt = $3, granted = $4, \
             started_at_ms = $5, ended_at_ms = $6, sides = $7, failures = $8, since_ms = $9, \
             begun_at_ms = $10, not_before_ms = $11, attempts = $12, approvals = $13, \
             tenure = $14, priority = $15, key_epoch = $16, wire = $17 \
             WHERE id = $18 AND state = $19 AND version = $20",
        )
        .bind(integer(record.version)?)
        .bind(record.state.label())
        .bind(i64::from(record.attempt))
        .bind(integer(record.granted)?)
        .bind(moment(record.started_at)?)
        .bind(moment(record.ended_at)?)
        .bind(json(&record.sides)?)
        .bind(json(&record.failures)?)
        .bind(integer(record.since.0)?)
        .bind(moment(record.begun_at)?)
        .bind(moment(record.not_before)?)
        .bind(json(&record.attempts)?)
        .bind(json(&record.approvals)?)
        .bind(json(&record.tenure)?)
        .bind(record.priority.label())
        .bind(i64::from(record.key_epoch))
        .bind(i64::from(record.wire))
        .bind(record.id.to_string())
        .bind(change.expected_state().label())
        .bind(integer(change.expected_version())?)
        .execute(&mut *both)
        .await
        .map_err(failed("change a job"))?;
        if outcome.rows_affected() == 0 {
            return Err(StoreError::Conflict(record.id));
        }
        if let Some(deed) = change.deed() {
            log::append(&mut both, deed).await?;
        }
        happenings::append(&mut both, record.id, change.happenings()).await?;
        both.commit().await.map_err(failed("change a job"))
    }

    async fn drain(&self, draining: Option<&Draining>, deed: &Deed) -> Result<(), StoreError> {
        let mut both = self.begin_write().await?;
        draining::keep(&mut both, draining).await?;
        log::append(&mut both, deed).await?;
        both.commit().await.map_err(failed("keep a drain"))
    }

    async fn draining(&self) -> Result<Option<Draining>, StoreError> {
        draining::kept(self.database.pool()).await
    }

    async fn append(&self, deed: &Deed) -> Result<(), StoreError> {
        let mut transaction = self.begin_write().await?;
        log::append(&mut transaction, deed).await?;
        transaction.commit().await.map_err(failed("add to the log"))
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        log::entries(self.database.pool(), after, limit).await
    }

    async fn log(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<LogEntry>, StoreError> {
        happenings::entries(self.database.pool(), job, after, limit).await
    }

    async fn load(&self) -> Result<Vec<JobRecord>, StoreError> {
        sqlx::query("SELECT * FROM jobs ORDER BY id")
            .fetch_all(self.database.pool())
            .await
            .map_err(failed("load the jobs"))?
            .iter()
            .map(|row| {
                record::read(row).map_err(|problem| StoreError::Corrupt {
                    job: row.try_get("id").unwrap_or_default(),
                    problem: problem.to_string(),
                })
            })
            .collect()
    }

    async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1")
            .execute(self.database.pool())
            .await
            .map(|_| ())
            .map_err(failed("answer"))
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

fn moment(moment: Option<Millis>) -> Result<Option<i64>, StoreError> {
    moment.map(|moment| integer(moment.0)).transpose()
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(failed("write a record down"))
}
