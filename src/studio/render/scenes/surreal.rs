//! Things where they cannot be: islands in the air, doors in the desert, moons that melt.
//!
//! The world around them stays believable.

use super::landscape::{Air, flock, sky, water};
use crate::studio::render::canvas::{Canvas, Close, Pt, polygon, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::prompt::Brief;

/// Draws the impossible.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let level = h * chance.between(0.7, 0.78);
    let air = sky(brief, c, chance, level);
    let kind = brief
        .first(&[
            ("island islands floating levitating rock", 0),
            ("door doorway portal gate", 1),
            ("melting moon clock drip", 2),
            ("stair stairs staircase ladder", 3),
            ("whale balloon jellyfish fish", 4),
        ])
        .unwrap_or_else(|| chance.below(4));
    if brief.has("desert dune sand") || (kind == 1 && !brief.has("sea ocean water lake")) {
        let sand = brief.palette.main.mix(hex(0xd9a066), 0.5);
        for i in 0..3 {
            let t = i as f32 / 2.0;
            let y = level + (h - level) * 0.3 * t;
            let noise = chance.noise();
            let mut points: Vec<Pt> =
                (0..=40).map(|k| (w * k as f32 / 40.0, y + s * 0.05 * noise.at(k as f32 * 0.12, 0.5))).collect();
            let crest = smooth(&points, Close::No);
            points.clear();
            let tone = air.horizon.mix(sand, 0.5 + 0.5 * t).mix(air.near, 0.25 * t);
            let fill = c.vertical(y - s * 0.05, h, &[tone.lift(0.06), tone.lift(-0.12)]);
            c.path(&format!("{crest}L{w} {h}L0 {h}Z"), &fill);
        }
    } else {
        water(brief, c, chance, &air);
    }
    match kind {
        0 => {
            let spots =
                [(0.52, 0.5, 0.23), (0.2, 0.36, 0.1), (0.83, 0.3, 0.12), (0.74, 0.62, 0.07), (0.32, 0.64, 0.055)];
            let is_mirrored = chance.hit(0.5);
            let count = chance.count(2, spots.len());
            for (i, (x, y, k)) in spots.into_iter().take(count).enumerate().rev() {
                let x = if is_mirrored { 1.0 - x } else { x } + chance.jitter(0.05);
                let at = (w * (x + chance.jitter(0.04)), level * (y + chance.jitter(0.05)) * 1.15);
                let k = s * k * chance.between(0.85, 1.15);
                island(c, chance, brief, &air, at, k, i == 0);
            }
        }
        1 => {
            for i in 0..chance.count(1, 3) {
                let k = s * [0.34, 0.16, 0.1][i];
                door(c, brief, &air, (w * [0.5, 0.2, 0.8][i], h * [0.9, 0.8, 0.775][i]), k);
            }
        }
        2 => melting(c, chance, brief, &air),
        3 => stairs(c, chance, brief, &air),
        _ => {
            let at = (w * 0.5, level * 0.5);
            super::animal::whale(c, at, s * 0.26, brief.palette.deep.mix(air.horizon, 0.15), air.horizon.lift(0.05));
        }
    }
    if chance.hit(0.7) {
        flock(c, chance, &air);
    }
}

