//! Accepted script versions with their files and how they fared, and small settings.
//!
//! A version that was accepted can be run again as it was, for as long as it is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::name::{PersonaName, VersionId};
use crate::model::tally::Tally;

/// A version that was accepted once, with everything needed to run it again.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVersion {
    /// Its digest.
    pub id: VersionId,
    /// Whose it is.
    pub persona: PersonaName,
    /// Every file it is made of, by its path under `scripts`.
    pub files: BTreeMap<String, String>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// A version without its files.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// Its digest.
    pub id: VersionId,
    /// When it was accepted last.
    pub accepted_at: Timestamp,
    /// What its ticks came to, but for those of the last seconds.
    pub tally: Tally,
}

impl Store {
    /// Keeps an accepted version; one that is there already stays as it was.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn add_version(&self, version: StoredVersion) -> Result<(), Error> {
        let files =
            serde_json::Value::Object(version.files.into_iter().map(|(path, text)| (path, text.into())).collect());
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO scripts (id, persona, files, accepted_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (id) DO UPDATE SET accepted_at = excluded.accepted_at",
                )
                .bind(version.id.as_str().to_owned())
                .bind(version.persona.as_str().to_owned())
                .bind(files.to_string())
                .bind(to_ms(version.accepted_at))
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The version of a persona that was accepted last.
    ///
    /// # Errors
    /// When the read fails or the row is not understood.
    pub async fn last_version(&self, persona: &PersonaName) -> Result<Option<StoredVersion>, Error> {
        let query = sqlx::query(
            "SELECT id, persona, files, accepted_at FROM scripts WHERE persona = $1 ORDER BY accepted_at DESC, id LIMIT 1",
        );
        let row = query.bind(persona.as_str().to_owned()).fetch_optional(&self.reads).await.map_err(read)?;
        row.as_ref().map(stored).transpose()
    }

    /// One version with its files; `None` when it is not kept.
    ///
    /// # Errors
    /// When the read fails or the row is not understood.
    pub async fn version(&self, id: &VersionId) -> Result<Option<StoredVersion>, Error> {
        let query = sqlx::query("SELECT id, persona, files, accepted_at FROM scripts WHERE id = $1");
        let row = query.bind(id.as_str().to_owned()).fetch_optional(&self.reads).await.map_err(read)?;
        row.as_ref().map(stored).transpose()
    }

    /// Every version of a persona that is kept, the one accepted last first.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn versions(&self, persona: &PersonaName) -> Result<Vec<VersionRow>, Error> {
        let rows = sqlx::query(
            "SELECT id, accepted_at, ticks, errors, actions, refused, calls, cpu_micros FROM scripts WHERE persona = $1 \
             ORDER BY accepted_at DESC, id",
        )
        .bind(persona.as_str().to_owned())
        .fetch_all(&self.reads)
        .await
        .map_err(read)?;
        let count = |row: &SqliteRow, place: usize| row.get::<i64, _>(place).cast_unsigned();
        Ok(rows
            .iter()
            .map(|row| VersionRow {
                id: VersionId::new(row.get(0)),
                accepted_at: from_ms(row.get(1)),
                tally: Tally {
                    ticks: count(row, 2),
                    errors: count(row, 3),
                    actions: count(row, 4),
                    refused: count(row, 5),
                    calls: count(row, 6),
                    cpu_micros: count(row, 7),
                },
            })
            .collect())
    }

    /// Adds to what the ticks of some versions came to.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn add_tallies(&self, tallies: Vec<(VersionId, Tally)>) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                for (id, tally) in tallies {
                    sqlx::query(
                        "UPDATE scripts SET ticks = ticks + $2, errors = errors + $3, actions = actions + $4, \
                         refused = refused + $5, calls = calls + $6, cpu_micros = cpu_micros + $7 WHERE id = $1",
                    )
                    .bind(id.as_str().to_owned())
                    .bind(tally.ticks.cast_signed())
                    .bind(tally.errors.cast_signed())
                    .bind(tally.actions.cast_signed())
                    .bind(tally.refused.cast_signed())
                    .bind(tally.calls.cast_signed())
                    .bind(tally.cpu_micros.cast_signed())
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Drops all but the newest versions of a persona; one that a line names stays.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn prune_versions(&self, persona: &PersonaName, keep: u32) -> Result<(), Error> {
        let persona = persona.as_str().to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "DELETE FROM scripts WHERE persona = $1 AND id NOT IN \
                     (SELECT id FROM scripts WHERE persona = $1 ORDER BY accepted_at DESC, id LIMIT $2) \
                     AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.persona = $1 \
                     AND (lines.stable = scripts.id OR lines.canary = scripts.id OR lines.held_back = scripts.id))",
                )
                .bind(persona)
                .bind(i64::from(keep))
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// A setting.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT value FROM settings WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(&self.reads)
            .await
            .map_err(read)?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Changes a setting.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), Error> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                )
                .bind(name)
                .bind(value)
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

fn stored(row: &SqliteRow) -> Result<StoredVersion, Error> {
    let id: String = row.get("id");
    let wrong = |problem: String| Error::Row { row: format!("scripts/{id}"), problem };
    let persona: &str = row.get("persona");
    Ok(StoredVersion {
        persona: PersonaName::new(persona).map_err(|problem| wrong(problem.to_string()))?,
        files: serde_json::from_str(row.get("files")).map_err(|problem| wrong(problem.to_string()))?,
        accepted_at: from_ms(row.get("accepted_at")),
        id: VersionId::new(&id),
    })
}
