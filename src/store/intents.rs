//! Intents: a row before every effect, settled after it.
//!
//! A tick that is tried again finds what it did the first time, so nothing is done twice.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Claim, Error, Store, from_ms, journal, read, texts, to_ms};
use crate::model::action::{ActionKind, Intent, IntentState, NewIntent};
use crate::model::activity::{Activity, NewActivity};
use crate::model::name::BotId;

/// What opening an intent found.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// A new row: act now.
    New(i64),
    /// This very action of this very tick has been begun before, and this is what came of it.
    Before(Intent),
    /// The bot has done this to the target in an earlier tick.
    Done(Intent),
    /// Somebody of the fleet has said the very same.
    Said,
}

/// How many actions of one kind a bot has done since some time, with the time of the oldest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionCounts {
    /// Which kind.
    pub kind: ActionKind,
    /// Within the last hour.
    pub hour: u32,
    /// The oldest within the last hour.
    pub hour_oldest: Option<Timestamp>,
    /// Within the last day.
    pub day: u32,
    /// The oldest within the last day.
    pub day_oldest: Timestamp,
    /// The newest of them.
    pub last: Timestamp,
}

impl Store {
    /// Writes down that an action is about to happen, unless it has begun before.
    ///
    /// With `once`, an action of the same kind on the same target that happened, or may have, in any tick stands in its way.
    ///
    /// # Errors
    /// When the write fails; then the action must not happen.
    pub async fn open_intent(&self, intent: NewIntent, once: bool) -> Result<Opened, Error> {
        self.open_speaking(intent, once, Vec::new()).await
    }

    /// The same for an action that says something: its texts are claimed with it, and one that is another's stands
    /// in its way.
    ///
    /// # Errors
    /// As [`Store::open_intent`].
    pub async fn open_speaking(&self, intent: NewIntent, once: bool, claims: Vec<Claim>) -> Result<Opened, Error> {
        self.write(move |connection| Box::pin(async move { open(connection, intent, once, &claims).await })).await?
    }

    /// What this very action of this very tick came to the first time the tick was tried.
    ///
    /// # Errors
    /// When the read fails or the row is not understood.
    pub async fn intent_of_tick(&self, intent: &NewIntent, same_target: bool) -> Result<Option<Intent>, Error> {
        let row = sqlx::query(
            "SELECT id, bot, tick, ordinal, kind, target, payload, state, outcome, at FROM intents \
             WHERE bot = $1 AND tick = $2 AND kind = $3 AND ordinal = $4 AND state <> 'failed' ORDER BY id DESC LIMIT 1",
        )
        .bind(intent.bot.to_string())
        .bind(intent.tick.cast_signed())
        .bind(intent.kind.as_str())
        .bind(i64::from(intent.ordinal))
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        let before = row.as_ref().map(self::intent).transpose()?;
        Ok(before.filter(|before| !same_target || before.what.target == intent.target))
    }

