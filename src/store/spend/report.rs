//! The report: what was spent today and this month, and on what.
//!
//! It is read from the counters, so that it takes no longer after a million calls.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{CallState, counted_at};
use crate::model::spend::{Charge, Money, Period, Scope};
use crate::store::{Error, Store, from_ms, read, to_ms};

/// Sums of a scope within a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpendTotals {
    /// What is charged.
    pub spent: Charge,
    /// What calls under way hold.
    pub held: Charge,
    /// Calls that were charged.
    pub calls: u64,
    /// Tokens that came from providers' caches.
    pub cached_tokens: u64,
    /// What those would have cost more.
    pub saved: Money,
    /// Actions; known of bots, personas and the fleet.
    pub actions: u64,
}

/// One bot, persona, purpose or model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendRow {
    /// Its name.
    pub name: String,
    /// Since midnight UTC.
    pub today: SpendTotals,
    /// Since the first of the month.
    pub month: SpendTotals,
}

/// What the last days cost, for a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    /// Since when.
    pub since: Timestamp,
    /// How much.
    pub money: Money,
}

/// Calls whose end is not known, and which are charged in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEnd {
    /// How they ended.
    pub state: CallState,
    /// How many this month.
    pub calls: u64,
    /// What they are charged.
    pub money: Money,
}

/// What was spent, and on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendReport {
    /// The real time by which it is counted.
    pub at: Timestamp,
    /// The whole fleet since midnight UTC.
    pub today: SpendTotals,
    /// The whole fleet since the first of the month.
    pub month: SpendTotals,
    /// By scope, the dearest first.
    pub by: BTreeMap<Scope, Vec<SpendRow>>,
    /// The last days, when anything was spent.
    pub recent: Option<Recent>,
    /// Calls of this month whose end is not known.
    pub bad_ends: Vec<BadEnd>,
}

/// How far back a forecast looks.
const RECENT_DAYS: i64 = 7;
/// The states that are charged in full because the end is not known.
const BAD: [CallState; 3] = [CallState::Assumed, CallState::Dropped, CallState::CutOff];

impl Store {
    /// What was spent, with at most `limit` rows of each scope.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn spend_report(&self, at: Timestamp, limit: u32) -> Result<SpendReport, Error> {
        let mut connection = self.reads.acquire().await.map_err(read)?;
        report(&mut connection, at, limit).await.map_err(read)
    }
}

async fn report(connection: &mut SqliteConnection, at: Timestamp, limit: u32) -> Result<SpendReport, sqlx::Error> {
    let at = counted_at(connection, at).await?;
    let mut by = BTreeMap::new();
    for scope in [Scope::Bot, Scope::Persona, Scope::Purpose, Scope::Model] {
        by.insert(scope, rows(connection, scope, at, limit).await?);
    }
    let fleet = rows(connection, Scope::Fleet, at, 1).await?.pop();
    let (today, month) = fleet.map(|row| (row.today, row.month)).unwrap_or_default();
    Ok(SpendReport {
        at,
        today,
        month,
        by,
        recent: recent(connection, at).await?,
        bad_ends: bad_ends(connection, at).await?,
    })
}

async fn rows(
    connection: &mut SqliteConnection,
    scope: Scope,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<SpendRow>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.name, \
         m.money, m.tokens, m.held_money, m.held_tokens, m.calls, m.cached, m.saved, m.actions, \
         COALESCE(d.money, 0), COALESCE(d.tokens, 0), COALESCE(d.held_money, 0), COALESCE(d.held_tokens, 0), \
         COALESCE(d.calls, 0), COALESCE(d.cached, 0), COALESCE(d.saved, 0), COALESCE(d.actions, 0) \
         FROM spend_counters m LEFT JOIN spend_counters d \
         ON d.scope = m.scope AND d.name = m.name AND d.period = 'day' AND d.start = $3 \
         WHERE m.scope = $1 AND m.period = 'month' AND m.start = $2 AND (m.calls > 0 OR m.held_tokens > 0 OR m.name = '') \
         ORDER BY m.money DESC, m.tokens DESC, m.name LIMIT $4",
    )
    .bind(scope.as_str())
    .bind(to_ms(Period::Month.start(at)))
    .bind(to_ms(Period::Day.start(at)))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(|row| SpendRow { name: row.get(0), month: totals(row, 1), today: totals(row, 9) }).collect())
}

/// The totals that begin at a column.
fn totals(row: &SqliteRow, from: usize) -> SpendTotals {
    let money = |column: usize| Money::from_nano(row.get(from + column));
    let count = |column: usize| row.get::<i64, _>(from + column).max(0).cast_unsigned();
    SpendTotals {
        spent: Charge { money: money(0), tokens: count(1) },
        held: Charge { money: money(2), tokens: count(3) },
        calls: count(4),
        cached_tokens: count(5),
        saved: money(6),
        actions: count(7),
    }
}

async fn recent(connection: &mut SqliteConnection, at: Timestamp) -> Result<Option<Recent>, sqlx::Error> {
    let week = at.saturating_sub(SignedDuration::from_hours(24 * (RECENT_DAYS - 1))).unwrap_or(at);
    let since = to_ms(Period::Day.start(week));
    let row = sqlx::query("SELECT MIN(counted_at) FROM spend WHERE counted_at >= $1")
        .bind(since)
        .fetch_one(&mut *connection)
        .await?;
    let Some(first) = row.get::<Option<i64>, _>(0) else { return Ok(None) };
    let row = sqlx::query(
        "SELECT COALESCE(SUM(money), 0) FROM spend_counters \
         WHERE scope = 'fleet' AND name = '' AND period = 'day' AND start >= $1",
    )
    .bind(since)
    .fetch_one(connection)
    .await?;
    Ok(Some(Recent { since: from_ms(first), money: Money::from_nano(row.get(0)) }))
}

async fn bad_ends(connection: &mut SqliteConnection, at: Timestamp) -> Result<Vec<BadEnd>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT state, COUNT(*), SUM(money) FROM spend WHERE counted_at >= $1 \
         AND state IN ('assumed', 'dropped', 'cut_off') GROUP BY state",
    )
    .bind(to_ms(Period::Month.start(at)))
    .fetch_all(connection)
    .await?;
    let end = |row: &SqliteRow| {
        let word: String = row.get(0);
        let state = BAD.into_iter().find(|state| state.as_str() == word)?;
        let calls = row.get::<i64, _>(1).max(0).cast_unsigned();
        Some(BadEnd { state, calls, money: Money::from_nano(row.get(2)) })
    };
    Ok(rows.iter().filter_map(end).collect())
}
