//! Things that stand in a room: chairs, headphones, candles, books, vases.

use super::Set;
use crate::studio::render::canvas::{Canvas, Close, Pt, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::hex;
use crate::studio::render::prompt::Brief;

pub(super) fn chair(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k * 1.1, o.at);
    let wood = hex(0xb07b4c);
    for (dx, foot, thick) in [(-0.4, -0.5, 0.05), (0.4, 0.5, 0.05), (-0.24, -0.3, 0.035), (0.24, 0.3, 0.035)] {
        let lift = if thick < 0.05 { 0.06 } else { 0.0 };
        c.line(
            (x + dx * k, y - k * 0.5),
            (x + foot * k, y - lift * k),
            &wood.lift(if lift > 0.0 { -0.1 } else { 0.0 }).hex(),
            thick * k,
        );
    }
    let back = c.barrel(x - k * 0.6, x + k * 0.6, o.colour, o.left);
    c.path(
        &format!(
            "M{} {}C{} {} {} {} {x} {}C{} {} {} {} {} {}Q{x} {} {} {}Z",
            x - k * 0.46,
            y - k * 0.5,
            x - k * 0.66,
            y - k * 1.2,
            x - k * 0.4,
            y - k * 1.4,
            y - k * 1.4,
            x + k * 0.4,
            y - k * 1.4,
            x + k * 0.66,
            y - k * 1.2,
            x + k * 0.46,
            y - k * 0.5,
            y - k * 0.38,
            x - k * 0.46,
            y - k * 0.5
        ),
        &back,
    );
    let seat = c.vertical(y - k * 0.68, y - k * 0.42, &[o.colour.lift(0.12), o.colour.lift(-0.06)]);
    c.path(
        &smooth(
            &[
                (x - k * 0.56, y - k * 0.54),
                (x, y - k * 0.68),
                (x + k * 0.56, y - k * 0.54),
                (x + k * 0.46, y - k * 0.43),
                (x, y - k * 0.4),
                (x - k * 0.46, y - k * 0.43),
            ],
            Close::Yes,
        ),
        &seat,
    );
    c.round(x - k * 0.2, y - k * 0.96, k * 0.4, k * 0.32, k * 0.06, &o.trim.lift(0.04).hex());
}

pub(super) fn headphones(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k * 1.15, o.at);
    let d = format!(
        "M{} {}C{} {} {} {} {} {}",
        x - k * 0.56,
        y - k * 0.45,
        x - k * 0.6,
        y - k * 1.5,
        x + k * 0.6,
        y - k * 1.5,
        x + k * 0.56,
        y - k * 0.45
    );
    c.stroke(&d, &o.colour.lift(-0.05).hex(), k * 0.13);
    c.stroke(&d, &o.colour.lift(0.14).hex(), k * 0.05);
    for side in [-1.0, 1.0] {
        let cx = x + side * k * 0.54;
        let pad = c.barrel(cx - k * 0.2, cx + k * 0.2, o.trim, o.left);
        c.round(cx - side * k * 0.1 - k * 0.11, y - k * 0.66, k * 0.22, k * 0.62, k * 0.11, &pad);
        let cup = c.barrel(cx - k * 0.16, cx + k * 0.2, o.colour, o.left);
        c.round(cx + side * k * 0.06 - k * 0.13, y - k * 0.7, k * 0.26, k * 0.7, k * 0.13, &cup);
        c.round(
            cx + side * k * 0.06 - k * 0.02,
            y - k * 0.56,
            k * 0.04,
            k * 0.42,
            k * 0.02,
            &o.colour.lift(0.16).hex(),
        );
    }
}

