//! What a database must do beyond conformance.
#![allow(clippy::unwrap_used, clippy::panic)]

mod log;
mod postgres;
#[path = "../../../../../tests/house/postgres.rs"]
mod server;

use sqlx::{AnyPool, Row};

use super::*;
use crate::{
    clock::Millis,
    job::{Change, JobRecord, JobState},
    store::{Lead, Leases, Store, Taking, conformance},
    testbed::record,
};
use entente_protocol::job::Task;

/// What a lease is here that nobody waits for.
pub(crate) const LEASE: Duration = Duration::from_secs(300);

pub(crate) async fn open(path: &Path) -> Result<Database, StoreError> {
    Database::open(&Location::Sqlite(path.to_owned()), LEASE).await
}

/// Opened, and led.
async fn lead(path: &Path) -> SqlStore {
    led(&open(path).await.unwrap()).await
}

pub(crate) async fn led(database: &Database) -> SqlStore {
    match database.take("https://here/").await.unwrap() {
        Taking::Taken { store, .. } => store,
        Taking::Held { by } => panic!("{by:?} leads"),
    }
}

#[actix_rt::test]
async fn conforms() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    conformance::check(async || {
        files += 1;
        let path = folder.path().join(format!("{files}.sqlite"));
        lead(&path).await
    })
    .await
    .unwrap();
}

#[actix_rt::test]
async fn a_files_lease_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    conformance::check_leases(async || {
        files += 1;
        let path = folder.path().join(format!("{files}.sqlite"));
        open(&path).await.unwrap()
    })
    .await
    .unwrap();
}

/// Who was killed did not give its lease back, and its file is free at once.
#[actix_rt::test]
async fn who_has_the_file_leads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd ?name#%41.sqlite");
    let database = open(&path).await.unwrap();
    let first = led(&database).await;
    let busy = open(&path).await.unwrap_err();
    assert!(busy.to_string().contains("locked"), "{busy}");
    database.close().await;
    assert!(path.is_file());

    let database = open(&path).await.unwrap();
    assert!(led(&database).await.token() > first.token());
    database.close().await;
}

#[actix_rt::test]
async fn what_was_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.sqlite");
    let kept = record(1);
    let store = lead(&path).await;
    store.insert(&kept).await.unwrap();
    let running = JobRecord {
        state: JobState::Reserved,
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
        task: Task::from_toml(asks).unwrap().into(),
        ..record(2)
    };
    store.insert(&asks).await.unwrap();
    store.close().await;

    let store = lead(&path).await;
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded, [change.record().clone(), asks]);
    store.close().await;
}

#[actix_rt::test]
async fn a_store_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.sqlite");
    let kept = record(1);
    sqlx::any::install_default_drivers();
    let url = file_url(&path).unwrap();
    let old = AnyPool::connect(url.as_str()).await.unwrap();
    let first = migrations::up_to(1, Dialect::Sqlite);
    first.run(&old).await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, version, state, attempt, granted, spec, submitted_by, \
         submitted_at_ms, sides, failures) VALUES ($1, 0, 'queued', 1, 0, $2, $3, 1000, $4, '[]')",
    )
    .bind(kept.id.to_string())
    .bind(serde_json::to_string(&kept.task.spec()).unwrap())
    .bind(kept.submitted_by.to_string())
    .bind(serde_json::to_string(&kept.sides).unwrap())
    .execute(&old)
    .await
    .unwrap();
    old.close().await;

    let store = lead(&path).await;
    // Nobody has signed it yet.
    let kept = JobRecord {
        state: JobState::AwaitingApproval,
        ..kept
    };
    assert_eq!(store.load().await.unwrap(), [kept]);
    assert_eq!(store.audit(0, 10).await.unwrap(), []);
    store.close().await;
}

#[actix_rt::test]
async fn acknowledged_writes_are_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = lead(&folder.path().join("jobs.sqlite")).await;
    let ask = async |pragma: &'static str| {
        let row = sqlx::query(pragma)
            .fetch_one(store.database().pool())
            .await
            .unwrap();
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
    let store = lead(&folder.path().join("jobs.sqlite")).await;
    let kept = record(1);
    store.insert(&kept).await.unwrap();
    for damage in [
        "UPDATE jobs SET granted = -1",
        "UPDATE jobs SET granted = 0, state = 'lost'",
        "UPDATE jobs SET state = 'queued', sides = '{}'",
        "UPDATE jobs SET spec = '{\"name\": 1}'",
    ] {
        sqlx::query(damage)
            .execute(store.database().pool())
            .await
            .unwrap();
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
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let nowhere = folder.path().join("missing").join("jobs.sqlite");
    assert!(open(&nowhere).await.is_err());
}
