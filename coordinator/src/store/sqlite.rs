//! Jobs in one SQLite file.
//!
//! Write-ahead log and `synchronous = FULL`: what was acknowledged survives a
//! loss of power. The file is locked for as long as it is open, so that a
//! second coordinator started on it by mistake ends with an error at once
//! instead of with conflicts later.

mod log;

use std::{borrow::Cow, path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Row, SqlStr, Sqlite, SqlitePool, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteRow,
        SqliteSynchronous,
    },
};

use super::{Store, StoreError};
use crate::{
    audit::{Deed, Entry},
    clock::Millis,
    job::{Change, JobRecord, Submission},
};
use entente_protocol::job::{Task, TaskSpec};

/// The versions of the tables, in order. Listed by hand: the macro that would
/// find them has SQLite compiled a second time, for the compiler's own use.
fn migrations() -> Migrator {
    let versions = [
        (1, "jobs", include_str!("../../migrations/0001_jobs.sql")),
        (
            2,
            "submissions",
            include_str!("../../migrations/0002_submissions.sql"),
        ),
        (3, "audit", include_str!("../../migrations/0003_audit.sql")),
    ];
    let migration = |(version, name, sql)| {
        let (kind, sql) = (MigrationType::Simple, SqlStr::from_static(sql));
        Migration::new(version, Cow::Borrowed(name), kind, sql, false)
    };
    Migrator::with_migrations(versions.map(migration).into())
}

/// How long to wait for whoever has the file locked: a coordinator that is
/// being replaced may need a moment to end.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Jobs in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, which is made if it is missing, and brings its tables
    /// up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be opened, is not a
    /// database, is of a later version, or is in use.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .locking_mode(SqliteLockingMode::Exclusive)
            .busy_timeout(LOCK_TIMEOUT);
        // One connection: there is one writer, and it locks the file.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(failed("be opened"))?;
        migrations()
            .run(&pool)
            .await
            .map_err(failed("be brought up to date"))?;
        Ok(Self { pool })
    }

    /// What is not committed is rolled back when it is dropped.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin().await.map_err(failed("begin a change"))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert(&self, record: &JobRecord) -> Result<(), StoreError> {
        let mut both = self.begin().await?;
        let submission = record.submission.as_ref();
        let outcome = sqlx::query(
            "INSERT INTO jobs (version, state, attempt, granted, submitted_by, \
             submitted_at_ms, started_at_ms, ended_at_ms, sides, failures, spec, \
             idempotency_key, submission_digest, id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(integer(record.version)?)
        .bind(record.state.label())
        .bind(record.attempt)
        .bind(integer(record.granted)?)
        .bind(record.submitted_by.to_string())
        .bind(integer(record.submitted_at.0)?)
        .bind(moment(record.started_at)?)
        .bind(moment(record.ended_at)?)
        .bind(json(&record.sides)?)
        .bind(json(&record.failures)?)
        .bind(json(&record.task.spec())?)
        .bind(submission.map(|submission| submission.key.to_string()))
        .bind(submission.map(|submission| submission.digest.clone()))
        .bind(record.id.to_string())
        .execute(&mut *both)
        .await
        .map_err(failed("keep a job"))?;
        if outcome.rows_affected() == 0 {
            return Err(StoreError::Exists(record.id));
        }
        log::append(&mut both, &Deed::submitted(record)).await?;
        both.commit().await.map_err(failed("keep a job"))
    }

    async fn write(&self, change: &Change) -> Result<(), StoreError> {
        let record = change.record();
        let mut both = self.begin().await?;
        let outcome = sqlx::query(
            "UPDATE jobs SET version = ?, state = ?, attempt = ?, granted = ?, \
             started_at_ms = ?, ended_at_ms = ?, sides = ?, failures = ? \
             WHERE id = ? AND state = ? AND version = ?",
        )
        .bind(integer(record.version)?)
        .bind(record.state.label())
        .bind(record.attempt)
        .bind(integer(record.granted)?)
        .bind(moment(record.started_at)?)
        .bind(moment(record.ended_at)?)
        .bind(json(&record.sides)?)
        .bind(json(&record.failures)?)
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
        both.commit().await.map_err(failed("change a job"))
    }

    async fn append(&self, deed: &Deed) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        log::append(&mut transaction, deed).await?;
        transaction.commit().await.map_err(failed("add to the log"))
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        log::entries(&self.pool, after, limit).await
    }

    async fn load(&self) -> Result<Vec<JobRecord>, StoreError> {
        sqlx::query("SELECT * FROM jobs ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("load the jobs"))?
            .iter()
            .map(|row| {
                read(row).map_err(|problem| StoreError::Corrupt {
                    job: row.try_get("id").unwrap_or_default(),
                    problem: problem.to_string(),
                })
            })
            .collect()
    }

    async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(failed("answer"))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn read(row: &SqliteRow) -> Result<JobRecord, Box<dyn std::error::Error + Send + Sync>> {
    let text = |column| row.try_get::<String, _>(column);
    let number = |column| -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
        Ok(row.try_get::<i64, _>(column)?.try_into()?)
    };
    let moment = |column| -> Result<Option<Millis>, Box<dyn std::error::Error + Send + Sync>> {
        let number = row.try_get::<Option<i64>, _>(column)?;
        Ok(number.map(u64::try_from).transpose()?.map(Millis))
    };
    let spec: TaskSpec = serde_json::from_str(&text("spec")?)?;
    Ok(JobRecord {
        id: text("id")?.parse()?,
        task: Task::try_from(spec)?,
        version: number("version")?,
        state: text("state")?.parse()?,
        attempt: number("attempt")?.try_into()?,
        granted: number("granted")?,
        submitted_by: text("submitted_by")?.parse()?,
        submission: match row.try_get::<Option<String>, _>("idempotency_key")? {
            Some(key) => Some(Submission {
                key: key.parse()?,
                digest: text("submission_digest")?,
            }),
            None => None,
        },
        submitted_at: Millis(number("submitted_at_ms")?),
        started_at: moment("started_at_ms")?,
        ended_at: moment("ended_at_ms")?,
        sides: serde_json::from_str(&text("sides")?)?,
        failures: serde_json::from_str(&text("failures")?)?,
    })
}

