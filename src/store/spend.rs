//! Spend: what calls to models may cost, did cost, and still hold.
//!
//! A call is checked against every cap and written down in one job of the one writer, so that no number of calls at one
//! time passes a cap. What is held counts as spent until it is settled.

mod actions;
mod counters;
mod report;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::spend::{Ask, Cap, Charge, Money, Share, Usage};
use counters::{Change, Keys};

pub use actions::{ActionsFull, ActionsOpened};
pub use counters::{Standing, Told};
pub use report::{BadEnd, Recent, SpendReport, SpendRow, SpendTotals};

/// A call that waits to be written down.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// The real time.
    pub at: Timestamp,
    /// Who asks, and for what.
    pub ask: Ask,
    /// What it can come to at most.
    pub most: Charge,
    /// The caps that hold for it.
    pub caps: Vec<Cap>,
}

/// A call that is written down and may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// Its row.
    pub id: i64,
    /// The time by which it is counted: never before that of an earlier call, whatever the clock does.
    pub counted_at: Timestamp,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It is written down.
    Open(OpenCall),
    /// A cap has no room for it before its period ends.
    Full(Full),
    /// A cap has no room for it while other calls are under way.
    Busy(Full),
}

/// A cap without room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// Which.
    pub cap: Cap,
    /// What is spent and held of it.
    pub standing: Standing,
    /// When its period ends.
    pub until: Timestamp,
    /// Whether this is the first time in the period that it had no room.
    pub is_news: bool,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// Under way.
    Open,
    /// Charged by what the provider says.
    Settled,
    /// The provider did not say; charged in full.
    Assumed,
    /// Nobody waited for its end; charged in full.
    Dropped,
    /// The process ended meanwhile; charged in full.
    CutOff,
    /// It never went out; nothing is charged.
    Unsent,
}

impl CallState {
    /// The word in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settled => "settled",
            Self::Assumed => "assumed",
            Self::Dropped => "dropped",
            Self::CutOff => "cut_off",
            Self::Unsent => "unsent",
        }
    }
}

/// The end of a call.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The call.
    pub open: OpenCall,
    /// As it was asked.
    pub ask: Ask,
    /// What it held.
    pub held: Charge,
    /// How it ended.
    pub state: CallState,
    /// What is charged.
    pub charge: Charge,
    /// What the provider said.
    pub usage: Usage,
    /// What the provider's cache saved.
    pub saved: Money,
    /// The caps to look at afterwards.
    pub caps: Vec<Cap>,
}

/// What a crash left, charged in full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CutOff {
    /// How many calls.
    pub calls: u64,
    /// What they are charged.
    pub charge: Charge,
}

impl Store {
    /// Writes a call down, unless a cap has no room for it.
    ///
    /// # Errors
    /// When the write fails; then the call must not go out.
    pub async fn open_call(&self, call: NewCall) -> Result<Held, Error> {
        self.write(move |connection| {
            Box::pin(async move {
                let counted_at = counted_at(connection, call.at).await?;
                if let Some(full) = counters::room(connection, &call, counted_at).await? {
                    return Ok(full);
                }
                let id = sqlx::query(
                    "INSERT INTO spend (at, counted_at, bot, persona, purpose, model, state, held_money, held_tokens) \
                     VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8) RETURNING id",
                )
                .bind(to_ms(call.at))
                .bind(to_ms(counted_at))
                .bind(call.ask.bot.to_string())
                .bind(call.ask.bot.persona.to_string())
                .bind(call.ask.purpose.clone())
                .bind(call.ask.model.clone())
                .bind(call.most.money.nano())
                .bind(call.most.tokens.cast_signed())
                .fetch_one(&mut *connection)
                .await?
                .get(0);
                let change = Change {
                    held_money: call.most.money.nano(),
                    held_tokens: call.most.tokens.cast_signed(),
                    ..Change::default()
                };
                counters::add(connection, &Keys::of(&call.ask, counted_at), &change).await?;
                Ok(Held::Open(OpenCall { id, counted_at }))
            })
        })
        .await
    }

    /// Charges a call and gives back what it held; answers which caps have now been used so far that it must be told.
    /// A call that was ended before stays as it is.
    ///
    /// # Errors
    /// When the write fails; the call then stays charged in full.
    pub async fn end_call(&self, ending: Ending, marks: &[(Told, Share)]) -> Result<Vec<(Full, Told)>, Error> {
        let marks = marks.to_vec();
        self.write(move |connection| {
            Box::pin(async move {
                if !end(connection, &ending).await? {
                    return Ok(Vec::new());
                }
                counters::reached(connection, &ending.caps, ending.open.counted_at, &marks).await
            })
        })
        .await
    }

