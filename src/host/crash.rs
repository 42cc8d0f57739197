//! Points at which a test may end the process as `kill -9` would.
//!
//! Off unless `fleet run --abort-at STEP` names one, and then only that step aborts.

use std::sync::atomic::{AtomicU32, Ordering};

/// The steps of an action and of a tick, in order.
pub const STEPS: [&str; 8] = [
    "tick:begin",
    "action:allowed",
    "action:opened",
    "action:sent",
    "action:settled",
    "tick:ran",
    "tick:committed",
    "bot:provisioned",
];

/// Ends the process at one step, if told to.
#[derive(Debug, Default)]
pub struct CrashPoint {
    step: Option<String>,
    left: AtomicU32,
}

impl CrashPoint {
    /// Aborts when this step is reached the `nth` time, counted from 1; `None` never aborts.
    pub fn new(step: Option<String>, nth: u32) -> Self {
        Self { step, left: AtomicU32::new(nth.max(1)) }
    }

    /// Marks that a step was reached.
    pub fn reached(&self, step: &str) {
        if self.step.as_deref() == Some(step) && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}
