//! The `quickchart` generator: a clean chart from plain data.
//!
//! Every number given is drawn; labels are shortened before they collide.

use std::f32::consts::TAU;

use serde_json::Value;

use super::MAX_SIDE;
use super::canvas::{Canvas, Close, Face, Pt, arc, line, polygon, smooth};
use super::colour::{Colour, WHITE, hex};
use super::steps::Params;

/// A chart to draw.
pub(super) struct Chart {
    kind: String,
    labels: Vec<String>,
    sets: Vec<(String, Vec<f32>)>,
    title: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
}

const COLOURS: [u32; 8] = [0x4c6fe0, 0xf08a5d, 0x3fa796, 0xe2b93b, 0xa06cd5, 0xd9577b, 0x5fa8d3, 0x7d8597];
const INK: Colour = hex(0x24303f);
const FAINT: Colour = hex(0xe3e7ee);
const QUIET: Colour = hex(0x6b7685);

impl Chart {
    pub(super) fn read(p: &mut Params<'_>) -> Option<Self> {
        let kind = p.choice("type", &["bar", "line", "pie", "doughnut", "radar"], None);
        let width = p.whole("width", (100, MAX_SIDE), Some(800));
        let height = p.whole("height", (100, MAX_SIDE), Some(500));
        let title = match p.raw("options") {
            None => None,
            Some(Value::Object(options)) => {
                let title = options.get("title").or_else(|| options.get("plugins").and_then(|p| p.get("title")));
                let text = title.and_then(|title| title.as_str().or_else(|| title.get("text").and_then(Value::as_str)));
                text.map(|text| text.chars().take(120).collect())
            }
            Some(_) => {
                p.fault("options", "INVALID_PARAMETER", "`options` must be an object".to_owned());
                None
            }
        };
        let Some(data) = p.raw("data") else {
            p.fault("data", "MISSING_PARAMETER", "generator `quickchart` needs `data`: {labels, datasets}".to_owned());
            return None;
        };
        match read_data(data) {
            Ok((labels, sets)) => Some(Self { kind: kind?, labels, sets, title, width: width?, height: height? }),
            Err(message) => {
                p.fault("data", "INVALID_PARAMETER", message);
                None
            }
        }
    }

    pub(super) fn svg(&self) -> String {
        let (w, h) = (self.width as f32, self.height as f32);
        let mut c = Canvas::new(w, h);
        c.page(&WHITE.hex());
        let u = (w.min(h) / 100.0).max(1.0);
        let mut top = 6.0 * u;
        if let Some(title) = &self.title {
            let size = (5.4 * u).min(w * 0.92 / Face::Bold.width(title).max(0.1));
            c.text((6.0 * u, top + 4.0 * u), size, Face::Bold, &INK.hex(), "start", title);
            top += 9.0 * u;
        }
        let round = matches!(self.kind.as_str(), "pie" | "doughnut");
        let names: Vec<&str> = if round {
            self.labels.iter().map(String::as_str).collect()
        } else {
            self.sets.iter().map(|(name, _)| name.as_str()).collect()
        };
        if names.iter().any(|name| !name.is_empty()) && (round || names.len() > 1 || self.title.is_none()) {
            let mut x = 6.0 * u;
            for (i, name) in names.iter().enumerate().take(8) {
                let name: String = name.chars().take(18).collect();
                let wide = Face::Plain.width(&name) * 3.2 * u + 8.0 * u;
                if x + wide > w - 4.0 * u {
                    break;
                }
                c.round(x, top, 3.0 * u, 3.0 * u, 0.8 * u, &colour(i).hex());
                c.text((x + 4.2 * u, top + 2.7 * u), 3.2 * u, Face::Plain, &QUIET.hex(), "start", &name);
                x += wide;
            }
            top += 7.0 * u;
        }
        let area = (6.0 * u, top, w - 12.0 * u, (h - top - 6.0 * u).max(10.0));
        match self.kind.as_str() {
            "pie" => self.round(&mut c, area, 0.0),
            "doughnut" => self.round(&mut c, area, 0.62),
            "radar" => self.radar(&mut c, area, u),
            _ => self.axes(&mut c, area, u),
        }
        c.svg()
    }

