//! The definition file that editors read: every stub, in one piece.
//!
//! It is made of the stubs that stand beside the modules, so it says what this program offers and nothing else.

use super::modules::{MODULES, PERSONA_TYPES, SHARED_TYPES};

/// The whole definition file.
pub fn definitions() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text =
        format!("-- floimg-fleet {version}: what scripts can use. Written by `fleet types`; changes here are lost.\n");
    let stubs = MODULES.iter().map(|module| module.types).filter(|types| !types.is_empty());
    for part in [SHARED_TYPES, PERSONA_TYPES].into_iter().chain(stubs) {
        text.push('\n');
        text.push_str(part.trim());
        text.push('\n');
    }
    text
}
