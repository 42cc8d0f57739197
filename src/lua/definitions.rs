//! The definition file that editors read: every stub, in one piece.
//!
//! It is made of the stubs that stand beside the modules, so it says what this program offers and nothing else.

use sha2::{Digest, Sha256};

use super::modules::{MODULES, PERSONA_TYPES, PLUGIN_TYPES, SHARED_TYPES};
use super::plugins::modules::{PLUGIN_MODULES, PLUGIN_STUB};
use super::testing;

/// The whole definition file.
pub fn definitions() -> String {
    let stubs = MODULES.iter().map(|module| module.types).filter(|types| !types.is_empty());
    let plugins = PLUGIN_MODULES.iter().map(|module| module.types).filter(|types| !types.is_empty());
    let parts = [SHARED_TYPES, PERSONA_TYPES, PLUGIN_TYPES].into_iter().chain(stubs);
    let parts = parts.chain([PLUGIN_STUB]).chain(plugins).chain([testing::TYPES]);
    let body: String = parts.map(|part| format!("\n{}\n", part.trim())).collect();
    format!(
        "-- floimg-fleet {}: what scripts can use. Written by `fleet types`; changes here are lost. digest {}\n{body}",
        env!("CARGO_PKG_VERSION"),
        digest(&body)
    )
}

/// Whether a definition file, of whatever version, is as a program wrote it.
pub fn is_untouched(text: &str) -> bool {
    text.split_once('\n').is_some_and(|(head, body)| head.ends_with(&format!("digest {}", digest(body))))
}

fn digest(body: &str) -> String {
    // Editors and version control may change how lines end.
    let plain = body.replace("\r\n", "\n");
    Sha256::digest(plain.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
