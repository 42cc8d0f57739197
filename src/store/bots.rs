//! Bots: one row each, with the state, the next wake-up and what holds it.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::writer::Extent;
use super::{Error, Store, from_ms, journal, read, to_ms};
use crate::model::activity::{Activity, NewActivity};
use crate::model::name::{BotId, PersonaName, VersionId};
use crate::model::status::Rest;

/// A bot as it is kept, without its state.
#[derive(Debug, Clone, PartialEq)]
pub struct BotRow {
    /// Which bot.
    pub id: BotId,
    /// Its account's username.
    pub username: String,
    /// The name shown.
    pub name: String,
    /// The gallery's id of its account, once it has one.
    pub account: Option<String>,
    /// When it came into being.
    pub born_at: Timestamp,
    /// When it left the roster.
    pub retired_at: Option<Timestamp>,
    /// How many ticks it has lived.
    pub tick: u64,
    /// The version that ran its last tick.
    pub version: Option<VersionId>,
    /// When it wakes.
    pub wake_at: Timestamp,
    /// What decided that.
    pub wake_why: Rest,
    /// Which visit of its life, from 1; 0 before the first.
    pub visit: u64,
    /// Which tick of the visit, from 1.
    pub visit_tick: u32,
    /// How many ticks the visit still plans.
    pub visit_left: u32,
    /// Ticks that went wrong in a row.
    pub failures: u32,
    /// What went wrong last.
    pub error: String,
    /// What keeps it from waking.
    pub hold: Option<Hold>,
}

/// What keeps a bot from waking.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    /// Who did it.
    pub kind: HoldKind,
    /// In words.
    pub reason: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// An operator's pause and a quarantine are two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldKind {
    /// An operator paused it.
    Paused,
    /// Its script went wrong too often.
    Quarantined,
}

impl HoldKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A bot that the roster asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBot {
    /// Which bot.
    pub id: BotId,
    /// Its account's username.
    pub username: String,
    /// The name shown.
    pub name: String,
    /// When it comes into being.
    pub born_at: Timestamp,
    /// When it first wakes.
    pub wake_at: Timestamp,
}

/// What a tick leaves, written in one piece.
#[derive(Debug, Clone, PartialEq)]
pub struct TickRow {
    /// Which bot.
    pub id: BotId,
    /// Its new state as JSON; `None` leaves the old one.
    pub state: Option<String>,
    /// How many ticks it has lived.
    pub tick: u64,
    /// The version that ran the tick; `None` leaves what was there.
    pub version: Option<VersionId>,
    /// When it wakes next.
    pub wake_at: Timestamp,
    /// What decided that.
    pub wake_why: Rest,
    /// The visit after the tick.
    pub visit: u64,
    /// Ticks of it so far.
    pub visit_tick: u32,
    /// Ticks of it to come.
    pub visit_left: u32,
    /// Ticks that went wrong in a row.
    pub failures: u32,
    /// What went wrong, or empty.
    pub error: String,
    /// Whether it goes into quarantine.
    pub hold: Option<Hold>,
    /// Events that were handed to the script.
    pub delivered: Vec<i64>,
    /// When the tick ended.
    pub at: Timestamp,
    /// What there is to tell.
    pub activities: Vec<NewActivity>,
}

const COLUMNS: &str = "SELECT id, username, name, account, born_at, retired_at, tick, version, wake_at, wake_why, wake_by, \
     visit, visit_tick, visit_left, failures, error, held, held_reason, held_until FROM bots ORDER BY persona, place";

impl Store {
    /// Every bot there ever was, retired ones too, by persona and place.
    ///
    /// # Errors
    /// When the read fails or a row is not understood.
    pub async fn bots(&self) -> Result<Vec<BotRow>, Error> {
        let rows = sqlx::query(COLUMNS).fetch_all(&self.reads).await.map_err(read)?;
        rows.iter().map(bot).collect()
    }

