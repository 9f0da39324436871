//! Jobs in a database: one SQLite file, or PostgreSQL.
//!
//! One set of statements does for both, in the SQL that they share. What they
//! do not share is said by [`Dialect`], and is about who may be there at once:
//!
//! - a file is one process's. It is locked for as long as it is open, so that a
//!   second coordinator started on it by mistake ends with an error at once
//!   instead of with conflicts later. Who has the file has the lease: the one
//!   before must be gone, whatever the row says.
//! - a server is there for several. Who leads says the row, by the server's
//!   clock, and a row that somebody works on is passed over (`SKIP LOCKED`), not
//!   waited for.
//!
//! What was acknowledged survives a loss of power: `synchronous = FULL` here, a
//! server's default there.

mod draining;
mod happenings;
mod jobs;
mod lease;
mod log;
mod migrations;
mod record;
#[cfg(test)]
pub(crate) mod tests;

use std::{fmt::Write as _, path::Path, sync::Once, time::Duration};

use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use url::Url;

use super::{Location, StoreError};

pub use jobs::SqlStore;

/// Connections to a server: one to write, one to renew the lease, and one for
/// each of those that may have been lost a moment ago.
const CONNECTIONS: u32 = 4;
/// Until a connection must have been made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What kind of database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// A database with the tables of the jobs. Clones are of one pool.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    dialect: Dialect,
    lease: Duration,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the pool, which knows a password.
        f.debug_tuple("Database").field(&self.dialect).finish()
    }
}

impl Database {
    /// Opens the database, a file of which is made if it is missing, and brings
    /// its tables up to date. `lease`: how long who takes its lease leads
    /// without renewing it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be opened, is not a database,
    /// is of a later version, or is a file in use.
    pub async fn open(location: &Location, lease: Duration) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (dialect, url) = match location {
            Location::Sqlite(path) => (Dialect::Sqlite, file_url(path)?),
            Location::Postgres(server) => {
                // A leader that was cut off in the middle of a write must not
                // keep others waiting for longer than its lease.
                let lease_ms = lease.as_millis().to_string();
                let session = [
                    ("idle_in_transaction_session_timeout", lease_ms.clone()),
                    ("lock_timeout", lease_ms),
                ];
                (Dialect::Postgres, server.connection_url(&session))
            }
        };
        let options = AnyConnectOptions::from_url(&url).map_err(failed("be opened"))?;
        let pool = match dialect {
            Dialect::Sqlite => open_file(options).await,
            Dialect::Postgres => {
                AnyPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(CONNECT_TIMEOUT)
                    .connect_with(options)
                    .await
            }
        };
        let pool = pool.map_err(failed("be opened"))?;
        migrations::all(dialect)
            .run(&pool)
            .await
            .map_err(failed("be brought up to date"))?;
        Ok(Self {
            pool,
            dialect,
            lease,
        })
    }

    fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// What is not committed is rolled back when it is dropped.
    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.pool.begin().await.map_err(failed("begin a change"))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

/// One connection: there is one writer, and it locks the file.
async fn open_file(options: AnyConnectOptions) -> Result<AnyPool, sqlx::Error> {
    // Tried first outside of the pool, which would try again and again and
    // say in the end that it took too long.
    let mut first = options.connect().await?;
    have_the_file(&mut first).await?;
    first.close().await?;
    AnyPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(CONNECT_TIMEOUT)
        .after_connect(|connection, _| Box::pin(have_the_file(connection)))
        .connect_with(options)
        .await
}

/// Locks the file for as long as the connection is open. Whoever else has it is
/// waited for a little (by the driver's default, five seconds): a coordinator
/// that is being replaced may need a moment to end.
async fn have_the_file(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
    ] {
        connection.execute(pragma).await?;
    }
    Ok(())
}

/// In a URL a path may have no `?` and no `#`.
fn file_url(path: &Path) -> Result<Url, StoreError> {
    let Some(text) = path.to_str() else {
        return Err(StoreError::Unavailable {
            action: "be opened",
            source: "its path is not UTF-8".into(),
        });
    };
    let mut url = "sqlite:".to_owned();
    for byte in text.bytes() {
        match byte {
            b'/' | b'.' | b'_' | b'-' => url.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(url, "%{byte:02X}")),
        }
    }
    url.push_str("?mode=rwc");
    url.parse().map_err(failed("be opened"))
}

fn integer(number: u64) -> Result<i64, StoreError> {
    number.try_into().map_err(failed("hold so large a number"))
}

fn failed<E: std::error::Error + Send + Sync + 'static>(
    action: &'static str,
) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Unavailable {
        action,
        source: Box::new(source),
    }
}
