//! Pictures laid out on a page: plants, plates, posters and people.
//!
//! Each is centred, with air around it.

use std::f32::consts::TAU;

use super::still_life::steam;
use crate::studio::render::canvas::{Canvas, Close, Face, Pt, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::prompt::Brief;

/// Flowers and leaves on a coloured ground.
pub(super) fn botanical(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let ground = if brief.dark() || chance.hit(0.3) { p.ink } else { chance.pick(&[p.paper, p.soft]) };
    let fill = c.vertical(0.0, h, &[ground.lift(0.02), ground.lift(-0.03)]);
    c.page(&fill);
    if chance.hit(0.6) {
        c.circle(w * chance.between(0.35, 0.65), h * 0.4, s * 0.3, &p.accent.mix(ground, 0.35).hex());
    }
    let green = p.main.mix(hex(0x3f7350), 0.6).at(0.48);
    let leafy = brief.has("leaf leaves fern monstera eucalyptus succulent herb");
    let stems = chance.count(6, 9);
    for i in 0..stems {
        let t = (i as f32 + 0.5) / stems as f32 * 2.0 - 1.0;
        let root = (w / 2.0 + t * s * 0.05, h * 1.02);
        let tip = (
            w / 2.0 + t * s * 0.38 + chance.jitter(s * 0.04),
            h * (0.22 + 0.22 * t.abs()) + s * chance.between(-0.04, 0.12),
        );
        let mid = ((root.0 + tip.0) / 2.0 - t * s * 0.04, (root.1 + tip.1) / 2.0);
        let tone = green.lift(chance.jitter(0.09));
        c.stroke(&smooth(&[root, mid, tip], Close::No), &tone.lift(-0.08).hex(), s * 0.007);
        for k in 1..8 {
            let q = k as f32 / 8.0;
            let (x, y) = (root.0 + (tip.0 - root.0) * q * q.sqrt(), root.1 + (tip.1 - root.1) * q);
            let side = if k % 2 == 0 { 1.0 } else { -1.0 };
            leaf(
                c,
                (x, y),
                s * (0.13 - 0.07 * q),
                t * 24.0 + side * chance.between(42.0, 66.0),
                tone.lift(0.02 * side),
            );
        }
        if leafy && i % 3 != 0 {
            leaf(c, tip, s * 0.16, t * 30.0, tone.lift(0.06));
        } else {
            let bloom = chance.pick(&[p.accent, p.soft.mix(p.accent, 0.4), p.main, p.paper]);
            flower(c, tip, s * chance.between(0.065, 0.115), if bloom == ground { p.accent } else { bloom }, chance);
        }
    }
}

fn leaf(c: &mut Canvas, (x, y): Pt, k: f32, angle: f32, tone: Colour) {
    c.turned(angle, (x, y));
    c.path(
        &format!(
            "M{x} {y}C{} {} {} {} {x} {}C{} {} {} {} {x} {y}Z",
            x + k * 0.36,
            y - k * 0.3,
            x + k * 0.3,
            y - k * 0.75,
            y - k,
            x - k * 0.3,
            y - k * 0.75,
            x - k * 0.36,
            y - k * 0.3
        ),
        &tone.hex(),
    );
    c.path(
        &format!("M{x} {y}C{} {} {} {} {x} {}Z", x + k * 0.36, y - k * 0.3, x + k * 0.3, y - k * 0.75, y - k),
        &tone.lift(0.06).hex(),
    );
    c.line((x, y), (x, y - k * 0.92), &tone.lift(-0.1).alpha(0.7), k * 0.02);
    c.end();
}

fn flower(c: &mut Canvas, (x, y): Pt, k: f32, tone: Colour, chance: &mut Chance) {
    let n = chance.count(5, 11);
    for (layer, size) in [(0, 1.0), (1, 0.68)] {
        for i in 0..n {
            let a = 360.0 * (i as f32 + layer as f32 * 0.5) / n as f32;
            c.turned(a, (x, y));
            let (q, wide) = (k * size, k * size * 2.6 / n as f32);
            let petal = tone.lift(0.07 * layer as f32 + if i % 2 == 0 { 0.02 } else { -0.03 });
            let fill = c.linear((x, y), (x, y - q), &[(0.0, petal.lift(-0.14), 1.0), (1.0, petal.lift(0.04), 1.0)]);
            c.path(
                &format!(
                    "M{x} {y}C{} {} {} {} {x} {}C{} {} {} {} {x} {y}Z",
                    x + wide,
                    y - q * 0.4,
                    x + wide,
                    y - q,
                    y - q,
                    x - wide,
                    y - q,
                    x - wide,
                    y - q * 0.4
                ),
                &fill,
            );
            c.end();
        }
    }
    c.circle(x, y, k * 0.24, &hex(0xe8b13c).hex());
    for i in 0..9 {
        let (sin, cos) = (i as f32 * 0.698).sin_cos();
        c.circle(x + cos * k * 0.18, y + sin * k * 0.18, k * 0.035, &hex(0x8a5a1c).hex());
    }
}

/// A dish from above.
pub(super) fn food(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let wood = chance.pick(&[p.soft, p.main.mix(p.paper, 0.35), p.deep]);
    c.page(&wood.hex());
    for i in 0..7 {
        let y = h * i as f32 / 7.0;
        c.rect(0.0, y, w, h / 7.0 - s * 0.003, &wood.lift(chance.jitter(0.018)).hex());
    }
    let (x, y, r) = (w / 2.0, h / 2.0, s * 0.33);
    let cloth = p.accent.mix(p.paper, 0.4);
    c.turned(chance.between(-24.0, 24.0), (x, y));
    c.rect(x - r * 1.25, y - r * 0.4, r * 1.5, r * 1.9, &cloth.hex());
    (0..9).for_each(|i| {
        c.rect(x - r * 1.25 + r * 0.17 * i as f32, y - r * 0.4, r * 0.05, r * 1.9, &cloth.lift(-0.06).hex())
    });
    c.end();
    c.blurred(s * 0.02);
    c.circle(x + s * 0.02, y + s * 0.03, r * 1.02, &wood.at(0.2).alpha(0.5));
    c.end();
    let plate = c.linear((x - r, y - r), (x + r, y + r), &[(0.0, WHITE, 1.0), (1.0, hex(0xe2dcd2), 1.0)]);
    c.circle(x, y, r, &plate);
    c.ring(x, y, r * 0.8, &hex(0xcfc7ba).alpha(0.8), s * 0.004);
    let kind = brief
        .first(&[
            ("coffee latte espresso tea cappuccino", 0),
            ("pizza", 1),
            ("ramen noodle soup bowl curry", 2),
            ("lemon fruit orange citrus", 3),
            ("donut doughnut cake pancake dessert cupcake cookie", 4),
        ])
        .unwrap_or_else(|| chance.below(5));
    match kind {
        0 => {
            let cup = c.radial((x, y), r * 0.74, &[(0.8, p.accent.lift(0.05), 1.0), (1.0, p.accent.lift(-0.08), 1.0)]);
            c.round(x + r * 0.55, y - r * 0.09, r * 0.42, r * 0.18, r * 0.09, &p.accent.lift(-0.05).hex());
            c.circle(x, y, r * 0.66, &cup);
            let brew = c.radial(
                (x, y),
                r * 0.58,
                &[(0.0, hex(0xc08a58), 1.0), (0.8, hex(0x9a6238), 1.0), (1.0, hex(0x5a3218), 1.0)],
            );
            c.circle(x, y, r * 0.57, &brew);
            for i in 0..5 {
                let (q, top) = (r * (0.36 - 0.06 * i as f32), y + r * (0.26 - 0.14 * i as f32));
                c.stroke(
                    &smooth(
                        &[
                            (x - q, top - q * 0.5),
                            (x - q * 0.5, top),
                            (x, top - q * 0.2),
                            (x + q * 0.5, top),
                            (x + q, top - q * 0.5),
                        ],
                        Close::No,
                    ),
                    &hex(0xfbeedb).hex(),
                    r * 0.06,
                );
            }
            c.path(
                &smooth(
                    &[(x, y - r * 0.22), (x - r * 0.12, y - r * 0.4), (x, y - r * 0.35), (x + r * 0.12, y - r * 0.4)],
                    Close::Yes,
                ),
                &hex(0xfbeedb).hex(),
            );
            steam(c, (x, y - r * 0.1), r * 0.8);
        }
        1 => {
            c.circle(x, y, r * 0.86, &hex(0xd99a4e).hex());
            c.circle(x, y, r * 0.77, &hex(0xc8452c).hex());
            c.circle(x, y, r * 0.74, &hex(0xf4cf72).hex());
            scatter(c, chance, (x, y), r * 0.62, 60, &[hex(0xfbe3a0), hex(0xe8b24e)], 0.07);
            scatter(c, chance, (x, y), r * 0.58, 14, &[hex(0xb93a2a), hex(0xc94a32)], 0.11);
            for _ in 0..10 {
                let (a, d) = (chance.between(0.0, TAU), r * 0.6 * chance.unit().sqrt());
                leaf(c, (x + a.cos() * d, y + a.sin() * d), r * 0.18, chance.between(0.0, 360.0), hex(0x4c8a3f));
            }
            (0..4).for_each(|i| {
                let (sin, cos) = (i as f32 * TAU / 8.0).sin_cos();
                c.line(
                    (x - cos * r * 0.86, y - sin * r * 0.86),
                    (x + cos * r * 0.86, y + sin * r * 0.86),
                    &hex(0xa8702e).alpha(0.6),
                    s * 0.003,
                );
            });
        }
        2 => {
            c.circle(x, y, r * 0.94, &p.deep.hex());
            let broth = c.radial((x, y), r * 0.84, &[(0.0, hex(0xe6b065), 1.0), (1.0, hex(0xb8763a), 1.0)]);
            c.circle(x, y, r * 0.84, &broth);
            for i in 0..26 {
                let v = (i as f32 / 25.0 - 0.5) * r;
                c.stroke(
                    &smooth(
                        &[
                            (x - r * 0.6, y + v * 0.6 + r * 0.16),
                            (x - r * 0.2, y + v * 0.8 - r * 0.05),
                            (x + r * 0.2, y + v * 0.6 + r * 0.1),
                            (x + r * 0.5, y + v * 0.7),
                        ],
                        Close::No,
                    ),
                    &hex(0xf6dfa4).lift(chance.jitter(0.04)).hex(),
                    r * 0.03,
                );
            }
            for (dx, dy) in [(-0.36, -0.3), (-0.02, -0.46)] {
                c.ellipse(x + dx * r, y + dy * r, r * 0.22, r * 0.18, &hex(0xfffaf0).hex());
                c.circle(x + dx * r, y + dy * r, r * 0.1, &hex(0xf29a2e).hex());
            }
            scatter(c, chance, (x + r * 0.36, y - r * 0.2), r * 0.24, 34, &[hex(0x5f9c45), hex(0x7fb85a)], 0.05);
            c.turned(20.0, (x, y));
            c.rect(x + r * 0.3, y + r * 0.08, r * 0.34, r * 0.46, &hex(0x22332b).hex());
            c.end();
            steam(c, (x, y), r * 0.9);
        }
        3 => {
            for (dx, dy, q) in [(-0.28, -0.2, 0.42), (0.32, -0.04, 0.36), (-0.06, 0.4, 0.3)] {
                let (fx, fy, q) = (x + dx * r, y + dy * r, q * r);
                let peel = chance.pick(&[hex(0xf5c22b), hex(0xf08a2c), hex(0xa9c83c)]);
                c.circle(fx, fy, q, &peel.hex());
                c.circle(fx, fy, q * 0.9, &hex(0xfdf3d4).hex());
                for i in 0..9 {
                    let (a, step) = (i as f32 * TAU / 9.0, TAU / 9.0);
                    c.path(
                        &crate::studio::render::canvas::arc((fx, fy), q * 0.1, q * 0.82, a + 0.05, a + step - 0.05),
                        &peel.lift(0.08).hex(),
                    );
                }
            }
            for i in 0..3 {
                leaf(c, (x + r * 0.2, y - r * 0.44), r * 0.36, 30.0 + 50.0 * i as f32, hex(0x5b8c4a));
            }
        }
        _ => {
            let glaze = p.accent.lift(0.05);
            c.circle(x, y, r * 0.68, &hex(0xc98d4f).hex());
            let wavy: Vec<Pt> = (0..20)
                .map(|i| {
                    let (sin, cos) = (i as f32 * TAU / 20.0).sin_cos();
                    let q = r * (0.6 + chance.jitter(0.035));
                    (x + cos * q, y + sin * q)
                })
                .collect();
            c.path(&smooth(&wavy, Close::Yes), &glaze.hex());
            c.ring(x, y, r * 0.48, &glaze.lift(0.08).alpha(0.6), r * 0.05);
            for _ in 0..60 {
                let (a, d) = (chance.between(0.0, TAU), r * chance.between(0.27, 0.54));
                let (px, py, t) = (x + a.cos() * d, y + a.sin() * d, chance.between(0.0, TAU));
                c.line(
                    (px, py),
                    (px + t.cos() * r * 0.05, py + t.sin() * r * 0.05),
                    &chance.pick(&[p.paper, p.main, p.deep, hex(0xf6cf4a)]).hex(),
                    r * 0.022,
                );
            }
            c.circle(x, y, r * 0.21, &hex(0xb5793f).hex());
            c.circle(x, y, r * 0.175, &hex(0xefe9df).hex());
        }
    }
}

fn scatter(c: &mut Canvas, chance: &mut Chance, (x, y): Pt, r: f32, n: usize, tones: &[Colour], size: f32) {
    for _ in 0..n {
        let (a, d) = (chance.between(0.0, TAU), r * chance.unit().sqrt());
        c.circle(
            x + a.cos() * d,
            y + a.sin() * d,
            r * size * chance.between(0.6, 1.3) * 1.3,
            &chance.pick(tones).hex(),
        );
    }
}

/// Words, large, over simple forms.
pub(super) fn poster(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let ground = chance.pick(&[p.main, p.paper, p.deep, p.accent]);
    let ink = if ground.lightness() > 0.68 { p.ink } else { p.paper };
    let pop = if ground == p.accent { p.main } else { p.accent };
    c.page(&ground.hex());
    match chance.below(4) {
        0 => {
            for i in 0..32 {
                let a = TAU * i as f32 / 32.0;
                let far = w + h;
                let at = |a: f32| (w * 0.5 + a.cos() * far, h * 0.3 + a.sin() * far);
                c.poly(&[(w * 0.5, h * 0.3), at(a), at(a + TAU / 64.0)], &pop.mix(ground, 0.72).hex());
            }
            c.circle(w * 0.5, h * 0.3, s * 0.21, &pop.hex());
        }
        1 => {
            for (i, tone) in [pop, p.soft, p.deep, p.main].into_iter().enumerate() {
                c.circle(w * 0.74, h * 0.28, s * (0.42 - 0.1 * i as f32), &tone.hex());
            }
        }
        2 => {
            for i in 0..7 {
                let y = h * 0.06 + s * 0.075 * i as f32;
                let d: Vec<Pt> = (0..=12)
                    .map(|k| (w * k as f32 / 12.0, y + s * 0.03 * (k as f32 * 1.1 + i as f32 * 0.5).sin()))
                    .collect();
                c.stroke(&smooth(&d, Close::No), &[pop, p.soft, p.deep][i % 3].hex(), s * 0.034);
            }
        }
        _ => {
            for i in 0..12 {
                let (x, y, k) =
                    (w * ((i % 4) as f32 + 0.5) / 4.0, h * 0.03 + s * (0.1 + 0.19 * (i / 4) as f32), s * 0.08);
                let tone = [pop, p.soft, p.deep, p.main.lift(0.1)][chance.below(4)].hex();
                match chance.below(3) {
                    0 => c.circle(x, y, k, &tone),
                    1 => c.path(&crate::studio::render::canvas::arc((x, y), 0.0, k, 0.0, TAU / 2.0), &tone),
                    _ => c.round(x - k, y - k, k * 2.0, k * 2.0, k * 0.5, &tone),
                }
            }
        }
    }
    let title = brief.quoted.first().cloned().unwrap_or_else(|| brief.title.to_uppercase());
    let face =
        if brief.has("serif elegant vintage editorial classic") || chance.hit(0.35) { Face::Serif } else { Face::Bold };
    let mut lines: Vec<String> = Vec::new();
    for word in title.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + word.chars().count() < 9 => last.push_str(&format!(" {word}")),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.truncate(4);
    let widest = lines.iter().map(|line| face.width(line)).fold(1.0, f32::max);
    let size = (w * 0.82 / widest).min(h * 0.42 / lines.len().max(1) as f32);
    let base = h * 0.9 - size * 0.98 * lines.len() as f32;
    let fade = c.linear((0.0, base - size * 0.1), (0.0, base + size * 0.3), &[(0.0, ground, 0.0), (1.0, ground, 0.94)]);
    c.rect(0.0, base - size * 0.1, w, h, &fade);
    for (i, line) in lines.iter().enumerate() {
        c.text((w * 0.08, base + size * 0.98 * (i as f32 + 0.9)), size, face, &ink.hex(), "start", line);
    }
    c.rect(w * 0.08, h * 0.935, w * 0.84, s * 0.004, &ink.hex());
    if let Some(more) = brief.quoted.get(1) {
        c.text((w * 0.08, h * 0.972), s * 0.026, Face::Plain, &ink.hex(), "start", more);
    } else {
        (0..3).for_each(|i| c.round(w * (0.08 + 0.3 * i as f32), h * 0.952, w * 0.16, s * 0.008, s, &ink.alpha(0.6)));
    }
}

/// Somebody, without a face, in good light.
pub(super) fn portrait(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let fill = c.vertical(0.0, h, &[p.main.lift(0.08), p.main.lift(-0.06)]);
    c.page(&fill);
    c.circle(w * 0.5, h * 0.44, s * 0.36, &p.soft.hex());
    let skin = chance.pick(&[hex(0xf1c9a5), hex(0xd79f74), hex(0xa86f4a), hex(0x7a4b33), hex(0xe8b48e)]);
    let hair = chance.pick(&[hex(0x241a1a), hex(0x5a3420), hex(0x8d5a2b), p.deep, hex(0xb9b2a8)]);
    let (x, y, k) = (w / 2.0, h * 0.45, s * 0.16);
    let long = brief.has("woman girl queen dancer") || chance.hit(0.4);
    if long {
        c.path(
            &smooth(
                &[
                    (x, y - k * 1.5),
                    (x + k * 1.2, y - k * 0.7),
                    (x + k * 1.3, y + k),
                    (x + k * 0.9, y + k * 2.0),
                    (x - k * 0.9, y + k * 2.0),
                    (x - k * 1.3, y + k),
                    (x - k * 1.2, y - k * 0.7),
                ],
                Close::Yes,
            ),
            &hair.hex(),
        );
    }
    let coat = c.vertical(h * 0.66, h, &[p.accent.lift(0.03), p.accent.lift(-0.1)]);
    c.path(
        &format!(
            "M{} {h}C{} {} {} {} {x} {}C{} {} {} {} {} {h}Z",
            x - k * 2.5,
            x - k * 2.4,
            y + k * 2.0,
            x - k,
            y + k * 1.8,
            y + k * 1.7,
            x + k,
            y + k * 1.8,
            x + k * 2.4,
            y + k * 2.0,
            x + k * 2.5
        ),
        &coat,
    );
    c.round(x - k * 0.4, y + k * 0.5, k * 0.8, k * 1.6, k * 0.4, &skin.lift(-0.08).hex());
    let face =
        c.linear((x - k, y), (x + k, y), &[(0.0, skin.lift(0.05), 1.0), (0.6, skin, 1.0), (1.0, skin.lift(-0.1), 1.0)]);
    c.ellipse(x, y, k * 0.86, k * 1.12, &face);
    c.path(
        &smooth(
            &[
                (x - k * 0.95, y - k * 0.05),
                (x - k * 0.9, y - k * 0.95),
                (x, y - k * 1.42),
                (x + k * 0.92, y - k * 0.9),
                (x + k * 0.95, y),
                (x + k * 0.55, y - k * 0.6),
                (x - k * 0.3, y - k * 0.72),
            ],
            Close::Yes,
        ),
        &hair.hex(),
    );
    for m in [-1.0, 1.0] {
        c.stroke(
            &smooth(
                &[(x + m * k * 0.22, y + k * 0.03), (x + m * k * 0.36, y + k * 0.09), (x + m * k * 0.5, y + k * 0.02)],
                Close::No,
            ),
            &hair.at(0.22).hex(),
            k * 0.05,
        );
        c.ellipse(x + m * k * 0.5, y + k * 0.36, k * 0.17, k * 0.1, &hex(0xe0705a).alpha(0.3));
    }
    c.stroke(
        &smooth(&[(x - k * 0.2, y + k * 0.6), (x, y + k * 0.68), (x + k * 0.2, y + k * 0.6)], Close::No),
        &hex(0x9c4238).hex(),
        k * 0.06,
    );
    for i in 0..7 {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        leaf(
            c,
            (x + side * s * chance.between(0.3, 0.48), h * chance.between(0.75, 1.05)),
            s * 0.22,
            side * chance.between(-40.0, 10.0),
            p.deep.lift(chance.jitter(0.08)),
        );
    }
}
