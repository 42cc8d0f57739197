//! The clock that every bot, schedule and record goes by.
//!
//! Nothing above asks the system for the time of day, so a fleet can live faster than the wall.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells bots' time and waits in it. Cheap to clone; all clones tell the same time.
///
/// Deadlines, timeouts and retry pauses are not bots' time: they use [`tokio::time`].
#[derive(Debug, Clone)]
pub struct Clock {
    kind: Arc<Kind>,
}

#[derive(Debug)]
enum Kind {
    Wall,
    Scaled {
        started: Instant,
        origin: Timestamp,
        speed: f64,
    },
    /// In milliseconds.
    ByHand(AtomicI64),
}

/// The longest that one wait lasts before the clock looks again, so that a changed system time is noticed.
const LONGEST_NAP: Duration = Duration::from_secs(60);

impl Clock {
    /// A clock that shows the system's time.
    pub fn wall() -> Self {
        Self { kind: Arc::new(Kind::Wall) }
    }

    /// A clock that shows `origin` now and from here on runs `speed` times as fast as the wall.
    ///
    /// A speed that is not a positive, finite number is taken as 1.
    pub fn scaled(origin: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { kind: Arc::new(Kind::Scaled { started: Instant::now(), origin, speed }) }
    }

    /// A clock that stands at a time until it is put to another; for whatever must not depend on the system's.
    pub fn by_hand(at: Timestamp) -> Self {
        Self { kind: Arc::new(Kind::ByHand(AtomicI64::new(at.as_millisecond()))) }
    }

    /// Puts a clock that stands to another time, earlier or later; the others cannot be put.
    pub fn put(&self, at: Timestamp) {
        if let Kind::ByHand(millis) = &*self.kind {
            millis.store(at.as_millisecond(), Ordering::Relaxed);
        }
    }

    /// What bots' time is now.
    pub fn now(&self) -> Timestamp {
        match &*self.kind {
            Kind::Wall => Timestamp::now(),
            Kind::ByHand(millis) => {
                Timestamp::from_millisecond(millis.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
            Kind::Scaled { started, origin, speed } => {
                let passed = started.elapsed().as_secs_f64() * speed;
                let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or(SignedDuration::MAX);
                origin.saturating_add(passed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Whether it shows the system's time, and so needs nobody to keep it.
    pub fn is_wall(&self) -> bool {
        matches!(&*self.kind, Kind::Wall)
    }

    /// How many seconds of bots' time pass in one second of the wall.
    pub fn speed(&self) -> f64 {
        match &*self.kind {
            Kind::Wall | Kind::ByHand(_) => 1.0,
            Kind::Scaled { speed, .. } => *speed,
        }
    }

    /// How long the wall takes until bots' time is `at`; zero when that has passed.
    pub fn wall_until(&self, at: Timestamp) -> Duration {
        let left = at.duration_since(self.now());
        if left.is_negative() || left.is_zero() {
            return Duration::ZERO;
        }
        let left = left.unsigned_abs();
        match &*self.kind {
            Kind::Wall | Kind::ByHand(_) => left,
            Kind::Scaled { speed, .. } => {
                Duration::try_from_secs_f64(left.as_secs_f64() / speed).unwrap_or(Duration::MAX)
            }
        }
    }

    /// Waits until bots' time is `at`.
    pub async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = self.wall_until(at);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_NAP)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_scaled_clock_runs_at_its_speed() {
        let origin: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a valid time");
        let clock = Clock::scaled(origin, 60.0);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.now(), "2026-01-01T01:00:00Z".parse().expect("a valid time"));
        assert_eq!(clock.wall_until("2026-01-01T02:00:00Z".parse().expect("a valid time")), Duration::from_secs(60));
    }
}
