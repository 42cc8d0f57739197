//! A length of time as scripts and configs write it: a finite, non-negative number of seconds.

use std::time::Duration;

use jiff::SignedDuration;

/// The longest that anything may be asked to last: 366 days.
pub const MAX_SECS: f64 = 366.0 * 86_400.0;

/// A finite, non-negative number of seconds, at most [`MAX_SECS`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Seconds(f64);

/// Why a number is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("expected seconds as a finite number that is not negative, got {0}")]
pub struct NotSeconds(pub f64);

impl Seconds {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);

    /// Takes a number of seconds; more than [`MAX_SECS`] counts as [`MAX_SECS`].
    ///
    /// # Errors
    /// When the number is NaN, infinite or negative.
    pub fn new(seconds: f64) -> Result<Self, NotSeconds> {
        if seconds.is_finite() && seconds >= 0.0 { Ok(Self(seconds.min(MAX_SECS))) } else { Err(NotSeconds(seconds)) }
    }

    /// Takes any number: what is no length of time is none.
    pub fn clamped(seconds: f64) -> Self {
        Self::new(seconds).unwrap_or(if seconds == f64::INFINITY { Self(MAX_SECS) } else { Self::ZERO })
    }

    /// The number of seconds.
    pub fn get(self) -> f64 {
        self.0
    }

    /// As a [`Duration`], which cannot fail for a number in range.
    pub fn duration(self) -> Duration {
        Duration::try_from_secs_f64(self.0).unwrap_or(Duration::ZERO)
    }

    /// As a signed duration, for adding to a [`jiff::Timestamp`].
    pub fn signed(self) -> SignedDuration {
        SignedDuration::try_from_secs_f64(self.0).unwrap_or(SignedDuration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_time_are_refused() {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5] {
            assert!(Seconds::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Seconds::new(1e300).map(Seconds::get), Ok(MAX_SECS));
        assert_eq!(Seconds::clamped(f64::NAN), Seconds::ZERO);
    }
}
