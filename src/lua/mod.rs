//! Luau: sandboxed VMs, the script API, and script versions.
//!
//! This floor alone names `mlua`; what is below knows no Luau, what is above knows no VM.

mod analysis;
pub mod api;
mod args;
pub mod console;
mod contract;
pub mod definitions;
mod fault;
pub mod limits;
mod living;
pub mod modules;
mod persona;
pub mod plugins;
mod pretty;
pub mod reference;
mod syntax;
pub mod testing;
pub mod trace;
mod trial;
mod value;
pub mod version;
mod vm;

pub use living::{Lived, LivingBot, Tick};
pub use trial::{rehearse, rehearse_refused};

/// The globals of Luau that scripts keep; with the modules' names, all that they find.
pub fn vm_globals() -> &'static [&'static str] {
    &vm::KEPT
}