    /// Writes down what came of an action, with the activity and, when it said something, its words.
    ///
    /// # Errors
    /// When the write fails; the intent then stays open and is looked up at the next start.
    pub async fn settle_intent(
        &self,
        id: i64,
        state: IntentState,
        outcome: Value,
        words: Option<String>,
        activity: NewActivity,
    ) -> Result<Activity, Error> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE intents SET state = $2, outcome = $3 WHERE id = $1")
                    .bind(id)
                    .bind(state.as_str())
                    .bind(outcome.to_string())
                    .execute(&mut *connection)
                    .await?;
                if state == IntentState::Failed {
                    texts::give_back(connection, id).await?;
                }
                if let (Some(words), Some(bot)) = (words, &activity.bot) {
                    texts::keep(connection, bot, activity.at, words).await?;
                }
                journal::insert(connection, activity).await
            })
        })
        .await
    }

    /// Actions that were begun and never settled, oldest first: what a crash left.
    ///
    /// # Errors
    /// When the read fails or a row is not understood.
    pub async fn open_intents(&self) -> Result<Vec<Intent>, Error> {
        let query = sqlx::query(
            "SELECT id, bot, tick, ordinal, kind, target, payload, state, outcome, at FROM intents \
             WHERE state = 'open' ORDER BY id",
        );
        query.fetch_all(&self.reads).await.map_err(read)?.iter().map(intent).collect()
    }

    /// A bot's actions of one kind, of other ticks, of which nobody knows yet or for ever whether they happened; oldest first.
    ///
    /// # Errors
    /// When the read fails or a row is not understood.
    pub async fn doubtful_intents(&self, bot: &BotId, kind: ActionKind, tick: u64) -> Result<Vec<Intent>, Error> {
        let query = sqlx::query(
            "SELECT id, bot, tick, ordinal, kind, target, payload, state, outcome, at FROM intents \
             WHERE bot = $1 AND kind = $2 AND tick <> $3 AND state IN ('open', 'unknown') ORDER BY id",
        )
        .bind(bot.to_string())
        .bind(kind.as_str())
        .bind(tick.cast_signed());
        query.fetch_all(&self.reads).await.map_err(read)?.iter().map(intent).collect()
    }

    /// What a bot did in the last hour and day, by kind; refused and failed actions do not count.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn action_counts(&self, bot: &BotId, now: Timestamp) -> Result<Vec<ActionCounts>, Error> {
        let hour = to_ms(now) - 3_600_000;
        let day = to_ms(now) - 86_400_000;
        let rows = sqlx::query(
            "SELECT kind, SUM(CASE WHEN at > $2 THEN 1 ELSE 0 END), COUNT(*), MAX(at), MIN(at), \
             MIN(CASE WHEN at > $2 THEN at END) FROM intents \
             WHERE bot = $1 AND at > $3 AND state <> 'failed' GROUP BY kind",
        )
        .bind(bot.to_string())
        .bind(hour)
        .bind(day)
        .fetch_all(&self.reads)
        .await
        .map_err(read)?;
        Ok(rows
            .iter()
            .filter_map(|row| {
                Some(ActionCounts {
                    kind: ActionKind::parse(row.get(0))?,
                    hour: u32::try_from(row.get::<i64, _>(1)).unwrap_or(u32::MAX),
                    day: u32::try_from(row.get::<i64, _>(2)).unwrap_or(u32::MAX),
                    last: from_ms(row.get(3)),
                    day_oldest: from_ms(row.get(4)),
                    hour_oldest: row.get::<Option<i64>, _>(5).map(from_ms),
                })
            })
            .collect())
    }

    /// Whether a bot has done this to a target, or may have.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn has_done(&self, bot: &BotId, kind: ActionKind, target: &str) -> Result<bool, Error> {
        let row = sqlx::query(
            "SELECT 1 FROM intents WHERE bot = $1 AND kind = $2 AND target = $3 AND state <> 'failed' LIMIT 1",
        )
        .bind(bot.to_string())
        .bind(kind.as_str())
        .bind(target.to_owned())
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        Ok(row.is_some())
    }

    /// Whether a bot has commented on a post or answered somebody there, in an earlier tick than this one.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn has_commented(&self, bot: &BotId, post: &str, tick: u64) -> Result<bool, Error> {
        let answer = format!("{post}#");
        let row = sqlx::query(
            "SELECT 1 FROM intents WHERE bot = $1 AND kind = 'comment' AND state <> 'failed' AND tick <> $2 \
             AND (target = $3 OR substr(target, 1, $4) = $5) LIMIT 1",
        )
        .bind(bot.to_string())
        .bind(tick.cast_signed())
        .bind(post.to_owned())
        .bind(i64::try_from(answer.chars().count()).unwrap_or(i64::MAX))
        .bind(answer)
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        Ok(row.is_some())
    }

    /// The newest of a bot's actions of a kind on a target, with its time.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn last_done(&self, bot: &BotId, kind: ActionKind, target: &str) -> Result<Option<Intent>, Error> {
        let row = sqlx::query(
            "SELECT id, bot, tick, ordinal, kind, target, payload, state, outcome, at FROM intents \
             WHERE bot = $1 AND kind = $2 AND target = $3 AND state <> 'failed' ORDER BY id DESC LIMIT 1",
        )
        .bind(bot.to_string())
        .bind(kind.as_str())
        .bind(target.to_owned())
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        row.as_ref().map(intent).transpose()
    }

    /// Drops what no rule looks at any more: settled pictures and failures older than `before`, old texts and expired entries; what
    /// finds near texts is dropped when it is older than `near`.
    ///
    /// Events stay: their rows are what keeps the same comment from being told twice.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn prune(&self, before: Timestamp, near: Timestamp) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                prune_rows(connection, to_ms(before), to_ms(near)).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Writes an intent down, unless one stands in its way.
