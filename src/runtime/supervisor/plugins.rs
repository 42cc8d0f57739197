//! What the supervisor shows of plugins, and what an operator decides of one.
//!
//! No plugin is loaded yet, so that there is none to show.

use super::Supervisor;
use crate::model::plugin::PluginName;
use crate::runtime::plugin_view::{PluginChange, PluginView};

impl Supervisor {
    pub(super) fn plugin_views(&self) -> Vec<PluginView> {
        Vec::new()
    }

    pub(super) async fn change_plugin(&mut self, name: &PluginName, _: PluginChange) -> Result<String, String> {
        Err(format!("no plugin `{name}` is loaded"))
    }
}
