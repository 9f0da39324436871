//! The audit log in the same database.

use entente_tls::Identity;
use sqlx::{AnyConnection, AnyPool, Row, any::AnyRow};

use super::{failed, integer};
use crate::{
    audit::{Deed, Entry},
    clock::Millis,
    store::StoreError,
};

/// Adds an entry behind the last one, in the transaction of the caller.
pub(super) async fn append(transaction: &mut AnyConnection, deed: &Deed) -> Result<(), StoreError> {
    let last = sqlx::query("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed("read the log's last entry"))?;
    let last = last.as_ref().map(end).transpose().map_err(corrupt)?;
    let entry = Entry::after(last, deed.clone());
    sqlx::query(
        "INSERT INTO audit (number, at_ms, who, what, job, spec_digest, call, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(integer(entry.number)?)
    .bind(integer(deed.at_ms.0)?)
    .bind(deed.who.as_ref().map(Identity::to_string))
    .bind(deed.what.label())
    .bind(deed.job.map(|job| job.to_string()))
    .bind(deed.spec_digest.as_deref())
    .bind(deed.call.as_deref())
    .bind(&entry.previous)
    .bind(&entry.hash)
    .execute(transaction)
    .await
    .map_err(failed("add to the log"))?;
    Ok(())
}

/// The entries behind a number.
pub(super) async fn entries(
    pool: &AnyPool,
    after: u64,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    sqlx::query("SELECT * FROM audit WHERE number > $1 ORDER BY number LIMIT $2")
        .bind(integer(after)?)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(failed("read the log"))?
        .iter()
        .map(|row| read(row).map_err(corrupt))
        .collect()
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

fn end(row: &AnyRow) -> Result<(u64, String), Problem> {
    let number: i64 = row.try_get("number")?;
    Ok((number.try_into()?, row.try_get("hash")?))
}

fn read(row: &AnyRow) -> Result<Entry, Problem> {
    let (number, hash) = end(row)?;
    let text = |column| row.try_get::<Option<String>, _>(column);
    Ok(Entry {
        number,
        deed: Deed {
            at_ms: Millis(row.try_get::<i64, _>("at_ms")?.try_into()?),
            who: text("who")?.map(|who| who.parse()).transpose()?,
            what: row.try_get::<String, _>("what")?.parse()?,
            job: text("job")?.map(|job| job.parse()).transpose()?,
            spec_digest: text("spec_digest")?,
            call: text("call")?,
        },
        previous: row.try_get("previous")?,
        hash,
    })
}

fn corrupt(problem: Problem) -> StoreError {
    StoreError::Corrupt {
        job: "the audit log".into(),
        problem: problem.to_string(),
    }
}