    fn values(&self) -> impl Iterator<Item = f32> + '_ {
        self.sets.iter().flat_map(|(_, values)| values.iter().copied())
    }

    fn axes(&self, c: &mut Canvas, (x, y, w, h): (f32, f32, f32, f32), u: f32) {
        let (low, high) = (self.values().fold(0.0, f32::min), self.values().fold(0.0, f32::max));
        let step = nice((high - low).max(1e-6) / 5.0);
        let (low, high) = ((low / step).floor() * step, ((high / step).ceil() * step).max(step));
        let ticks = ((high - low) / step).round().clamp(1.0, 12.0) as usize;
        let label = |i: usize| short(low + step * i as f32);
        let gutter = (0..=ticks).map(|i| Face::Plain.width(&label(i))).fold(0.0, f32::max) * 3.0 * u + 2.5 * u;
        let (x, w, h) = (x + gutter, w - gutter, h - 5.0 * u);
        let at = |v: f32| y + h * (1.0 - ((v - low) / (high - low)).clamp(0.0, 1.0));
        for i in 0..=ticks {
            let level = at(low + step * i as f32);
            c.line((x, level), (x + w, level), &FAINT.hex(), 0.3 * u);
            c.text((x - 2.0 * u, level + u), 3.0 * u, Face::Plain, &QUIET.hex(), "end", &label(i));
        }
        let n = self.sets.iter().map(|(_, values)| values.len()).max().unwrap_or(1).max(1);
        let slot = w / n as f32;
        let widest = self.labels.iter().map(|l| Face::Plain.width(l)).fold(0.0, f32::max) * 3.0 * u + 2.0 * u;
        let every = ((widest.min(24.0 * u) / slot).ceil() as usize).max(1);
        for (i, text) in self.labels.iter().enumerate().take(n).step_by(every) {
            let text: String = text.chars().take(16).collect();
            c.text((x + slot * (i as f32 + 0.5), y + h + 4.5 * u), 3.0 * u, Face::Plain, &QUIET.hex(), "middle", &text);
        }
        for (s, (_, values)) in self.sets.iter().enumerate() {
            if self.kind == "bar" {
                let wide = slot * 0.7 / self.sets.len() as f32;
                for (i, v) in values.iter().enumerate() {
                    let left = x + slot * (i as f32 + 0.15) + wide * s as f32;
                    let (a, b) = (at(*v).min(at(0.0)), at(*v).max(at(0.0)));
                    c.round(left, a, wide * 0.92, (b - a).max(0.5), (wide * 0.16).min(1.2 * u), &colour(s).hex());
                }
            } else {
                let points: Vec<Pt> =
                    values.iter().enumerate().map(|(i, v)| (x + slot * (i as f32 + 0.5), at(*v))).collect();
                if self.sets.len() == 1 && points.len() > 1 {
                    let mut d = smooth(&points, Close::No);
                    let (first, last) = (points[0].0, points[points.len() - 1].0);
                    d.push_str(&line(&[(last, at(low)), (first, at(low))]).replacen('M', "L", 1));
                    d.push('Z');
                    let fill = c.linear((0.0, y), (0.0, y + h), &[(0.0, colour(s), 0.28), (1.0, colour(s), 0.02)]);
                    c.path(&d, &fill);
                }
                c.stroke(&smooth(&points, Close::No), &colour(s).hex(), 0.8 * u);
                if points.len() <= 40 {
                    for (px, py) in points {
                        c.circle(px, py, 1.2 * u, &WHITE.hex());
                        c.ring(px, py, 1.2 * u, &colour(s).hex(), 0.6 * u);
                    }
                }
            }
        }
        c.line((x, at(0.0)), (x + w, at(0.0)), &QUIET.hex(), 0.35 * u);
    }

    fn round(&self, c: &mut Canvas, (x, y, w, h): (f32, f32, f32, f32), hole: f32) {
        let Some((_, values)) = self.sets.first() else { return };
        let total: f32 = values.iter().map(|v| v.max(0.0)).sum();
        let (at, r) = ((x + w / 2.0, y + h / 2.0), w.min(h) * 0.48);
        if total <= 0.0 {
            c.ring(at.0, at.1, r, &FAINT.hex(), r * 0.1);
            return;
        }
        let mut from = 0.0;
        for (i, v) in values.iter().enumerate() {
            let to = from + TAU * v.max(0.0) / total;
            if to > from {
                let d = arc(at, r * hole, r, from, to);
                c.path(&d, &colour(i).hex());
                c.stroke(&d, &WHITE.hex(), r * 0.012);
                if v / total > 0.05 {
                    let (mid, dist) = ((from + to) / 2.0, r * if hole > 0.0 { 0.81 } else { 0.66 });
                    let spot = (at.0 + dist * mid.sin(), at.1 - dist * mid.cos() + r * 0.035);
                    let share = format!("{:.0}%", v / total * 100.0);
                    c.text(spot, r * 0.1, Face::Bold, &WHITE.hex(), "middle", &share);
                }
            }
            from = to;
        }
    }

    fn radar(&self, c: &mut Canvas, (x, y, w, h): (f32, f32, f32, f32), u: f32) {
        let n = self.sets.iter().map(|(_, values)| values.len()).max().unwrap_or(3).max(3);
        let high = self.values().fold(1e-6, f32::max);
        let (at, r) = ((x + w / 2.0, y + h / 2.0), w.min(h) * 0.42);
        let spot = |i: usize, k: f32| {
            let a = TAU * i as f32 / n as f32;
            (at.0 + r * k * a.sin(), at.1 - r * k * a.cos())
        };
        for ring in 1..=4 {
            let points: Vec<Pt> = (0..n).map(|i| spot(i, ring as f32 / 4.0)).collect();
            let mut d = polygon(&points);
            if n > 24 {
                d = smooth(&points, Close::Yes);
            }
            c.stroke(&d, &FAINT.hex(), 0.3 * u);
        }
        for i in 0..n {
            c.line(at, spot(i, 1.0), &FAINT.hex(), 0.3 * u);
            if let Some(text) = self.labels.get(i).filter(|_| n <= 24) {
                let (px, py) = spot(i, 1.12);
                let text: String = text.chars().take(14).collect();
                c.text((px, py + u), 3.0 * u, Face::Plain, &QUIET.hex(), "middle", &text);
            }
        }
        for (s, (_, values)) in self.sets.iter().enumerate() {
            let points: Vec<Pt> = values.iter().enumerate().map(|(i, v)| spot(i, (v / high).clamp(0.0, 1.0))).collect();
            let d = polygon(&points);
            c.path(&d, &colour(s).alpha(0.22));
            c.stroke(&d, &colour(s).hex(), 0.7 * u);
        }
    }
}

