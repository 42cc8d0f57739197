//! Planets, nebulae and ships.
//!
//! Every light comes from one star, so spheres are round.

use crate::studio::render::canvas::{Canvas, Pt, line};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE};
use crate::studio::render::prompt::Brief;

/// Draws space.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let black = p.ink.at(0.11);
    let fill =
        c.linear((0.0, 0.0), (w, h), &[(0.0, black, 1.0), (0.5, p.deep.at(0.2), 1.0), (1.0, black.lift(-0.04), 1.0)]);
    c.page(&fill);
    let slope = chance.jitter(0.6);
    let noise = chance.noise();
    c.blended("screen");
    for i in 0..34 {
        let t = i as f32 / 33.0;
        let x = w * (t * 1.2 - 0.1);
        let y = h * 0.5 + (t - 0.5) * h * slope + s * 0.2 * noise.fractal(t * 4.0, 1.0, 3);
        let r = s * chance.between(0.1, 0.32);
        let tone = chance.pick(&[p.main, p.accent, p.deep, p.soft]).vivid(1.2);
        let fill = c.radial((x, y), r, &[(0.0, tone, chance.between(0.1, 0.3)), (1.0, tone, 0.0)]);
        c.circle(x, y, r, &fill);
    }
    c.end();
    for _ in 0..420 {
        let t = chance.unit();
        let (x, y) = if chance.hit(0.5) {
            (w * t, h * 0.5 + (t - 0.5) * h * slope + s * 0.14 * chance.bell())
        } else {
            (w * t, h * chance.unit())
        };
        c.circle(
            x,
            y,
            s * 0.0005 + s * 0.0016 * chance.unit().powi(4),
            &p.paper.mix(p.accent, 0.3 * chance.unit()).alpha(chance.between(0.3, 1.0)),
        );
    }
    for _ in 0..chance.count(3, 7) {
        let (x, y, k) = (w * chance.unit(), h * chance.unit(), s * chance.between(0.008, 0.022));
        let glow = c.radial((x, y), k * 2.0, &[(0.0, WHITE, 0.7), (1.0, p.accent, 0.0)]);
        c.circle(x, y, k * 2.0, &glow);
        c.line((x - k * 1.6, y), (x + k * 1.6, y), &WHITE.alpha(0.6), s * 0.0012);
        c.line((x, y - k * 1.6), (x, y + k * 1.6), &WHITE.alpha(0.6), s * 0.0012);
    }
    let light: Pt = (chance.pick(&[-0.6, 0.6]), -0.55);
    let big = (w * chance.pick(&[0.34, 0.5, 0.62]), h * chance.between(0.42, 0.6), s * chance.between(0.2, 0.3));
    if brief.has("eclipse") {
        eclipse(c, (w / 2.0, h * 0.45), s * 0.2, p.accent.lift(0.15), black);
    } else if !brief.has("nebula galaxy") || brief.has("planet moons") {
        let ringed = brief.has("saturn ring rings") || chance.hit(0.45);
        planet(c, chance, big, [p.main, p.accent, p.soft, p.deep], light, ringed, black);
        for _ in 0..chance.count(1, 3) {
            let r = s * chance.between(0.025, 0.08);
            let angle = chance.between(0.0, std::f32::consts::TAU);
            let far = big.2 * chance.between(1.6, 2.1);
            let tones = [p.soft, p.paper, p.main, p.accent];
            planet(c, chance, (big.0 + angle.cos() * far, big.1 + angle.sin() * far, r), tones, light, false, black);
        }
    }
    if brief.has("comet asteroid meteor shooting") || chance.hit(0.3) {
        let (x, y) = (w * chance.between(0.15, 0.85), h * chance.between(0.1, 0.35));
        let tail = c.linear((x, y), (x + s * 0.24, y - s * 0.13), &[(0.0, p.paper, 0.9), (1.0, p.accent, 0.0)]);
        c.poly(&[(x - s * 0.003, y - s * 0.004), (x + s * 0.24, y - s * 0.135), (x + s * 0.003, y + s * 0.004)], &tail);
        c.circle(x, y, s * 0.006, &WHITE.hex());
    }
    if brief.has("spaceship starship spacecraft rocket ship astronaut") {
        ship(c, (w * 0.3, h * 0.74), s * 0.15, p.paper, p.accent, p.deep);
    }
}

