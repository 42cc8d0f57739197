//! The `shapes` generator: one shape, as SVG.
//!
//! What the parameters say is what the drawing holds; nothing is added.

use std::f32::consts::{PI, TAU};

use super::MAX_SIDE;
use super::canvas::{Pt, polygon};
use super::colour::{Colour, hex};
use super::raster::Picture;
use super::steps::Params;

/// A shape to draw.
pub(super) struct Shape {
    kind: String,
    width: u32,
    height: u32,
    sides: u32,
    points: u32,
    inner: f32,
    fill: Fill,
    stroke: Option<(Colour, f32)>,
    rotation: f32,
}

enum Fill {
    None,
    Solid(Colour),
    Gradient { radial: bool, from: Colour, to: Colour, angle: f32 },
    Pattern { kind: String, colour: Colour, background: Option<Colour>, scale: f32 },
}

impl Shape {
    pub(super) fn read(p: &mut Params<'_>) -> Option<Self> {
        const KINDS: &[&str] = &["rectangle", "circle", "ellipse", "triangle", "polygon", "star"];
        let kind = p.choice("shapeType", KINDS, Some("rectangle"));
        let width = p.whole("width", (1, MAX_SIDE), Some(400));
        let height = p.whole("height", (1, MAX_SIDE), Some(400));
        let sides = p.whole("sides", (3, 64), Some(6));
        let points = p.whole("points", (3, 64), Some(5));
        let inner = p.number("innerRadius", (0.05, 0.95), Some(0.45));
        let fill_type = p.choice("fillType", &["solid", "gradient", "pattern", "none"], Some("solid"));
        let solid = p.colour("fillColor", Some(hex(0x3b82f6)));
        let gradient = p.choice("gradientType", &["linear", "radial"], Some("linear"));
        let from = p.colour("gradientColor1", Some(hex(0x3b82f6)));
        let to = p.colour("gradientColor2", Some(hex(0x8b5cf6)));
        let angle = p.number("gradientAngle", (-360.0, 360.0), Some(0.0));
        let pattern = p.choice("patternType", &["dots", "stripes", "grid", "checkerboard"], Some("dots"));
        let colour = p.colour("patternColor", Some(hex(0x3b82f6)));
        let background = match p.raw("patternBackground") {
            Some(serde_json::Value::String(text)) if text == "transparent" => Some(None),
            _ => p.colour("patternBackground", Some(hex(0xffffff))).map(Some),
        };
        let scale = p.number("patternScale", (0.2, 20.0), Some(1.0));
        let stroke_colour = p.colour("strokeColor", Some(hex(0x000000)));
        let stroke_width = p.number("strokeWidth", (0.0, 200.0), Some(0.0));
        let rotation = p.number("rotation", (-360.0, 360.0), Some(0.0));
        let fill = match fill_type?.as_str() {
            "none" => Fill::None,
            "gradient" => Fill::Gradient { radial: gradient? == "radial", from: from?, to: to?, angle: angle? as f32 },
            "pattern" => {
                Fill::Pattern { kind: pattern?, colour: colour?, background: background?, scale: scale? as f32 }
            }
            _ => Fill::Solid(solid?),
        };
        let stroke_width = stroke_width? as f32;
        Some(Self {
            kind: kind?,
            width: width?,
            height: height?,
            sides: sides?,
            points: points?,
            inner: inner? as f32,
            fill,
            stroke: (stroke_width > 0.0).then_some((stroke_colour?, stroke_width)),
            rotation: rotation? as f32,
        })
    }

