//! What was spent, how far the caps are used, and what the month will come to.
//!
//! A forecast says on what it rests, and is none before anything was spent.

use jiff::{SignedDuration, Timestamp};

use crate::model::name::BotId;
use crate::model::spend::{Cap, Limit, Money, Period, Scope};
use crate::store::{self, Full, Recent, SpendReport};

use super::Budget;

/// What was spent, and what may be.
#[derive(Debug, Clone)]
pub struct Spent {
    /// The currency of all amounts.
    pub currency: String,
    /// The sums.
    pub report: SpendReport,
    /// How far the clock is behind the newest call, in seconds: so long, nothing is counted in a new period.
    pub behind_secs: u64,
    /// How far each cap is used; of caps for each of many, those that are used most.
    pub caps: Vec<CapState>,
    /// What the month comes to if it goes on like the last days; nothing when nothing was spent in them.
    pub forecast: Option<Money>,
}

/// A cap and what is used of it.
#[derive(Debug, Clone)]
pub struct CapState {
    /// The cap, what is spent and held of it, and when its period ends.
    pub full: Full,
    /// How much of it is used, in thousandths.
    pub used: u32,
}

/// Caps for each of many of which at most so many are shown.
const SHOWN: usize = 20;
/// For how long calls and hours are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 100);
/// Spending that began later than this ago is no basis for a month.
const LEAST_BASIS: i128 = 3600;

impl Budget {
    /// What was spent, with at most `limit` rows of each scope.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn spent(&self, limit: u32) -> Result<Spent, store::Error> {
        self.sweep().await;
        let at = self.inner.clock.now();
        let terms = self.terms();
        let report = self.inner.store.spend_report(at, limit).await?;
        let mut caps = Vec::new();
        for cap in &terms.budgets.caps {
            let each = match (&cap.name, report.by.get(&cap.scope)) {
                (None, Some(rows)) => rows
                    .iter()
                    .filter(|row| !terms.budgets.has_own(cap, &row.name))
                    .map(|row| Cap { name: Some(row.name.clone()), ..cap.clone() })
                    .collect(),
                _ => vec![Cap { name: Some(cap.name.clone().unwrap_or_default()), ..cap.clone() }],
            };
            let mut states: Vec<CapState> =
                self.inner.store.standings(&each, at).await?.into_iter().map(state).collect();
            states.sort_by_key(|state| std::cmp::Reverse(state.used));
            states.truncate(SHOWN);
            caps.append(&mut states);
        }
        let forecast = report.recent.map(|recent| forecast(report.month.spent.money, recent, report.at));
        let behind_secs = report.at.duration_since(at).as_secs().max(0).cast_unsigned();
        Ok(Spent { currency: terms.budgets.currency.clone(), report, behind_secs, caps, forecast })
    }

    /// The caps that hold for whatever a bot does, and how far each is used.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn caps_of(&self, bot: &BotId) -> Result<Vec<CapState>, store::Error> {
        let terms = self.terms();
        let own = |scope| match scope {
            Scope::Fleet => Some(String::new()),
            Scope::Persona => Some(bot.persona.to_string()),
            Scope::Bot => Some(bot.to_string()),
            Scope::Purpose | Scope::Model => None,
        };
        let caps: Vec<Cap> =
            terms.budgets.caps.iter().filter_map(|cap| terms.budgets.own(cap, own(cap.scope)?)).collect();
        let standings = self.inner.store.standings(&caps, self.inner.clock.now()).await?;
        Ok(standings.into_iter().map(state).collect())
    }

    /// Drops what no budget and no report looks at any more.
    pub async fn prune(&self) {
        let before = self.inner.clock.now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        if let Err(problem) = self.inner.store.prune_spend(before).await {
            tracing::warn!(error = &problem as &dyn std::error::Error, "could not drop old calls");
        }
    }
}

fn state(full: Full) -> CapState {
    let used = full.cap.limit.part(&full.standing.used());
    let used = match full.cap.limit.most() {
        0 => 1000,
        most => (used.saturating_mul(1000) / most).clamp(0, i128::from(u32::MAX)),
    };
    CapState { full, used: u32::try_from(used).unwrap_or(u32::MAX) }
}

/// What a month comes to if the rest of it is like the last days.
fn forecast(month: Money, recent: Recent, at: Timestamp) -> Money {
    let seconds = |from: Timestamp, to: Timestamp| i128::from(to.duration_since(from).as_secs().max(0));
    let basis = seconds(recent.since, at).max(LEAST_BASIS);
    let left = seconds(at, Period::Month.end(at));
    let more = i128::from(recent.money.nano()).saturating_mul(left) / basis;
    month.saturating_add(Money::from_nano(i64::try_from(more).unwrap_or(i64::MAX)))
}

impl CapState {
    /// Whether nothing of any size fits into it.
    pub fn is_used_up(&self) -> bool {
        self.full.cap.limit.part(&self.full.standing.spent) >= self.full.cap.limit.most()
    }

    /// What is used, in the cap's unit.
    pub fn used(&self) -> Limit {
        let used = self.full.standing.used();
        match self.full.cap.limit {
            Limit::Money(_) => Limit::Money(used.money),
            Limit::Tokens(_) => Limit::Tokens(used.tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_goes_on_as_the_last_days_did() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let money = |text: &str| text.parse::<Money>().expect("money");
        // Two a day for five days; 20 days are left.
        let recent = Recent { since: at("2026-11-06T00:00:00Z"), money: money("10") };
        assert_eq!(forecast(money("20"), recent, at("2026-11-11T00:00:00Z")), money("60"));
        // The last second of the month.
        assert_eq!(forecast(money("20"), recent, at("2026-11-30T23:59:59Z")).rounded(2), "20.01");
        // What began a minute ago is taken as an hour's.
        let new = Recent { since: at("2026-11-10T23:59:00Z"), money: money("1") };
        assert_eq!(forecast(money("1"), new, at("2026-11-11T00:00:00Z")), money("481"));
    }
}
