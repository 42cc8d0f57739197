//! An SVG under construction.
//!
//! Everything drawn is well-formed: numbers are finite and text is escaped.

use std::fmt::Write;

use super::colour::Colour;

/// A point.
pub(super) type Pt = (f32, f32);

/// A drawing of a given size.
pub(super) struct Canvas {
    pub(super) w: f32,
    pub(super) h: f32,
    defs: String,
    body: String,
    ids: u32,
    blurs: Vec<(u32, u32)>,
}

/// A gradient stop: offset, colour, opacity.
pub(super) type Stop = (f32, Colour, f32);

fn num(v: f32) -> f32 {
    if v.is_finite() { (v.clamp(-1e5, 1e5) * 100.0).round() / 100.0 } else { 0.0 }
}

/// Text made safe for SVG content and attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

impl Canvas {
    pub(super) fn new(w: f32, h: f32) -> Self {
        Self { w, h, defs: String::new(), body: String::new(), ids: 0, blurs: Vec::new() }
    }

    /// The shorter side: the unit of size for most things.
    pub(super) fn side(&self) -> f32 {
        self.w.min(self.h)
    }

    /// The whole document.
    pub(super) fn svg(&self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\"><defs>{}</defs>{}</svg>",
            self.defs,
            self.body,
            w = num(self.w),
            h = num(self.h)
        )
    }

    fn id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    fn put(&mut self, args: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.body.write_fmt(args);
    }

    fn stops(&mut self, stops: &[Stop]) {
        for (offset, colour, opacity) in stops {
            let _ = write!(
                self.defs,
                "<stop offset=\"{}\" stop-color=\"{}\" stop-opacity=\"{}\"/>",
                num(*offset),
                colour.hex(),
                num(*opacity)
            );
        }
    }

    /// A linear gradient between two points of the page, as a fill.
    pub(super) fn linear(&mut self, from: Pt, to: Pt, stops: &[Stop]) -> String {
        let id = self.id();
        let _ = write!(
            self.defs,
            "<linearGradient id=\"d{id}\" gradientUnits=\"userSpaceOnUse\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\">",
            num(from.0),
            num(from.1),
            num(to.0),
            num(to.1)
        );
        self.stops(stops);
        self.defs.push_str("</linearGradient>");
        format!("url(#d{id})")
    }

    /// A vertical gradient from `top` to `bottom`, evenly spaced.
    pub(super) fn vertical(&mut self, top: f32, bottom: f32, colours: &[Colour]) -> String {
        let last = colours.len().saturating_sub(1).max(1) as f32;
        let stops: Vec<Stop> = colours.iter().enumerate().map(|(i, c)| (i as f32 / last, *c, 1.0)).collect();
        self.linear((0.0, top), (0.0, bottom), &stops)
    }

    /// A radial gradient, as a fill.
    pub(super) fn radial(&mut self, at: Pt, r: f32, stops: &[Stop]) -> String {
        let id = self.id();
        let _ = write!(
            self.defs,
            "<radialGradient id=\"d{id}\" gradientUnits=\"userSpaceOnUse\" cx=\"{}\" cy=\"{}\" r=\"{}\">",
            num(at.0),
            num(at.1),
            num(r.max(0.1))
        );
        self.stops(stops);
        self.defs.push_str("</radialGradient>");
        format!("url(#d{id})")
    }

    /// The light on an upright round body: dark edges, a highlight towards the light.
    pub(super) fn barrel(&mut self, x0: f32, x1: f32, colour: Colour, from_left: bool) -> String {
        let mut stops = vec![
            (0.0, colour.lift(-0.06), 1.0),
            (0.12, colour.lift(0.05), 1.0),
            (0.26, colour.lift(0.17), 1.0),
            (0.42, colour.lift(0.02), 1.0),
            (0.8, colour.lift(-0.14), 1.0),
            (0.93, colour.lift(-0.19), 1.0),
            (1.0, colour.lift(-0.1), 1.0),
        ];
        if !from_left {
            stops = stops.into_iter().rev().map(|(o, c, a)| (1.0 - o, c, a)).collect();
        }
        self.linear((x0, 0.0), (x1, 0.0), &stops)
    }

    /// Opens a group that is blurred by `sigma`; close it with [`Canvas::end`].
    pub(super) fn blurred(&mut self, sigma: f32) {
        let key = (sigma.clamp(0.1, 120.0) * 10.0) as u32;
        let id = match self.blurs.iter().find(|(k, _)| *k == key) {
            Some((_, id)) => *id,
            None => {
                let id = self.id();
                let _ = write!(
                    self.defs,
                    "<filter id=\"d{id}\" x=\"-60%\" y=\"-60%\" width=\"220%\" height=\"220%\"><feGaussianBlur stdDeviation=\"{}\"/></filter>",
                    key as f32 / 10.0
                );
                self.blurs.push((key, id));
                id
            }
        };
        self.put(format_args!("<g filter=\"url(#d{id})\">"));
    }

    /// Opens a group clipped to a path; close it with [`Canvas::end`].
    pub(super) fn clipped(&mut self, d: &str) {
        let id = self.id();
        let _ = write!(self.defs, "<clipPath id=\"d{id}\"><path d=\"{d}\"/></clipPath>");
        self.put(format_args!("<g clip-path=\"url(#d{id})\">"));
    }

    /// Opens a group with a transform; close it with [`Canvas::end`].
    pub(super) fn moved(&mut self, transform: &str) {
        self.put(format_args!("<g transform=\"{transform}\">"));
    }

    /// Opens a group rotated by degrees around a point; close it with [`Canvas::end`].
    pub(super) fn turned(&mut self, degrees: f32, at: Pt) {
        self.moved(&format!("rotate({} {} {})", num(degrees), num(at.0), num(at.1)));
    }

    /// Opens a group of a given opacity; close it with [`Canvas::end`].
    pub(super) fn faded(&mut self, opacity: f32) {
        self.put(format_args!("<g opacity=\"{}\">", num(opacity)));
    }

    /// Opens a group that adds light (`screen`) or shade (`multiply`); close it with [`Canvas::end`].
    pub(super) fn blended(&mut self, mode: &str) {
        self.put(format_args!("<g style=\"mix-blend-mode:{mode}\">"));
    }

    /// Closes the innermost group.
    pub(super) fn end(&mut self) {
        self.body.push_str("</g>");
    }

    /// Fills the page.
    pub(super) fn page(&mut self, fill: &str) {
        let (w, h) = (self.w, self.h);
        self.rect(0.0, 0.0, w, h, fill);
    }

    pub(super) fn rect(&mut self, x: f32, y: f32, w: f32, h: f32, fill: &str) {
        self.round(x, y, w, h, 0.0, fill);
    }

    /// A rectangle with round corners.
    pub(super) fn round(&mut self, x: f32, y: f32, w: f32, h: f32, r: f32, fill: &str) {
        if w <= 0.0 || h <= 0.0 {
            return;
        }
        let r = r.clamp(0.0, w.min(h) / 2.0);
        self.put(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{fill}\"/>",
            num(x),
            num(y),
            num(w),
            num(h),
            num(r)
        ));
    }

    pub(super) fn circle(&mut self, x: f32, y: f32, r: f32, fill: &str) {
        self.ellipse(x, y, r, r, fill);
    }

    pub(super) fn ellipse(&mut self, x: f32, y: f32, rx: f32, ry: f32, fill: &str) {
        self.put(format_args!(
            "<ellipse cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\" fill=\"{fill}\"/>",
            num(x),
            num(y),
            num(rx.max(0.01)),
            num(ry.max(0.01))
        ));
    }

    /// A circle's outline.
    pub(super) fn ring(&mut self, x: f32, y: f32, r: f32, colour: &str, width: f32) {
        self.put(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"/>",
            num(x),
            num(y),
            num(r.max(0.01)),
            num(width)
        ));
    }

    pub(super) fn path(&mut self, d: &str, fill: &str) {
        self.put(format_args!("<path d=\"{d}\" fill=\"{fill}\"/>"));
    }

    /// A stroked path with round ends.
    pub(super) fn stroke(&mut self, d: &str, colour: &str, width: f32) {
        self.put(format_args!(
            "<path d=\"{d}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>",
            num(width)
        ));
    }

    pub(super) fn line(&mut self, a: Pt, b: Pt, colour: &str, width: f32) {
        self.stroke(&line(&[a, b]), colour, width);
    }

    pub(super) fn poly(&mut self, points: &[Pt], fill: &str) {
        let d = polygon(points);
        self.path(&d, fill);
    }

    /// A line of text; `anchor` is `start`, `middle` or `end`.
    pub(super) fn text(&mut self, at: Pt, size: f32, face: Face, fill: &str, anchor: &str, text: &str) {
        let (family, weight) = face.css();
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\" font-family=\"{family}\" font-weight=\"{weight}\" font-size=\"{}\" fill=\"{fill}\" text-anchor=\"{anchor}\">{}</text>",
            num(at.0),
            num(at.1),
            num(size.max(1.0)),
            escape(text)
        ));
    }
}

