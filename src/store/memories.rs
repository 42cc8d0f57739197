//! Memories: what a bot saw, said, and to whom; bounded for each bot.

use jiff::Timestamp;
use sqlx::Row;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::name::BotId;

/// One memory.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMemory {
    /// A word: `saw`, `said`, `met`.
    pub kind: String,
    /// Whom or what it concerns.
    pub about: String,
    /// In words.
    pub text: String,
    /// How much it matters, 0 to 1.
    pub weight: f64,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Keeps a memory; the same kind and about is one memory. Above `most`, the lightest and oldest go first.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn remember(&self, bot: &BotId, memory: StoredMemory, most: u32) -> Result<(), Error> {
        let bot = bot.to_string();
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO memories (bot, kind, about, words, weight, at) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (bot, kind, about) DO UPDATE SET words = excluded.words, weight = excluded.weight, \
                     at = excluded.at",
                )
                .bind(bot.clone())
                .bind(memory.kind)
                .bind(memory.about)
                .bind(memory.text)
                .bind(memory.weight)
                .bind(to_ms(memory.at))
                .execute(&mut *connection)
                .await?;
                let count: i64 = sqlx::query("SELECT COUNT(*) FROM memories WHERE bot = $1")
                    .bind(bot.clone())
                    .fetch_one(&mut *connection)
                    .await?
                    .get(0);
                let most = i64::from(most);
                if count > most {
                    // A tenth at a time, so that a full memory does not sort itself at every new one. A day of age costs as
                    // much as a tenth of weight.
                    sqlx::query(
                        "DELETE FROM memories WHERE bot = $1 AND (kind, about) IN (SELECT kind, about FROM memories \
                         WHERE bot = $1 ORDER BY weight + at / 864000000.0 LIMIT $2)",
                    )
                    .bind(bot)
                    .bind(count - most + most / 10)
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A bot's memories, newest first, of one kind or about one thing where asked.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn memories(
        &self,
        bot: &BotId,
        kind: Option<&str>,
        about: Option<&str>,
    ) -> Result<Vec<StoredMemory>, Error> {
        let mut sql = sqlx::QueryBuilder::new("SELECT kind, about, words, weight, at FROM memories WHERE bot = ");
        sql.push_bind(bot.to_string());
        if let Some(kind) = kind {
            sql.push(" AND kind = ").push_bind(kind.to_owned());
        }
        if let Some(about) = about {
            sql.push(" AND about = ").push_bind(about.to_owned());
        }
        sql.push(" ORDER BY at DESC");
        let rows = sql.build().fetch_all(&self.reads).await.map_err(read)?;
        Ok(rows
            .iter()
            .map(|row| StoredMemory {
                kind: row.get(0),
                about: row.get(1),
                text: row.get(2),
                weight: row.get(3),
                at: from_ms(row.get(4)),
            })
            .collect())
    }

    /// Drops memories about something, of one kind where asked; answers how many.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn forget(&self, bot: &BotId, about: &str, kind: Option<&str>) -> Result<u64, Error> {
        let bot = bot.to_string();
        let about = about.to_owned();
        let kind = kind.map(str::to_owned);
        self.write(move |connection| {
            Box::pin(async move {
                let done =
                    sqlx::query("DELETE FROM memories WHERE bot = $1 AND about = $2 AND ($3 IS NULL OR kind = $3)")
                        .bind(bot)
                        .bind(about)
                        .bind(kind)
                        .execute(&mut *connection)
                        .await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }
}
