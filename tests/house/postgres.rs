//! A database of a test's own, on the server that the environment names.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, unreachable_pub)]

use std::{
    env, process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, any::AnyConnectOptions};
use url::Url;

/// Names a server on which databases may be made: `postgres://USER@HOST/DATABASE`.
/// `.ci/run` starts one and sets this.
pub const VARIABLE: &str = "ENTENTE_TEST_POSTGRES_URL";

/// A database of a test's own; gone when dropped.
pub struct TestDatabase {
    server: Url,
    name: String,
}

impl TestDatabase {
    /// Makes it; none without a server, which is said.
    pub fn create(test: &str) -> Option<Self> {
        let Ok(server) = env::var(VARIABLE) else {
            println!("skipped: {test}: {VARIABLE} names no server");
            return None;
        };
        let database = Self {
            server: server.parse().unwrap(),
            name: new_name(),
        };
        database.tell_server(format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// Has the server do something, on a thread without a runtime of another's.
    fn tell_server(&self, sql: String) {
        let server = self.server.clone();
        let told = thread::spawn(move || {
            sqlx::any::install_default_drivers();
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().build().unwrap().block_on(async {
                let options = AnyConnectOptions::from_url(&server)?;
                let mut connection = options.connect().await?;
                connection.execute(AssertSqlSafe(sql)).await?;
                connection.close().await
            })
        });
        told.join().unwrap().unwrap();
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.tell_server(format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// That no other test has, whichever process it runs in.
fn new_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (process, now) = (process::id(), since.as_nanos());
    format!("entente_test_{process}_{now}_{count}")
}
