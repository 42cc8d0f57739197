//! Money: an exact amount in the account's currency.
//!
//! It is read from decimals and never passes through a floating-point number.

use std::fmt;
use std::str::FromStr;

/// An amount of money in nano-units: billionths of the currency's unit. Never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an amount of money from 0 to {most}, with at most 9 digits after the point, such as \"5.00\"", most = Money::MOST)]
pub struct NotMoney;

/// Nano-units of one unit.
const UNIT: i64 = 1_000_000_000;
/// Digits after the point.
const DIGITS: usize = 9;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that one call or one cap may have; thousands of them still add up.
    pub const LARGEST: Self = Self(Self::MOST * UNIT);
    /// The same in whole units.
    pub const MOST: i64 = 1_000_000;

    /// So many nano-units; a negative number is nothing.
    pub const fn from_nano(nano: i64) -> Self {
        Self(if nano < 0 { 0 } else { nano })
    }

    /// The nano-units.
    pub const fn nano(self) -> i64 {
        self.0
    }

    /// Both together, or as much as can be counted.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without the other; nothing when that is more.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self::from_nano(self.0.saturating_sub(other.0))
    }

    /// The smallest amount that is not less than `nano`.
    pub(super) fn at_least(nano: i128) -> Self {
        Self(i64::try_from(nano.max(0)).unwrap_or(i64::MAX))
    }

    /// The amount with at most so many digits after the point, rounded up: what is told is never less than what is.
    pub fn rounded(self, digits: u32) -> String {
        let step = 10_i64.pow(9_u32.saturating_sub(digits.min(9)));
        let up = self.0.checked_add(step - 1).map_or(self.0, |up| up / step * step);
        Self(up).to_string()
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    /// Reads a decimal such as `5`, `0.15` or `12.50`, exactly.
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > DIGITS {
            return Err(NotMoney);
        }
        let whole: i64 = whole.parse().ok().filter(|whole| *whole <= Self::MOST).ok_or(NotMoney)?;
        let part: i64 = format!("{part:0<DIGITS$}").parse().map_err(|_| NotMoney)?;
        let nano = whole * UNIT + part;
        if nano > Self::MOST * UNIT { Err(NotMoney) } else { Ok(Self(nano)) }
    }
}

impl fmt::Display for Money {
    /// All digits that count, and two at least: `5.00`, `0.0042`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:09}", self.0 % UNIT);
        let kept = part.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / UNIT, &part[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_shown_exactly() {
        for (text, nano, shown) in [
            ("0", 0, "0.00"),
            ("5", 5_000_000_000, "5.00"),
            ("5.00", 5_000_000_000, "5.00"),
            ("0.1", 100_000_000, "0.10"),
            ("0.075", 75_000_000, "0.075"),
            ("0.000000001", 1, "0.000000001"),
            ("1000000", 1_000_000_000_000_000, "1000000.00"),
        ] {
            let money: Money = text.parse().expect(text);
            assert_eq!((money.nano(), money.to_string().as_str()), (nano, shown), "{text}");
        }
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "0.0000000001",
            "1000000.1",
            "99999999999999999999",
            " 1",
            "NaN",
        ] {
            assert_eq!(wrong.parse::<Money>(), Err(NotMoney), "{wrong}");
        }
    }

    #[test]
    fn what_is_told_is_never_less_than_what_is() {
        let money = Money::from_nano(1_234_500_001);
        assert_eq!([0, 2, 4, 9].map(|digits| money.rounded(digits)), ["2.00", "1.24", "1.2346", "1.234500001"]);
    }
}
