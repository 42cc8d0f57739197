//! Animals as flat, friendly silhouettes in their country.
//!
//! The animal is the largest thing in the picture.

use super::landscape::{birches, flock, sky, trees_row, water};
use crate::studio::render::canvas::{Canvas, Close, Pt, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::palette;
use crate::studio::render::prompt::Brief;

/// Draws the animal.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let level = h * 0.66;
    let air = sky(brief, c, chance, level);
    let p = &brief.palette;
    let kind = brief
        .first(&[
            ("fox", 0),
            ("cat kitten", 1),
            ("owl", 2),
            ("whale", 3),
            ("fish koi", 3),
            ("bear", 4),
            ("rabbit hare", 5),
            ("dog puppy wolf", 6),
            ("bird hummingbird crow raven sparrow robin heron crane swan parrot penguin", 7),
            ("deer stag", 8),
        ])
        .unwrap_or_else(|| chance.pick(&[0, 1, 2, 4, 5, 7]));
    if kind == 3 {
        let tone = p.deep.mix(hex(0x28506e), 0.5);
        water(brief, c, chance, &air);
        whale(c, (w * 0.54, level - s * 0.06), s * 0.26, tone.at(0.42), air.horizon.lift(0.06));
        flock(c, chance, &air);
        return;
    }
    trees_row(c, chance, level, air.horizon.mix(air.near, 0.35), s * 0.14, 30);
    let ground = p.main.mix(air.near, 0.35);
    let fill = c.vertical(level, h, &[ground.lift(0.08), ground.lift(-0.1)]);
    c.ellipse(w / 2.0, h * 1.02, w * 0.9, h - level + s * 0.03, &fill);
    if brief.has("birch forest wood woods autumn") || chance.hit(0.3) {
        birches(c, chance, h * 0.74, s * 0.7, 0.4, &air);
        birches(c, chance, h * 0.8, s * 0.8, 0.75, &air);
    }
    for _ in 0..70 {
        let leaf = chance.pick(&[p.accent, p.soft, p.main.lift(0.1)]);
        let (x, y, k) = (w * chance.unit(), h * chance.between(0.7, 1.0), s * chance.between(0.004, 0.01));
        c.ellipse(x, y, k, k * 0.6, &leaf.alpha(0.85));
    }
    let fur = palette::named(&brief.words).first().copied().unwrap_or_else(|| match kind {
        0 => hex(0xd9642c),
        2 => hex(0x8a6a4f),
        4 => hex(0x6b4a35),
        5 => hex(0xcfc0ae),
        8 => hex(0xa9713f),
        7 => p.accent,
        _ => chance.pick(&[hex(0x4a4a55), hex(0xe0a566), hex(0x8d8f98), hex(0x2e2d33)]),
    });
    let (x, y, k) = (w * chance.between(0.42, 0.58), h * 0.9, s * 0.36);
    c.blurred(s * 0.01);
    c.ellipse(x, y, k * 0.85, k * 0.09, &air.near.at(0.15).alpha(0.45));
    c.end();
    if kind == 7 {
        bird(c, (x, y - k * 0.1), k, fur, p.paper, air.near);
    } else {
        sitting(c, kind, (x, y), k, fur, air.near);
    }
}

