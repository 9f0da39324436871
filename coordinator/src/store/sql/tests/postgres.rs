//! On a real server: all that a file does, and several at once.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::{server::TestDatabase, *};
use crate::store::{Lead, Token};

async fn open_server(database: &TestDatabase) -> Database {
    let location = database.url().parse().unwrap();
    Database::open(&location, LEASE).await.unwrap()
}

/// As if its life were over, or not yet.
async fn expire_at(database: &Database, expires_at_ms: i64) {
    sqlx::query("UPDATE leadership SET expires_at_ms = $1")
        .bind(expires_at_ms)
        .execute(database.pool())
        .await
        .unwrap();
}

#[actix_rt::test]
async fn a_server_conforms() {
    let Some(first) = TestDatabase::create("a_server_conforms") else {
        return;
    };
    let mut databases = vec![first];
    let mut unused = true;
    let mut next = async || {
        if !std::mem::take(&mut unused) {
            databases.push(TestDatabase::create("another").unwrap());
        }
        open_server(databases.last().unwrap()).await
    };
    conformance::check(async || led(&next().await).await)
        .await
        .unwrap();
    conformance::check_leases(async || next().await)
        .await
        .unwrap();
}

#[actix_rt::test]
async fn both_kinds_of_database_have_the_same_tables() {
    let Some(server) = TestDatabase::create("both_kinds_of_database_have_the_same_tables") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let columns = async |database: &Database, sql: &'static str| {
        let rows = sqlx::query(sql).fetch_all(database.pool()).await.unwrap();
        let mut columns = BTreeMap::new();
        for row in rows {
            let text = |index: usize| row.try_get::<String, _>(index).unwrap();
            let may_be_null = row.try_get::<i64, _>(3).unwrap();
            columns.insert((text(0), text(1)), (text(2).to_uppercase(), may_be_null));
        }
        columns
    };
    let file = open(&folder.path().join("jobs.sqlite")).await.unwrap();
    let here = columns(
        &file,
        "SELECT t.name, c.name, c.type, 1 - c.\"notnull\" FROM sqlite_schema t \
         JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    );
    let server = open_server(&server).await;
    let there = columns(
        &server,
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT), \
         CAST(CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END AS BIGINT) \
         FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    );
    let (here, there) = (here.await, there.await);
    assert!(here.len() > 20, "{here:#?}");
    assert_eq!(here, there);
}

/// A replica that was stopped for longer than its lease and goes on as if
/// nothing had happened.
#[actix_rt::test]
async fn who_was_stopped_for_too_long_writes_nothing() {
    let Some(server) = TestDatabase::create("who_was_stopped_for_too_long_writes_nothing") else {
        return;
    };
    let (here, there) = (open_server(&server).await, open_server(&server).await);
    let old = led(&here).await;
    let kept = record(1);
    old.insert(&kept).await.unwrap();

    // Nobody takes what is renewed.
    let held = there.take("https://there/").await.unwrap();
    assert!(matches!(held, Taking::Held { by: Some(by) } if by == "https://here/"));

    expire_at(&here, 1).await;
    // Over by the clock, and nobody's else yet: what is written is good, and it
    // may even go on.
    old.insert(&record(2)).await.unwrap();
    old.renew().await.unwrap();
    let held = there.take("https://there/").await.unwrap();
    assert!(matches!(held, Taking::Held { .. }));

    expire_at(&here, 1).await;
    let new = led(&there).await;
    assert!(new.token() > old.token());
    let running = JobRecord {
        state: JobState::Reserved,
        ..kept.clone()
    };
    let change = Change::new(&kept, running).unwrap();
    for outcome in [old.write(&change).await, old.insert(&record(3)).await] {
        assert!(
            matches!(outcome, Err(StoreError::Deposed(_))),
            "{outcome:?}"
        );
    }
    assert_eq!(new.load().await.unwrap(), [kept, record(2)]);
    assert_eq!(new.audit(0, 10).await.unwrap().len(), 2);
}

/// In the middle of a write nobody takes over: who leads next has loaded
/// everything that was written before.
#[actix_rt::test]
async fn a_write_is_over_before_the_next_one_leads() {
    let Some(server) = TestDatabase::create("a_write_is_over_before_the_next_one_leads") else {
        return;
    };
    let (here, there) = (open_server(&server).await, open_server(&server).await);
    let old = led(&here).await;
    expire_at(&here, 1).await;
    let mut write = here.begin().await.unwrap();
    here.hold(&mut write, old.token()).await.unwrap();
    let held = there.take("https://there/").await.unwrap();
    assert!(matches!(held, Taking::Held { .. }));
    write.commit().await.unwrap();
    assert!(led(&there).await.token() > old.token());
    // The other way round it does not begin.
    let mut late = here.begin().await.unwrap();
    let refused = here.hold(&mut late, old.token()).await;
    assert!(matches!(refused, Err(StoreError::Deposed(_))));
}

#[actix_rt::test]
async fn of_many_who_ask_at_once_one_leads() {
    let Some(server) = TestDatabase::create("of_many_who_ask_at_once_one_leads") else {
        return;
    };
    let replicas = [
        open_server(&server).await,
        open_server(&server).await,
        open_server(&server).await,
    ];
    let mut last = Token(0);
    for round in 0..20 {
        let mut asking = JoinSet::new();
        for index in 0..12 {
            let replica = replicas[index % replicas.len()].clone();
            asking.spawn(async move { replica.take("https://one/").await.unwrap() });
        }
        let taken: Vec<SqlStore> = { asking.join_all().await }
            .into_iter()
            .filter_map(|taking| match taking {
                Taking::Taken { store, .. } => Some(store),
                Taking::Held { .. } => None,
            })
            .collect();
        let [leader] = &taken[..] else {
            panic!("round {round}: {taken:?}")
        };
        assert!(leader.token() > last);
        last = leader.token();
        match round % 2 {
            0 => leader.release().await.unwrap(),
            _ => expire_at(&replicas[0], 1).await,
        }
    }
}

#[actix_rt::test]
async fn what_a_server_refuses_is_told_without_the_password() {
    let Some(server) = TestDatabase::create("what_a_server_refuses_is_told") else {
        return;
    };
    let mut url: url::Url = server.url().parse().unwrap();
    url.set_path("no_such_database");
    url.set_password(Some("hunter2")).unwrap();
    let location = url.as_str().parse::<Location>().unwrap();
    let error = Database::open(&location, LEASE).await.unwrap_err();
    let told = format!("{error} {error:?} {location} {location:?}");
    assert!(told.contains("no_such_database"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
