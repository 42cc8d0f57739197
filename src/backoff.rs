//! Backoff: how long to wait after the n-th failure in a row.
//!
//! Pure: the caller brings the chance, so that a bot's waits can be the same on every machine.

use std::time::Duration;

/// Waits that double from `base` up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The most to wait after the first failure.
    pub base: Duration,
    /// The most to wait after any failure.
    pub cap: Duration,
}

impl Backoff {
    /// The most to wait after this many failures in a row: `base`, twice that, four times that, up to `cap`.
    pub fn ceiling(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        // 2^32 times anything that is worth waiting for is past every cap, and so is what overflows.
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.base.checked_mul(factor).map_or(self.cap, |wait| wait.min(self.cap))
    }

    /// A wait between nothing and [`Backoff::ceiling`], by a number between 0 and 1 drawn evenly.
    ///
    /// Full jitter: those who failed together do not come back together. What is no number counts as 1.
    pub fn delay(&self, failures: u32, unit_random: f64) -> Duration {
        scaled(self.ceiling(failures), unit_random)
    }

    /// A wait between half of [`Backoff::ceiling`] and the whole, for what must not be tried again at once.
    pub fn delay_at_least_half(&self, failures: u32, unit_random: f64) -> Duration {
        let half = self.ceiling(failures) / 2;
        half.saturating_add(scaled(half, unit_random))
    }
}

/// A part of `whole`; NaN and what lies outside 0 to 1 is brought inside.
fn scaled(whole: Duration, unit: f64) -> Duration {
    let unit = if unit.is_nan() { 1.0 } else { unit.clamp(0.0, 1.0) };
    Duration::try_from_secs_f64(whole.as_secs_f64() * unit).map_or(whole, |part| part.min(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(60) };

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 32, 33, 34, u32::MAX].map(|n| BACKOFF.ceiling(n).as_secs());
        assert_eq!(ceilings, [0, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn a_base_above_the_cap_and_the_longest_times_do_not_overflow() {
        let wide = Backoff { base: Duration::MAX, cap: Duration::from_secs(5) };
        assert_eq!([1, 2, 40].map(|n| wide.ceiling(n)), [Duration::from_secs(5); 3]);
        let endless = Backoff { base: Duration::from_secs(1), cap: Duration::MAX };
        assert_eq!(endless.ceiling(40), Duration::from_secs(u64::from(u32::MAX)));
        assert_eq!(Backoff { base: Duration::MAX, cap: Duration::MAX }.delay(9, 1.0), Duration::MAX);
    }

    #[test]
    fn the_delay_is_the_drawn_part_of_the_ceiling() {
        let table = [
            (3, 0.0, 0),
            (3, 0.25, 2_000),
            (3, 1.0, 8_000),
            (3, 7.0, 8_000),
            (3, -1.0, 0),
            (3, f64::NAN, 8_000),
            (0, 1.0, 0),
        ];
        for (failures, random, millis) in table {
            assert_eq!(BACKOFF.delay(failures, random), Duration::from_millis(millis), "{failures} {random}");
        }
    }

    #[test]
    fn the_guarded_delay_is_never_less_than_half() {
        let delays = [0.0, 0.5, 1.0].map(|random| BACKOFF.delay_at_least_half(3, random).as_secs());
        assert_eq!(delays, [4, 6, 8]);
    }
}
