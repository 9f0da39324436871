//! A log that somebody went round the coordinator to.

use super::lead;
use crate::{
    audit::{Tampered, verify},
    store::{Store, StoreError},
    testbed::record,
};

#[actix_rt::test]
async fn a_log_that_was_tampered_with_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.sqlite");
    let store = lead(&path).await;
    for number in 1..=3 {
        store.insert(&record(number)).await.unwrap();
    }
    let head = verify(&store.audit(0, 10).await.unwrap(), None).unwrap();
    assert_eq!(head.number, 3);
    let run = async |sql: &'static str| sqlx::query(sql).execute(store.database().pool()).await;
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
