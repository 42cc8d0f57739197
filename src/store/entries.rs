//! Entries: durable values by key, of one bot, of one plugin or of the whole fleet.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Error, Store, read, to_ms};
use crate::model::name::BotId;
use crate::model::plugin::PluginName;

/// Whose entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One bot's own.
    Bot(BotId),
    /// One plugin's own.
    Plugin(PluginName),
    /// One set for the whole fleet.
    Shared,
}

impl Scope {
    fn key(&self) -> String {
        match self {
            Self::Bot(bot) => bot.to_string(),
            // No bot has a colon in its id.
            Self::Plugin(name) => format!("plugin:{name}"),
            Self::Shared => String::new(),
        }
    }
}

/// A new key would have been one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryLimit;

impl Store {
    /// The value under a key that has not expired.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn entry(&self, scope: &Scope, name: &str, now: Timestamp) -> Result<Option<Value>, Error> {
        let row = sqlx::query(
            "SELECT value FROM entries WHERE scope = $1 AND name = $2 AND (expires_at IS NULL OR expires_at > $3)",
        )
        .bind(scope.key())
        .bind(name.to_owned())
        .bind(to_ms(now))
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        row.map(|row| {
            serde_json::from_str(row.get(0))
                .map_err(|error| Error::Row { row: format!("entries/{name}"), problem: error.to_string() })
        })
        .transpose()
    }

    /// Keys that begin with a prefix, sorted.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn entry_names(
        &self,
        scope: &Scope,
        prefix: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(
            "SELECT name FROM entries WHERE scope = $1 AND substr(name, 1, $2) = $3 \
             AND (expires_at IS NULL OR expires_at > $4) ORDER BY name LIMIT $5",
        )
        .bind(scope.key())
        .bind(i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX))
        .bind(prefix.to_owned())
        .bind(to_ms(now))
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await
        .map_err(read)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Changes the value under a key in one piece: `change` sees what is there and answers what shall be (`None`: nothing), and
    /// what to tell the caller.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn change_entry<T, F>(
        &self,
        scope: &Scope,
        name: &str,
        now: Timestamp,
        most: u32,
        change: F,
    ) -> Result<Result<T, EntryLimit>, Error>
    where
        T: Send + 'static,
        F: FnOnce(Option<Value>) -> (Change, T) + Send + 'static,
    {
        let scope = scope.key();
        let name = name.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                let now = to_ms(now);
                let row =
                    sqlx::query("SELECT value, expires_at FROM entries WHERE scope = $1 AND name = $2")
                        .bind(scope.clone())
                        .bind(name.clone())
                        .fetch_optional(&mut *connection)
                        .await?;
                let there = row.is_some();
                let old = row
                    .filter(|row| row.get::<Option<i64>, _>(1).is_none_or(|expires| expires > now))
                    .and_then(|row| serde_json::from_str(row.get(0)).ok());
                let (change, told) = change(old);
                match change {
                    Change::Keep => {}
                    Change::Remove => {
                        sqlx::query("DELETE FROM entries WHERE scope = $1 AND name = $2")
                            .bind(scope)
                            .bind(name)
                            .execute(&mut *connection)
                            .await?;
                    }
                    Change::Set { value, expires_at } => {
                        if !there && is_full(connection, &scope, now, most).await? {
                            return Ok(Err(EntryLimit));
                        }
                        sqlx::query(
                            "INSERT INTO entries (scope, name, value, expires_at) VALUES ($1, $2, $3, $4) \
                             ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
                        )
                        .bind(scope)
                        .bind(name)
                        .bind(value.to_string())
                        .bind(expires_at.map(to_ms))
                        .execute(&mut *connection)
                        .await?;
                    }
                }
                Ok(Ok(told))
            })
        })
        .await
    }
}

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// It goes.
    Remove,
    /// It holds this.
    Set {
        /// The new value.
        value: Value,
        /// When it goes by itself.
        expires_at: Option<Timestamp>,
    },
}

async fn is_full(connection: &mut SqliteConnection, scope: &str, now: i64, most: u32) -> Result<bool, sqlx::Error> {
    sqlx::query("DELETE FROM entries WHERE scope = $1 AND expires_at <= $2")
        .bind(scope.to_owned())
        .bind(now)
        .execute(&mut *connection)
        .await?;
    let count: i64 = sqlx::query("SELECT COUNT(*) FROM entries WHERE scope = $1")
        .bind(scope.to_owned())
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    Ok(count >= i64::from(most))
}
