//! What was spent as JSON.
//!
//! Money is a text, so that no reader rounds it; what is not known is null, and never left out.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::host::budget::{CapState, Spent, reason};
use crate::model::spend::{Limit, Money, Scope};
use crate::store::{BadEnd, SpendRow, SpendTotals};

/// What was spent, and what may be. Times are real time, and periods are those of UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Spend {
    /// The currency of all amounts.
    #[schema(example = "USD")]
    currency: String,
    /// The real time by which it is counted: never before that of an earlier call, whatever the clock does.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// By how many seconds the clock is behind that; until it has caught up, no period begins anew.
    behind_secs: u64,
    /// The whole fleet since midnight.
    today: Totals,
    /// The whole fleet since the first of the month.
    month: Totals,
    /// What the month comes to if it goes on like the last seven days; null when nothing was spent in them.
    #[schema(required = true, example = "12.50")]
    forecast: Option<String>,
    /// How far each cap is used.
    caps: Vec<SpendCap>,
    /// By bot, the dearest of this month first.
    by_bot: Vec<SpentOn>,
    /// By persona.
    by_persona: Vec<SpentOn>,
    /// By purpose.
    by_purpose: Vec<SpentOn>,
    /// By model.
    by_model: Vec<SpentOn>,
    /// Calls of this month that are charged in full because nobody knows what they came to.
    charged_in_full: Vec<ChargedInFull>,
}

/// Sums within a period.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Totals {
    /// What is charged.
    #[schema(example = "0.0042")]
    money: String,
    /// Tokens of prompts and answers.
    tokens: u64,
    /// Calls that are charged.
    calls: u64,
    /// What calls under way may still come to.
    #[schema(example = "0.00")]
    held: String,
    /// Tokens that came from providers' caches.
    cached_tokens: u64,
    /// What those would have cost more.
    #[schema(example = "0.0011")]
    saved: String,
    /// Actions; only bots, personas and the fleet act, so it is 0 elsewhere.
    actions: u64,
    /// What one action cost; null where there were none.
    #[schema(required = true, example = "0.0003")]
    per_action: Option<String>,
}

/// What was spent on one bot, persona, purpose or model.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SpentOn {
    /// Its name.
    #[schema(example = "ai_artist")]
    name: String,
    /// Since midnight.
    today: Totals,
    /// Since the first of the month.
    month: Totals,
}

/// A cap and how far it is used.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SpendCap {
    /// `fleet`, `persona`, `bot`, `purpose` or `model`.
    #[schema(example = "fleet")]
    scope: &'static str,
    /// Which of them; null for the fleet.
    #[schema(required = true, example = "ai_artist")]
    name: Option<String>,
    /// `hour`, `day` or `month`.
    #[schema(example = "day")]
    period: &'static str,
    /// `money` or `tokens`.
    #[schema(example = "money")]
    unit: &'static str,
    /// How much at most.
    #[schema(example = "5.00")]
    limit: String,
    /// How much is spent, and held by calls under way.
    #[schema(example = "1.20")]
    used: String,
    /// The same as a part of the limit.
    #[schema(example = 0.24)]
    share: f64,
    /// When its period ends.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// What happens at its end: `offline` or `sleep`.
    #[schema(example = "offline")]
    at_end: &'static str,
    /// Why nothing more fits into it, in words; null while something does.
    #[schema(required = true, example = "fleet budget until 00:00 UTC")]
    used_up: Option<String>,
}

/// Calls that are charged in full because nobody knows what they came to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ChargedInFull {
    /// `assumed`: the provider did not say; `dropped`: nobody waited for the end; `cut_off`: the process ended meanwhile.
    #[schema(example = "cut_off")]
    why: &'static str,
    /// How many calls.
    calls: u64,
    /// What they are charged.
    #[schema(example = "0.02")]
    money: String,
}

impl Spend {
    pub(in crate::http) fn of(spent: Spent) -> Self {
        let report = spent.report;
        let rows = |scope: Scope| {
            let rows = report.by.get(&scope).map(Vec::as_slice).unwrap_or_default();
            rows.iter().map(SpentOn::of).collect()
        };
        Self {
            currency: spent.currency,
            at: report.at,
            behind_secs: spent.behind_secs,
            today: Totals::of(&report.today),
            month: Totals::of(&report.month),
            forecast: spent.forecast.map(|money| money.to_string()),
            caps: spent.caps.iter().map(SpendCap::of).collect(),
            by_bot: rows(Scope::Bot),
            by_persona: rows(Scope::Persona),
            by_purpose: rows(Scope::Purpose),
            by_model: rows(Scope::Model),
            charged_in_full: report.bad_ends.iter().map(ChargedInFull::of).collect(),
        }
    }
}

impl Totals {
    fn of(totals: &SpendTotals) -> Self {
        let actions = i64::try_from(totals.actions).unwrap_or(i64::MAX);
        Self {
            money: totals.spent.money.to_string(),
            tokens: totals.spent.tokens,
            calls: totals.calls,
            held: totals.held.money.to_string(),
            cached_tokens: totals.cached_tokens,
            saved: totals.saved.to_string(),
            actions: totals.actions,
            per_action: totals.spent.money.nano().checked_div(actions).map(|nano| Money::from_nano(nano).to_string()),
        }
    }
}

impl SpentOn {
    fn of(row: &SpendRow) -> Self {
        Self { name: row.name.clone(), today: Totals::of(&row.today), month: Totals::of(&row.month) }
    }
}

impl SpendCap {
    pub(super) fn of(state: &CapState) -> Self {
        let cap = &state.full.cap;
        let plain = |limit: Limit| match limit {
            Limit::Money(money) => ("money", money.to_string()),
            Limit::Tokens(tokens) => ("tokens", tokens.to_string()),
        };
        let (unit, limit) = plain(cap.limit);
        Self {
            scope: cap.scope.as_str(),
            name: cap.name.clone().filter(|name| !name.is_empty()),
            period: cap.period.as_str(),
            unit,
            limit,
            used: plain(state.used()).1,
            share: f64::from(state.used) / 1000.0,
            until: state.full.until,
            at_end: cap.at_end.as_str(),
            used_up: state.is_used_up().then(|| reason(&state.full)),
        }
    }
}

impl ChargedInFull {
    fn of(end: &BadEnd) -> Self {
        Self { why: end.state.as_str(), calls: end.calls, money: end.money.to_string() }
    }
}
