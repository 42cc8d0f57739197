//! What plugins keep: their state, whether they are paused, and when their timers ran last.
//!
//! The state of a call and the run of its timer are one write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::plugin::PluginName;

/// What is kept of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginRow {
    /// Its state as JSON, once it has one.
    pub state: Option<String>,
    /// Why an operator paused it, if one did.
    pub paused: Option<String>,
    /// When each timer ran last.
    pub timers: BTreeMap<String, Timestamp>,
}

impl Store {
    /// What is kept of a plugin; nothing at all is kept of a new one.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn plugin(&self, name: &PluginName) -> Result<PluginRow, Error> {
        let name = name.as_str().to_owned();
        let row = sqlx::query("SELECT state, paused FROM plugins WHERE name = $1")
            .bind(name.clone())
            .fetch_optional(&self.reads)
            .await
            .map_err(read)?;
        let timers = sqlx::query("SELECT timer, ran_at FROM plugin_timers WHERE plugin = $1")
            .bind(name)
            .fetch_all(&self.reads)
            .await
            .map_err(read)?;
        Ok(PluginRow {
            state: row.as_ref().and_then(|row| row.get(0)),
            paused: row.as_ref().and_then(|row| row.get(1)),
            timers: timers.iter().map(|row| (row.get(0), from_ms(row.get(1)))).collect(),
        })
    }

    /// Keeps what a call of a plugin left: its state, when that changed, and the timers that ran.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn keep_plugin(
        &self,
        name: &PluginName,
        state: Option<String>,
        ran: Vec<(String, Timestamp)>,
    ) -> Result<(), Error> {
        let name = name.as_str().to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                if let Some(state) = state {
                    sqlx::query(
                        "INSERT INTO plugins (name, state) VALUES ($1, $2) \
                         ON CONFLICT (name) DO UPDATE SET state = excluded.state",
                    )
                    .bind(name.clone())
                    .bind(state)
                    .execute(&mut *connection)
                    .await?;
                }
                for (timer, at) in ran {
                    sqlx::query(
                        "INSERT INTO plugin_timers (plugin, timer, ran_at) VALUES ($1, $2, $3) \
                         ON CONFLICT (plugin, timer) DO UPDATE SET ran_at = excluded.ran_at",
                    )
                    .bind(name.clone())
                    .bind(timer)
                    .bind(to_ms(at))
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Keeps why a plugin is paused, or that it is not.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn pause_plugin(&self, name: &PluginName, reason: Option<String>) -> Result<(), Error> {
        let name = name.as_str().to_owned();
        self.write_one(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO plugins (name, paused) VALUES ($1, $2) \
                     ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
                )
                .bind(name)
                .bind(reason)
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}
