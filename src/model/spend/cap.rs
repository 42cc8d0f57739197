//! Caps: how much may be used in a scope within a period.
//!
//! Periods are hours, days and months of real time in UTC, whatever bots' time is.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Ask, Charge, Money};

/// What use is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One bot.
    Bot,
    /// All bots of a persona.
    Persona,
    /// What it is for.
    Purpose,
    /// One model.
    Model,
    /// Everything.
    Fleet,
}

impl Scope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 5] = [Self::Bot, Self::Persona, Self::Purpose, Self::Model, Self::Fleet];

    /// The word in the config, SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Persona => "persona",
            Self::Purpose => "purpose",
            Self::Model => "model",
            Self::Fleet => "fleet",
        }
    }

    /// The scope with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Which of this scope's counters a call counts in; the fleet has one, without a name.
    pub fn name(self, ask: &Ask) -> String {
        match self {
            Self::Bot => ask.bot.to_string(),
            Self::Persona => ask.bot.persona.to_string(),
            Self::Purpose => ask.purpose.clone(),
            Self::Model => ask.model.clone(),
            Self::Fleet => String::new(),
        }
    }
}

/// A stretch of real time that begins on the hour, at midnight or on the first, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

impl Period {
    /// Every period, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The word in the config, SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The period with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == word)
    }

    /// When the period around a time began.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let civil = at.to_zoned(TimeZone::UTC).datetime();
        let day = civil.date();
        let start = match self {
            Self::Hour => day.at(civil.hour(), 0, 0, 0),
            Self::Day => day.at(0, 0, 0, 0),
            Self::Month => day.first_of_month().at(0, 0, 0, 0),
        };
        start.to_zoned(TimeZone::UTC).map_or(at, |start| start.timestamp())
    }

    /// When the period around a time ends.
    pub fn end(self, at: Timestamp) -> Timestamp {
        let start = self.start(at).to_zoned(TimeZone::UTC);
        let end = match self {
            Self::Hour => start.checked_add(1.hour()),
            Self::Day => start.checked_add(1.day()),
            Self::Month => start.checked_add(1.month()),
        };
        end.map_or(Timestamp::MAX, |end| end.timestamp())
    }
}

/// The day of a time in UTC.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// How much at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// In money.
    Money(Money),
    /// In tokens.
    Tokens(u64),
}

impl Limit {
    /// What of a charge counts here, as a plain number.
    pub fn part(self, charge: &Charge) -> i128 {
        match self {
            Self::Money(_) => i128::from(charge.money.nano()),
            Self::Tokens(_) => i128::from(charge.tokens),
        }
    }

    /// The limit as the same plain number.
    pub fn most(self) -> i128 {
        match self {
            Self::Money(money) => i128::from(money.nano()),
            Self::Tokens(tokens) => i128::from(tokens),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(money) => write!(f, "{money}"),
            Self::Tokens(tokens) => write!(f, "{tokens} tokens"),
        }
    }
}

/// What bots do when a cap is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// They write by their templates, without a model.
    Offline,
    /// They sleep until the period ends.
    Sleep,
}

impl AtEnd {
    /// The word in the config and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Sleep => "sleep",
        }
    }
}

/// A cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What it is counted in.
    pub scope: Scope,
    /// The one that it is for; without a name it holds for each that has no cap of its own.
    pub name: Option<String>,
    /// Within which time.
    pub period: Period,
    /// How much at most.
    pub limit: Limit,
    /// What happens at its end.
    pub at_end: AtEnd,
}

/// A part of a whole, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u16);

impl Share {
    /// Whether `used` is this part of `most` or more.
    pub fn is_reached(self, used: i128, most: i128) -> bool {
        used.saturating_mul(1000) >= most.saturating_mul(i128::from(self.0))
    }
}

/// Everything that the operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budgets {
    /// The caps, in the order they are written.
    pub caps: Vec<Cap>,
    /// From which part of a cap on the operator is warned.
    pub warn_at: Share,
    /// From which part of a cap on the cheaper model writes.
    pub cheaper_at: Share,
    /// How much the whole fleet may do.
    pub actions: ActionCaps,
    /// The currency of all amounts, in three letters.
    pub currency: String,
}

/// How many actions the whole fleet may do; nothing means no cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionCaps {
    /// In an hour of real time.
    pub per_hour: Option<u64>,
    /// In a day of real time.
    pub per_day: Option<u64>,
}

impl Budgets {
    /// The caps that hold for a call. One with a name stands instead of one without, in the same scope, period and unit.
    pub fn for_ask(&self, ask: &Ask) -> Vec<Cap> {
        self.caps.iter().filter_map(|cap| self.own(cap, cap.scope.name(ask))).collect()
    }

    /// A cap as it holds for one of its scope, if it does.
    pub fn own(&self, cap: &Cap, name: String) -> Option<Cap> {
        let fits = cap.name.as_ref().map_or_else(|| !self.has_own(cap, &name), |own| *own == name);
        fits.then(|| Cap { name: Some(name), ..cap.clone() })
    }

    /// Whether one of a scope has a cap of its own that stands instead of this one for each.
    pub fn has_own(&self, cap: &Cap, name: &str) -> bool {
        self.caps.iter().any(|other| other.name.as_deref() == Some(name) && other.is_like(cap))
    }
}

impl Cap {
    fn is_like(&self, other: &Self) -> bool {
        let unit = |limit: &Limit| matches!(limit, Limit::Money(_));
        self.scope == other.scope && self.period == other.period && unit(&self.limit) == unit(&other.limit)
    }

    /// Whose budget it is, in words: `fleet budget`, `budget of the persona critic`.
    pub fn whose(&self) -> String {
        match (self.scope, &self.name) {
            (Scope::Fleet, _) => "fleet budget".to_owned(),
            (scope, Some(name)) => format!("budget of the {} {name}", scope.as_str()),
            (scope, None) => format!("budget of each {}", scope.as_str()),
        }
    }
}
