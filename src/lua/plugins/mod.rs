//! Plugins in Luau: what their files say, their VMs, and what only they can call.

mod calls;
mod exports;
mod living;
mod manifest;
pub mod modules;
pub mod options;
mod trial;
mod version;

pub use calls::{Answer, PluginCall, ReloadFailed};
pub use exports::export_file;
pub use living::{Answered, LivingPlugin};
pub use trial::rehearse;
pub use version::{PluginVersion, main_of};