fn island(c: &mut Canvas, chance: &mut Chance, brief: &Brief, air: &Air, (x, y): Pt, k: f32, first: bool) {
    let p = &brief.palette;
    let far = if first { 0.0 } else { 0.35 };
    let rock = p.deep.mix(hex(0x6a5a5e), 0.4).at(0.4).mix(air.horizon, far);
    let mut points: Vec<Pt> = vec![(x - k, y)];
    let n = 9;
    for i in 1..n {
        let t = i as f32 / n as f32;
        let deep = (1.0 - (2.0 * t - 1.0).abs()).powf(0.8) * k * chance.between(0.85, 1.35);
        points.push((x - k + 2.0 * k * t + chance.jitter(k * 0.05), y + deep));
    }
    points.push((x + k, y));
    let fill = c.linear(
        (x - k, y),
        (x + k, y + k),
        &[(0.0, rock.lift(0.12), 1.0), (0.5, rock, 1.0), (1.0, rock.lift(-0.12), 1.0)],
    );
    c.poly(&points, &fill);
    for i in (1..n).step_by(2) {
        let (a, b) = (points[i], points[i + 1]);
        c.poly(&[(a.0, y + k * 0.04), a, b], &rock.lift(-0.08).alpha(0.6));
    }
    let grass = p.main.mix(hex(0x6f9f6a), 0.45).mix(air.horizon, far);
    let top: Vec<Pt> = (0..=8)
        .map(|i| {
            (
                x - k * 1.03 + 2.06 * k * i as f32 / 8.0,
                y - k * 0.13 * (std::f32::consts::PI * i as f32 / 8.0).sin() - k * 0.02,
            )
        })
        .collect();
    let mut turf = top.clone();
    turf.extend(
        (0..=12)
            .rev()
            .map(|i| (x - k * 1.03 + 2.06 * k * i as f32 / 12.0, y + k * if i % 2 == 0 { 0.03 } else { 0.12 })),
    );
    let fill = c.vertical(y - k * 0.15, y + k * 0.12, &[grass.lift(0.1), grass.lift(-0.08)]);
    c.path(&polygon(&turf), &fill);
    if first && !chance.hit(0.25) {
        let (hx, hy, u) = (x - k * 0.28, y - k * 0.1, k * 0.2);
        c.rect(hx - u, hy - u * 1.1, u * 2.0, u * 1.15, &p.paper.mix(air.horizon, 0.2).hex());
        c.poly(&[(hx - u * 1.3, hy - u), (hx, hy - u * 2.1), (hx + u * 1.3, hy - u)], &p.accent.lift(-0.05).hex());
        c.round(hx - u * 0.2, hy - u * 0.6, u * 0.5, u * 0.65, u * 0.2, &p.deep.hex());
        c.rect(hx + u * 0.5, hy - u * 0.75, u * 0.3, u * 0.3, &hex(0xffdf94).hex());
        c.rect(hx - u * 0.8, hy - u * 0.75, u * 0.3, u * 0.3, &hex(0xffdf94).hex());
        let fall = c.vertical(y, y + k * 1.9, &[WHITE, air.horizon]);
        c.faded(0.75);
        c.path(
            &format!(
                "M{} {}h{}q{} {} {} {}h{}q0 {} 0 {}z",
                x + k * 0.62,
                y - k * 0.03,
                k * 0.12,
                k * 0.03,
                k * 0.2,
                k * 0.02,
                k * 1.7,
                -k * 0.2,
                -k * 0.9,
                -k * 1.7
            ),
            &fall,
        );
        c.end();
    }
    for _ in 0..(if first { 6 } else { 3 }) {
        let (tx, u) = (
            x + k * chance.between(-0.05, 0.75) * if chance.hit(0.3) { -1.0 } else { 1.0 },
            k * chance.between(0.14, 0.28),
        );
        let ty = y - k * 0.06;
        let leaf = chance.pick(&[p.accent, p.main, p.soft]).mix(air.near, 0.2).mix(air.horizon, far);
        c.line((tx, ty), (tx, ty - u), &rock.lift(-0.1).hex(), u * 0.12);
        for _ in 0..6 {
            c.circle(
                tx + chance.jitter(u * 0.4),
                ty - u * 1.3 + chance.jitter(u * 0.35),
                u * chance.between(0.3, 0.5),
                &leaf.lift(chance.jitter(0.05)).hex(),
            );
        }
    }
}

fn door(c: &mut Canvas, brief: &Brief, air: &Air, (x, y): Pt, k: f32) {
    let p = &brief.palette;
    let (half, tall) = (k * 0.42, k * 1.5);
    c.poly(
        &[(x - half, y), (x + half, y), (x + half + k * 1.1, y + k * 0.22), (x - half + k * 1.1, y + k * 0.22)],
        &air.near.alpha(0.35),
    );
    let glow = c.radial((x, y - tall / 2.0), tall, &[(0.0, air.sun, 0.8), (0.5, air.sun, 0.25), (1.0, air.sun, 0.0)]);
    c.circle(x, y - tall / 2.0, tall, &glow);
    let frame = p.paper.mix(air.horizon, 0.2).hex();
    c.rect(x - half - k * 0.07, y - tall - k * 0.07, half * 2.0 + k * 0.14, tall + k * 0.07, &frame);
    let beyond = c.vertical(y - tall, y, &[p.accent.at(0.5), p.main.at(0.75), p.paper]);
    c.rect(x - half, y - tall, half * 2.0, tall, &beyond);
    c.circle(x + half * 0.3, y - tall * 0.55, half * 0.28, &air.sun.lift(0.05).hex());
    c.clipped(&format!("M{} {}h{}v{}h-{}z", x - half, y - tall, half * 2.0, tall, half * 2.0));
    c.ellipse(x - half * 0.3, y, half * 1.3, tall * 0.22, &p.deep.hex());
    c.ellipse(x + half * 0.8, y + tall * 0.03, half, tall * 0.18, &p.deep.lift(-0.07).hex());
    c.end();
    let leaf = c.linear(
        (x - half * 2.1, 0.0),
        (x - half, 0.0),
        &[(0.0, p.accent.lift(-0.02), 1.0), (1.0, p.accent.lift(-0.14), 1.0)],
    );
    c.poly(
        &[(x - half, y - tall), (x - half * 2.1, y - tall * 1.04), (x - half * 2.1, y + tall * 0.05), (x - half, y)],
        &leaf,
    );
    c.circle(x - half * 1.95, y - tall * 0.48, k * 0.03, &hex(0xf3d48a).hex());
}

