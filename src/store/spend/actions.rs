//! Actions of the whole fleet: counted in real time, beside what models cost.
//!
//! An action is counted in the same write that opens its intent, so no cap is passed and none is counted twice.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::counted_at;
use super::counters::{Told, tell_of};
use crate::model::action::NewIntent;
use crate::model::spend::{ActionCaps, Period, Scope};
use crate::store::intents::{self, Opened};
use crate::store::{Claim, Error, Store, to_ms};

/// A cap on the fleet's actions that has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionsFull {
    /// Within which time.
    pub period: Period,
    /// How many at most.
    pub most: u64,
    /// When the period ends.
    pub until: Timestamp,
    /// Whether this is the first time in the period.
    pub is_news: bool,
}

/// What came of opening an intent.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionsOpened {
    /// What the intent found, and how many actions the fleet has now begun in this hour and day.
    Opened(Opened, [u64; 2]),
    /// The fleet has done enough.
    Full(ActionsFull),
}

impl Store {
    /// Opens an intent as [`Store::open_speaking`] does, unless the fleet has done enough, and counts it.
    ///
    /// # Errors
    /// When the write fails; then the action must not happen.
    pub async fn open_counted_intent(
        &self,
        intent: NewIntent,
        once: bool,
        claims: Vec<Claim>,
        caps: ActionCaps,
        at: Timestamp,
    ) -> Result<ActionsOpened, Error> {
        self.write(move |connection| {
            Box::pin(async move {
                let at = counted_at(connection, at).await?;
                let mut done = [0; 2];
                let periods = [(Period::Hour, caps.per_hour), (Period::Day, caps.per_day)];
                for (count, (period, most)) in done.iter_mut().zip(periods) {
                    *count = actions(connection, period, at).await?;
                    if let Some(most) = most.filter(|most| *count >= *most) {
                        let key = (Scope::Fleet, String::new(), period, format!("actions {most}"));
                        let is_news = tell_of(connection, key, at, Told::Full).await?;
                        let until = period.end(at);
                        return Ok(Ok(ActionsOpened::Full(ActionsFull { period, most, until, is_news })));
                    }
                }
                let bot = intent.bot.clone();
                let opened = match intents::open(connection, intent, once, &claims).await? {
                    Ok(opened) => opened,
                    Err(problem) => return Ok(Err(problem)),
                };
                if matches!(opened, Opened::New(_)) {
                    count(connection, &bot.to_string(), bot.persona.as_str(), at).await?;
                    done = done.map(|count| count + 1);
                }
                Ok(Ok(ActionsOpened::Opened(opened, done)))
            })
        })
        .await?
    }
}

async fn actions(connection: &mut SqliteConnection, period: Period, at: Timestamp) -> Result<u64, sqlx::Error> {
    let row = sqlx::query(
        "SELECT actions FROM spend_counters WHERE scope = 'fleet' AND name = '' AND period = $1 AND start = $2",
    )
    .bind(period.as_str())
    .bind(to_ms(period.start(at)))
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or(0, |row| row.get::<i64, _>(0).max(0).cast_unsigned()))
}

async fn count(connection: &mut SqliteConnection, bot: &str, persona: &str, at: Timestamp) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(
        "INSERT INTO spend_counters (scope, name, period, start, actions) VALUES \
         ('bot', $1, 'day', $4, 1), ('bot', $1, 'month', $5, 1), \
         ('persona', $2, 'day', $4, 1), ('persona', $2, 'month', $5, 1), \
         ('fleet', '', 'hour', $3, 1), ('fleet', '', 'day', $4, 1), ('fleet', '', 'month', $5, 1) \
         ON CONFLICT (scope, name, period, start) DO UPDATE SET actions = spend_counters.actions + 1",
    )
    .bind(bot.to_owned())
    .bind(persona.to_owned());
    for period in Period::ALL {
        query = query.bind(to_ms(period.start(at)));
    }
    query.execute(connection).await?;
    Ok(())
}