fn planet(
    c: &mut Canvas,
    chance: &mut Chance,
    (x, y, r): (f32, f32, f32),
    tones: [Colour; 4],
    light: Pt,
    ringed: bool,
    black: Colour,
) {
    let tilt = chance.between(-28.0, 28.0);
    let halo = c.radial((x, y), r * 1.35, &[(0.7, tones[2], 0.4), (1.0, tones[2], 0.0)]);
    c.circle(x, y, r * 1.35, &halo);
    let rings = |c: &mut Canvas, front: bool| {
        c.turned(tilt, (x, y));
        let sweep = i32::from(!front);
        for (i, k) in [1.45, 1.58, 1.72, 1.84, 2.0].into_iter().enumerate() {
            let (rx, ry) = (r * k, r * k * 0.24);
            c.stroke(
                &format!("M{} {y}A{rx} {ry} 0 0 {sweep} {} {y}", x - rx, x + rx),
                &tones[(i + 1) % 4].lift(0.1).alpha(0.75),
                r * [0.1, 0.06, 0.09, 0.03, 0.05][i],
            );
        }
        c.end();
    };
    if ringed {
        rings(c, false);
    }
    c.clipped(&format!("M{} {y}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 {} 0z", x - r, r * 2.0, -r * 2.0));
    c.circle(x, y, r, &tones[0].hex());
    c.turned(tilt, (x, y));
    let noise = chance.noise();
    let bands = chance.count(6, 12);
    for i in 0..bands {
        let top = y - r + 2.0 * r * i as f32 / bands as f32;
        let mut points: Vec<Pt> = (0..=24)
            .map(|k| {
                (
                    x - r * 1.3 + r * 2.6 * k as f32 / 24.0,
                    top + r * 0.09 * noise.fractal(k as f32 * 0.3, i as f32 * 3.0, 2),
                )
            })
            .collect();
        let depth = r * chance.between(0.06, 0.3);
        points.extend((0..=24).rev().map(|k| {
            (x - r * 1.3 + r * 2.6 * k as f32 / 24.0, top + depth + r * 0.06 * noise.at(k as f32 * 0.4, i as f32 * 5.0))
        }));
        let tone = chance.pick(&tones).lift(chance.jitter(0.07));
        c.poly(&points, &tone.alpha(0.75));
    }
    if chance.hit(0.5) {
        c.ellipse(x + r * 0.2, y + r * 0.25, r * 0.22, r * 0.11, &tones[1].lift(0.05).alpha(0.9));
        c.ellipse(x + r * 0.2, y + r * 0.25, r * 0.14, r * 0.06, &tones[2].alpha(0.8));
    }
    c.end();
    let shade = c.radial(
        (x + light.0 * r * 0.75, y + light.1 * r * 0.75),
        r * 1.75,
        &[(0.0, WHITE, 0.28), (0.3, tones[2], 0.0), (0.6, black, 0.55), (1.0, black, 0.95)],
    );
    c.circle(x, y, r * 1.02, &shade);
    c.end();
    if ringed {
        rings(c, true);
    }
}

fn eclipse(c: &mut Canvas, (x, y): Pt, r: f32, glow: Colour, black: Colour) {
    let corona =
        c.radial((x, y), r * 2.6, &[(0.36, WHITE, 1.0), (0.42, glow, 0.7), (0.65, glow, 0.18), (1.0, glow, 0.0)]);
    c.circle(x, y, r * 2.6, &corona);
    c.circle(x, y, r, &black.lift(-0.05).hex());
    let flare = c.radial((x + r * 0.7, y - r * 0.72), r * 0.5, &[(0.0, WHITE, 1.0), (1.0, glow, 0.0)]);
    c.circle(x + r * 0.7, y - r * 0.72, r * 0.5, &flare);
}

/// A rocket on its way up and right.
pub(super) fn ship(c: &mut Canvas, (x, y): Pt, k: f32, body: Colour, trim: Colour, dark: Colour) {
    c.turned(48.0, (x, y));
    let flame = c.vertical(y + k * 0.8, y + k * 2.4, &[trim.lift(0.15), trim]);
    c.faded(0.8);
    c.path(&format!("M{} {}Q{x} {} {} {}z", x - k * 0.2, y + k * 0.8, y + k * 3.4, x + k * 0.2, y + k * 0.8), &flame);
    c.end();
    c.poly(&[(x - k * 0.3, y + k * 0.2), (x - k * 0.75, y + k * 0.95), (x - k * 0.25, y + k * 0.8)], &trim.hex());
    c.poly(
        &[(x + k * 0.3, y + k * 0.2), (x + k * 0.75, y + k * 0.95), (x + k * 0.25, y + k * 0.8)],
        &trim.lift(-0.12).hex(),
    );
    let hull = c.barrel(x - k * 0.4, x + k * 0.4, body.lift(-0.08), true);
    c.path(
        &format!(
            "M{x} {}C{} {} {} {} {} {}L{} {}C{} {} {} {} {x} {}Z",
            y - k * 1.2,
            x + k * 0.5,
            y - k * 0.6,
            x + k * 0.45,
            y + k * 0.3,
            x + k * 0.25,
            y + k * 0.85,
            x - k * 0.25,
            y + k * 0.85,
            x - k * 0.45,
            y + k * 0.3,
            x - k * 0.5,
            y - k * 0.6,
            y - k * 1.2
        ),
        &hull,
    );
    c.circle(x, y - k * 0.3, k * 0.19, &trim.hex());
    c.circle(x, y - k * 0.3, k * 0.14, &dark.lift(0.05).hex());
    c.stroke(&line(&[(x - k * 0.06, y - k * 0.36), (x + k * 0.02, y - k * 0.4)]), &WHITE.alpha(0.7), k * 0.03);
    c.end();
}
