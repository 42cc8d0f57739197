//! Activities and the audit of what operators did.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Error, Store, bots, from_ms, read, to_ms};
use crate::model::activity::{Activity, Ending, NewActivity};
use crate::model::name::{BotId, PersonaName};

/// Which activities to show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ActivityQuery {
    /// Only this bot's.
    pub bot: Option<BotId>,
    /// Only this persona's.
    pub persona: Option<PersonaName>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only those older than this one, newest first.
    pub before: Option<i64>,
    /// Only those newer than this one, oldest first.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// What an operator did.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Through which door.
    pub who: String,
    /// The command.
    pub what: String,
    /// What it concerned.
    pub target: String,
    /// The rest.
    pub detail: Value,
}

impl Store {
    /// Writes one activity.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn record(&self, activity: NewActivity) -> Result<Activity, Error> {
        self.write(move |connection| Box::pin(async move { insert(connection, activity).await })).await
    }

    /// Activities that fit, newest first, or oldest first with `after`.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn activities(&self, query: &ActivityQuery) -> Result<Vec<Activity>, Error> {
        let mut sql = sqlx::QueryBuilder::new(
            "SELECT id, at, bot, persona, kind, ending, target, words, detail FROM activities WHERE 1 = 1",
        );
        if let Some(bot) = &query.bot {
            sql.push(" AND bot = ").push_bind(bot.to_string());
        }
        if let Some(persona) = &query.persona {
            sql.push(" AND persona = ").push_bind(persona.as_str().to_owned());
        }
        if let Some(kind) = &query.kind {
            sql.push(" AND kind = ").push_bind(kind.clone());
        }
        if let Some(before) = query.before {
            sql.push(" AND id < ").push_bind(before);
        }
        if let Some(after) = query.after {
            sql.push(" AND id > ").push_bind(after);
        }
        sql.push(if query.after.is_some() { " ORDER BY id" } else { " ORDER BY id DESC" });
        sql.push(" LIMIT ").push_bind(i64::from(query.limit));
        let rows = sql.build().fetch_all(&self.reads).await.map_err(read)?;
        rows.iter().map(activity).collect()
    }

    /// The number of the newest activity, 0 when there is none.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn newest_activity(&self) -> Result<i64, Error> {
        let row =
            sqlx::query("SELECT COALESCE(MAX(id), 0) FROM activities").fetch_one(&self.reads).await.map_err(read)?;
        Ok(row.get(0))
    }

    /// How many activities of each kind and ending there were since some time.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn activity_totals(&self, since: Timestamp) -> Result<Vec<(String, Ending, u64)>, Error> {
        let rows = sqlx::query("SELECT kind, ending, COUNT(*) FROM activities WHERE at > $1 GROUP BY kind, ending")
            .bind(to_ms(since))
            .fetch_all(&self.reads)
            .await
            .map_err(read)?;
        Ok(rows
            .iter()
            .filter_map(|row| Some((row.get(0), Ending::parse(row.get(1))?, row.get::<i64, _>(2).cast_unsigned())))
            .collect())
    }

    /// Writes what an operator did.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn audit(&self, row: AuditRow) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO audit (at, who, what, target, detail) VALUES ($1, $2, $3, $4, $5)")
                    .bind(to_ms(row.at))
                    .bind(row.who)
                    .bind(row.what)
                    .bind(row.target)
                    .bind(row.detail.to_string())
                    .execute(&mut *connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// What operators did, newest first.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn audits(&self, limit: u32) -> Result<Vec<AuditRow>, Error> {
        let rows = sqlx::query("SELECT at, who, what, target, detail FROM audit ORDER BY id DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&self.reads)
            .await
            .map_err(read)?;
        Ok(rows
            .iter()
            .map(|row| AuditRow {
                at: from_ms(row.get(0)),
                who: row.get(1),
                what: row.get(2),
                target: row.get(3),
                detail: serde_json::from_str(row.get(4)).unwrap_or(Value::Null),
            })
            .collect())
    }
}

/// Inserts an activity inside somebody's transaction.
pub(super) async fn insert(connection: &mut SqliteConnection, activity: NewActivity) -> Result<Activity, sqlx::Error> {
    let id = sqlx::query(
        "INSERT INTO activities (at, bot, persona, kind, ending, target, words, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(to_ms(activity.at))
    .bind(activity.bot.as_ref().map(ToString::to_string))
    .bind(activity.persona.as_ref().map(|persona| persona.as_str().to_owned()))
    .bind(activity.kind.clone())
    .bind(activity.ending.as_str())
    .bind(activity.target.clone())
    .bind(activity.text.clone())
    .bind(activity.detail.to_string())
    .fetch_one(&mut *connection)
    .await?
    .get(0);
    Ok(Activity { id, what: activity })
}

fn activity(row: &SqliteRow) -> Result<Activity, Error> {
    let id: i64 = row.get("id");
    let ending: String = row.get("ending");
    let wrong = |problem: String| Error::Row { row: format!("activities/{id}"), problem };
    Ok(Activity {
        id,
        what: NewActivity {
            at: from_ms(row.get("at")),
            bot: row.get::<Option<String>, _>("bot").and_then(|bot| bot.parse().ok()),
            persona: bots::persona(row.get("persona")),
            kind: row.get("kind"),
            ending: Ending::parse(&ending).ok_or_else(|| wrong(format!("ending is `{ending}`")))?,
            target: row.get("target"),
            text: row.get("words"),
            detail: serde_json::from_str(row.get("detail")).unwrap_or(Value::Null),
        },
    })
}
