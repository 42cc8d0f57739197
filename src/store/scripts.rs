//! Accepted script versions with their files, and small settings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::name::{PersonaName, VersionId};

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
        let row = sqlx::query(
            "SELECT id, files, accepted_at FROM scripts WHERE persona = $1 ORDER BY accepted_at DESC, id LIMIT 1",
        )
        .bind(persona.as_str().to_owned())
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.get(0);
        let files = serde_json::from_str(row.get(1))
            .map_err(|error| Error::Row { row: format!("scripts/{id}"), problem: error.to_string() })?;
        Ok(Some(StoredVersion {
            id: VersionId::new(&id),
            persona: persona.clone(),
            files,
            accepted_at: from_ms(row.get(2)),
        }))
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
