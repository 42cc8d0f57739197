//! Skylines, from haze to lit windows.
//!
//! Rows of buildings come nearer and grow darker.

use super::landscape::{Air, flock, sky, water};
use crate::studio::render::canvas::{Canvas, Pt};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::prompt::{Brief, Light};

/// Draws the city.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, h) = (c.side(), c.h);
    let river = brief.has("river bay harbour harbor waterfront reflection") || chance.hit(0.4);
    let level = h * if river { 0.68 } else { 0.86 };
    let air = sky(brief, c, chance, level);
    let p = &brief.palette;
    let lit = brief.dark() || brief.light == Light::Dusk;
    for row in 0..4 {
        let t = row as f32 / 3.0;
        let tone = air.horizon.mix(if lit { p.ink.at(0.17) } else { p.deep }, 0.22 + 0.7 * t);
        let mut x = -s * 0.05 * chance.unit();
        while x < c.w {
            let wide = s * chance.between(0.045, 0.1) * (0.8 + 0.5 * t);
            let centre = 1.0 - ((x / c.w - 0.5).abs() * 1.3);
            let tall = s * chance.between(0.12, 0.34) * (1.25 - 0.5 * t) * (0.65 + 0.6 * centre);
            let tone = tone.lift(chance.jitter(0.025));
            tower(c, chance, brief, (x, level), (wide, tall), tone, t, lit);
            x += wide * chance.between(0.75, 1.15) + if row == 3 { s * 0.03 * chance.unit() } else { 0.0 };
        }
        let haze = c.linear(
            (0.0, level - s * 0.22),
            (0.0, level),
            &[(0.0, air.horizon, 0.0), (1.0, air.horizon, 0.42 * (1.0 - t))],
        );
        let w = c.w;
        c.rect(0.0, level - s * 0.22, w, s * 0.22, &haze);
    }
    if river {
        water(brief, c, chance, &air);
        if lit {
            for _ in 0..130 {
                let x = c.w * chance.unit();
                let y = level + (h - level) * chance.unit().powf(1.8) * 0.8;
                let tone = chance.pick(&[p.accent, hex(0xffd98a), p.main]);
                c.round(x, y, s * chance.between(0.008, 0.03), s * 0.0025, s, &tone.alpha(0.5));
            }
        }
    } else {
        street(c, chance, brief, &air, lit);
    }
    if !lit {
        flock(c, chance, &air);
    }
    if brief.has("rain rainy") {
        for _ in 0..220 {
            let (x, y, k) = (c.w * chance.unit(), h * chance.unit(), s * chance.between(0.02, 0.06));
            c.line((x, y), (x - k * 0.2, y + k), &WHITE.alpha(0.18), s * 0.0012);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one building, described once")]
fn tower(
    c: &mut Canvas,
    chance: &mut Chance,
    brief: &Brief,
    (x, y): Pt,
    (w, tall): (f32, f32),
    tone: Colour,
    near: f32,
    lit: bool,
) {
    let p = &brief.palette;
    let top = y - tall;
    let fill = c.linear(
        (x, 0.0),
        (x + w, 0.0),
        &[(0.0, tone.lift(0.035), 1.0), (0.6, tone, 1.0), (1.0, tone.lift(-0.03), 1.0)],
    );
    match chance.below(6) {
        0 => c.poly(&[(x, y), (x, top + w * 0.4), (x + w, top), (x + w, y)], &fill),
        1 => {
            c.rect(x, top + w * 0.5, w, tall, &fill);
            c.rect(x + w * 0.2, top + w * 0.2, w * 0.6, w * 0.4, &fill);
            c.rect(x + w * 0.47, top - w * 0.5, w * 0.06, w, &fill);
        }
        2 => c.path(
            &format!("M{x} {y}V{}A{r} {r} 0 0 1 {} {}V{y}Z", top + w / 2.0, x + w, top + w / 2.0, r = w / 2.0),
            &fill,
        ),
        3 => {
            c.poly(&[(x, y), (x, top), (x + w / 2.0, top - w * 0.8), (x + w, top), (x + w, y)], &fill);
            c.line((x + w / 2.0, top - w * 0.8), (x + w / 2.0, top - w * 1.5), &tone.hex(), w * 0.03);
        }
        _ => c.rect(x, top, w, tall, &fill),
    }
    if near < 0.3 {
        return;
    }
    let cols = ((w / (c.side() * 0.013)) as usize).clamp(2, 9);
    let rows = ((tall / (c.side() * 0.018)) as usize).clamp(2, 26);
    let (cw, ch) = (w / (cols as f32 + 0.6), tall * 0.92 / rows as f32);
    let share = if lit { chance.between(0.25, 0.6) } else { 0.85 };
    let warm = chance.pick(&[
        hex(0xffd98a),
        hex(0xffe7b8),
        p.accent.lift(0.12),
        if brief.light == Light::Neon { p.main } else { hex(0xffc56b) },
    ]);
    for i in 0..cols * rows {
        let wx = x + cw * (0.55 + (i % cols) as f32);
        let wy = top + w * 0.52 + ch * (i / cols) as f32;
        if wy + ch > y || !chance.hit(share) {
            continue;
        }
        let fill = if lit {
            warm.alpha(chance.between(0.35, 0.95) * (0.4 + 0.6 * near))
        } else {
            tone.lift(if chance.hit(0.7) { 0.07 } else { -0.07 }).alpha(0.8)
        };
        c.rect(wx, wy, cw * 0.56, ch * 0.5, &fill);
    }
    if brief.light == Light::Neon && near > 0.6 && chance.hit(0.4) {
        let sign = chance.pick(&[p.main, p.accent, p.soft]).vivid(1.2);
        let (sx, sy, sw, sh) = (x + w * 0.7, top + tall * 0.3, w * 0.22, tall * 0.34);
        let glow = c.radial((sx + sw / 2.0, sy + sh / 2.0), sh, &[(0.0, sign, 0.55), (1.0, sign, 0.0)]);
        c.circle(sx + sw / 2.0, sy + sh / 2.0, sh, &glow);
        c.round(sx, sy, sw, sh, sw * 0.2, &sign.hex());
        for k in 0..4 {
            c.round(
                sx + sw * 0.25,
                sy + sh * (0.1 + 0.22 * k as f32),
                sw * 0.5,
                sh * 0.12,
                sw * 0.05,
                &WHITE.alpha(0.9),
            );
        }
    }
}

fn street(c: &mut Canvas, chance: &mut Chance, brief: &Brief, air: &Air, lit: bool) {
    let (s, w, h, y) = (c.side(), c.w, c.h, air.level);
    let ground = air.near.mix(brief.palette.deep, 0.3);
    let fill = c.vertical(y, h, &[ground.lift(0.04), ground.lift(-0.04)]);
    c.rect(0.0, y, w, h - y, &fill);
    for _ in 0..26 {
        let (x, k) = (w * chance.unit(), s * chance.between(0.018, 0.04));
        let tone = air.near.mix(brief.palette.main, 0.3);
        c.rect(x - k * 0.06, y - k * 0.4, k * 0.12, k * 0.6, &air.near.hex());
        for _ in 0..4 {
            c.circle(
                x + chance.jitter(k * 0.4),
                y - k * 0.8 + chance.jitter(k * 0.3),
                k * 0.45,
                &tone.lift(chance.jitter(0.03)).hex(),
            );
        }
    }
    if lit {
        for i in 0..9 {
            let x = w * (i as f32 + 0.5) / 9.0;
            let glow = c.radial((x, y - s * 0.02), s * 0.07, &[(0.0, hex(0xffe2a8), 0.8), (1.0, hex(0xffc070), 0.0)]);
            c.circle(x, y - s * 0.02, s * 0.07, &glow);
            c.ellipse(x, y + s * 0.03, s * 0.05, s * 0.012, &hex(0xffd98a).alpha(0.25));
        }
    }
}
