//! Exports: the file that tells a persona's VM what a plugin exports.
//!
//! It is a file like any other that a persona requires, so a change of the exports is a new version of the persona.

use crate::model::plugin::Manifest;

/// The path and text of the file behind `require("@plugins/NAME")`.
pub fn export_file(manifest: &Manifest) -> (String, String) {
    let name = manifest.name.as_str();
    let mut text =
        format!("-- What the plugin `{name}` exports; written by the host.\nlocal export = ...\nreturn {{\n");
    for export in &manifest.exports {
        text.push_str(&format!("\t{export} = export(\"{name}\", \"{export}\"),\n"));
    }
    text.push_str("}\n");
    (format!("plugins/{name}.luau"), text)
}