fn sitting(c: &mut Canvas, kind: usize, (x, y): Pt, k: f32, fur: Colour, near: Colour) {
    let at = |px: f32, py: f32| (x + px * k, y - py * k);
    let (shade, pale) = (fur.lift(-0.09), fur.mix(hex(0xfff4e4), 0.82));
    let dark = near.mix(hex(0x1c1714), 0.7);
    if matches!(kind, 0 | 1 | 6) {
        let fat = if kind == 0 { 0.3 } else { 0.12 };
        let d = smooth(&[at(0.3, 0.1), at(0.75, 0.04), at(0.98, 0.35), at(0.86, 0.62)], Close::No);
        c.stroke(&d, &shade.hex(), k * fat);
        if kind == 0 {
            c.stroke(&smooth(&[at(0.96, 0.44), at(0.93, 0.54), at(0.86, 0.64)], Close::No), &pale.hex(), k * 0.22);
        }
    }
    let body = c.linear(at(-0.5, 0.0), at(0.5, 0.0), &[(0.0, fur.lift(0.06), 1.0), (0.6, fur, 1.0), (1.0, shade, 1.0)]);
    c.path(
        &smooth(
            &[
                at(-0.38, 0.0),
                at(-0.46, 0.32),
                at(-0.28, 0.86),
                at(0.0, 1.02),
                at(0.28, 0.86),
                at(0.5, 0.32),
                at(0.42, 0.0),
                at(0.0, -0.04),
            ],
            Close::Yes,
        ),
        &body,
    );
    c.path(
        &smooth(&[at(-0.15, 0.9), at(0.15, 0.9), at(0.2, 0.5), at(0.0, 0.26), at(-0.2, 0.5)], Close::Yes),
        &pale.hex(),
    );
    for m in [-1.0, 1.0] {
        c.ellipse(
            x + m * k * 0.2,
            y - k * 0.03,
            k * 0.15,
            k * 0.09,
            &if kind == 0 { dark } else { fur.lift(-0.05) }.hex(),
        );
        let ear: Vec<Pt> = match kind {
            5 => vec![at(m * 0.1, 1.4), at(m * 0.12, 1.95), at(m * 0.25, 2.05), at(m * 0.32, 1.9), at(m * 0.26, 1.4)],
            4 => vec![at(m * 0.2, 1.45), at(m * 0.24, 1.66), at(m * 0.42, 1.66), at(m * 0.46, 1.4)],
            2 => vec![at(m * 0.14, 1.5), at(m * 0.4, 1.74), at(m * 0.4, 1.4)],
            8 => vec![at(m * 0.24, 1.36), at(m * 0.62, 1.5), at(m * 0.44, 1.24)],
            _ => vec![at(m * 0.1, 1.46), at(m * 0.36, 1.84), at(m * 0.46, 1.3)],
        };
        let d = if matches!(kind, 0 | 1 | 2 | 6) {
            crate::studio::render::canvas::polygon(&ear)
        } else {
            smooth(&ear, Close::Yes)
        };
        c.path(&d, &if kind == 0 { fur.lift(-0.06) } else { shade }.hex());
        if kind == 8 {
            c.stroke(
                &smooth(&[at(m * 0.14, 1.46), at(m * 0.4, 1.8), at(m * 0.5, 2.2)], Close::No),
                &hex(0x6b4a2e).hex(),
                k * 0.05,
            );
            c.stroke(
                &smooth(&[at(m * 0.34, 1.72), at(m * 0.2, 1.95), at(m * 0.22, 2.1)], Close::No),
                &hex(0x6b4a2e).hex(),
                k * 0.04,
            );
            c.stroke(
                &smooth(&[at(m * 0.43, 1.9), at(m * 0.66, 2.0), at(m * 0.72, 2.14)], Close::No),
                &hex(0x6b4a2e).hex(),
                k * 0.04,
            );
        }
    }
    let snout = if matches!(kind, 0 | 6 | 8) { 0.9 } else { 0.98 };
    let head = c.linear(at(-0.5, 1.2), at(0.5, 1.2), &[(0.0, fur.lift(0.07), 1.0), (1.0, fur.lift(-0.03), 1.0)]);
    c.path(
        &smooth(
            &[
                at(0.0, 1.56),
                at(0.36, 1.45),
                at(0.5, 1.2),
                at(0.26, 1.0),
                at(0.0, snout),
                at(-0.26, 1.0),
                at(-0.5, 1.2),
                at(-0.36, 1.45),
            ],
            Close::Yes,
        ),
        &head,
    );
    if kind == 2 {
        for m in [-1.0, 1.0] {
            c.circle(x + m * k * 0.19, y - k * 1.25, k * 0.18, &pale.hex());
            c.circle(x + m * k * 0.19, y - k * 1.25, k * 0.12, &hex(0xf2b53a).hex());
            c.circle(x + m * k * 0.19, y - k * 1.25, k * 0.07, &dark.hex());
        }
        c.poly(&[at(-0.06, 1.18), at(0.06, 1.18), at(0.0, 1.02)], &hex(0xe09a35).hex());
        return;
    }
    for m in [-1.0, 1.0] {
        if kind == 0 || kind == 6 {
            c.path(
                &smooth(
                    &[at(m * 0.5, 1.2), at(m * 0.28, 1.24), at(m * 0.04, 1.02), at(0.0, snout), at(m * 0.26, 0.99)],
                    Close::Yes,
                ),
                &pale.hex(),
            );
        }
        c.ellipse(x + m * k * 0.19, y - k * 1.27, k * 0.042, k * 0.055, &dark.hex());
        c.circle(x + m * k * 0.19 + k * 0.014, y - k * 1.29, k * 0.014, &WHITE.hex());
        if kind == 1 {
            for i in 0..3 {
                c.line(at(m * 0.2, 1.09), at(m * 0.62, 1.15 - 0.06 * i as f32), &pale.alpha(0.75), k * 0.009);
            }
        }
    }
    if matches!(kind, 4 | 5 | 1) {
        c.ellipse(x, y - k * 1.08, k * 0.16, k * 0.1, &pale.alpha(0.9));
    }
    c.ellipse(x, y - k * (snout + 0.15), k * 0.06, k * 0.042, &dark.hex());
}