/// The bundled faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Plain,
    Bold,
    Serif,
}

impl Face {
    pub(super) fn css(self) -> (&'static str, u32) {
        match self {
            Face::Plain => ("Space Grotesk", 500),
            Face::Bold => ("Space Grotesk", 700),
            Face::Serif => ("DM Serif Display", 400),
        }
    }

    /// About how wide a text is at size 1.
    pub(super) fn width(self, text: &str) -> f32 {
        let per = |c: char| match c {
            'i' | 'l' | 'I' | '.' | ',' | '\'' | '!' | '|' | ':' => 0.29,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.9,
            ' ' => 0.28,
            c if c.is_uppercase() || c.is_ascii_digit() => 0.66,
            c if c.is_ascii() => 0.56,
            _ => 0.75,
        };
        text.chars().map(per).sum::<f32>() * if self == Face::Serif { 0.95 } else { 1.0 }
    }
}

/// Path data through points, straight and open.
pub(super) fn line(points: &[Pt]) -> String {
    let mut d = String::with_capacity(points.len() * 14);
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{} {} ", if i == 0 { 'M' } else { 'L' }, num(*x), num(*y));
    }
    d
}

/// Path data through points, straight and closed.
pub(super) fn polygon(points: &[Pt]) -> String {
    let mut d = line(points);
    d.push('Z');
    d
}

