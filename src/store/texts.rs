//! Texts: what bots wrote, and the prints by which the fleet finds that something was said before.
//!
//! The very words of one account are nobody else's as long as their print is kept.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Error, Store, read, to_ms};
use crate::model::name::BotId;
use crate::text::Prints;

/// Most texts that are looked at because they share a band.
const CANDIDATES: i64 = 40;

/// A text that an action says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its print.
    pub print: i64,
    /// Whether nobody else may say it.
    pub is_sole: bool,
}

impl Store {
    /// What a bot wrote since some time, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn texts_since(&self, bot: &BotId, since: Timestamp, limit: u32) -> Result<Vec<String>, Error> {
        let rows = sqlx::query("SELECT words FROM texts WHERE bot = $1 AND at > $2 ORDER BY at DESC LIMIT $3")
            .bind(bot.to_string())
            .bind(to_ms(since))
            .bind(i64::from(limit))
            .fetch_all(&self.reads)
            .await
            .map_err(read)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Whether somebody of the fleet has said these very words, or is about to.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn has_print(&self, print: i64) -> Result<bool, Error> {
        let row = sqlx::query("SELECT 1 FROM prints WHERE print = $1").bind(print).fetch_optional(&self.reads).await;
        Ok(row.map_err(read)?.is_some())
    }

    /// Texts of other bots since some time that are likely like the one with these prints.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn texts_near(&self, bot: &BotId, prints: &Prints, since: Timestamp) -> Result<Vec<String>, Error> {
        let Some(bands) = prints.bands else { return Ok(Vec::new()) };
        let mut sql = sqlx::QueryBuilder::new(
            "SELECT DISTINCT texts.rowid, words FROM bands JOIN texts ON texts.rowid = text WHERE band IN (",
        );
        let mut places = sql.separated(", ");
        for band in bands {
            places.push_bind(band);
        }
        sql.push(") AND bands.at > ").push_bind(to_ms(since));
        sql.push(" AND bot <> ").push_bind(bot.to_string());
        sql.push(" LIMIT ").push_bind(CANDIDATES);
        let rows = sql.build().fetch_all(&self.reads).await.map_err(read)?;
        Ok(rows.iter().map(|row| row.get(1)).collect())
    }
}

/// Claims the very words of an action for it; none of them [`is_taken`].
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    intent: i64,
    claims: &[Claim],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    for Claim { print, .. } in claims {
        // An action may say the same in two places.
        sqlx::query("INSERT INTO prints (print, intent, at) VALUES ($1, $2, $3) ON CONFLICT (print) DO NOTHING")
            .bind(print)
            .bind(intent)
            .bind(to_ms(at))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Whether one of these prints is taken.
pub(super) async fn is_taken(connection: &mut SqliteConnection, claims: &[Claim]) -> Result<bool, sqlx::Error> {
    for Claim { print, .. } in claims.iter().filter(|claim| claim.is_sole) {
        let row =
            sqlx::query("SELECT 1 FROM prints WHERE print = $1").bind(print).fetch_optional(&mut *connection).await?;
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives back what an action that did not happen had claimed.
pub(super) async fn give_back(connection: &mut SqliteConnection, intent: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM prints WHERE intent = $1").bind(intent).execute(connection).await?;
    Ok(())
}

/// Keeps what a bot wrote.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    bot: &BotId,
    at: Timestamp,
    words: String,
) -> Result<(), sqlx::Error> {
    let bands = Prints::of(&words).and_then(|prints| prints.bands);
    let text: i64 = sqlx::query("INSERT INTO texts (bot, at, words) VALUES ($1, $2, $3) RETURNING rowid")
        .bind(bot.to_string())
        .bind(to_ms(at))
        .bind(words)
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    for band in bands.into_iter().flatten() {
        sqlx::query("INSERT INTO bands (band, text, at) VALUES ($1, $2, $3) ON CONFLICT (band, text) DO NOTHING")
            .bind(band)
            .bind(text)
            .bind(to_ms(at))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Drops texts and prints from before a time, and from before another what finds near ones.
pub(super) async fn prune(connection: &mut SqliteConnection, before: i64, near: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM texts WHERE at < $1").bind(before).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM prints WHERE at < $1").bind(before).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM bands WHERE at < $1").bind(near.max(before)).execute(&mut *connection).await?;
    Ok(())
}
