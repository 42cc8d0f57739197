//! Telling: activities, refused scripts and the platform's signals, to the plugins that want to hear of them.
//!
//! A plugin that falls behind misses some; nobody waits for it.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::Plugins;
use crate::floimg::signals::Signals;
use crate::lua::plugins::{PluginCall, ReloadFailed};
use crate::model::activity::Activity;
use crate::runtime::bot::Shared;

/// Kinds of activities that tell of a script or plugin that was refused.
const REFUSALS: [&str; 2] = ["reload_refused", "plugin_refused"];
/// Kinds of activities about plugins' own faults, which would go in a circle.
const FAULTS: [&str; 2] = ["plugin_error", "plugin_quarantined"];

/// Listens until the fleet stops.
pub(super) async fn run(plugins: Plugins, shared: Arc<Shared>) {
    let mut activities = shared.world.journal.listen();
    let mut signals = shared.world.floimg.signals();
    let mut before = *signals.borrow_and_update();
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            activity = activities.recv() => match activity {
                Ok(activity) => tell(&plugins, &activity),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            changed = signals.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = *signals.borrow_and_update();
                if let Some(call) = platform(&before, &now) {
                    plugins.tell(&call);
                }
                before = now;
            }
        }
    }
}

fn tell(plugins: &Plugins, activity: &Arc<Activity>) {
    let what = &activity.what;
    if FAULTS.contains(&what.kind.as_str()) {
        let about = what.detail.get("plugin").and_then(Value::as_str);
        for member in plugins.members(crate::model::plugin::Hook::OnActivity) {
            if about != Some(member.name().as_str()) {
                member.tell(PluginCall::Activity(activity.clone()));
            }
        }
        return;
    }
    plugins.tell(&PluginCall::Activity(activity.clone()));
    if REFUSALS.contains(&what.kind.as_str()) {
        let failed = ReloadFailed {
            persona: what.persona.as_ref().map(ToString::to_string),
            plugin: what.detail.get("plugin").and_then(Value::as_str).map(str::to_owned),
            text: what.text.clone(),
            errors: what.detail.get("errors").cloned().unwrap_or(Value::Array(Vec::new())),
        };
        plugins.tell(&PluginCall::ReloadFailed(Arc::new(failed)));
    }
}

/// What the platform said that it had not said before.
fn platform(before: &Signals, now: &Signals) -> Option<PluginCall> {
    match (before.platform_paused, now.platform_paused) {
        (false, true) => return Some(PluginCall::Platform("paused", None)),
        (true, false) => return Some(PluginCall::Platform("resumed", None)),
        _ => {}
    }
    let until = now.fleet_until.as_ref().map(|(until, _)| *until)?;
    let is_new = before.fleet_until.as_ref().is_none_or(|(old, _)| *old != until);
    is_new.then(|| PluginCall::Platform("budget", Some(until.as_duration().as_secs_f64())))
}
