//! What the engine offers, for the capability endpoints.
//!
//! [`GENERATORS`] and [`TRANSFORMS`] are the only lists of names; a test holds the rest to them.

use serde_json::{Value, json};

/// Generator names.
pub(super) const GENERATORS: &[&str] = &["openai", "shapes", "qr", "quickchart"];

/// Transform names.
pub(super) const TRANSFORMS: &[&str] = &[
    "convert",
    "resize",
    "blur",
    "sharpen",
    "grayscale",
    "negate",
    "normalize",
    "threshold",
    "modulate",
    "tint",
    "extend",
    "extract",
    "roundCorners",
    "addText",
    "addCaption",
    "preset",
    "composite",
];

/// The generators with their parameters, as JSON.
pub fn generators() -> Value {
    let of = |name: &str| match name {
        "openai" => json!({
            "description": "Draws a prompt. The embedded studio composes it itself, without a model.",
            "required": ["prompt"],
            "params": {
                "prompt": "text, 1–4000 characters", "model": "text", "size": "1024x1024 | 1792x1024 | 1024x1792",
                "quality": "standard | hd", "style": "vivid | natural"
            }
        }),
        "shapes" => json!({
            "description": "Draws one shape as SVG.",
            "required": [],
            "params": {
                "shapeType": "rectangle | circle | ellipse | triangle | polygon | star", "width": "1–2048", "height": "1–2048",
                "sides": "3–64", "points": "3–64", "innerRadius": "0.05–0.95", "fillType": "solid | gradient | pattern | none",
                "fillColor": "colour", "gradientType": "linear | radial", "gradientColor1": "colour",
                "gradientColor2": "colour", "gradientAngle": "-360–360", "patternType": "dots | stripes | grid | checkerboard",
                "patternColor": "colour", "patternBackground": "colour", "patternScale": "0.2–20", "strokeColor": "colour",
                "strokeWidth": "0–200", "rotation": "-360–360"
            }
        }),
        "qr" => json!({
            "description": "Draws a QR code.",
            "required": ["text"],
            "params": {
                "text": "text, 1–2000 characters", "width": "32–2048", "margin": "0–20",
                "errorCorrectionLevel": "L | M | Q | H", "format": "png | svg", "color": "colour, or {dark, light}"
            }
        }),
        _ => json!({
            "description": "Draws a chart.",
            "required": ["type", "data"],
            "params": {
                "type": "bar | line | pie | doughnut | radar", "data": "{labels: […], datasets: [{label, data: […]}]}",
                "options": "{title?}", "width": "100–2048", "height": "100–2048"
            }
        }),
    };
    list(GENERATORS, of)
}

/// The transforms with their parameters, as JSON.
pub fn transforms() -> Value {
    let of = |name: &str| {
        let (params, required): (Value, &[&str]) = match name {
            "convert" => (json!({"to": "png | jpeg | webp", "quality": "1–100"}), &["to"]),
            "resize" => (json!({"width": "1–2048", "height": "1–2048", "fit": "cover | contain | fill"}), &[]),
            "blur" => (json!({"sigma": "0.3–100"}), &["sigma"]),
            "sharpen" => (json!({"sigma": "0.3–10"}), &["sigma"]),
            "threshold" => (json!({"value": "0–255"}), &[]),
            "modulate" => {
                (json!({"brightness": "0–10", "saturation": "0–10", "hue": "-360–360", "lightness": "-100–100"}), &[])
            }
            "tint" => (json!({"color": "colour"}), &["color"]),
            "extend" => (
                json!({"top": "0–1024", "bottom": "0–1024", "left": "0–1024", "right": "0–1024", "background": "colour"}),
                &[],
            ),
            "extract" => (
                json!({"left": "0–2047", "top": "0–2047", "width": "1–2048", "height": "1–2048"}),
                &["width", "height"],
            ),
            "roundCorners" => (json!({"radius": "1–1024"}), &["radius"]),
            "addText" => (
                json!({"text": "1–200 characters", "x": "pixels", "y": "pixels", "size": "6–512", "color": "colour"}),
                &["text"],
            ),
            "addCaption" => (
                json!({"text": "1–200 characters", "position": "top | bottom", "size": "6–256", "color": "colour", "background": "colour"}),
                &["text"],
            ),
            "preset" => (json!({"name": "vintage | cool | warm | dramatic"}), &["name"]),
            "composite" => (
                json!({"overlay": "name of an earlier output", "left": "pixels", "top": "pixels", "opacity": "0–1"}),
                &["overlay"],
            ),
            _ => (json!({}), &[]),
        };
        json!({ "provider": "sharp", "required": required, "params": params })
    };
    list(TRANSFORMS, of)
}

fn list(names: &[&str], of: impl Fn(&str) -> Value) -> Value {
    let with_name = |name: &&str| {
        let mut entry = of(name);
        entry["name"] = Value::from(*name);
        entry
    };
    Value::Array(names.iter().map(with_name).collect())
}
