//! The audit log in the same file.

use entente_tls::Identity;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{failed, integer};
use crate::{
    audit::{Deed, Entry},
    clock::Millis,
    store::StoreError,
};

/// Adds an entry behind the last one, in the transaction of the caller.
pub(super) async fn append(
    transaction: &mut SqliteConnection,
    deed: &Deed,
) -> Result<(), StoreError> {
    let last = sqlx::query("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed("read the log's last entry"))?;
    let last = last.as_ref().map(end).transpose().map_err(corrupt)?;
    let entry = Entry::after(last, deed.clone());
    sqlx::query(
        "INSERT INTO audit (number, at_ms, who, what, job, spec_digest, call, previous, hash) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    pool: &SqlitePool,
    after: u64,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    sqlx::query("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?")
        .bind(integer(after)?)
        .bind(limit)
        .fetch_all(pool)
        .await
        .map_err(failed("read the log"))?
        .iter()
        .map(|row| read(row).map_err(corrupt))
        .collect()
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

fn end(row: &SqliteRow) -> Result<(u64, String), Problem> {
    let number: i64 = row.try_get("number")?;
    Ok((number.try_into()?, row.try_get("hash")?))
}

fn read(row: &SqliteRow) -> Result<Entry, Problem> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        audit::{Tampered, verify},
        store::{SqliteStore, Store},
        testbed::record,
    };

    #[actix_rt::test]
    async fn a_log_that_was_tampered_with_shows_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.sqlite");
        let store = SqliteStore::open(&path).await.unwrap();
        for number in 1..=3 {
            store.insert(&record(number)).await.unwrap();
        }
        let head = verify(&store.audit(0, 10).await.unwrap(), None).unwrap();
        assert_eq!(head.number, 3);
        let run = async |sql: &'static str| sqlx::query(sql).execute(&store.pool).await;
        let found = async || verify(&store.audit(0, 10).await.unwrap(), Some(&head));

        // The database itself refuses.
        const MALLORY: &str = "UPDATE audit SET who = 'user/mallory' WHERE number = 2";
        for sql in [MALLORY, "DELETE FROM audit WHERE number = 3"] {
            let refused = run(sql).await.unwrap_err().to_string();
            assert!(refused.contains("only grows"), "{refused}");
        }
        assert_eq!(found().await, Ok(head.clone()));
        // Who goes round it is found out.
        run("DROP TRIGGER audit_is_not_altered").await.unwrap();
        run("DROP TRIGGER audit_is_not_shortened").await.unwrap();
        run(MALLORY).await.unwrap();
        assert_eq!(found().await, Err(Tampered::Altered(2)));
        run("UPDATE audit SET who = 'user/alice' WHERE number = 2")
            .await
            .unwrap();
        assert_eq!(found().await, Ok(head.clone()));
        run("DELETE FROM audit WHERE number = 3").await.unwrap();
        assert_eq!(found().await, Err(Tampered::CutShort { end: 2, known: 3 }));
        run("DELETE FROM audit WHERE number = 1").await.unwrap();
        let missing = Tampered::Missing {
            expected: 1,
            found: 2,
        };
        assert_eq!(found().await, Err(missing));
        run("UPDATE audit SET what = 'forgotten'").await.unwrap();
        assert!(matches!(
            store.audit(0, 10).await,
            Err(StoreError::Corrupt { .. })
        ));
        store.close().await;
    }
}
