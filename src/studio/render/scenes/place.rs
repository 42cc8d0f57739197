//! Places with depth: levels, houses, reefs.
//!
//! Light falls from one side in each.

use super::landscape::{Air, flock, ridge, sky, trees_row};
use crate::studio::render::canvas::{Canvas, Close, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{WHITE, hex};
use crate::studio::render::prompt::Brief;

/// A level of a game, drawn on a coarse grid.
pub(super) fn platformer(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let air = sky(brief, c, chance, h * 0.8);
    let p = &brief.palette;
    for i in 0..3 {
        let t = i as f32 / 2.0;
        let top = ridge(c, chance, h * (0.62 + 0.12 * t), s * 0.24, 0.9);
        let mut points = top;
        points.extend([(w, h), (0.0, h)]);
        c.poly(&points, &air.horizon.mix(p.deep, 0.25 + 0.35 * t).hex());
        trees_row(c, chance, h * (0.66 + 0.12 * t), air.horizon.mix(p.deep, 0.4 + 0.3 * t), s * 0.1, 18);
    }
    let tile = s / 16.0;
    let (stone, moss) = (p.deep.mix(hex(0x5c5a66), 0.5).at(0.42), p.main.mix(hex(0x5fa04e), 0.6).at(0.62));
    let block = |c: &mut Canvas, chance: &mut Chance, x: f32, y: f32, grass: f32| {
        c.rect(x, y, tile + 0.5, tile + 0.5, &stone.lift(chance.jitter(0.035)).hex());
        c.rect(x, y + tile * 0.86, tile, tile * 0.14, &stone.lift(-0.12).hex());
        c.rect(x + tile * 0.86, y, tile * 0.14, tile, &stone.lift(-0.09).hex());
        c.rect(x + tile * 0.2, y + tile * 0.3, tile * 0.25, tile * 0.12, &stone.lift(0.1).hex());
        if grass > 0.0 {
            c.rect(x, y, tile + 0.5, tile * 0.3, &moss.hex());
            c.rect(x, y, tile + 0.5, tile * 0.1, &moss.lift(0.12).hex());
            (0..3).for_each(|k| {
                c.rect(
                    x + tile * (0.1 + 0.33 * k as f32),
                    y + tile * 0.25,
                    tile * 0.14,
                    tile * [0.3, 0.16, 0.4][k],
                    &moss.lift(-0.07).hex(),
                )
            });
        }
    };
    let cols = (w / tile) as usize + 1;
    let mut ground = h - tile * 2.0;
    for i in 0..cols {
        if i % 4 == 3 {
            ground = (ground + tile * chance.pick(&[-1.0, 0.0, 1.0])).clamp(h - tile * 4.0, h - tile * 2.0);
        }
        if i % 11 == 8 {
            continue;
        }
        let mut y = ground;
        while y < h {
            block(c, chance, i as f32 * tile, y, if y == ground { 1.0 } else { 0.0 });
            y += tile;
        }
    }
    for i in 0..4 {
        let (x, y) = (w * (0.08 + 0.25 * i as f32), h * chance.pick(&[0.34, 0.44, 0.54]));
        for k in 0..3 {
            block(c, chance, x + tile * k as f32, y, 1.0);
            c.circle(x + tile * (k as f32 + 0.5), y - tile * 0.8, tile * 0.26, &hex(0xffd24a).hex());
            c.rect(x + tile * (k as f32 + 0.42), y - tile * 0.95, tile * 0.1, tile * 0.3, &hex(0xfff3b0).hex());
        }
    }
    for (x, tall) in [(0.62, 3.0), (0.8, 4.0)] {
        for k in 0..tall as usize {
            block(c, chance, w * x, h - tile * (3.0 + k as f32), 0.0);
        }
        c.rect(w * x - tile * 0.2, h - tile * (2.3 + tall), tile * 1.4, tile * 0.35, &stone.lift(0.09).hex());
    }
    let (x, y) = (w * 0.12 + tile, h - tile * 3.0);
    let u = tile / 5.0;
    let y = y.min(ground.min(h - tile * 4.0) + tile) - u * 2.0;
    for (dx, dy, pw, ph, tone) in [
        (0.0, 0.0, 5.0, 5.0, p.accent),
        (0.0, -4.0, 5.0, 4.0, hex(0xf2c79b)),
        (-0.5, -5.0, 6.0, 2.0, p.ink),
        (3.0, -3.0, 1.0, 1.4, p.ink),
        (0.0, 5.0, 2.0, 2.0, p.ink),
        (3.0, 5.0, 2.0, 2.0, p.ink),
        (-2.0, 0.0, 2.0, 4.0, p.accent.lift(-0.12)),
    ] {
        c.rect(x + dx * u, y + dy * u, pw * u, ph * u, &tone.hex());
    }
}

/// Buildings as clean planes of light.
pub(super) fn architecture(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let level = h * 0.8;
    let air = sky(brief, c, chance, level);
    let p = &brief.palette;
    let base = chance
        .pick(&[p.paper, p.soft, p.main.at(0.74), p.accent.at(0.74)])
        .mix(air.near, if brief.dark() { 0.45 } else { 0.0 });
    let (light, shade) = (base, base.mix(p.deep, 0.55));
    trees_row(c, chance, level, air.horizon.mix(air.near, 0.35), s * 0.1, 26);
    let ground = p.main.mix(air.near, 0.4);
    let fill = c.vertical(level, h, &[ground.lift(0.07), ground.lift(-0.06)]);
    c.rect(0.0, level, w, h - level, &fill);
    let kind = brief
        .first(&[
            ("lighthouse", 0),
            ("house cottage cabin villa home", 1),
            ("arch arches courtyard stair staircase stairs temple", 2),
            ("brutalist tower building facade museum concrete", 3),
        ])
        .unwrap_or_else(|| chance.below(4));
    let glow = if brief.dark() { hex(0xffdc8c) } else { p.deep.at(0.42) };
    match kind {
        0 => {
            let (x, top, k) = (w * 0.56, h * 0.2, s * 0.08);
            c.ellipse(x, level + s * 0.04, s * 0.36, s * 0.06, &air.near.mix(ground, 0.6).hex());
            let beam = c.linear((x, top), (x - s * 0.7, top), &[(0.0, hex(0xfff0c0), 0.6), (1.0, hex(0xfff0c0), 0.0)]);
            c.poly(&[(x, top), (x - s * 0.7, top - s * 0.12), (x - s * 0.7, top + s * 0.12)], &beam);
            let body = c.barrel(x - k, x + k, base, true);
            c.poly(
                &[
                    (x - k * 0.7, top + k * 0.5),
                    (x + k * 0.7, top + k * 0.5),
                    (x + k * 1.15, level),
                    (x - k * 1.15, level),
                ],
                &body,
            );
            for i in 0..3 {
                let y = top + (level - top) * (0.22 + 0.27 * i as f32);
                let q = k * (0.78 + 0.12 * i as f32);
                let band = c.barrel(x - q, x + q, p.accent.lift(-0.05), true);
                c.rect(x - q, y, q * 2.0, (level - top) * 0.13, &band);
            }
            c.rect(x - k * 0.95, top + k * 0.4, k * 1.9, k * 0.16, &p.ink.hex());
            c.rect(x - k * 0.5, top - k * 0.4, k, k * 0.8, &hex(0xffe9a8).hex());
            c.poly(
                &[(x - k * 0.7, top - k * 0.4), (x, top - k * 1.1), (x + k * 0.7, top - k * 0.4)],
                &p.accent.lift(-0.1).hex(),
            );
        }
        1 => {
            let (x, y, k) = (w * 0.5, level, s * 0.2);
            c.poly(
                &[
                    (x - k * 1.5, y),
                    (x - k * 1.5, y - k),
                    (x - k * 0.6, y - k * 1.8),
                    (x + k * 0.3, y - k),
                    (x + k * 0.3, y),
                ],
                &light.hex(),
            );
            c.poly(
                &[(x + k * 0.3, y), (x + k * 0.3, y - k), (x + k * 1.7, y - k), (x + k * 1.7, y)],
                &shade.lift(0.06).hex(),
            );
            c.poly(
                &[
                    (x + k * 0.36, y - k * 0.95),
                    (x - k * 0.6, y - k * 1.86),
                    (x + k * 0.85, y - k * 1.86),
                    (x + k * 1.85, y - k * 0.95),
                ],
                &p.accent.lift(-0.04).hex(),
            );
            c.poly(
                &[
                    (x - k * 0.6, y - k * 1.86),
                    (x - k * 0.6, y - k * 1.74),
                    (x - k * 1.6, y - k * 0.85),
                    (x - k * 1.6, y - k * 0.97),
                ],
                &p.accent.lift(-0.14).hex(),
            );
            c.round(x - k * 0.85, y - k * 0.75, k * 0.5, k * 0.75, k * 0.04, &p.deep.hex());
            for (dx, dy) in [(-1.3, 0.72), (-0.14, 0.72), (0.6, 0.72), (1.15, 0.72), (-0.74, 1.25)] {
                c.rect(x + dx * k, y - dy * k, k * 0.3, k * 0.36, &glow.hex());
                c.rect(x + dx * k + k * 0.14, y - dy * k, k * 0.025, k * 0.36, &light.lift(-0.05).hex());
            }
            c.rect(x + k * 0.9, y - k * 2.2, k * 0.22, k * 0.5, &shade.hex());
        }
        2 => {
            for i in 0..3 {
                let k = s * (0.42 - 0.1 * i as f32);
                let x = w * 0.5;
                let y = level + s * 0.12 - s * 0.06 * i as f32;
                let tone = light.mix(shade, 0.28 * i as f32);
                c.path(
                    &format!(
                        "M{} {y}V{}H{}V{y}H{}V{}A{r} {r} 0 0 0 {} {}V{y}Z",
                        x - k,
                        h * 0.12 + s * 0.1 * i as f32,
                        x + k,
                        x + k * 0.62,
                        y - k * 0.9,
                        x - k * 0.62,
                        y - k * 0.9,
                        r = k * 0.62
                    ),
                    &tone.hex(),
                );
                c.path(
                    &format!(
                        "M{} {y}V{}A{r} {r} 0 0 1 {x} {}A{q} {q} 0 0 0 {} {}V{y}Z",
                        x - k * 0.62,
                        y - k * 0.9,
                        y - k * 1.52,
                        x - k * 0.5,
                        y - k * 0.88,
                        r = k * 0.62,
                        q = k * 0.6
                    ),
                    &shade.lift(-0.05 * i as f32).hex(),
                );
            }
            for i in 0..7 {
                let y = h - s * 0.035 * (7 - i) as f32;
                let half = s * (0.24 + 0.05 * i as f32);
                c.rect(w / 2.0 - half, y, half * 2.0, s * 0.036, &light.lift(-0.02 * (i % 2) as f32).hex());
                c.rect(w / 2.0 - half, y, half * 2.0, s * 0.008, &light.lift(0.06).hex());
            }
        }
        _ => {
            let mut blocks: Vec<(f32, f32, f32)> = (0..6)
                .map(|i| (w * 0.12 + w * 0.13 * i as f32, s * chance.between(0.14, 0.2), s * chance.between(0.25, 0.6)))
                .collect();
            blocks.sort_by(|a, b| b.2.total_cmp(&a.2));
            for (x, wide, tall) in blocks {
                c.rect(x, level - tall, wide * 0.62, tall, &light.lift(chance.jitter(0.03)).hex());
                c.poly(
                    &[
                        (x + wide * 0.62, level - tall),
                        (x + wide, level - tall + wide * 0.18),
                        (x + wide, level),
                        (x + wide * 0.62, level),
                    ],
                    &shade.hex(),
                );
                for k in 0..(tall / (s * 0.045)) as usize {
                    let y = level - tall + s * 0.02 + s * 0.045 * k as f32;
                    c.rect(
                        x + wide * 0.06,
                        y,
                        wide * 0.5,
                        s * 0.02,
                        &if chance.hit(0.4) { glow } else { shade }.alpha(0.85),
                    );
                }
            }
        }
    }
    if !brief.dark() {
        flock(c, chance, &air);
    }
}

/// Below the waves.
pub(super) fn underwater(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let deep = p.deep.mix(hex(0x0b3a5c), 0.5).at(0.26);
    let fill =
        c.vertical(0.0, h, &[p.main.mix(hex(0x5fd0d8), 0.6).at(0.8), p.main.mix(hex(0x1a86a8), 0.5).at(0.52), deep]);
    c.page(&fill);
    for _ in 0..7 {
        let x = w * chance.unit();
        let ray = c.linear((0.0, 0.0), (0.0, h * 0.8), &[(0.0, WHITE, 0.3), (1.0, WHITE, 0.0)]);
        c.poly(&[(x, 0.0), (x + s * 0.06, 0.0), (x + s * 0.2, h * 0.8), (x - s * 0.02, h * 0.8)], &ray);
    }
    if brief.has("jellyfish octopus") || !brief.has("reef coral fish") {
        for (x, y, k) in [(0.52, 0.36, 0.17), (0.22, 0.56, 0.08), (0.8, 0.62, 0.1)] {
            let (x, y, k) = (w * x, h * y, s * k);
            for i in 0..9 {
                let dx = k * (i as f32 / 4.0 - 1.0) * 0.8;
                let q = k * chance.between(1.2, 2.4);
                c.stroke(
                    &smooth(
                        &[
                            (x + dx, y),
                            (x + dx + k * 0.14, y + q * 0.3),
                            (x + dx - k * 0.14, y + q * 0.65),
                            (x + dx + k * 0.08, y + q),
                        ],
                        Close::No,
                    ),
                    &p.accent.lift(0.15).alpha(0.55),
                    k * 0.04,
                );
            }
            let bell = c.radial(
                (x, y - k * 0.3),
                k * 1.2,
                &[(0.0, p.paper, 0.95), (0.6, p.accent.lift(0.1), 0.8), (1.0, p.accent, 0.6)],
            );
            c.path(
                &format!(
                    "M{} {y}C{} {} {} {} {} {y}Q{} {} {x} {y}Q{} {} {} {y}Z",
                    x - k,
                    x - k * 0.95,
                    y - k * 1.35,
                    x + k * 0.95,
                    y - k * 1.35,
                    x + k,
                    x + k * 0.5,
                    y + k * 0.24,
                    x - k * 0.5,
                    y + k * 0.24,
                    x - k
                ),
                &bell,
            );
        }
    }
    let air = Air { horizon: p.main, near: deep, sun: WHITE, sun_at: (0.0, 0.0), level: h };
    for i in 0..2 {
        let mut top = ridge(c, chance, h * (0.92 + 0.06 * i as f32), s * 0.12, 0.2);
        top.extend([(w, h), (0.0, h)]);
        c.poly(&top, &air.near.lift(0.06 - 0.07 * i as f32).hex());
    }
    for _ in 0..18 {
        let (x, k, tone) = (
            w * chance.unit(),
            s * chance.between(0.06, 0.18),
            chance.pick(&[p.accent, p.soft, p.main, hex(0xf2766b)]),
        );
        for b in 0..5 {
            let lean = (b as f32 - 2.0) * 0.3;
            c.stroke(
                &smooth(
                    &[(x, h), (x + lean * k * 0.5, h - k * 0.5), (x + lean * k, h - k * (1.0 - lean.abs() * 0.3))],
                    Close::No,
                ),
                &tone.mix(deep, 0.25).hex(),
                k * 0.1,
            );
        }
    }
    for _ in 0..16 {
        let (x, y, k) = (w * chance.unit(), h * chance.between(0.2, 0.85), s * chance.between(0.012, 0.03));
        let tone = chance.pick(&[p.accent, p.soft, p.paper]);
        c.ellipse(x, y, k, k * 0.5, &tone.hex());
        c.poly(&[(x - k * 0.7, y), (x - k * 1.5, y - k * 0.45), (x - k * 1.5, y + k * 0.45)], &tone.lift(-0.08).hex());
        c.circle(x + k * 0.55, y - k * 0.1, k * 0.1, &deep.hex());
    }
    for _ in 0..40 {
        let r = s * chance.between(0.002, 0.009);
        c.ring(w * chance.unit(), h * chance.unit(), r, &WHITE.alpha(0.45), s * 0.0015);
    }
}