type Data = (Vec<String>, Vec<(String, Vec<f32>)>);

fn read_data(data: &Value) -> Result<Data, String> {
    let labels = match data.get("labels") {
        None => Vec::new(),
        Some(Value::Array(labels)) if labels.len() <= 200 => labels
            .iter()
            .map(|label| match label {
                Value::String(text) => text.chars().take(60).collect(),
                other => other.to_string().chars().take(60).collect(),
            })
            .collect(),
        Some(_) => return Err("`data.labels` must be a list of at most 200 labels".to_owned()),
    };
    let Some(sets) = data.get("datasets").and_then(Value::as_array).filter(|sets| (1..=8).contains(&sets.len())) else {
        return Err("`data.datasets` must be a list of 1 to 8 objects {label, data: [numbers]}".to_owned());
    };
    let mut read = Vec::new();
    for (i, set) in sets.iter().enumerate() {
        let Some(values) = set.get("data").and_then(Value::as_array).filter(|v| (1..=200).contains(&v.len())) else {
            return Err(format!("`data.datasets[{i}].data` must be a list of 1 to 200 numbers"));
        };
        let mut numbers = Vec::new();
        for (k, value) in values.iter().enumerate() {
            match value.as_f64() {
                Some(n) if n.abs() <= 1e12 => numbers.push(n as f32),
                _ => return Err(format!("`data.datasets[{i}].data[{k}]` must be a number between -1e12 and 1e12")),
            }
        }
        let label = set.get("label").and_then(Value::as_str).unwrap_or("").chars().take(60).collect();
        read.push((label, numbers));
    }
    Ok((labels, read))
}

fn colour(i: usize) -> Colour {
    hex(COLOURS[i % COLOURS.len()])
}

/// The next round number: 1, 2 or 5 times a power of ten.
fn nice(v: f32) -> f32 {
    let power = 10_f32.powf(v.log10().floor());
    let lead = v / power;
    power
        * if lead <= 1.0 {
            1.0
        } else if lead <= 2.0 {
            2.0
        } else if lead <= 5.0 {
            5.0
        } else {
            10.0
        }
}

fn short(v: f32) -> String {
    let a = v.abs();
    let (v, unit) = match a {
        a if a >= 1e9 => (v / 1e9, "B"),
        a if a >= 1e6 => (v / 1e6, "M"),
        a if a >= 1e4 => (v / 1e3, "k"),
        _ => (v, ""),
    };
    let text = if a == 0.0 || (v.fract().abs() < 1e-4) {
        format!("{v:.0}")
    } else if v.abs() < 0.1 {
        format!("{v:.3}")
    } else {
        format!("{v:.1}")
    };
    format!("{text}{unit}")
}