fn bird(c: &mut Canvas, (x, y): Pt, k: f32, fur: Colour, pale: Colour, near: Colour) {
    let at = |px: f32, py: f32| (x + px * k, y - py * k);
    c.stroke(
        &smooth(&[at(-1.5, -0.1), at(-0.4, 0.02), at(0.5, -0.04), at(1.6, 0.1)], Close::No),
        &near.mix(hex(0x5a4030), 0.5).hex(),
        k * 0.09,
    );
    c.path(
        &smooth(&[at(0.3, 0.35), at(0.9, -0.25), at(1.08, -0.42), at(0.8, -0.4), at(0.2, 0.1)], Close::Yes),
        &fur.lift(-0.16).hex(),
    );
    let body = c.linear(at(0.0, 1.1), at(0.0, 0.0), &[(0.0, fur.lift(0.07), 1.0), (1.0, fur.lift(-0.07), 1.0)]);
    c.path(
        &smooth(
            &[
                at(-0.5, 0.98),
                at(-0.2, 1.1),
                at(0.08, 0.92),
                at(0.46, 0.55),
                at(0.52, 0.16),
                at(0.1, 0.0),
                at(-0.36, 0.12),
                at(-0.58, 0.5),
            ],
            Close::Yes,
        ),
        &body,
    );
    c.path(
        &smooth(&[at(-0.56, 0.66), at(-0.3, 0.66), at(-0.02, 0.3), at(0.0, 0.06), at(-0.36, 0.12)], Close::Yes),
        &pale.hex(),
    );
    c.path(
        &smooth(&[at(-0.06, 0.72), at(0.4, 0.52), at(0.78, -0.02), at(0.3, 0.1), at(0.0, 0.34)], Close::Yes),
        &fur.lift(-0.1).hex(),
    );
    c.poly(&[at(-0.54, 0.92), at(-0.8, 0.82), at(-0.55, 0.8)], &hex(0xe7a23a).hex());
    c.circle(x - k * 0.36, y - k * 0.92, k * 0.05, &hex(0x1d1a1a).hex());
    c.circle(x - k * 0.375, y - k * 0.94, k * 0.016, &WHITE.hex());
    for m in [-0.06, 0.12] {
        c.line(at(m, 0.04), at(m, -0.04), &hex(0xb5762c).hex(), k * 0.035);
    }
}

/// A whale, head to the right.
pub(super) fn whale(c: &mut Canvas, (x, y): Pt, k: f32, tone: Colour, belly: Colour) {
    let at = |px: f32, py: f32| (x + px * k, y - py * k);
    c.path(
        &smooth(
            &[at(-1.15, 0.26), at(-1.62, 0.62), at(-1.5, 0.3), at(-1.75, 0.02), at(-1.3, 0.06), at(-1.05, 0.1)],
            Close::Yes,
        ),
        &tone.lift(-0.04).hex(),
    );
    let d = smooth(
        &[
            at(-1.3, 0.2),
            at(-0.7, 0.32),
            at(0.1, 0.56),
            at(0.8, 0.46),
            at(1.16, 0.12),
            at(1.0, -0.22),
            at(0.3, -0.42),
            at(-0.5, -0.2),
        ],
        Close::Yes,
    );
    let fill = c.linear(at(0.0, 0.6), at(0.0, -0.4), &[(0.0, tone.lift(0.1), 1.0), (1.0, tone.lift(-0.06), 1.0)]);
    c.path(&d, &fill);
    c.clipped(&d);
    c.path(
        &smooth(&[at(1.3, -0.02), at(0.5, -0.06), at(-0.5, -0.2), at(0.2, -0.6), at(1.2, -0.5)], Close::Yes),
        &belly.hex(),
    );
    for i in 0..7 {
        let v = -0.12 - 0.05 * i as f32;
        c.stroke(&smooth(&[at(1.2, v + 0.06), at(0.5, v), at(-0.3, v - 0.05)], Close::No), &tone.alpha(0.4), k * 0.01);
    }
    c.end();
    c.path(
        &smooth(&[at(0.3, -0.16), at(0.05, -0.62), at(-0.2, -0.7), at(-0.02, -0.2)], Close::Yes),
        &tone.lift(-0.1).hex(),
    );
    c.circle(x + k * 0.78, y - k * 0.06, k * 0.035, &hex(0x10141c).hex());
    c.circle(x + k * 0.79, y - k * 0.07, k * 0.011, &WHITE.hex());
}
