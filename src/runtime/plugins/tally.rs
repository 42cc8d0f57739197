//! What the calls of a plugin came to, by function.
//!
//! It counts and remembers the last waits; it decides nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::view::{CallsView, Fared};
use crate::lua::plugins::{Answer, PluginCall};
use crate::model::diagnostic::Diagnostic;
use crate::model::plugin::Manifest;

/// Waits of one function that are remembered.
const WAITS: usize = 256;

/// All functions of a plugin.
#[derive(Debug)]
pub(super) struct Tally {
    /// Its hooks, timers and exports, in the order of its manifest.
    functions: Vec<Calls>,
    manifest: Arc<Manifest>,
    missed: u64,
    last_fault: Option<(Diagnostic, Timestamp)>,
}

#[derive(Debug, Default)]
struct Calls {
    calls: u64,
    faults: u64,
    denied: u64,
    changed: u64,
    waits: VecDeque<u64>,
}

impl Tally {
    /// Of a plugin that nobody has called yet.
    pub fn new(manifest: Arc<Manifest>) -> Self {
        let count = manifest.hooks.len() + manifest.timers.len() + manifest.exports.len();
        let functions = (0..count).map(|_| Calls::default()).collect();
        Self { functions, manifest, missed: 0, last_fault: None }
    }

    /// Nothing when the plugin has no function for it.
    fn of(&mut self, call: &PluginCall) -> Option<&mut Calls> {
        let Manifest { hooks, timers, exports, .. } = &*self.manifest;
        let place = match call {
            PluginCall::Timer(place) => hooks.len() + (*place < timers.len()).then_some(*place)?,
            PluginCall::Export(name, _) => {
                hooks.len() + timers.len() + exports.iter().position(|export| **export == **name)?
            }
            other => hooks.iter().position(|hook| Some(*hook) == other.hook())?,
        };
        self.functions.get_mut(place)
    }

    /// A call took so long.
    pub fn took(&mut self, call: &PluginCall, time: Duration) {
        let Some(calls) = self.of(call) else { return };
        if calls.waits.len() >= WAITS {
            calls.waits.pop_front();
        }
        calls.waits.push_back(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// A call went well.
    pub fn went_well(&mut self, call: &PluginCall, answer: &Answer) {
        let Some(calls) = self.of(call) else { return };
        calls.calls += 1;
        match answer {
            Answer::Deny(..) => calls.denied += 1,
            Answer::Change(..) => calls.changed += 1,
            Answer::Nothing | Answer::Value(_) => {}
        }
    }

    /// A call went wrong.
    pub fn went_wrong(&mut self, call: &PluginCall, problem: &Diagnostic, at: Timestamp) {
        if let Some(calls) = self.of(call) {
            calls.calls += 1;
            calls.faults += 1;
        }
        self.last_fault = Some((problem.clone(), at));
    }

    /// Whoever asked went on before a call could begin.
    pub fn came_too_late(&mut self, call: &PluginCall) {
        if let Some(calls) = self.of(call) {
            calls.faults += 1;
        }
    }

    /// There was no room to tell it something.
    pub fn missed(&mut self) {
        self.missed += 1;
    }

    /// What people see of it.
    pub fn fared(&self) -> Fared {
        let hooks = self.manifest.hooks.iter().map(|hook| hook.as_str().to_owned());
        let timers = self.manifest.timers.iter().map(|timer| format!("every.{}", timer.key));
        let exports = self.manifest.exports.iter().map(|export| format!("exports.{export}"));
        let names = hooks.chain(timers).chain(exports);
        let functions: Vec<CallsView> = names.zip(&self.functions).map(|(name, calls)| calls.view(name)).collect();
        let sum = |of: fn(&CallsView) -> u64| functions.iter().map(of).sum();
        Fared {
            calls: sum(|calls| calls.calls),
            faults: sum(|calls| calls.faults),
            missed: self.missed,
            denied: sum(|calls| calls.denied),
            changed: sum(|calls| calls.changed),
            last_fault: self.last_fault.clone(),
            functions,
        }
    }
}

impl Calls {
    fn view(&self, function: String) -> CallsView {
        let mut waits: Vec<u64> = self.waits.iter().copied().collect();
        waits.sort_unstable();
        let at = |percent: usize| {
            let place = (waits.len() * percent).div_ceil(100).saturating_sub(1);
            Duration::from_micros(waits.get(place).copied().unwrap_or(0))
        };
        CallsView {
            function,
            calls: self.calls,
            faults: self.faults,
            denied: self.denied,
            changed: self.changed,
            p50: at(50),
            p99: at(99),
        }
    }
}
