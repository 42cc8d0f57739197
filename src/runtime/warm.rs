//! Warm VMs: a bounded cache of those that will soon be needed again.
//!
//! Losing one costs a rebuild and nothing else.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::lua::LivingBot;

/// Keeps the VMs of the bots that wake soonest.
#[derive(Debug, Default)]
pub struct Warm {
    vms: HashMap<u32, (Timestamp, LivingBot)>,
    order: BTreeSet<(Timestamp, u32)>,
}

impl Warm {
    /// Keeps a bot's VM until it wakes; when there are more than `most`, the one that sleeps longest goes.
    pub fn keep(&mut self, slot: u32, wakes_at: Timestamp, living: LivingBot, most: usize) {
        self.drop(slot);
        self.order.insert((wakes_at, slot));
        self.vms.insert(slot, (wakes_at, living));
        while self.vms.len() > most {
            let Some((_, slot)) = self.order.pop_last() else { break };
            self.vms.remove(&slot);
        }
    }

    /// Only a bot that wakes before this would be kept now.
    pub fn keeps_before(&self, most: usize) -> Timestamp {
        if self.vms.len() < most {
            return Timestamp::MAX;
        }
        self.order.last().map_or(Timestamp::MIN, |(wakes_at, _)| *wakes_at)
    }

    /// Takes a bot's VM out.
    pub fn take(&mut self, slot: u32) -> Option<LivingBot> {
        let (wakes_at, living) = self.vms.remove(&slot)?;
        self.order.remove(&(wakes_at, slot));
        Some(living)
    }

    /// Lets a bot's VM go.
    pub fn drop(&mut self, slot: u32) {
        // The VM is freed here.
        let _ = self.take(slot);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.vms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.vms.is_empty()
    }
}
