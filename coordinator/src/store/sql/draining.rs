//! Whether nothing new begins, in the same database: a row, or none.

use sqlx::{AnyConnection, AnyPool, Row, any::AnyRow};

use super::{failed, integer};
use crate::{clock::Millis, engine::Draining, store::StoreError};

/// In the transaction of the caller.
pub(super) async fn keep(
    transaction: &mut AnyConnection,
    draining: Option<&Draining>,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM draining")
        .execute(&mut *transaction)
        .await
        .map_err(failed("keep a drain"))?;
    if let Some(draining) = draining {
        sqlx::query("INSERT INTO draining (one, since_ms, who) VALUES (1, $1, $2)")
            .bind(integer(draining.since.0)?)
            .bind(draining.by.to_string())
            .execute(transaction)
            .await
            .map_err(failed("keep a drain"))?;
    }
    Ok(())
}

pub(super) async fn kept(pool: &AnyPool) -> Result<Option<Draining>, StoreError> {
    let row = sqlx::query("SELECT since_ms, who FROM draining")
        .fetch_optional(pool)
        .await
        .map_err(failed("load whether it is drained"))?;
    let corrupt = |problem: Box<dyn std::error::Error + Send + Sync>| StoreError::Corrupt {
        job: "whether the coordinator is drained".into(),
        problem: problem.to_string(),
    };
    row.as_ref().map(read).transpose().map_err(corrupt)
}

fn read(row: &AnyRow) -> Result<Draining, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Draining {
        since: Millis(row.try_get::<i64, _>("since_ms")?.try_into()?),
        by: row.try_get::<String, _>("who")?.parse()?,
    })
}
