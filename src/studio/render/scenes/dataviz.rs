//! Editorial charts of made-up data.
//!
//! One idea a picture, a title, and room around it.

use std::f32::consts::TAU;

use crate::studio::render::canvas::{Canvas, Close, Face, Pt, arc, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::prompt::Brief;

/// Draws the chart.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let dark = brief.dark() || brief.has("dark");
    let (paper, ink) = if dark { (p.ink.at(0.17), p.paper) } else { (p.paper, p.ink) };
    let quiet = ink.mix(paper, 0.5);
    c.page(&paper.hex());
    let m = s * 0.08;
    c.rect(m, m, s * 0.06, s * 0.008, &p.accent.hex());
    let title = brief.quoted.first().unwrap_or(&brief.title);
    let size = (s * 0.056).min((w - 2.0 * m) / Face::Serif.width(title).max(1.0));
    c.text((m, m + s * 0.075), size, Face::Serif, &ink.hex(), "start", title);
    c.round(m, m + s * 0.1, s * 0.34, s * 0.009, s, &quiet.alpha(0.55));
    c.round(m, m + s * 0.12, s * 0.24, s * 0.009, s, &quiet.alpha(0.35));
    let (x, y, pw, ph) = (m, m + s * 0.19, w - 2.0 * m, h - 2.0 * m - s * 0.22);
    let at = (w / 2.0, y + ph / 2.0);
    let tone = |t: f32| {
        if t < 0.5 {
            p.deep.at(if dark { 0.5 } else { 0.42 }).mix(p.main, t * 2.0)
        } else {
            p.main.mix(p.accent, t * 2.0 - 1.0)
        }
    };
    let kind = brief
        .first(&[
            ("ridgeline joy", 0),
            ("radial circular sunburst year sleep clock", 1),
            ("heatmap calendar", 2),
            ("scatter bubble", 3),
            ("stream streamgraph area stacked", 4),
            ("bar bars histogram", 5),
            ("line trend timeline sparkline", 6),
            ("donut doughnut pie", 7),
        ])
        .unwrap_or_else(|| chance.below(8));
    match kind {
        0 => {
            let rows = 14;
            for i in 0..rows {
                let t = i as f32 / (rows - 1) as f32;
                let base = y + ph * (0.16 + 0.84 * t);
                let (a, b) = (0.25 + 0.35 * t + chance.jitter(0.08), 0.62 + chance.jitter(0.14));
                let (ka, kb) = (chance.between(0.7, 1.2), chance.between(0.2, 0.7));
                let points: Vec<Pt> = (0..=60)
                    .map(|k| {
                        let q = k as f32 / 60.0;
                        let v = ka * (-(q - a).powi(2) / 0.008).exp() + kb * (-(q - b).powi(2) / 0.012).exp();
                        (x + pw * q, base - v * ph * 0.15)
                    })
                    .collect();
                let d = smooth(&points, Close::No);
                let fill = c.vertical(base - ph * 0.16, base, &[tone(t).lift(0.04), tone(t).mix(paper, 0.45)]);
                c.path(&format!("{d}Z"), &fill);
                c.stroke(&d, &paper.hex(), s * 0.004);
                c.stroke(&d, &tone(t).lift(if dark { 0.1 } else { -0.12 }).hex(), s * 0.0018);
            }
        }
        1 => {
            let r = pw.min(ph) * 0.5;
            let noise = chance.noise();
            for ring in [0.4, 0.6, 0.8, 1.0] {
                c.ring(at.0, at.1, r * ring, &quiet.alpha(0.25), s * 0.0012);
            }
            let n = 120;
            for i in 0..n {
                let a = TAU * i as f32 / n as f32;
                let v = 0.5 + 0.3 * (a - 0.6).cos() + 0.28 * noise.fractal(a.cos() * 3.0, a.sin() * 3.0, 3);
                let v = v.clamp(0.08, 1.0);
                c.path(&arc(at, r * 0.32, r * (0.34 + 0.66 * v), a, a + TAU / n as f32 * 0.72), &tone(v).hex());
            }
            c.text(
                (at.0, at.1 + s * 0.022),
                s * 0.07,
                Face::Serif,
                &ink.hex(),
                "middle",
                &format!("{}.{}", chance.count(5, 9), chance.count(1, 9)),
            );
        }
        2 => {
            let (cols, rows) = ((24.0 * (pw / ph).max(0.7)) as usize, 16);
            let cell = (pw / cols as f32).min(ph / rows as f32);
            let noise = chance.noise();
            for i in 0..cols * rows {
                let (cx, cy) = (i % cols, i / cols);
                let v = (0.5 + 0.75 * noise.fractal(cx as f32 * 0.16, cy as f32 * 0.2, 3)).clamp(0.0, 1.0);
                c.round(
                    x + cell * cx as f32,
                    y + cell * cy as f32,
                    cell * 0.88,
                    cell * 0.88,
                    cell * 0.2,
                    &paper.mix(tone(v), 0.2 + 0.8 * v).hex(),
                );
            }
        }
        3 => {
            axes(c, (x, y), (pw, ph), &quiet.alpha(0.25), s);
            for _ in 0..70 {
                let t = chance.unit();
                let v = (0.85 - 0.65 * t + 0.11 * chance.bell()).clamp(0.04, 0.96);
                let k = s * (0.006 + 0.032 * chance.unit().powi(3));
                let colour = tone(chance.pick(&[0.1, 0.5, 0.95]));
                c.circle(x + pw * (0.04 + 0.92 * t), y + ph * v, k, &colour.alpha(0.72));
            }
        }
        4 => {
            let layers = 7;
            let n = 40;
            let noises: Vec<_> = (0..layers).map(|_| chance.noise()).collect();
            let thick =
                |l: usize, k: usize| 0.25 + 0.75 * (0.5 + noises[l].fractal(k as f32 * 0.13, 0.4, 2)).clamp(0.0, 1.0);
            let total = |k: usize| (0..layers).map(|l| thick(l, k)).sum::<f32>();
            let top = (0..=n).map(total).fold(0.1, f32::max);
            let edge = |l: usize, k: usize| {
                let below: f32 = (0..l).map(|i| thick(i, k)).sum();
                (x + pw * k as f32 / n as f32, at.1 + (below - total(k) / 2.0) / top * ph * 0.95)
            };
            for l in 0..layers {
                let up: Vec<Pt> = (0..=n).map(|k| edge(l, k)).collect();
                let down: Vec<Pt> = (0..=n).rev().map(|k| edge(l + 1, k)).collect();
                let d = smooth(&up, Close::No) + &smooth(&down, Close::No).replacen('M', "L", 1) + "Z";
                c.path(&d, &tone(l as f32 / (layers - 1) as f32).lift(if l % 2 == 0 { 0.03 } else { -0.02 }).hex());
            }
        }
        5 => {
            axes(c, (x, y), (pw, ph), &quiet.alpha(0.25), s);
            let n = chance.count(9, 16);
            let best = chance.below(n);
            for i in 0..n {
                let slot = pw / n as f32;
                let v = if i == best { 0.94 } else { chance.between(0.2, 0.78) };
                let (bx, by) = (x + slot * (i as f32 + 0.16), y + ph * (1.0 - v));
                let colour = if i == best { p.accent } else { tone(0.1 + 0.4 * v) };
                c.round(bx, by, slot * 0.68, ph * v, slot * 0.08, &colour.hex());
                if i == best {
                    c.text(
                        (bx + slot * 0.34, by - s * 0.012),
                        s * 0.026,
                        Face::Bold,
                        &ink.hex(),
                        "middle",
                        &format!("{}", chance.count(60, 99)),
                    );
                }
            }
        }
        6 => {
            axes(c, (x, y), (pw, ph), &quiet.alpha(0.25), s);
            for i in 0..9 {
                let noise = chance.noise();
                let rise = chance.between(-0.2, 0.35);
                let points: Vec<Pt> = (0..=26)
                    .map(|k| {
                        let t = k as f32 / 26.0;
                        (
                            x + pw * 0.94 * t,
                            y + ph * (0.55 - rise * t + 0.3 * noise.fractal(t * 4.0, i as f32, 2)).clamp(0.04, 0.96),
                        )
                    })
                    .collect();
                let strong = i >= 7;
                let colour = if i == 8 { p.accent } else { tone(0.3) };
                c.stroke(
                    &smooth(&points, Close::No),
                    &if strong { colour.hex() } else { quiet.alpha(0.3) },
                    s * if strong { 0.007 } else { 0.003 },
                );
                if strong && let Some((px, py)) = points.last() {
                    c.circle(*px, *py, s * 0.013, &colour.hex());
                }
            }
        }
        _ => {
            let r = pw.min(ph) * 0.47;
            let mut from = 0.0;
            let shares = [0.34, 0.24, 0.18, 0.14, 0.1];
            for (i, share) in shares.into_iter().enumerate() {
                let to = from + share * TAU;
                c.path(
                    &arc(at, r * 0.56, r * (1.0 - 0.05 * i as f32), from + 0.012, to - 0.012),
                    &tone(i as f32 / 4.0).hex(),
                );
                from = to;
            }
            c.text((at.0, at.1 + s * 0.03), s * 0.09, Face::Serif, &ink.hex(), "middle", "34%");
        }
    }
    c.line((m, h - m * 0.75), (w - m, h - m * 0.75), &quiet.alpha(0.4), s * 0.0012);
    c.round(m, h - m * 0.52, s * 0.2, s * 0.007, s, &quiet.alpha(0.4));
}

fn axes(c: &mut Canvas, (x, y): Pt, (w, h): Pt, colour: &str, s: f32) {
    for i in 0..=5 {
        let gy = y + h * i as f32 / 5.0;
        c.line((x, gy), (x + w, gy), colour, s * 0.0015);
    }
}
