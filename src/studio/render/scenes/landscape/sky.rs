//! The sky above a landscape: its light, its sun or moon, its clouds.

use crate::studio::render::canvas::{Canvas, Close, Pt, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::prompt::{Brief, Light};

/// The air of a scene: what later layers fade into and are lit by.
pub(in crate::studio::render::scenes) struct Air {
    pub(in crate::studio::render::scenes) horizon: Colour,
    pub(in crate::studio::render::scenes) near: Colour,
    pub(in crate::studio::render::scenes) sun: Colour,
    pub(in crate::studio::render::scenes) sun_at: Pt,
    pub(in crate::studio::render::scenes) level: f32,
}

/// Paints the sky down to `level` and answers the air.
pub(in crate::studio::render::scenes) fn sky(brief: &Brief, c: &mut Canvas, chance: &mut Chance, level: f32) -> Air {
    let p = &brief.palette;
    let (stops, sun, near): ([Colour; 4], Colour, Colour) = match brief.light {
        Light::Dawn => (
            [
                p.main.at(0.66).mix(hex(0x7ba3d0), 0.6),
                p.soft.mix(hex(0xf3d3c4), 0.5),
                p.paper.mix(hex(0xffd9b0), 0.6),
                hex(0xffe9cc),
            ],
            hex(0xfff3d8),
            p.deep.mix(hex(0x2c4a52), 0.4).at(0.34),
        ),
        Light::Golden => (
            [
                p.deep.at(0.44),
                p.main.at(0.62).mix(hex(0xe98a5a), 0.5),
                p.accent.mix(hex(0xf8b35f), 0.6).at(0.8),
                hex(0xffe0a3),
            ],
            hex(0xfff0c2),
            p.ink.mix(p.deep, 0.35).at(0.24),
        ),
        Light::Dusk => (
            [
                p.ink.at(0.3).mix(hex(0x2e2a5c), 0.4),
                p.main.at(0.48).mix(hex(0x6d5aa0), 0.5),
                p.main.at(0.68).mix(hex(0xd88fa8), 0.5),
                p.soft.mix(hex(0xf9c7a0), 0.6),
            ],
            hex(0xffe2c0),
            p.ink.mix(p.deep, 0.4).at(0.22),
        ),
        Light::Night | Light::Dark => (
            [
                p.ink.at(0.13).mix(hex(0x0a1130), 0.4),
                p.ink.at(0.2).mix(hex(0x14224d), 0.4),
                p.deep.at(0.34),
                p.main.at(0.5).vivid(0.8),
            ],
            hex(0xf6f1de),
            p.ink.at(0.12),
        ),
        Light::Neon => (
            [p.ink.at(0.14), p.deep.at(0.3), p.main.at(0.55), p.accent.at(0.78).mix(p.main, 0.4)],
            hex(0xffe9a8),
            p.ink.at(0.12),
        ),
        Light::Overcast => (
            [p.soft.at(0.7).vivid(0.6), p.soft.at(0.8).vivid(0.5), p.paper.at(0.88), p.paper.at(0.93)],
            WHITE,
            p.deep.at(0.32).vivid(0.8),
        ),
        Light::Day | Light::Studio => (
            [
                p.main.at(0.6).mix(hex(0x4d94d8), 0.65),
                hex(0x93c6ea).mix(p.soft, 0.3),
                hex(0xd2e8f2).mix(p.paper, 0.4),
                p.paper.mix(hex(0xf4f5ea), 0.4),
            ],
            hex(0xfffbe8),
            p.deep.mix(hex(0x2e5a4a), 0.35).at(0.36),
        ),
    };
    let fill = c.vertical(0.0, level, &stops);
    c.page(&fill);
    let s = c.side();
    let w = c.w;
    let sun_at = (
        w * chance.pick(&[0.28, 0.38, 0.62, 0.7, 0.5]),
        match brief.light {
            Light::Day | Light::Studio | Light::Overcast => level * chance.between(0.25, 0.4),
            Light::Night | Light::Dark => level * chance.between(0.25, 0.5),
            _ => level * chance.between(0.62, 0.88),
        },
    );
    if brief.dark() || brief.light == Light::Dusk {
        for _ in 0..(if brief.dark() { 260 } else { 90 }) {
            let (x, y) = (chance.unit() * w, chance.unit().powf(1.4) * level);
            c.circle(
                x,
                y,
                s * chance.between(0.0006, 0.0019),
                &WHITE.alpha(chance.between(0.25, 0.9) * (1.0 - y / level)),
            );
        }
    }
    let two = brief.has("suns moons twin") || (brief.has("two") && brief.has("sun moon"));
    for i in 0..(if two { 2 } else { 1 }) {
        let (x, y) = if i == 0 { sun_at } else { (w - sun_at.0 + s * 0.05, sun_at.1 * 0.6) };
        let r = s
            * if brief.light == Light::Overcast { 0.05 } else { chance.between(0.05, 0.1) }
            * if i == 1 { 0.55 } else { 1.0 };
        let glow = c.radial((x, y), s * 0.5, &[(0.0, sun, 0.75), (0.25, sun, 0.3), (1.0, sun, 0.0)]);
        c.circle(x, y, s * 0.5, &glow);
        if brief.has("vaporwave retrowave synthwave") {
            striped_sun(c, (x, level - s * 0.12), s * 0.24, brief);
        } else if brief.light != Light::Overcast {
            let disc = c.radial(
                (x - r * 0.3, y - r * 0.3),
                r * 1.6,
                &[(0.0, sun.lift(0.04), 1.0), (1.0, sun.mix(stops[2], 0.25), 1.0)],
            );
            c.circle(x, y, r, &disc);
            if matches!(brief.light, Light::Night | Light::Dark) {
                for (dx, dy, k) in [(0.3, -0.2, 0.2), (-0.25, 0.3, 0.26), (0.2, 0.45, 0.12), (-0.4, -0.35, 0.1)] {
                    c.circle(x + dx * r, y + dy * r, r * k, &stops[2].alpha(0.22));
                }
            }
        }
    }
    clouds(brief, c, chance, level, stops[3]);
    Air { horizon: stops[3].mix(stops[2], 0.4), near, sun, sun_at, level }
}

fn striped_sun(c: &mut Canvas, (x, y): Pt, r: f32, brief: &Brief) {
    let fill = c.vertical(y - r, y + r, &[hex(0xfff2a0), brief.palette.main.at(0.7), brief.palette.main.at(0.55)]);
    let mut d = String::new();
    let mut top = y - r;
    for i in 0..9 {
        let (high, gap) =
            (r * (0.62 - 0.06 * i as f32).max(0.1) * if i == 0 { 1.5 } else { 0.45 }, r * 0.016 * (1.0 + i as f32));
        d.push_str(&format!("M{} {top}h{}v{high}h-{}z", x - r, 2.0 * r, 2.0 * r));
        top += high + gap;
    }
    c.clipped(&d);
    c.circle(x, y, r, &fill);
    c.end();
}

fn clouds(brief: &Brief, c: &mut Canvas, chance: &mut Chance, level: f32, light: Colour) {
    let s = c.side();
    let many = if brief.light == Light::Overcast { 6 } else { chance.count(1, 4) };
    let strength = if brief.dark() { 0.14 } else { 0.5 };
    if brief.has("clear cloudless aurora") {
        return;
    }
    for _ in 0..many {
        let (x, y) = (chance.unit() * c.w, level * chance.between(0.12, 0.75));
        let (wide, tall) = (s * chance.between(0.16, 0.42), s * chance.between(0.008, 0.022));
        let puffs: Vec<Pt> = (0..14)
            .map(|i| {
                let t = i as f32 / 7.0;
                if i <= 7 {
                    (
                        x - wide / 2.0 + wide * t,
                        y - tall * (1.0 + 2.0 * chance.unit()) * (std::f32::consts::PI * t).sin(),
                    )
                } else {
                    (x + wide / 2.0 - wide * (t - 1.0), y + tall * 0.5)
                }
            })
            .collect();
        let fill = c.linear(
            (0.0, y - tall * 3.0),
            (0.0, y + tall),
            &[(0.0, light.lift(0.06), strength), (1.0, light, strength * 0.25)],
        );
        c.path(&smooth(&puffs, Close::Yes), &fill);
    }
}
