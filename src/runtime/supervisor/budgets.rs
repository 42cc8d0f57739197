//! Bots that sleep for a budget: woken when there is room again before its period ends.
//!
//! They wake spread out, as after any common wait.

use jiff::Timestamp;

use crate::model::seconds::Seconds;
use crate::model::status::Rest;

use super::Supervisor;

impl Supervisor {
    /// Wakes, spread out, those who sleep for one of these reasons, which hold no more.
    pub(super) fn end_budget_sleep(&mut self, reasons: &[String]) {
        if reasons.is_empty() {
            return;
        }
        let now = self.shared.world.clock.now();
        let spread = self.shared.settings.load().overdue_spread.as_secs_f64() * self.shared.world.clock.speed();
        let is_over = |why: &Rest| matches!(why, Rest::Told { by } if reasons.contains(by));
        let woken: Vec<(u32, Timestamp)> = (0_u32..)
            .zip(&self.slots)
            .filter(|(_, slot)| !slot.is_acting && is_over(&slot.why))
            .map(|(index, slot)| {
                let unit = crate::host::identity::trait_of(&slot.id, "budget again");
                let at = now.saturating_add(Seconds::clamped(spread * unit).signed()).unwrap_or(now);
                (index, at.min(slot.wake_at))
            })
            .collect();
        for (index, at) in woken {
            self.reschedule(index, at, Rest::Pause);
        }
    }
}
