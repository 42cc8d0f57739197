//! Counters: sums of what is spent and held, for every scope and period at once.
//!
//! They change only together with the row of the call that they count.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Full, Held, NewCall};
use crate::model::spend::{Ask, Cap, Charge, Limit, Money, Period, Scope, Share};
use crate::store::to_ms;

/// What is used of a counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Charged for good.
    pub spent: Charge,
    /// Held by calls under way.
    pub held: Charge,
}

impl Standing {
    /// Both together.
    pub fn used(&self) -> Charge {
        Charge {
            money: self.spent.money.saturating_add(self.held.money),
            tokens: self.spent.tokens.saturating_add(self.held.tokens),
        }
    }
}

/// What is said of a cap, once in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// That much of it is used.
    Warned,
    /// That the cheaper model writes.
    Cheaper,
    /// That it has no room.
    Full,
}

impl Told {
    /// The word in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warned => "warned",
            Self::Cheaper => "cheaper",
            Self::Full => "full",
        }
    }
}

/// The counters that a call counts in.
pub(super) struct Keys {
    /// In the order of [`Scope::ALL`].
    pub(super) names: [String; 5],
    pub(super) counted_at: Timestamp,
}

impl Keys {
    pub(super) fn of(ask: &Ask, counted_at: Timestamp) -> Self {
        Self { names: Scope::ALL.map(|scope| scope.name(ask)), counted_at }
    }
}

/// What is added to each of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    pub(super) money: i64,
    pub(super) tokens: i64,
    pub(super) held_money: i64,
    pub(super) held_tokens: i64,
    pub(super) calls: i64,
    pub(super) cached: i64,
    pub(super) saved: i64,
}

/// All fifteen in one statement: $1 to $5 are the names, $6 to $8 the starts, the rest is added.
const ADD: &str = "INSERT INTO spend_counters \
     (scope, name, period, start, money, tokens, held_money, held_tokens, calls, cached, saved) VALUES \
     ('bot', $1, 'hour', $6, $9, $10, $11, $12, $13, $14, $15), \
     ('bot', $1, 'day', $7, $9, $10, $11, $12, $13, $14, $15), \
     ('bot', $1, 'month', $8, $9, $10, $11, $12, $13, $14, $15), \
     ('persona', $2, 'hour', $6, $9, $10, $11, $12, $13, $14, $15), \
     ('persona', $2, 'day', $7, $9, $10, $11, $12, $13, $14, $15), \
     ('persona', $2, 'month', $8, $9, $10, $11, $12, $13, $14, $15), \
     ('purpose', $3, 'hour', $6, $9, $10, $11, $12, $13, $14, $15), \
     ('purpose', $3, 'day', $7, $9, $10, $11, $12, $13, $14, $15), \
     ('purpose', $3, 'month', $8, $9, $10, $11, $12, $13, $14, $15), \
     ('model', $4, 'hour', $6, $9, $10, $11, $12, $13, $14, $15), \
     ('model', $4, 'day', $7, $9, $10, $11, $12, $13, $14, $15), \
     ('model', $4, 'month', $8, $9, $10, $11, $12, $13, $14, $15), \
     ('fleet', $5, 'hour', $6, $9, $10, $11, $12, $13, $14, $15), \
     ('fleet', $5, 'day', $7, $9, $10, $11, $12, $13, $14, $15), \
     ('fleet', $5, 'month', $8, $9, $10, $11, $12, $13, $14, $15) \
     ON CONFLICT (scope, name, period, start) DO UPDATE SET \
     money = spend_counters.money + excluded.money, tokens = spend_counters.tokens + excluded.tokens, \
     held_money = spend_counters.held_money + excluded.held_money, \
     held_tokens = spend_counters.held_tokens + excluded.held_tokens, \
     calls = spend_counters.calls + excluded.calls, cached = spend_counters.cached + excluded.cached, \
     saved = spend_counters.saved + excluded.saved";

/// Adds the same to every counter.
pub(super) async fn add(connection: &mut SqliteConnection, keys: &Keys, change: &Change) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(ADD);
    for name in &keys.names {
        query = query.bind(name.clone());
    }
    for period in Period::ALL {
        query = query.bind(to_ms(period.start(keys.counted_at)));
    }
    let Change { money, tokens, held_money, held_tokens, calls, cached, saved } = *change;
    for added in [money, tokens, held_money, held_tokens, calls, cached, saved] {
        query = query.bind(added);
    }
    query.execute(connection).await?;
    Ok(())
}

