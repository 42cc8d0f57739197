//! Pictures of nothing but form.
//!
//! Each has one rule, followed everywhere.

use std::f32::consts::TAU;

use crate::studio::render::canvas::{Canvas, Close, Pt, arc, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::prompt::Brief;

/// Draws the abstraction.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = brief.palette;
    let dark = brief.dark() || chance.hit(0.35);
    let ground = if dark { p.ink } else { p.paper };
    let tones = if dark { [p.main, p.accent, p.soft, p.paper] } else { [p.main, p.accent, p.deep, p.ink] };
    c.page(&ground.hex());
    let kind = brief
        .first(&[
            ("flow ink field", 0),
            ("bauhaus geometric geometry shapes cubist", 1),
            ("waves wave marble layers", 2),
            ("mandala kaleidoscope radial spirograph", 3),
            ("truchet maze tessellation tile pattern", 4),
            ("voronoi mosaic stained cells", 5),
            ("gradient aurora fluid mesh", 6),
            ("moire circles rings", 7),
        ])
        .unwrap_or_else(|| chance.below(8));
    match kind {
        0 => {
            let noise = chance.noise();
            let scale = chance.between(1.6, 3.0);
            let start = chance.between(0.0, TAU);
            for i in 0..900 {
                let (mut x, mut y) = (w * chance.between(-0.05, 1.05), h * chance.between(-0.05, 1.05));
                let mut points = vec![(x, y)];
                for _ in 0..chance.count(10, 34) {
                    let a = start + noise.fractal(x / s * scale, y / s * scale, 2) * 3.6;
                    x += a.cos() * s * 0.012;
                    y += a.sin() * s * 0.012;
                    points.push((x, y));
                }
                let tone = if i % 7 == 0 { p.accent } else { tones[chance.below(4)].mix(ground, 0.15) };
                c.stroke(
                    &smooth(&points, Close::No),
                    &tone.alpha(chance.between(0.45, 0.95)),
                    s * 0.0012 + s * 0.0045 * chance.unit().powi(3),
                );
            }
        }
        1 => {
            let n = chance.pick(&[4_usize, 5, 6]);
            let cell = s / n as f32;
            for i in 0..((w / cell).ceil() * (h / cell).ceil()) as usize {
                let cols = (w / cell).ceil() as usize;
                let (x, y) = ((i % cols) as f32 * cell, (i / cols) as f32 * cell);
                let (a, b) = (chance.below(5), chance.below(5));
                let all = [p.main, p.accent, p.deep, p.soft, p.ink];
                c.rect(x, y, cell + 0.5, cell + 0.5, &(if chance.hit(0.3) { p.paper } else { all[a] }).hex());
                let fg = if a == b { p.paper } else { all[b] }.hex();
                match chance.below(7) {
                    0 => c.circle(x + cell / 2.0, y + cell / 2.0, cell / 2.0, &fg),
                    1 => c.path(&arc((x, y), 0.0, cell, TAU * 0.25, TAU * 0.5), &fg),
                    2 => c.path(&arc((x + cell, y + cell), 0.0, cell, TAU * 0.75, TAU), &fg),
                    3 => c.poly(&[(x, y), (x + cell, y), (x, y + cell)], &fg),
                    4 => (0..4).for_each(|k| c.rect(x + cell * 0.25 * k as f32, y, cell * 0.125, cell + 0.5, &fg)),
                    5 => {
                        c.path(&arc((x + cell / 2.0, y + cell), 0.0, cell / 2.0, -TAU * 0.25, TAU * 0.25), &fg);
                        c.circle(x + cell / 2.0, y + cell * 0.28, cell * 0.14, &fg);
                    }
                    _ => {
                        for k in (1..=3).rev() {
                            c.path(
                                &arc((x, y + cell), 0.0, cell * k as f32 / 3.0, 0.0, TAU * 0.25),
                                if k % 2 == 1 { &fg } else { "#f6f0e2" },
                            );
                        }
                    }
                }
            }
        }
        2 => {
            let n = 16;
            let noise = chance.noise();
            for i in 0..n {
                let t = i as f32 / (n - 1) as f32;
                let points: Vec<Pt> = (0..=30)
                    .map(|k| {
                        (
                            w * k as f32 / 30.0,
                            h * (t * 1.05 - 0.05) + s * 0.16 * noise.fractal(k as f32 * 0.09, t * 2.4, 2),
                        )
                    })
                    .collect();
                let tone = if i % 5 == 3 {
                    p.accent
                } else {
                    p.soft.mix(p.main, (t * 2.0).min(1.0)).mix(p.ink, (t * 2.0 - 1.0).max(0.0))
                };
                let d = smooth(&points, Close::No);
                c.blurred(s * 0.012);
                c.stroke(&d, &p.ink.alpha(0.35), s * 0.014);
                c.end();
                let fill = c.vertical(h * t - s * 0.15, h * t + s * 0.2, &[tone.lift(0.06), tone.lift(-0.05)]);
                c.path(&format!("{d}L{w} {h}L0 {h}Z"), &fill);
            }
        }
        3 => {
            let at = (w / 2.0, h / 2.0);
            let fold = chance.pick(&[8_usize, 10, 12, 16]);
            for ring in (1..=9).rev() {
                let r = s * 0.052 * ring as f32;
                let tone = tones[ring % 4];
                let style = chance.below(4);
                for k in 0..fold * if ring > 5 { 2 } else { 1 } {
                    let a = 360.0 * k as f32 / (fold * if ring > 5 { 2 } else { 1 }) as f32;
                    c.turned(a, at);
                    let (x, y, q) = (at.0, at.1 - r, s * 0.03 + r * 0.12);
                    match style {
                        0 => c.path(
                            &format!("M{x} {}Q{} {y} {x} {}Q{} {y} {x} {}Z", y + q, x + q, y - q, x - q, y + q),
                            &tone.hex(),
                        ),
                        1 => c.circle(x, y, q * 0.4, &tone.hex()),
                        2 => c.stroke(
                            &format!(
                                "M{} {}Q{x} {} {} {}",
                                x - q * 0.8,
                                y + q * 0.5,
                                y - q * 1.6,
                                x + q * 0.8,
                                y + q * 0.5
                            ),
                            &tone.hex(),
                            s * 0.005,
                        ),
                        _ => c.poly(
                            &[(x, y - q), (x + q * 0.45, y), (x, y + q * 0.6), (x - q * 0.45, y)],
                            &tone.alpha(0.9),
                        ),
                    }
                    c.end();
                }
                c.ring(at.0, at.1, r, &tone.alpha(0.5), s * 0.002);
            }
        }
        4 => {
            let cell = s / chance.pick(&[8.0, 11.0, 14.0]);
            let noise = chance.noise();
            for iy in 0..=(h / cell) as usize {
                for ix in 0..=(w / cell) as usize {
                    let (x, y, r) = (ix as f32 * cell, iy as f32 * cell, cell / 2.0);
                    let tone =
                        tones[((noise.fractal(ix as f32 * 0.17, iy as f32 * 0.17, 2) + 1.0) * 1.99) as usize % 4];
                    let d = if chance.hit(0.5) {
                        format!(
                            "M{} {y}A{r} {r} 0 0 1 {x} {}M{} {}A{r} {r} 0 0 0 {} {}",
                            x + r,
                            y + r,
                            x + r,
                            y + cell,
                            x + cell,
                            y + r
                        )
                    } else {
                        format!(
                            "M{} {y}A{r} {r} 0 0 0 {} {}M{x} {}A{r} {r} 0 0 1 {} {}",
                            x + r,
                            x + cell,
                            y + r,
                            y + r,
                            x + r,
                            y + cell
                        )
                    };
                    c.stroke(&d, &tone.hex(), cell * 0.3);
                    c.stroke(&d, &ground.hex(), cell * 0.08);
                }
            }
        }
        5 => {
            let n = 9;
            let cell = s / n as f32;
            let (cols, rows) = ((w / cell) as usize + 3, (h / cell) as usize + 3);
            let points: Vec<Pt> = (0..cols * rows)
                .map(|i| {
                    (
                        ((i % cols) as f32 - 1.0 + chance.jitter(0.36)) * cell,
                        ((i / cols) as f32 - 1.0 + chance.jitter(0.36)) * cell,
                    )
                })
                .collect();
            let sun = (w * chance.between(0.3, 0.7), h * chance.between(0.25, 0.6));
            for y in 0..rows - 1 {
                for x in 0..cols - 1 {
                    let q = [
                        points[y * cols + x],
                        points[y * cols + x + 1],
                        points[(y + 1) * cols + x + 1],
                        points[(y + 1) * cols + x],
                    ];
                    let far = ((q[0].0 - sun.0).hypot(q[0].1 - sun.1) / s).min(1.0);
                    let tone = p
                        .accent
                        .mix(p.main, (far * 2.2).min(1.0))
                        .mix(p.deep, (far * 2.0 - 0.8).max(0.0))
                        .lift(chance.jitter(0.07));
                    c.poly(&q, &tone.hex());
                    c.stroke(&crate::studio::render::canvas::polygon(&q), &p.ink.hex(), s * 0.006);
                }
            }
        }
        6 => {
            c.page(&p.deep.hex());
            c.blurred(s * 0.09);
            for i in 0..14 {
                let tone = [p.main, p.accent, p.soft, p.deep, p.paper][i % 5].vivid(1.15);
                let (x, y) = (w * chance.unit(), h * chance.unit());
                c.ellipse(x, y, s * chance.between(0.12, 0.34), s * chance.between(0.1, 0.3), &tone.alpha(0.9));
            }
            c.end();
            for i in 0..26 {
                let r = s * (0.1 + 0.012 * i as f32);
                c.ring(w * 0.5, h * 0.5, r, &p.paper.alpha(0.32 - 0.011 * i as f32), s * 0.0014);
            }
        }
        _ => {
            for (k, tone) in [(0.36, tones[0]), (0.62, tones[1])] {
                for i in 0..46 {
                    c.ring(
                        w * k,
                        h * (0.42 + 0.2 * (k - 0.36)),
                        s * 0.0125 * (i + 1) as f32,
                        &tone.alpha(0.85),
                        s * 0.0042,
                    );
                }
            }
            c.line((0.0, h * 0.86), (w, h * 0.86), &tones[2].hex(), s * 0.012);
        }
    }
}