/// Path data through points, smooth (Catmull-Rom); closed when asked.
pub(super) fn smooth(points: &[Pt], close: Close) -> String {
    let n = points.len();
    if n < 3 {
        return line(points);
    }
    let closed = close == Close::Yes;
    let get = |i: isize| {
        if closed { points[i.rem_euclid(n as isize) as usize] } else { points[i.clamp(0, n as isize - 1) as usize] }
    };
    let mut d = format!("M{} {} ", num(points[0].0), num(points[0].1));
    let segments = if closed { n } else { n - 1 };
    for i in 0..segments as isize {
        let (p0, p1, p2, p3) = (get(i - 1), get(i), get(i + 1), get(i + 2));
        let _ = write!(
            d,
            "C{} {} {} {} {} {} ",
            num(p1.0 + (p2.0 - p0.0) / 6.0),
            num(p1.1 + (p2.1 - p0.1) / 6.0),
            num(p2.0 - (p3.0 - p1.0) / 6.0),
            num(p2.1 - (p3.1 - p1.1) / 6.0),
            num(p2.0),
            num(p2.1)
        );
    }
    if closed {
        d.push('Z');
    }
    d
}

/// Whether a path returns to its start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    Yes,
    No,
}

/// Path data of a pie slice or ring part, angles in radians clockwise from the top.
pub(super) fn arc(at: Pt, inner: f32, outer: f32, from: f32, to: f32) -> String {
    let to = to.min(from + std::f32::consts::TAU - 0.001);
    let large = i32::from(to - from > std::f32::consts::PI);
    let p = |r: f32, a: f32| (num(at.0 + r * a.sin()), num(at.1 - r * a.cos()));
    let (a, b, c, e) = (p(outer, from), p(outer, to), p(inner, to), p(inner, from));
    if inner <= 0.0 {
        return format!("M{} {}L{} {}A{outer} {outer} 0 {large} 1 {} {}Z", num(at.0), num(at.1), a.0, a.1, b.0, b.1);
    }
    format!(
        "M{} {}A{outer} {outer} 0 {large} 1 {} {}L{} {}A{inner} {inner} 0 {large} 0 {} {}Z",
        a.0, a.1, b.0, b.1, c.0, c.1, e.0, e.1
    )
}