/// What is used of a cap.
pub(super) async fn standing(
    connection: &mut SqliteConnection,
    cap: &Cap,
    counted_at: Timestamp,
) -> Result<Standing, sqlx::Error> {
    let row = sqlx::query(
        "SELECT money, tokens, held_money, held_tokens FROM spend_counters \
         WHERE scope = $1 AND name = $2 AND period = $3 AND start = $4",
    )
    .bind(cap.scope.as_str())
    .bind(cap.name.clone().unwrap_or_default())
    .bind(cap.period.as_str())
    .bind(to_ms(cap.period.start(counted_at)))
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(Standing::default()) };
    let charge = |money: usize, tokens: usize| Charge {
        money: Money::from_nano(row.get(money)),
        tokens: row.get::<i64, _>(tokens).max(0).cast_unsigned(),
    };
    Ok(Standing { spent: charge(0, 1), held: charge(2, 3) })
}

/// The cap that stands in a call's way, if one does: of several the one that does so for good, and of those the one that
/// ends last.
pub(super) async fn room(
    connection: &mut SqliteConnection,
    call: &NewCall,
    counted_at: Timestamp,
) -> Result<Option<Held>, sqlx::Error> {
    let mut worst: Option<(bool, Full)> = None;
    for cap in &call.caps {
        let standing = standing(connection, cap, counted_at).await?;
        let (most, asked) = (cap.limit.most(), cap.limit.part(&call.most));
        if cap.limit.part(&standing.used()) + asked <= most {
            continue;
        }
        let is_full = cap.limit.part(&standing.spent) + asked > most;
        let full = Full { cap: cap.clone(), standing, until: cap.period.end(counted_at), is_news: false };
        if worst.as_ref().is_none_or(|(other, worst)| (is_full, full.until) > (*other, worst.until)) {
            worst = Some((is_full, full));
        }
    }
    match worst {
        None => Ok(None),
        Some((false, full)) => Ok(Some(Held::Busy(full))),
        Some((true, full)) => {
            let is_news = tell(connection, &full.cap, counted_at, Told::Full).await?;
            Ok(Some(Held::Full(Full { is_news, ..full })))
        }
    }
}

/// The caps of which more than one of these parts is now used, and of which that was not said before.
pub(super) async fn reached(
    connection: &mut SqliteConnection,
    caps: &[Cap],
    counted_at: Timestamp,
    marks: &[(Told, Share)],
) -> Result<Vec<(Full, Told)>, sqlx::Error> {
    let mut news = Vec::new();
    for cap in caps {
        let standing = standing(connection, cap, counted_at).await?;
        let used = cap.limit.part(&standing.used());
        let mut last = None;
        for (told, share) in marks {
            if share.is_reached(used, cap.limit.most()) && tell(connection, cap, counted_at, *told).await? {
                last = Some(*told);
            }
        }
        if let Some(told) = last {
            let until = cap.period.end(counted_at);
            news.push((Full { cap: cap.clone(), standing, until, is_news: true }, told));
        }
    }
    Ok(news)
}

/// Remembers that something is said of a cap; answers whether it is the first time in the period.
async fn tell(
    connection: &mut SqliteConnection,
    cap: &Cap,
    counted_at: Timestamp,
    told: Told,
) -> Result<bool, sqlx::Error> {
    let name = cap.name.clone().unwrap_or_default();
    tell_of(connection, (cap.scope, name, cap.period, limit_key(cap.limit)), counted_at, told).await
}

/// The names for which it was said in this period that a cap has no room.
pub(super) async fn told_full(
    connection: &mut SqliteConnection,
    cap: &Cap,
    counted_at: Timestamp,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT name FROM spend_told WHERE scope = $1 AND period = $2 AND start = $3 AND cap = $4 AND what = 'full'",
    )
    .bind(cap.scope.as_str())
    .bind(cap.period.as_str())
    .bind(to_ms(cap.period.start(counted_at)))
    .bind(limit_key(cap.limit))
    .fetch_all(connection)
    .await?;
    let names = rows.iter().map(|row| row.get(0));
    Ok(names.filter(|name: &String| cap.name.as_ref().is_none_or(|own| own == name)).collect())
}

fn limit_key(limit: Limit) -> String {
    match limit {
        Limit::Money(money) => format!("money {money}"),
        Limit::Tokens(tokens) => format!("tokens {tokens}"),
    }
}

/// The same for whatever has a scope, a name, a period and a limit.
pub(super) async fn tell_of(
    connection: &mut SqliteConnection,
    (scope, name, period, limit): (Scope, String, Period, String),
    counted_at: Timestamp,
    told: Told,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO spend_told (scope, name, period, start, cap, what) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind(scope.as_str())
    .bind(name)
    .bind(period.as_str())
    .bind(to_ms(period.start(counted_at)))
    .bind(limit)
    .bind(told.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
