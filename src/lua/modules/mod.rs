//! The modules: the only list of what scripts can reach.
//!
//! VM, stubs, documentation and tests all walk [`MODULES`].

mod bot;
pub(in crate::lua) mod events;
pub(in crate::lua) mod floimg;
mod http;
mod json;
mod llm;
mod log;
mod memory;
mod rand;
mod store;
mod text;
mod time;

use super::api::Module;

/// Every module, in the order of the documentation.
pub const MODULES: [Module; 12] = [
    floimg::MODULE,
    llm::MODULE,
    store::MODULE,
    memory::MODULE,
    events::MODULE,
    http::MODULE,
    time::MODULE,
    text::MODULE,
    rand::MODULE,
    json::MODULE,
    log::MODULE,
    bot::MODULE,
];

/// Primitives that wait and only look: what the console lets through. All others act, write, spend or wait, and whatever is
/// new does until it stands here. Those that answer at once reach nothing outside.
pub const READS: [&str; 13] = [
    "floimg.feed",
    "floimg.trending",
    "floimg.get",
    "floimg.mine",
    "floimg.comments",
    "store.get",
    "store.keys",
    "store.shared.get",
    "store.shared.keys",
    "memory.recall",
    "memory.has",
    "events.recent",
    "text.has_said",
];

/// What a persona's file returns.
pub const PERSONA_TYPES: &str = include_str!("../persona.d.luau");

/// What a plugin's file returns.
pub const PLUGIN_TYPES: &str = include_str!("../plugin.d.luau");

/// Shapes that more than one module uses.
pub const SHARED_TYPES: &str = include_str!("types.d.luau");
