//! The breaker: leaves a server alone that has failed too often in a row.
//!
//! Pure state; at most one call at a time tries a server that is being left alone.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;

/// How many faults in a row open it.
pub const FAULTS: u32 = 5;
/// How long a server is usually left alone.
pub const REST: Backoff = Backoff { base: Duration::from_secs(10), cap: Duration::from_secs(300) };

/// The state for one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Calls pass; so many faults in a row so far.
    Closed {
        /// In a row.
        faults: u32,
    },
    /// No call passes until then; opened so many times without a success between.
    Open {
        /// When a call may try it again.
        until: Instant,
        /// In a row.
        times: u32,
    },
    /// One call is out to see whether the server is back.
    Probing {
        /// How many times it was opened in a row.
        times: u32,
    },
}

/// Leave to send a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// As usual.
    Usual,
    /// As the one call that tries whether the server is back.
    Probe,
}

impl Breaker {
    /// Asks for leave; `Err` says from when on it is worth asking again.
    ///
    /// # Errors
    /// When no call may pass now.
    pub fn enter(&mut self, now: Instant) -> Result<Leave, Instant> {
        match *self {
            Self::Closed { .. } => Ok(Leave::Usual),
            Self::Open { until, .. } if now < until => Err(until),
            Self::Open { times, .. } => {
                *self = Self::Probing { times };
                Ok(Leave::Probe)
            }
            // The probe ends by its own time-out; a second is soon enough to ask how it went.
            Self::Probing { .. } => Err(now + Duration::from_secs(1)),
        }
    }

    /// Says how a call went; what fails too often is left alone as long as `rest` says. What was sent before the breaker
    /// opened has no say after.
    pub fn settle(&mut self, leave: Leave, fault: bool, now: Instant, rest: Backoff, unit_random: f64) {
        let times = match (*self, leave) {
            (Self::Closed { .. }, _) if !fault => {
                *self = Self::Closed { faults: 0 };
                return;
            }
            (Self::Closed { faults }, _) if faults + 1 < FAULTS => {
                *self = Self::Closed { faults: faults + 1 };
                return;
            }
            (Self::Closed { .. }, _) => 1,
            (Self::Probing { .. }, Leave::Probe) if !fault => {
                *self = Self::Closed { faults: 0 };
                return;
            }
            (Self::Probing { times }, Leave::Probe) => times.saturating_add(1),
            (Self::Open { .. } | Self::Probing { .. }, _) => return,
        };
        *self = Self::Open { until: now + rest.delay_at_least_half(times, unit_random), times };
    }

    /// Says that a call was given up before anyone could tell how it went.
    pub fn give_up(&mut self, leave: Leave, now: Instant) {
        if let (Self::Probing { times }, Leave::Probe) = (*self, leave) {
            *self = Self::Open { until: now, times };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::Closed { faults: 0 };
        for _ in 0..FAULTS {
            assert_eq!(breaker.enter(now), Ok(Leave::Usual));
            breaker.settle(Leave::Usual, true, now, REST, 1.0);
        }
        breaker
    }

    #[test]
    fn faults_in_a_row_open_it_and_a_success_between_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::Closed { faults: 0 };
        for fault in [true, true, true, true, false, true, true, true, true] {
            breaker.settle(Leave::Usual, fault, now, REST, 1.0);
            assert!(matches!(breaker, Breaker::Closed { .. }));
        }
        breaker.settle(Leave::Usual, true, now, REST, 1.0);
        assert_eq!(breaker, Breaker::Open { until: now + 10 * SECOND, times: 1 });
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.enter(now + 9 * SECOND), Err(now + 10 * SECOND));
        let later = now + 10 * SECOND;
        assert_eq!(breaker.enter(later), Ok(Leave::Probe));
        assert!(breaker.enter(later).is_err());
        // A straggler from before has no say.
        breaker.settle(Leave::Usual, false, later, REST, 1.0);
        assert_eq!(breaker, Breaker::Probing { times: 1 });
        breaker.settle(Leave::Probe, true, later, REST, 1.0);
        assert_eq!(breaker, Breaker::Open { until: later + 20 * SECOND, times: 2 });
        assert_eq!(breaker.enter(later + 20 * SECOND), Ok(Leave::Probe));
        breaker.settle(Leave::Probe, false, later, REST, 1.0);
        assert_eq!(breaker, Breaker::Closed { faults: 0 });
    }

    #[test]
    fn a_probe_that_was_given_up_makes_room_for_the_next() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + 10 * SECOND;
        assert_eq!(breaker.enter(later), Ok(Leave::Probe));
        breaker.give_up(Leave::Probe, later);
        assert_eq!(breaker.enter(later), Ok(Leave::Probe));
    }
}