fn integer(number: u64) -> Result<i64, StoreError> {
    number.try_into().map_err(failed("hold so large a number"))
}

fn moment(moment: Option<Millis>) -> Result<Option<i64>, StoreError> {
    moment.map(|moment| integer(moment.0)).transpose()
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(failed("write a record down"))
}

fn failed<E: std::error::Error + Send + Sync + 'static>(
    action: &'static str,
) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Unavailable {
        action,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{job::JobState, store::conformance, testbed::record};

    #[actix_rt::test]
    async fn conforms() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = 0;
        conformance::check(async || {
            files += 1;
            let path = folder.path().join(format!("{files}.sqlite"));
            SqliteStore::open(&path).await.unwrap()
        })
        .await
        .unwrap();
    }

    #[actix_rt::test]
    async fn what_was_kept_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let kept = record(1);
        let store = SqliteStore::open(&path).await.unwrap();
        store.insert(&kept).await.unwrap();
        let running = JobRecord {
            state: JobState::Running,
            granted: 64,
            started_at: Some(Millis(5)),
            ..kept.clone()
        };
        let change = Change::new(&kept, running).unwrap();
        store.write(&change).await.unwrap();
        let asks = "name = \"asks\"\ntask = \"predict\"\nresults_at = \"passive\"\n\
                    model = { name = \"credit\", version = \"01890a5d-ac96-774b-bcce-b302099a8057\" }\n\
                    parties = { active = \"bank-a\", passive = \"bank-b\" }\n\
                    data = { dataset = \"new\" }\n";
        let asks = JobRecord {
            task: Task::from_toml(asks).unwrap(),
            ..record(2)
        };
        store.insert(&asks).await.unwrap();
        store.close().await;

        let store = SqliteStore::open(&path).await.unwrap();
        let loaded = store.load().await.unwrap();
        assert_eq!(loaded, [change.record().clone(), asks]);
        store.close().await;
    }

    #[actix_rt::test]
    async fn a_store_of_the_first_version_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let kept = record(1);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true);
        let old = SqlitePool::connect_with(options).await.unwrap();
        let first = migrations().iter().take(1).cloned().collect::<Vec<_>>();
        let first = Migrator::with_migrations(first);
        first.run(&old).await.unwrap();
        sqlx::query(
            "INSERT INTO jobs (id, version, state, attempt, granted, spec, submitted_by, \
             submitted_at_ms, sides, failures) VALUES (?, 0, 'queued', 1, 0, ?, ?, 1000, ?, '[]')",
        )
        .bind(kept.id.to_string())
        .bind(json(&kept.task.spec()).unwrap())
        .bind(kept.submitted_by.to_string())
        .bind(json(&kept.sides).unwrap())
        .execute(&old)
        .await
        .unwrap();
        old.close().await;

        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.load().await.unwrap(), [kept]);
        assert_eq!(store.audit(0, 10).await.unwrap(), []);
        store.close().await;
    }

    #[actix_rt::test]
    async fn acknowledged_writes_are_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("jobs.sqlite"))
            .await
            .unwrap();
        let ask = async |pragma: &'static str| {
            let row = sqlx::query(pragma).fetch_one(&store.pool).await.unwrap();
            row.try_get::<String, _>(0)
                .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()))
                .unwrap()
        };
        assert_eq!(ask("PRAGMA journal_mode").await, "wal");
        assert_eq!(ask("PRAGMA synchronous").await, "2");
        assert_eq!(ask("PRAGMA locking_mode").await, "exclusive");
        store.close().await;
    }

    #[actix_rt::test]
    async fn a_damaged_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("jobs.sqlite"))
            .await
            .unwrap();
        let kept = record(1);
        store.insert(&kept).await.unwrap();
        for damage in [
            "UPDATE jobs SET granted = -1",
            "UPDATE jobs SET granted = 0, state = 'parked'",
            "UPDATE jobs SET state = 'queued', sides = '{}'",
            "UPDATE jobs SET spec = '{\"name\": 1}'",
        ] {
            sqlx::query(damage).execute(&store.pool).await.unwrap();
            let error = store.load().await.unwrap_err();
            assert!(
                matches!(&error, StoreError::Corrupt { job, .. } if *job == kept.id.to_string()),
                "{damage}: {error}"
            );
        }
        store.close().await;
    }

    #[actix_rt::test]
    async fn what_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        std::fs::write(
            &path,
            "not a database, but longer than its header".repeat(9),
        )
        .unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        let nowhere = folder.path().join("missing").join("jobs.sqlite");
        assert!(SqliteStore::open(&nowhere).await.is_err());
    }
}