    pub(super) fn svg(&self) -> Picture {
        let (w, h) = (self.width as f32, self.height as f32);
        let (defs, fill) = self.fill.svg(w, h);
        let inset = self.stroke.map_or(0.0, |(_, width)| width / 2.0).min(w.min(h) / 2.0 - 0.5).max(0.0);
        let (cx, cy) = (w / 2.0, h / 2.0);
        let (rx, ry) = (cx - inset, cy - inset);
        let around = |n: u32, radius: &dyn Fn(u32) -> f32| -> Vec<Pt> {
            let at = |i: u32| {
                (
                    cx + rx * radius(i) * (TAU * i as f32 / n as f32).sin(),
                    cy - ry * radius(i) * (TAU * i as f32 / n as f32).cos(),
                )
            };
            (0..n).map(at).collect()
        };
        let shape = match self.kind.as_str() {
            "circle" => format!("<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{}\"", rx.min(ry)),
            "ellipse" => format!("<ellipse cx=\"{cx}\" cy=\"{cy}\" rx=\"{rx}\" ry=\"{ry}\""),
            "triangle" => {
                format!("<path d=\"{}\"", polygon(&[(cx, inset), (w - inset, h - inset), (inset, h - inset)]))
            }
            "polygon" => format!("<path d=\"{}\"", polygon(&around(self.sides, &|_| 1.0))),
            "star" => {
                let radius = |i: u32| if i.is_multiple_of(2) { 1.0 } else { self.inner };
                format!("<path d=\"{}\"", polygon(&around(self.points * 2, &radius)))
            }
            _ => format!("<rect x=\"{inset}\" y=\"{inset}\" width=\"{}\" height=\"{}\"", rx * 2.0, ry * 2.0),
        };
        let stroke = self.stroke.map_or(String::new(), |(colour, width)| {
            format!(" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"", colour.hex())
        });
        let turn = if self.rotation == 0.0 {
            String::new()
        } else {
            format!(" transform=\"rotate({} {cx} {cy})\"", self.rotation)
        };
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">{defs}{shape} fill=\"{fill}\"{stroke}{turn}/></svg>"
        );
        Picture::Svg { text, width: self.width, height: self.height }
    }
}

impl Fill {
    fn svg(&self, w: f32, h: f32) -> (String, String) {
        let used = "url(#f)".to_owned();
        match self {
            Self::None => (String::new(), "none".to_owned()),
            Self::Solid(colour) => (String::new(), colour.hex()),
            Self::Gradient { radial, from, to, angle } => {
                let stops = format!(
                    "<stop offset=\"0\" stop-color=\"{}\"/><stop offset=\"1\" stop-color=\"{}\"/>",
                    from.hex(),
                    to.hex()
                );
                if *radial {
                    return (format!("<defs><radialGradient id=\"f\">{stops}</radialGradient></defs>"), used);
                }
                let (sin, cos) = (angle * PI / 180.0).sin_cos();
                let (x, y, dx, dy) = (w / 2.0, h / 2.0, cos * w / 2.0, sin * h / 2.0);
                (
                    format!(
                        "<defs><linearGradient id=\"f\" gradientUnits=\"userSpaceOnUse\" x1=\"{:.2}\" y1=\"{:.2}\" x2=\"{:.2}\" y2=\"{:.2}\">{stops}</linearGradient></defs>",
                        x - dx,
                        y - dy,
                        x + dx,
                        y + dy
                    ),
                    used,
                )
            }
            Self::Pattern { kind, colour, background, scale } => {
                let s = 20.0 * scale;
                let (c, half) = (colour.hex(), s / 2.0);
                let mark = match kind.as_str() {
                    "stripes" => format!("<rect width=\"{half}\" height=\"{s}\" fill=\"{c}\"/>"),
                    "grid" => format!("<path d=\"M0 0H{s}M0 0V{s}\" stroke=\"{c}\" stroke-width=\"{}\"/>", s / 8.0),
                    "checkerboard" => format!(
                        "<rect width=\"{half}\" height=\"{half}\" fill=\"{c}\"/><rect x=\"{half}\" y=\"{half}\" width=\"{half}\" height=\"{half}\" fill=\"{c}\"/>"
                    ),
                    _ => format!("<circle cx=\"{half}\" cy=\"{half}\" r=\"{}\" fill=\"{c}\"/>", s / 4.0),
                };
                let ground = background
                    .map_or(String::new(), |b| format!("<rect width=\"{s}\" height=\"{s}\" fill=\"{}\"/>", b.hex()));
                let head = format!("<pattern id=\"f\" patternUnits=\"userSpaceOnUse\" width=\"{s}\" height=\"{s}\">");
                (format!("<defs>{head}{ground}{mark}</pattern></defs>"), used)
            }
        }
    }
}
