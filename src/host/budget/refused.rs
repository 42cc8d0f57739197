//! Why a call must not go out.
//!
//! Every reason names the budget and when it ends, or what to write into the config.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::host::refusal::Refusal;
use crate::model::failure::{Failure, FailureKind};
use crate::model::seconds::Seconds;
use crate::model::spend::{AtEnd, NoPrice, Period};
use crate::store::{self, Full};

/// Why a call must not go out.
#[derive(Debug, Clone)]
pub enum Refused {
    /// Nobody can say what the model costs.
    NoPrice(NoPrice),
    /// A cap has no room for it until its period ends.
    Spent(Box<Full>),
    /// A cap has no room for it while other calls are under way, and they took too long.
    Busy(Box<Full>),
    /// It asks for more tokens than the model's price is known for.
    TooLarge {
        /// The model.
        model: String,
        /// How many.
        tokens: u64,
    },
    /// The store failed.
    Store(store::Error),
}

impl PartialEq for Refused {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NoPrice(a), Self::NoPrice(b)) => a == b,
            (Self::Spent(a), Self::Spent(b)) | (Self::Busy(a), Self::Busy(b)) => a == b,
            (Self::TooLarge { tokens: a, .. }, Self::TooLarge { tokens: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPrice(problem) => f.write_str(&problem.in_one_line()),
            Self::Spent(full) => f.write_str(&reason(full)),
            Self::Busy(full) => {
                write!(f, "{} is held by calls under way, {} of {}", full.cap.whose(), used(full), full.cap.limit)
            }
            Self::TooLarge { model, tokens } => {
                write!(f, "a call of {tokens} tokens is longer than the price of `{model}` is known for")
            }
            Self::Store(problem) => write!(f, "the host's own store failed: {problem}"),
        }
    }
}

impl Refused {
    /// Whether the bot must sleep until the budget begins anew, and until which real time.
    pub fn sleeps_until(&self) -> Option<Timestamp> {
        match self {
            Self::Spent(full) if full.cap.at_end == AtEnd::Sleep => Some(full.until),
            _ => None,
        }
    }

    /// What a script is told. `real` is real time now; `bots` shows bots' time, in which the script lives.
    pub fn refusal(&self, real: Timestamp, bots: &Clock) -> Refusal {
        let kind = match self {
            Self::NoPrice(_) | Self::TooLarge { .. } => FailureKind::Unsupported,
            Self::Spent(_) => FailureKind::Budget,
            Self::Busy(_) | Self::Store(_) => FailureKind::Unavailable,
        };
        let until = self.sleeps_until().map(|until| in_bots_time(until, real, bots));
        Refusal::Failure(Failure { until, ..Failure::new(kind, self.to_string()) })
    }
}

/// A real time to come, as bots' time.
pub fn in_bots_time(at: Timestamp, real: Timestamp, bots: &Clock) -> Timestamp {
    let left = at.duration_since(real).as_secs_f64().max(0.0) * bots.speed();
    bots.now().saturating_add(Seconds::clamped(left).signed()).unwrap_or(Timestamp::MAX)
}

/// Whose budget is used up, and until when: `fleet budget until 00:00 UTC`.
pub fn reason(full: &Full) -> String {
    let zoned = full.until.to_zoned(TimeZone::UTC);
    let until = match full.cap.period {
        Period::Month => zoned.strftime("%Y-%m-%d %H:%M").to_string(),
        Period::Hour | Period::Day => zoned.strftime("%H:%M").to_string(),
    };
    format!("{} until {until} UTC", full.cap.whose())
}

/// How much of a cap is used, in its unit.
pub(super) fn used(full: &Full) -> String {
    let used = full.standing.used();
    match full.cap.limit {
        crate::model::spend::Limit::Money(_) => used.money.rounded(4),
        crate::model::spend::Limit::Tokens(_) => used.tokens.to_string(),
    }
}
