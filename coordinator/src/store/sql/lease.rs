//! The lease, as a row of the database.
//!
//! `FOR SHARE` by who writes and `FOR UPDATE` by who takes exclude each other:
//! so a write is either over before the next one leads, who loads it, or is
//! refused. That, and not the time, is what makes a write good.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{AnyConnection, Row, any::AnyRow};

use super::{Database, Dialect, SqlStore, failed, integer};
use crate::store::{Lead, Leases, StoreError, Taking, Token};

impl Database {
    /// How long a lease is; a file's, as long as it is open.
    fn life(&self) -> Option<Duration> {
        match self.dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(self.lease),
        }
    }

    /// Holds the lease for the length of a transaction.
    pub(super) async fn hold(
        &self,
        transaction: &mut AnyConnection,
        token: Token,
    ) -> Result<(), StoreError> {
        let sql = match self.dialect {
            Dialect::Sqlite => {
                "SELECT token FROM leadership WHERE token = $1 AND leader IS NOT NULL"
            }
            Dialect::Postgres => {
                "SELECT token FROM leadership WHERE token = $1 AND leader IS NOT NULL FOR SHARE"
            }
        };
        let held = sqlx::query(sql)
            .bind(integer(token.0)?)
            .fetch_optional(transaction)
            .await
            .map_err(failed("say who leads"))?;
        held.map(drop).ok_or(StoreError::Deposed(token))
    }

    /// The time, as all replicas see it.
    async fn now_ms(&self, connection: &mut AnyConnection) -> Result<i64, StoreError> {
        let sql = match self.dialect {
            Dialect::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now_ms",
            Dialect::Postgres => {
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms"
            }
        };
        let row = sqlx::query(sql).fetch_one(connection).await;
        row.and_then(|row| row.try_get("now_ms"))
            .map_err(failed("tell the time"))
    }

    async fn expiry_ms(&self, connection: &mut AnyConnection) -> Result<i64, StoreError> {
        let life_ms = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        Ok(self.now_ms(connection).await?.saturating_add(life_ms))
    }

    /// The row, for the rest of the transaction; none while somebody works on it.
    async fn pick_up(
        &self,
        transaction: &mut AnyConnection,
    ) -> Result<Option<Leadership>, StoreError> {
        let sql = match self.dialect {
            Dialect::Sqlite => "SELECT token, leader, expires_at_ms FROM leadership",
            Dialect::Postgres => {
                "SELECT token, leader, expires_at_ms FROM leadership FOR UPDATE SKIP LOCKED"
            }
        };
        let row = sqlx::query(sql).fetch_optional(transaction).await;
        row.and_then(|row| row.as_ref().map(Leadership::read).transpose())
            .map_err(failed("say who leads"))
    }

    async fn leader(&self, connection: &mut AnyConnection) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT leader FROM leadership")
            .fetch_one(connection)
            .await;
        row.and_then(|row| row.try_get("leader"))
            .map_err(failed("say who leads"))
    }
}

/// Who leads, as it is kept.
struct Leadership {
    token: i64,
    leader: Option<String>,
    expires_at_ms: i64,
}

impl Leadership {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            token: row.try_get("token")?,
            leader: row.try_get("leader")?,
            expires_at_ms: row.try_get("expires_at_ms")?,
        })
    }
}

#[async_trait]
impl Leases for Database {
    type Lead = SqlStore;

    async fn take(&self, address: &str) -> Result<Taking<SqlStore>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(row) = self.pick_up(&mut transaction).await? else {
            let by = self.leader(&mut transaction).await?;
            return Ok(Taking::Held { by });
        };
        let is_over = match self.dialect {
            // Who had the file has let go of it.
            Dialect::Sqlite => true,
            Dialect::Postgres => row.expires_at_ms <= self.now_ms(&mut transaction).await?,
        };
        if row.leader.is_some() && !is_over {
            return Ok(Taking::Held { by: row.leader });
        }
        let token = row.token.saturating_add(1);
        let expires_at_ms = self.expiry_ms(&mut transaction).await?;
        sqlx::query("UPDATE leadership SET token = $1, leader = $2, expires_at_ms = $3")
            .bind(token)
            .bind(address)
            .bind(expires_at_ms)
            .execute(&mut *transaction)
            .await
            .map_err(failed("give its lease"))?;
        transaction
            .commit()
            .await
            .map_err(failed("give its lease"))?;
        let token = Token(u64::try_from(token).map_err(failed("give its lease"))?);
        Ok(Taking::Taken {
            store: SqlStore::new(self.clone(), token),
            life: self.life(),
        })
    }

    async fn close(&self) {
        self.close().await;
    }
}

#[async_trait]
impl Lead for SqlStore {
    fn token(&self) -> Token {
        self.own_token()
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let database = self.database();
        let mut transaction = database.begin().await?;
        let expires_at_ms = database.expiry_ms(&mut transaction).await?;
        let renewed = sqlx::query(
            "UPDATE leadership SET expires_at_ms = $1 WHERE token = $2 AND leader IS NOT NULL",
        )
        .bind(expires_at_ms)
        .bind(integer(self.own_token().0)?)
        .execute(&mut *transaction)
        .await
        .map_err(failed("renew its lease"))?;
        if renewed.rows_affected() == 0 {
            return Err(StoreError::Deposed(self.own_token()));
        }
        transaction
            .commit()
            .await
            .map_err(failed("renew its lease"))
    }

    async fn release(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE leadership SET leader = NULL, expires_at_ms = 0 WHERE token = $1")
            .bind(integer(self.own_token().0)?)
            .execute(self.database().pool())
            .await
            .map(drop)
            .map_err(failed("take its lease back"))
    }
}
