//! Which versions of each persona run: the one for everybody, and the one that is tried on a few.
//!
//! What an operator decided about versions outlives the process.

use jiff::Timestamp;
use sqlx::Row;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::name::{PersonaName, VersionId};

/// The versions of one persona.
#[derive(Debug, Clone, PartialEq)]
pub struct LineRow {
    /// Whose.
    pub persona: PersonaName,
    /// What its bots run, but for the canary's.
    pub stable: VersionId,
    /// Whether the files are left aside.
    pub is_pinned: bool,
    /// What was taken back and is not taken from the files again.
    pub held_back: Option<VersionId>,
    /// What is tried on a few.
    pub canary: Option<StoredCanary>,
    /// What was decided last, and when; empty when nothing was.
    pub verdict: (String, Timestamp),
}

/// A version that is tried on a few.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCanary {
    /// Which.
    pub id: VersionId,
    /// Since when.
    pub since: Timestamp,
    /// Whether the whole share has it.
    pub is_whole: bool,
}

impl Store {
    /// Every persona's line.
    ///
    /// # Errors
    /// When the read fails or a row is not understood.
    pub async fn lines(&self) -> Result<Vec<LineRow>, Error> {
        let rows = sqlx::query(
            "SELECT persona, stable, pinned, held_back, canary, canary_since, canary_whole, verdict, verdict_at FROM lines",
        )
        .fetch_all(&self.reads)
        .await
        .map_err(read)?;
        let id = |digest: Option<String>| digest.map(|digest| VersionId::new(&digest));
        rows.iter()
            .map(|row| {
                let persona: &str = row.get(0);
                let wrong = |problem: String| Error::Row { row: format!("lines/{persona}"), problem };
                Ok(LineRow {
                    persona: PersonaName::new(persona).map_err(|problem| wrong(problem.to_string()))?,
                    stable: VersionId::new(row.get(1)),
                    is_pinned: row.get::<i64, _>(2) != 0,
                    held_back: id(row.get(3)),
                    canary: id(row.get(4)).map(|id| StoredCanary {
                        id,
                        since: from_ms(row.get::<Option<i64>, _>(5).unwrap_or(0)),
                        is_whole: row.get::<i64, _>(6) != 0,
                    }),
                    verdict: (row.get(7), from_ms(row.get::<Option<i64>, _>(8).unwrap_or(0))),
                })
            })
            .collect()
    }

    /// Keeps a persona's line as it is now.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn set_line(&self, line: LineRow) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO lines (persona, stable, pinned, held_back, canary, canary_since, canary_whole, verdict, \
                     verdict_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (persona) DO UPDATE SET \
                     stable = excluded.stable, pinned = excluded.pinned, held_back = excluded.held_back, \
                     canary = excluded.canary, canary_since = excluded.canary_since, canary_whole = excluded.canary_whole, \
                     verdict = excluded.verdict, verdict_at = excluded.verdict_at",
                )
                .bind(line.persona.as_str().to_owned())
                .bind(line.stable.as_str().to_owned())
                .bind(i64::from(line.is_pinned))
                .bind(line.held_back.map(|id| id.as_str().to_owned()))
                .bind(line.canary.as_ref().map(|canary| canary.id.as_str().to_owned()))
                .bind(line.canary.as_ref().map(|canary| to_ms(canary.since)))
                .bind(i64::from(line.canary.is_some_and(|canary| canary.is_whole)))
                .bind(line.verdict.0)
                .bind(to_ms(line.verdict.1))
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}
