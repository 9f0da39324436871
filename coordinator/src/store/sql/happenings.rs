//! The jobs' logs in the same database.

use entente_protocol::job::JobId;
use sqlx::{AnyConnection, AnyPool, Row, any::AnyRow};

use super::{failed, integer, jobs::json};
use crate::{
    job::{Happening, LogEntry},
    store::StoreError,
};

/// Adds what happened behind a job's last entry, in the transaction of the caller.
pub(super) async fn append(
    transaction: &mut AnyConnection,
    job: JobId,
    happenings: &[Happening],
) -> Result<(), StoreError> {
    if happenings.is_empty() {
        return Ok(());
    }
    let job = job.to_string();
    let last =
        sqlx::query("SELECT number FROM job_log WHERE job = $1 ORDER BY number DESC LIMIT 1")
            .bind(&job)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed("read a job's last entry"))?;
    let last: i64 = match last {
        Some(row) => row
            .try_get("number")
            .map_err(failed("read a job's last entry"))?,
        None => 0,
    };
    for (number, happening) in (last.saturating_add(1)..).zip(happenings) {
        sqlx::query("INSERT INTO job_log (job, number, entry) VALUES ($1, $2, $3)")
            .bind(&job)
            .bind(number)
            .bind(json(happening)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed("add to a job's log"))?;
    }
    Ok(())
}

/// The entries of a job's log behind a number.
pub(super) async fn entries(
    pool: &AnyPool,
    job: JobId,
    after: u64,
    limit: u32,
) -> Result<Vec<LogEntry>, StoreError> {
    let job = job.to_string();
    sqlx::query(
        "SELECT number, entry FROM job_log WHERE job = $1 AND number > $2 ORDER BY number \
         LIMIT $3",
    )
    .bind(&job)
    .bind(integer(after)?)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(failed("read a job's log"))?
    .iter()
    .map(|row| {
        read(row).map_err(|problem| StoreError::Corrupt {
            job: format!("the log of {job}"),
            problem: problem.to_string(),
        })
    })
    .collect()
}

fn read(row: &AnyRow) -> Result<LogEntry, Box<dyn std::error::Error + Send + Sync>> {
    Ok(LogEntry {
        number: row.try_get::<i64, _>("number")?.try_into()?,
        happening: serde_json::from_str(&row.try_get::<String, _>("entry")?)?,
    })
}