    /// A bot's state as JSON; `None` before its first tick.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn state(&self, id: &BotId) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT state FROM bots WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reads)
            .await
            .map_err(read)?;
        Ok(row.and_then(|row| row.get(0)))
    }

    /// Changes a bot's state between two ticks; false when it has lived another tick since, and then nothing is changed.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn set_state(&self, id: &BotId, tick: u64, state: String) -> Result<bool, Error> {
        let id = id.to_string();
        self.write_one(move |connection| {
            Box::pin(async move {
                let done = sqlx::query("UPDATE bots SET state = $3 WHERE id = $1 AND tick = $2")
                    .bind(id)
                    .bind(tick.cast_signed())
                    .bind(state)
                    .execute(&mut *connection)
                    .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Brings bots into being, or back from retirement with all they had.
    ///
    /// # Errors
    /// When the write fails, for instance because another bot has the username.
    pub async fn add_bots(&self, bots: Vec<NewBot>) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                for bot in bots {
                    sqlx::query(
                        "INSERT INTO bots (id, persona, place, username, name, born_at, wake_at, wake_why) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, 'next_visit') \
                         ON CONFLICT (id) DO UPDATE SET retired_at = NULL, wake_at = excluded.wake_at, \
                         wake_why = 'next_visit', wake_by = ''",
                    )
                    .bind(bot.id.to_string())
                    .bind(bot.id.persona.as_str().to_owned())
                    .bind(i64::from(bot.id.index))
                    .bind(bot.username)
                    .bind(bot.name)
                    .bind(to_ms(bot.born_at))
                    .bind(to_ms(bot.wake_at))
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Takes bots out of the roster; they keep all they have, and one that left before keeps the time it did.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn retire_bots(&self, bots: Vec<BotId>, at: Timestamp) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                for id in bots {
                    sqlx::query("UPDATE bots SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL")
                        .bind(id.to_string())
                        .bind(to_ms(at))
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Notes the account that the gallery gave a bot, or that it took it away; answers whether that was news.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn set_account(&self, id: &BotId, account: Option<String>) -> Result<bool, Error> {
        let id = id.to_string();
        self.write_one(move |connection| {
            Box::pin(async move {
                let done = sqlx::query("UPDATE bots SET account = $2 WHERE id = $1 AND account IS DISTINCT FROM $2")
                    .bind(id)
                    .bind(account)
                    .execute(&mut *connection)
                    .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Holds bots, or lets them go; answers when that is on disk.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn hold_bots(&self, bots: Vec<BotId>, hold: Option<Hold>) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                for id in bots {
                    let hold = hold.clone();
                    sqlx::query(
                        "UPDATE bots SET held = $2, held_reason = $3, held_until = $4, \
                         failures = CASE WHEN $2 = '' THEN 0 ELSE failures END WHERE id = $1",
                    )
                    .bind(id.to_string())
                    .bind(hold.as_ref().map_or("", |hold| hold.kind.as_str()))
                    .bind(hold.as_ref().map_or(String::new(), |hold| hold.reason.clone()))
                    .bind(hold.and_then(|hold| hold.until).map(to_ms))
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Moves wake-ups, for instance of bots that overslept while the host was down.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn set_wakes(&self, wakes: Vec<(BotId, Timestamp, Rest)>) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                for (id, at, why) in wakes {
                    sqlx::query("UPDATE bots SET wake_at = $2, wake_why = $3, wake_by = $4 WHERE id = $1")
                        .bind(id.to_string())
                        .bind(to_ms(at))
                        .bind(why.as_str())
                        .bind(told_by(&why))
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Writes all that a tick leaves in one piece, and answers the activities with their rows.
    ///
    /// # Errors
    /// When the write fails; then nothing of the tick was kept.
    pub async fn commit_tick(&self, tick: TickRow) -> Result<Vec<Activity>, Error> {
        let is_plain = tick.hold.is_none() && tick.delivered.is_empty() && tick.activities.is_empty();
        let extent = if is_plain { Extent::One } else { Extent::Many };
        self.write_as(extent, move |connection| {
            Box::pin(async move {
                let id = tick.id.to_string();
                sqlx::query(
                    "UPDATE bots SET state = COALESCE($2, state), tick = $3, version = COALESCE($4, version), wake_at = $5, \
                     wake_why = $6, wake_by = $7, visit = $8, visit_tick = $9, visit_left = $10, failures = $11, \
                     error = $12 WHERE id = $1",
                )
                .bind(id.clone())
                .bind(tick.state)
                .bind(tick.tick.cast_signed())
                .bind(tick.version.map(|version| version.as_str().to_owned()))
                .bind(to_ms(tick.wake_at))
                .bind(tick.wake_why.as_str())
                .bind(told_by(&tick.wake_why))
                .bind(tick.visit.cast_signed())
                .bind(i64::from(tick.visit_tick))
                .bind(i64::from(tick.visit_left))
                .bind(i64::from(tick.failures))
                .bind(tick.error)
                .execute(&mut *connection)
                .await?;
                if let Some(hold) = tick.hold {
                    sqlx::query("UPDATE bots SET held = $2, held_reason = $3, held_until = $4 WHERE id = $1 AND held <> 'paused'")
                        .bind(id)
                        .bind(hold.kind.as_str())
                        .bind(hold.reason)
                        .bind(hold.until.map(to_ms))
                        .execute(&mut *connection)
                        .await?;
                }
                for event in tick.delivered {
                    sqlx::query("UPDATE events SET delivered_at = $2 WHERE id = $1")
                        .bind(event)
                        .bind(to_ms(tick.at))
                        .execute(&mut *connection)
                        .await?;
                }
                let mut activities = Vec::with_capacity(tick.activities.len());
                for activity in tick.activities {
                    activities.push(journal::insert(connection, activity).await?);
                }
                Ok(activities)
            })
        })
        .await
    }
}

fn told_by(why: &Rest) -> String {
    match why {
        Rest::Told { by } => by.clone(),
        Rest::Pause | Rest::NextVisit | Rest::Night | Rest::Asked => String::new(),
    }
}

fn bot(row: &SqliteRow) -> Result<BotRow, Error> {
    let id: String = row.get("id");
    let wrong = |problem: String| Error::Row { row: format!("bots/{id}"), problem };
    let why: String = row.get("wake_why");
    let held: String = row.get("held");
    let hold = match held.as_str() {
        "" => None,
        "paused" => Some(HoldKind::Paused),
        "quarantined" => Some(HoldKind::Quarantined),
        other => return Err(wrong(format!("held is `{other}`"))),
    };
    Ok(BotRow {
        id: id.parse().map_err(|error| wrong(format!("{error}")))?,
        username: row.get("username"),
        name: row.get("name"),
        account: row.get("account"),
        born_at: from_ms(row.get("born_at")),
        retired_at: row.get::<Option<i64>, _>("retired_at").map(from_ms),
        tick: row.get::<i64, _>("tick").cast_unsigned(),
        version: row.get::<Option<String>, _>("version").map(|digest| VersionId::new(&digest)),
        wake_at: from_ms(row.get("wake_at")),
        wake_why: match why.as_str() {
            "pause" => Rest::Pause,
            "next_visit" => Rest::NextVisit,
            "night" => Rest::Night,
            "asked" => Rest::Asked,
            "told" => Rest::Told { by: row.get("wake_by") },
            other => return Err(wrong(format!("wake_why is `{other}`"))),
        },
        visit: row.get::<i64, _>("visit").cast_unsigned(),
        visit_tick: small(row.get("visit_tick")),
        visit_left: small(row.get("visit_left")),
        failures: small(row.get("failures")),
        error: row.get("error"),
        hold: hold.map(|kind| Hold {
            kind,
            reason: row.get("held_reason"),
            until: row.get::<Option<i64>, _>("held_until").map(from_ms),
        }),
    })
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX })
}

/// The name of a persona in a row, for other tables.
pub(super) fn persona(name: Option<String>) -> Option<PersonaName> {
    name.and_then(|name| PersonaName::new(&name).ok())
}
