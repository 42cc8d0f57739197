//! Plugins: what a look at the files found is run, and what was refused is told loudly.

use serde_json::json;
use tracing::{error, info, warn};

use crate::model::activity::{Ending, NewActivity};
use crate::model::diagnostic::Diagnostic;
use crate::model::frame;
use crate::runtime::plugins::catalog::{PluginCatalog, PluginChanges};

use super::Supervisor;

impl Supervisor {
    /// Runs the plugins that were accepted, and is loud about the others.
    pub(super) async fn take_plugins(&self, catalog: &PluginCatalog, changes: &PluginChanges, is_first: bool) {
        self.plugins.take(catalog).await;
        if changes.has_new_strays {
            for problem in &catalog.stray {
                warn!("look at this\n{}", frame::plain(problem));
            }
        }
        for name in &changes.warned {
            let entry = catalog.entries.get(name).and_then(|entry| entry.ready.as_ref());
            for warning in entry.into_iter().flat_map(|ready| &ready.warnings) {
                warn!(plugin = %name, "look at this\n{}", frame::plain(warning));
            }
        }
        for name in &changes.accepted {
            let Some(ready) = catalog.entries.get(name).and_then(|entry| entry.ready.as_ref()) else { continue };
            for warning in ready.version.warnings.iter().chain(&ready.warnings) {
                warn!(plugin = %name, "look at this\n{}", frame::plain(warning));
            }
            if is_first {
                info!(plugin = %name, version = %ready.version.id, "plugin loaded");
                continue;
            }
            let text = format!("the plugin `{name}` runs as version {}", ready.version.id);
            let detail = json!({ "plugin": name.as_str(), "version": ready.version.id.as_str() });
            self.tell_of_plugin("plugin_loaded", Ending::Done, text, detail).await;
        }
        for name in &changes.refused {
            let Some(entry) = catalog.entries.get(name) else { continue };
            for problem in &entry.errors {
                error!(plugin = %name, "refused\n{}", frame::plain(problem));
            }
            let first = entry.errors.first().map(ToString::to_string).unwrap_or_default();
            let text = match &entry.ready {
                Some(ready) => {
                    format!("the plugin `{name}` was refused, version {} runs on: {first}", ready.version.id)
                }
                None => format!("the plugin `{name}` was refused, and there is no earlier version: {first}"),
            };
            let errors: Vec<_> = entry.errors.iter().map(Diagnostic::as_json).collect();
            let detail = json!({ "plugin": name.as_str(), "errors": errors });
            self.tell_of_plugin("plugin_refused", Ending::Refused, text, detail).await;
        }
        for name in &changes.removed {
            let text = format!("the plugin `{name}` is gone");
            self.tell_of_plugin("plugin_removed", Ending::Done, text, json!({ "plugin": name.as_str() })).await;
        }
    }

    async fn tell_of_plugin(&self, kind: &str, ending: Ending, text: String, detail: serde_json::Value) {
        let activity = NewActivity {
            at: self.shared.world.clock.now(),
            bot: None,
            persona: None,
            kind: kind.to_owned(),
            ending,
            target: String::new(),
            text,
            detail,
        };
        self.shared.world.journal.record(activity).await;
    }
}
