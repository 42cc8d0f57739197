//! Buckets: how many calls a second go to a server, before anyone has to ask.
//!
//! A call either gets its turn within the time it is ready to wait, or takes none.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets so many calls a second through, evenly, after a burst of at most one second's worth.
#[derive(Debug)]
pub struct Bucket {
    every: Duration,
    burst: Duration,
    /// When the next call would be due if all came evenly; in the past while the bucket is not empty.
    due: Mutex<Instant>,
}

impl Bucket {
    /// A full bucket. `per_sec` is finite and positive.
    pub fn new(per_sec: f64, now: Instant) -> Self {
        let every = Duration::try_from_secs_f64(1.0 / per_sec).unwrap_or(Duration::MAX);
        Self { every, burst: Duration::from_secs(1).saturating_sub(every), due: Mutex::new(now) }
    }

    /// Takes a turn and says how long it is away; takes none, and says how far it is, when that is more than `most`.
    ///
    /// # Errors
    /// When its turn is too far.
    pub fn take(&self, now: Instant, most: Duration) -> Result<Duration, Duration> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*due).max(now);
        let wait = at.duration_since(now).saturating_sub(self.burst);
        if wait > most {
            return Err(wait);
        }
        *due = at.checked_add(self.every).unwrap_or(at);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_beyond_a_burst_are_spread_evenly() {
        let start = Instant::now();
        let bucket = Bucket::new(4.0, start);
        let most = Duration::from_secs(1);
        let waits: Vec<_> = (0..9).map(|_| bucket.take(start, most).map(|wait| wait.as_millis())).collect();
        let full = Err(Duration::from_millis(1250));
        assert_eq!(waits, [Ok(0), Ok(0), Ok(0), Ok(0), Ok(250), Ok(500), Ok(750), Ok(1000), full]);
        // What was refused took no turn.
        assert_eq!(bucket.take(start + most, most), Ok(Duration::from_millis(250)));
        // A rest fills it up to the burst, and no further.
        let later = start + Duration::from_secs(3_600);
        let waits: Vec<_> = (0..5).map(|_| bucket.take(later, most).map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [Ok(0), Ok(0), Ok(0), Ok(0), Ok(250)]);
    }

    #[test]
    fn a_slow_bucket_lets_one_through_at_a_time() {
        let start = Instant::now();
        let bucket = Bucket::new(0.1, start);
        assert_eq!(bucket.take(start, Duration::ZERO), Ok(Duration::ZERO));
        assert_eq!(bucket.take(start, Duration::ZERO), Err(Duration::from_secs(10)));
        assert_eq!(bucket.take(start + Duration::from_secs(10), Duration::ZERO), Ok(Duration::ZERO));
    }
}