pub(super) fn candle(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k, o.at);
    let (half, tall) = (k * 0.42, k * 0.8);
    let glow = c.radial(
        (x, y - tall - k * 0.1),
        k * 1.5,
        &[(0.0, hex(0xffd98a), 0.7), (0.4, hex(0xffb75a), 0.2), (1.0, hex(0xff9a3a), 0.0)],
    );
    c.circle(x, y - tall - k * 0.1, k * 1.5, &glow);
    let fill = c.barrel(x - half, x + half, o.colour, o.left);
    c.round(x - half, y - tall, half * 2.0, tall, k * 0.08, &fill);
    c.ellipse(x, y - tall + k * 0.05, half * 0.96, k * 0.08, &hex(0xfff0d0).hex());
    c.round(x - half * 0.56, y - tall * 0.62, half * 1.12, tall * 0.36, k * 0.01, &hex(0xf7f1e4).alpha(0.95));
    c.rect(x - half * 0.3, y - tall * 0.48, half * 0.6, k * 0.02, &hex(0x3a3430).hex());
    c.line((x, y - tall + k * 0.04), (x, y - tall - k * 0.08), &hex(0x3a2a20).hex(), k * 0.018);
    c.path(
        &format!(
            "M{x} {}c{} {} {} {} 0 {}c{} {} {} {} 0 {}z",
            y - tall - k * 0.02,
            -k * 0.1,
            -k * 0.1,
            -k * 0.02,
            -k * 0.2,
            -k * 0.32,
            k * 0.02,
            k * 0.12,
            k * 0.1,
            k * 0.22,
            k * 0.32
        ),
        &hex(0xffdc7a).hex(),
    );
}

pub(super) fn books(c: &mut Canvas, o: &Set, chance: &mut Chance, brief: &Brief) {
    let (k, (x, mut y)) = (o.k, o.at);
    let tones = brief.palette.hues();
    for i in 0..5 {
        let (half, tall, off) =
            (k * chance.between(0.55, 0.75), k * chance.between(0.13, 0.21), k * chance.jitter(0.07));
        let tone = tones[i % 4];
        c.round(x - half + off, y - tall, half * 2.0, tall, k * 0.03, &tone.hex());
        c.rect(x - half + off + k * 0.1, y - tall, k * 0.03, tall, &tone.lift(0.16).hex());
        c.rect(x + half + off - k * 0.3, y - tall, k * 0.03, tall, &tone.lift(0.16).hex());
        c.rect(x - half + off, y - tall * 0.2, half * 2.0, tall * 0.2, &tone.lift(-0.08).alpha(0.7));
        y -= tall;
    }
}

pub(super) fn vase(c: &mut Canvas, o: &Set, chance: &mut Chance, brief: &Brief) {
    let (k, (x, y)) = (o.k, o.at);
    let (neck, belly, tall) =
        (k * chance.between(0.12, 0.2), k * chance.between(0.36, 0.52), k * chance.between(0.9, 1.1));
    for _ in 0..chance.count(5, 8) {
        let (dx, dy) = (k * chance.jitter(0.5), k * chance.between(0.45, 0.9));
        let tip = (x + dx, y - tall - dy);
        c.stroke(
            &format!("M{x} {}Q{} {} {} {}", y - tall * 0.9, x + dx * 0.1, y - tall - dy * 0.6, tip.0, tip.1),
            &brief.palette.deep.mix(hex(0x4f6b3f), 0.5).hex(),
            k * 0.016,
        );
        let bloom = chance.pick(&[brief.palette.accent, brief.palette.soft, brief.palette.paper]);
        for i in 0..7 {
            let (sin, cos) = (i as f32 * 0.9).sin_cos();
            c.circle(
                tip.0 + cos * k * 0.06,
                tip.1 + sin * k * 0.05,
                k * 0.055,
                &bloom.lift(0.03 * (i % 3) as f32 - 0.03).hex(),
            );
        }
        c.circle(tip.0, tip.1, k * 0.04, &hex(0xe9b949).hex());
    }
    let fill = c.barrel(x - belly, x + belly, o.colour, o.left);
    let side = |m: f32| {
        [
            (x + m * neck * 1.25, y - tall),
            (x + m * neck, y - tall * 0.86),
            (x + m * belly, y - tall * 0.44),
            (x + m * belly * 0.55, y),
        ]
    };
    let mut points: Vec<Pt> = side(1.0).to_vec();
    points.extend(side(-1.0).into_iter().rev());
    let d = smooth(&points[..4], Close::No) + &smooth(&points[4..], Close::No).replacen('M', "L", 1) + "Z";
    c.path(&d, &fill);
    c.ellipse(x, y - tall, neck * 1.25, neck * 0.3, &o.colour.lift(-0.16).hex());
    if chance.hit(0.5) {
        c.clipped(&d);
        for i in 0..3 {
            c.stroke(
                &format!(
                    "M{} {}q{belly} {} {} 0",
                    x - belly,
                    y - tall * (0.36 + 0.09 * i as f32),
                    belly * 0.24,
                    belly * 2.0
                ),
                &o.trim.alpha(0.8),
                k * 0.02,
            );
        }
        c.end();
    }
}