pub(super) async fn open(
    connection: &mut SqliteConnection,
    intent: NewIntent,
    once: bool,
    claims: &[Claim],
) -> Result<Result<Opened, Error>, sqlx::Error> {
    let before = sqlx::query(
        "SELECT id, bot, tick, ordinal, kind, target, payload, state, outcome, at FROM intents \
         WHERE bot = $1 AND tick = $2 AND kind = $3 AND ordinal = $4 AND state <> 'failed' \
         ORDER BY id DESC LIMIT 1",
    )
    .bind(intent.bot.to_string())
    .bind(intent.tick.cast_signed())
    .bind(intent.kind.as_str())
    .bind(i64::from(intent.ordinal))
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = before {
        // A choice on another target than the first time is another action; what it does once it does once.
        // A row that is not understood stands in the way too: whether it happened cannot be told.
        let row = self::intent(&row);
        if row.as_ref().map_or(true, |row| row.what.target == intent.target || !once) {
            return Ok(row.map(Opened::Before));
        }
    }
    if once {
        let done = sqlx::query(
            "SELECT id, bot, tick, ordinal, kind, target, payload, state, outcome, at FROM intents \
             WHERE bot = $1 AND kind = $2 AND target = $3 AND state <> 'failed' ORDER BY id DESC LIMIT 1",
        )
        .bind(intent.bot.to_string())
        .bind(intent.kind.as_str())
        .bind(intent.target.clone())
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(row) = done {
            return Ok(self::intent(&row).map(Opened::Done));
        }
    }
    if texts::is_taken(connection, claims).await? {
        return Ok(Ok(Opened::Said));
    }
    let at = intent.at;
    let id = sqlx::query(
        "INSERT INTO intents (bot, tick, ordinal, kind, target, payload, state, outcome, at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'open', 'null', $7) RETURNING id",
    )
    .bind(intent.bot.to_string())
    .bind(intent.tick.cast_signed())
    .bind(i64::from(intent.ordinal))
    .bind(intent.kind.as_str())
    .bind(intent.target)
    .bind(intent.payload.to_string())
    .bind(to_ms(intent.at))
    .fetch_one(&mut *connection)
    .await?
    .get(0);
    texts::claim(connection, id, claims, at).await?;
    Ok(Ok(Opened::New(id)))
}

async fn prune_rows(connection: &mut SqliteConnection, before: i64, near: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM intents WHERE at < $1 AND state <> 'open' AND (kind IN ('generate', 'share') OR state = 'failed')",
    )
    .bind(before)
    .execute(&mut *connection)
    .await?;
    texts::prune(connection, before, near).await?;
    sqlx::query("DELETE FROM entries WHERE expires_at < $1").bind(before).execute(&mut *connection).await?;
    Ok(())
}

fn intent(row: &SqliteRow) -> Result<Intent, Error> {
    let id: i64 = row.get("id");
    let wrong = |problem: String| Error::Row { row: format!("intents/{id}"), problem };
    let json = |name: &str| -> Result<Value, Error> {
        serde_json::from_str(row.get(name)).map_err(|error| wrong(format!("{name}: {error}")))
    };
    let bot: String = row.get("bot");
    let kind: String = row.get("kind");
    let state: String = row.get("state");
    Ok(Intent {
        id,
        what: NewIntent {
            bot: bot.parse().map_err(|error| wrong(format!("{error}")))?,
            tick: row.get::<i64, _>("tick").cast_unsigned(),
            ordinal: u32::try_from(row.get::<i64, _>("ordinal")).unwrap_or(0),
            kind: ActionKind::parse(&kind).ok_or_else(|| wrong(format!("kind is `{kind}`")))?,
            target: row.get("target"),
            payload: json("payload")?,
            at: from_ms(row.get("at")),
        },
        state: IntentState::parse(&state).ok_or_else(|| wrong(format!("state is `{state}`")))?,
        outcome: json("outcome")?,
    })
}