    /// Charges in full what a crash left under way.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn end_cut_off_calls(&self) -> Result<CutOff, Error> {
        self.write(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT id, counted_at, bot, persona, purpose, model, held_money, held_tokens FROM spend \
                     WHERE state = 'open' ORDER BY id",
                )
                .fetch_all(&mut *connection)
                .await?;
                let mut cut_off = CutOff::default();
                for row in rows {
                    let counted_at = from_ms(row.get(1));
                    let keys =
                        Keys { names: [row.get(2), row.get(3), row.get(4), row.get(5), String::new()], counted_at };
                    let (money, tokens): (i64, i64) = (row.get(6), row.get(7));
                    sqlx::query("UPDATE spend SET state = 'cut_off', money = held_money WHERE id = $1")
                        .bind(row.get::<i64, _>(0))
                        .execute(&mut *connection)
                        .await?;
                    let change = Change {
                        money,
                        tokens,
                        held_money: -money,
                        held_tokens: -tokens,
                        calls: 1,
                        ..Change::default()
                    };
                    counters::add(connection, &keys, &change).await?;
                    cut_off.calls += 1;
                    cut_off.charge.money = cut_off.charge.money.saturating_add(Money::from_nano(money));
                    cut_off.charge.tokens = cut_off.charge.tokens.saturating_add(tokens.cast_unsigned());
                }
                Ok(cut_off)
            })
        })
        .await
    }

    /// The caps of these of which it was said in this period that they have no room, each with its own name.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn full_caps(&self, caps: &[Cap], at: Timestamp) -> Result<Vec<Full>, Error> {
        let mut connection = self.reads.acquire().await.map_err(read)?;
        let counted_at = counted_at(&mut connection, at).await.map_err(read)?;
        let mut full = Vec::new();
        for cap in caps {
            for name in counters::told_full(&mut connection, cap, counted_at).await.map_err(read)? {
                let cap = Cap { name: Some(name), ..cap.clone() };
                let standing = counters::standing(&mut connection, &cap, counted_at).await.map_err(read)?;
                let until = cap.period.end(counted_at);
                full.push(Full { cap, standing, until, is_news: false });
            }
        }
        Ok(full)
    }

    /// Counts by this time from now on, although calls were counted by a later one, because the clock was wrong then.
    /// What they cost stays where it was counted. Answers how many there are.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn put_spend_clock_back(&self, at: Timestamp) -> Result<u64, Error> {
        self.write_one(move |connection| {
            Box::pin(async move {
                let moved = sqlx::query("UPDATE spend SET counted_at = $1 WHERE counted_at > $1")
                    .bind(to_ms(at))
                    .execute(connection)
                    .await?;
                Ok(moved.rows_affected())
            })
        })
        .await
    }

    /// Drops calls and counters that nothing looks at any more: calls older than `before`, hours and days likewise.
    /// Months stay.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn prune_spend(&self, before: Timestamp) -> Result<(), Error> {
        let before = to_ms(before);
        self.write(move |connection| {
            Box::pin(async move {
                // The newest call stays: time is counted from it.
                sqlx::query(
                    "DELETE FROM spend WHERE counted_at < $1 AND state <> 'open' AND id < (SELECT MAX(id) FROM spend)",
                )
                .bind(before)
                .execute(&mut *connection)
                .await?;
                sqlx::query("DELETE FROM spend_counters WHERE period <> 'month' AND start < $1")
                    .bind(before)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query("DELETE FROM spend_told WHERE start < $1").bind(before).execute(&mut *connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// What is spent and held of each cap now.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn standings(&self, caps: &[Cap], at: Timestamp) -> Result<Vec<Full>, Error> {
        let mut connection = self.reads.acquire().await.map_err(read)?;
        let counted_at = counted_at(&mut connection, at).await.map_err(read)?;
        let mut standings = Vec::with_capacity(caps.len());
        for cap in caps {
            let standing = counters::standing(&mut connection, cap, counted_at).await.map_err(read)?;
            let until = cap.period.end(counted_at);
            standings.push(Full { cap: cap.clone(), standing, until, is_news: false });
        }
        Ok(standings)
    }
}

/// The time by which something is counted: the real time, but never before that of the newest call. A clock that is put
/// back opens no period anew.
async fn counted_at(connection: &mut SqliteConnection, at: Timestamp) -> Result<Timestamp, sqlx::Error> {
    let newest =
        sqlx::query("SELECT counted_at FROM spend ORDER BY id DESC LIMIT 1").fetch_optional(connection).await?;
    Ok(newest.map_or(at, |row| from_ms(row.get(0)).max(at)))
}

/// Answers whether it was under way.
async fn end(connection: &mut SqliteConnection, ending: &Ending) -> Result<bool, sqlx::Error> {
    let usage = &ending.usage;
    let ended = sqlx::query(
        "UPDATE spend SET state = $2, money = $3, input = $4, cached_input = $5, image = $6, output = $7, saved = $8 \
         WHERE id = $1 AND state = 'open'",
    )
    .bind(ending.open.id)
    .bind(ending.state.as_str())
    .bind(ending.charge.money.nano())
    .bind(usage.input.cast_signed())
    .bind(usage.cached_input.cast_signed())
    .bind(usage.image.cast_signed())
    .bind(usage.output.cast_signed())
    .bind(ending.saved.nano())
    .execute(&mut *connection)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    let change = Change {
        money: ending.charge.money.nano(),
        tokens: ending.charge.tokens.cast_signed(),
        held_money: -ending.held.money.nano(),
        held_tokens: -ending.held.tokens.cast_signed(),
        calls: i64::from(ending.state != CallState::Unsent),
        cached: usage.cached_input.cast_signed(),
        saved: ending.saved.nano(),
    };
    counters::add(connection, &Keys::of(&ending.ask, ending.open.counted_at), &change).await?;
    Ok(true)
}