fn melting(c: &mut Canvas, chance: &mut Chance, brief: &Brief, air: &Air) {
    let (s, w) = (c.side(), c.w);
    let p = &brief.palette;
    let (x, y) = (w * chance.between(0.32, 0.68), air.level * chance.between(0.32, 0.5));
    let r = s * chance.between(0.13, 0.25);
    let glow = c.radial((x, y), r * 2.4, &[(0.0, air.sun, 0.8), (0.5, air.sun, 0.22), (1.0, air.sun, 0.0)]);
    c.circle(x, y, r * 2.4, &glow);
    let fill = c.linear(
        (x - r, y - r),
        (x + r, y + r * 2.0),
        &[(0.0, p.paper, 1.0), (0.5, p.soft, 1.0), (1.0, p.accent, 1.0)],
    );
    let mut d = format!("M{} {y}A{r} {r} 0 0 1 {} {y}", x - r, x + r);
    let drips = chance.count(5, 11);
    for i in 0..drips {
        let step = 2.0 * r / drips as f32;
        let x0 = x + r - step * i as f32;
        let centre = 1.0 - ((i as f32 + 0.5) / drips as f32 * 2.0 - 1.0).abs();
        let long = r * (0.3 + centre * chance.between(0.4, 1.7));
        d.push_str(&format!(
            "L{x0} {}A{q} {q} 0 0 1 {} {}L{} {}",
            y + long,
            x0 - step * 0.62,
            y + long,
            x0 - step * 0.62,
            y + r * 0.5 * centre,
            q = step * 0.31
        ));
        d.push_str(&format!("A{q} {q} 0 0 0 {} {}", x0 - step, y + r * 0.5 * centre, q = step * 0.19));
    }
    d.push('Z');
    c.path(&d, &fill);
    if brief.has("clock clocks watch hour hours") {
        face(c, chance, (x, y), r, p.deep);
    } else {
        for _ in 0..chance.count(3, 6) {
            let k = chance.between(0.07, 0.22);
            let (turn, out) = (chance.between(0.0, std::f32::consts::TAU), chance.between(0.1, 0.82 - k));
            // Only the upper half is whole; below, the moon runs down.
            let (dx, dy) = (out * turn.cos(), (out * turn.sin()).min(0.2));
            c.circle(x + dx * r, y + dy * r, k * r, &p.main.alpha(0.28));
        }
    }
    if chance.hit(0.4) {
        let (k, at) =
            (r * chance.between(0.12, 0.3), (w * chance.between(0.1, 0.9), air.level * chance.between(0.1, 0.3)));
        c.circle(at.0, at.1, k, &p.paper.alpha(0.8));
    }
    c.ellipse(x, air.level + s * 0.06, r * 1.1, s * 0.022, &p.soft.alpha(0.75));
    c.ellipse(x, air.level + s * 0.06, r * 0.6, s * 0.01, &p.paper.alpha(0.85));
}

/// Marks and hands of a clock that has begun to run.
fn face(c: &mut Canvas, chance: &mut Chance, (x, y): Pt, r: f32, tone: Colour) {
    use std::f32::consts::TAU;
    for hour in 0..12 {
        let turn = TAU * hour as f32 / 12.0;
        let (out, drop) = (r * 0.8, if turn.sin() > 0.3 { r * 0.2 } else { 0.0 });
        c.circle(x + out * turn.cos(), y + out * turn.sin() + drop, r * 0.035, &tone.alpha(0.8));
    }
    for (long, wide) in [(0.48, 0.06), (0.68, 0.04)] {
        let turn = chance.between(0.0, TAU);
        c.line((x, y), (x + long * r * turn.cos(), y + long * r * turn.sin()), &tone.hex(), r * wide);
    }
    c.circle(x, y, r * 0.06, &tone.hex());
}

fn stairs(c: &mut Canvas, chance: &mut Chance, brief: &Brief, air: &Air) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let n = chance.count(11, 20);
    // From the left or from the right, straight or winding.
    let (from, to) = if chance.hit(0.5) { (0.3, 0.7) } else { (0.7, 0.3) };
    let (bend, turns) = (chance.between(0.02, 0.13), chance.between(4.0, 9.0));
    let middle = |t: f32| w * (from + (to - from) * t) + s * bend * (t * turns).sin();
    for i in (0..n).rev() {
        let t = i as f32 / n as f32;
        let k = 1.0 - t * 0.72;
        let x = middle(t);
        let y = h * 0.9 - h * 0.66 * t.powf(0.85);
        let tone = p.paper.mix(air.horizon, 0.2 + 0.5 * t);
        let (half, deep) = (s * 0.16 * k, s * 0.03 * k);
        c.poly(
            &[(x - half, y), (x + half, y), (x + half * 0.9, y - deep), (x - half * 0.9, y - deep)],
            &tone.lift(0.05).hex(),
        );
        c.rect(x - half, y, half * 2.0, deep * 0.7, &tone.mix(p.deep, 0.35).hex());
    }
    let (x, y, k) = (middle(1.0), h * 0.24, s * 0.07);
    let glow = c.radial((x, y - k), k * 3.5, &[(0.0, WHITE, 0.95), (0.4, air.sun, 0.4), (1.0, air.sun, 0.0)]);
    c.circle(x, y - k, k * 3.5, &glow);
    c.path(&format!("M{} {y}v{}a{k} {k} 0 0 1 {} 0v{}z", x - k, -k * 1.4, k * 2.0, k * 1.4), &WHITE.alpha(0.95));
}
