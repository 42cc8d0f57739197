//! The `qr` generator.
//!
//! Modules are whole pixels in PNGs, so that every reader can read them.

use std::fmt::Write;
use std::sync::Arc;

use qrcode::{Color, EcLevel, QrCode};
use resvg::usvg::fontdb;
use serde_json::Value;

use super::colour::{BLACK, Colour, WHITE};
use super::raster::{self, Picture};
use super::steps::Params;
use super::{Format, MAX_SIDE};

/// A code to draw.
pub(super) struct Code {
    code: QrCode,
    width: u32,
    margin: u32,
    svg: bool,
    dark: Colour,
    light: Colour,
}

impl Code {
    pub(super) fn read(p: &mut Params<'_>) -> Option<Self> {
        let text = p.text("text", 2000, None);
        let width = p.whole("width", (32, MAX_SIDE), Some(512));
        let margin = p.whole("margin", (0, 20), Some(4));
        let level = p.choice("errorCorrectionLevel", &["L", "M", "Q", "H"], Some("M"));
        let format = p.choice("format", &["png", "svg"], Some("png"));
        let (dark, light) = match p.raw("color") {
            Some(Value::Object(map)) => {
                let mut pick = |key: &str, default| match map.get(key) {
                    None => Some(default),
                    Some(value) => {
                        let colour = value.as_str().and_then(Colour::parse);
                        if colour.is_none() {
                            p.fault(
                                "color",
                                "INVALID_PARAMETER",
                                format!("`color.{key}` must be a colour like #1a2b3c"),
                            );
                        }
                        colour
                    }
                };
                (pick("dark", BLACK), pick("light", WHITE))
            }
            _ => (p.colour("color", Some(BLACK)), Some(WHITE)),
        };
        let level = match level?.as_str() {
            "L" => EcLevel::L,
            "Q" => EcLevel::Q,
            "H" => EcLevel::H,
            _ => EcLevel::M,
        };
        let code = match QrCode::with_error_correction_level(text?.as_bytes(), level) {
            Ok(code) => code,
            Err(_) => {
                let message = "`text` is too long for a QR code at this errorCorrectionLevel: shorten it or use L";
                p.fault("text", "INVALID_PARAMETER", message.to_owned());
                return None;
            }
        };
        let (width, margin) = (width?, margin?);
        let modules = code.width() as u32 + 2 * margin;
        if width < modules {
            p.fault(
                "width",
                "INVALID_PARAMETER",
                format!("`width` must be at least {modules} for this text and margin"),
            );
            return None;
        }
        Some(Self { code, width, margin, svg: format? == "svg", dark: dark?, light: light? })
    }

    pub(super) fn draw(&self, fonts: &Arc<fontdb::Database>) -> Result<Picture, String> {
        let n = self.code.width() as u32;
        let modules = n + 2 * self.margin;
        // In a PNG the quiet zone takes up what whole pixels leave over.
        let unit = if self.svg { self.width as f32 / modules as f32 } else { (self.width / modules) as f32 };
        let start =
            if self.svg { self.margin as f32 * unit } else { ((self.width as f32 - n as f32 * unit) / 2.0).floor() };
        let mut d = String::new();
        for (i, colour) in self.code.to_colors().into_iter().enumerate() {
            if colour == Color::Dark {
                let (x, y) = ((i as u32 % n) as f32, (i as u32 / n) as f32);
                // Writing to a String cannot fail.
                let _ = write!(d, "M{} {}h{unit}v{unit}h-{unit}z", start + x * unit, start + y * unit);
            }
        }
        let w = self.width;
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{w}\" viewBox=\"0 0 {w} {w}\" shape-rendering=\"crispEdges\"><rect width=\"{w}\" height=\"{w}\" fill=\"{}\"/><path d=\"{d}\" fill=\"{}\"/></svg>",
            self.light.hex(),
            self.dark.hex()
        );
        if self.svg {
            return Ok(Picture::Svg { text, width: w, height: w });
        }
        Ok(Picture::Raster { image: raster::render(&text, (w, w), fonts)?, format: Format::Png })
    }
}
