//! A tally: what the ticks of one version came to, in numbers that add up.

use std::ops::{AddAssign, Sub};

/// What some ticks came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ticks that were lived, those that went wrong included.
    pub ticks: u64,
    /// Ticks that went wrong.
    pub errors: u64,
    /// Actions that happened.
    pub actions: u64,
    /// Actions that the world or a limit refused.
    pub refused: u64,
    /// Texts and choices that were asked of a writer.
    pub calls: u64,
    /// CPU time in microseconds.
    pub cpu_micros: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.ticks += more.ticks;
        self.errors += more.errors;
        self.actions += more.actions;
        self.refused += more.refused;
        self.calls += more.calls;
        self.cpu_micros += more.cpu_micros;
    }
}

impl Sub for Tally {
    type Output = Self;

    /// What came since an earlier tally of the same.
    fn sub(self, earlier: Self) -> Self {
        Self {
            ticks: self.ticks.saturating_sub(earlier.ticks),
            errors: self.errors.saturating_sub(earlier.errors),
            actions: self.actions.saturating_sub(earlier.actions),
            refused: self.refused.saturating_sub(earlier.refused),
            calls: self.calls.saturating_sub(earlier.calls),
            cpu_micros: self.cpu_micros.saturating_sub(earlier.cpu_micros),
        }
    }
}
