//! One product on a seamless backdrop.
//!
//! The object stands on its own shadow and is lit from one side.

mod room;

use crate::studio::render::canvas::{Canvas, Close, Pt, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::palette;
use crate::studio::render::prompt::{Brief, Light};
use room::{books, candle, chair, headphones, vase};

struct Set {
    colour: Colour,
    trim: Colour,
    left: bool,
    at: Pt,
    k: f32,
}

/// Draws the still life.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let dark = brief.dark();
    let wall = if dark {
        p.ink.mix(p.deep, chance.between(0.25, 0.5)).at(0.24)
    } else {
        chance.pick(&[p.soft, p.main.mix(p.paper, 0.45), p.accent.mix(p.paper, 0.55)])
    };
    let floor_y = h * chance.between(0.66, 0.74);
    let left = chance.hit(0.5);
    let lamp: Pt = (if left { w * 0.15 } else { w * 0.85 }, h * 0.15);
    let fill = c.vertical(0.0, h, &[wall.lift(-0.03), wall, wall.lift(0.02)]);
    c.page(&fill);
    let glow = c.radial((w / 2.0, h * 0.45), s * 0.75, &[(0.0, wall.lift(0.14), 0.9), (1.0, wall, 0.0)]);
    c.page(&glow);
    let floor = if dark { wall.lift(-0.06) } else { wall.mix(p.main, 0.16).lift(-0.04) };
    let fill = c.linear(
        (0.0, floor_y),
        (0.0, h),
        &[(0.0, floor, 0.0), (0.12, floor.lift(0.02), 0.9), (1.0, floor.lift(-0.06), 1.0)],
    );
    c.rect(0.0, floor_y - s * 0.02, w, h - floor_y + s * 0.02, &fill);
    if !dark && (brief.has("morning window") || chance.hit(0.45)) {
        window_light(c, wall, left);
    }
    let ground = floor_y + s * 0.12;
    let mut at = (w / 2.0 + s * chance.jitter(0.04), ground);
    // A plinth, an arch or a disc gives the object a stage.
    match if dark { chance.below(2) } else { chance.below(4) } {
        0 => {}
        1 => {
            let (x, tall, half) = (at.0, s * 0.1, s * 0.3);
            let stone = wall.mix(p.main, 0.25).lift(0.03);
            shadow(c, (x, ground + s * 0.015), half * 1.1, wall, left);
            let body = c.barrel(x - half, x + half, stone, left);
            c.path(
                &format!(
                    "M{} {}v{}a{half} {e} 0 0 0 {} 0v-{tall}z",
                    x - half,
                    ground - tall,
                    tall,
                    half * 2.0,
                    e = half * 0.18
                ),
                &body,
            );
            let top = stone.lift(0.07).hex();
            c.ellipse(x, ground - tall, half, half * 0.18, &top);
            at.1 = ground - tall + s * 0.012;
        }
        2 => {
            let tone = p.accent.mix(wall, 0.35);
            let (r, x) = (s * chance.between(0.26, 0.32), at.0 + s * chance.jitter(0.08));
            let fill =
                c.linear((x - r, 0.0), (x + r, 0.0), &[(0.0, tone.lift(0.05), 1.0), (1.0, tone.lift(-0.05), 1.0)]);
            c.path(&format!("M{} {floor_y}v-{}a{r} {r} 0 0 1 {} 0v{}z", x - r, s * 0.22, r * 2.0, s * 0.22), &fill);
        }
        _ => {
            let tone = p.accent.mix(wall, 0.2);
            let (r, x) = (s * chance.between(0.2, 0.3), at.0 + s * chance.jitter(0.16));
            let fill =
                c.linear((x, floor_y - r * 2.0), (x, floor_y), &[(0.0, tone.lift(0.06), 1.0), (1.0, tone, 0.85)]);
            c.circle(x, floor_y - r * 1.1, r, &fill);
        }
    }
    // A colour that is named right before the object is the object's.
    let named = palette::named(&brief.words);
    let colour = named.first().copied().unwrap_or_else(|| {
        let tone = chance.pick(&[p.main, p.accent, p.deep, p.ink]);
        if (tone.lightness() - wall.lightness()).abs() < 0.15 {
            tone.lift(if wall.lightness() > 0.5 { -0.25 } else { 0.3 })
        } else {
            tone
        }
    });
    let colour = if dark && colour.lightness() < 0.3 { colour.at(0.3) } else { colour };
    let trim = named.get(1).copied().unwrap_or(if chance.hit(0.5) { p.accent } else { hex(0xc8a25c) });
    let set = Set { colour, trim, left, at, k: s * chance.between(0.3, 0.36) };
    shadow(c, (at.0, at.1 - s * 0.002), set.k * 0.62, wall, left);
    let kind = brief
        .first(&[
            ("mug cup coffee", 0),
            ("perfume fragrance cologne", 2),
            ("bottle wine skincare cosmetic serum", 1),
            ("watch clock", 3),
            ("sneaker shoe trainer", 4),
            ("lamp light", 5),
            ("camera", 6),
            ("chair armchair stool", 7),
            ("headphone earphone", 8),
            ("candle", 10),
            ("books book bookshelf", 11),
            ("vase pottery jar teapot", 9),
        ])
        .unwrap_or_else(|| chance.below(12));
    match kind {
        0 => mug(c, &set),
        1 => bottle(c, &set),
        2 => perfume(c, &set),
        3 => watch(c, &set, chance),
        4 => sneaker(c, &set),
        5 => lamp_object(c, &set),
        6 => camera(c, &set),
        7 => chair(c, &set),
        8 => headphones(c, &set),
        10 => candle(c, &set),
        11 => books(c, &set, chance, brief),
        _ => vase(c, &set, chance, brief),
    }
    if brief.has("wet water rain") || dark && chance.hit(0.5) {
        let sheen = c.linear((0.0, at.1), (0.0, at.1 + s * 0.14), &[(0.0, colour, 0.35), (1.0, colour, 0.0)]);
        c.blurred(s * 0.008);
        c.poly(
            &[
                (at.0 - set.k * 0.4, at.1 + s * 0.01),
                (at.0 + set.k * 0.4, at.1 + s * 0.01),
                (at.0 + set.k * 0.3, at.1 + s * 0.14),
                (at.0 - set.k * 0.3, at.1 + s * 0.14),
            ],
            &sheen,
        );
        c.end();
        for _ in 0..60 {
            let (x, y, r) =
                (w * chance.unit(), ground + (h - ground) * chance.unit(), s * chance.between(0.002, 0.008));
            c.ellipse(x, y, r, r * 0.45, &WHITE.alpha(0.16));
        }
    }
    if brief.light == Light::Dark || brief.has("rim") {
        let beam = c.radial(lamp, s * 0.9, &[(0.0, trim.lift(0.2), 0.3), (1.0, trim, 0.0)]);
        c.page(&beam);
    }
}

fn shadow(c: &mut Canvas, (x, y): Pt, half: f32, wall: Colour, left: bool) {
    let s = c.side();
    let dark = wall.at((wall.lightness() - 0.38).max(0.04));
    let off = if left { half * 0.7 } else { -half * 0.7 };
    c.blurred(s * 0.024);
    c.ellipse(x + off, y + s * 0.012, half * 1.5, half * 0.17, &dark.alpha(0.5));
    c.end();
    c.blurred(s * 0.007);
    c.ellipse(x + off * 0.1, y, half * 0.95, half * 0.1, &dark.alpha(0.75));
    c.end();
}

fn window_light(c: &mut Canvas, wall: Colour, left: bool) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let slant = if left { 0.28 } else { -0.28 } * s;
    let light = wall.mix(WHITE, 0.7).alpha(0.42);
    let x0 = if left { w * 0.1 } else { w * 0.45 };
    c.blurred(s * 0.006);
    for i in 0..2 {
        for k in 0..3 {
            let (x, y) = (x0 + s * 0.22 * i as f32 + slant * 0.36 * k as f32, h * 0.06 + s * 0.2 * k as f32);
            let (pw, ph) = (s * 0.19, s * 0.175);
            c.poly(&[(x, y), (x + pw, y), (x + pw + slant * 0.32, y + ph), (x + slant * 0.32, y + ph)], &light);
        }
    }
    c.end();
}

fn shine(c: &mut Canvas, x: f32, y: f32, w: f32, h: f32, strength: f32) {
    let s = c.side();
    c.blurred(s * 0.003);
    c.round(x, y, w, h, w, &WHITE.alpha(strength));
    c.end();
}

fn mug(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k, o.at);
    let (half, tall) = (k * 0.48, k * 1.02);
    let side = if o.left { 1.0 } else { -1.0 };
    let hx = x + side * half * 0.94;
    let d = format!(
        "M{hx} {}c{} {} {} {} 0 {}",
        y - tall * 0.8,
        side * k * 0.46,
        -k * 0.03,
        side * k * 0.42,
        k * 0.62,
        k * 0.56
    );
    c.stroke(&d, &o.colour.lift(-0.08).hex(), k * 0.13);
    c.stroke(&d, &o.colour.lift(0.04).hex(), k * 0.07);
    let fill = c.barrel(x - half, x + half, o.colour, o.left);
    let e = half * 0.2;
    c.path(
        &format!(
            "M{} {}L{} {}Q{} {y} {} {y}L{} {y}Q{} {y} {} {}L{} {}Z",
            x - half,
            y - tall,
            x - half * 0.95,
            y - k * 0.16,
            x - half * 0.9,
            x - half * 0.6,
            x + half * 0.6,
            x + half * 0.9,
            x + half * 0.95,
            y - k * 0.16,
            x + half,
            y - tall
        ),
        &fill,
    );
    c.ellipse(x, y - tall, half, e, &o.colour.lift(0.12).hex());
    c.ellipse(x, y - tall + e * 0.12, half * 0.92, e * 0.82, &o.colour.lift(-0.14).hex());
    let brew = c.linear(
        (x - half, 0.0),
        (x + half, 0.0),
        &[(0.0, hex(0x2e1a10), 1.0), (0.6, hex(0x6b3f24), 1.0), (1.0, hex(0x3a2014), 1.0)],
    );
    c.ellipse(x, y - tall + e * 0.34, half * 0.84, e * 0.6, &brew);
    shine(c, x - half * 0.62, y - tall * 0.84, k * 0.05, tall * 0.6, 0.28);
    steam(c, (x, y - tall - k * 0.05), k);
}

/// Warm air above something hot.
pub(super) fn steam(c: &mut Canvas, (x, y): Pt, k: f32) {
    c.blurred(k * 0.03);
    for (dx, tall) in [(-0.14, 0.5), (0.05, 0.68), (0.2, 0.44)] {
        let x = x + dx * k;
        c.stroke(
            &format!("M{x} {y}q{} {} 0 {}t0 {}", k * 0.14, -tall * k * 0.3, -tall * k * 0.5, -tall * k * 0.5),
            &WHITE.alpha(0.3),
            k * 0.05,
        );
    }
    c.end();
}

fn bottle(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k, o.at);
    let (half, tall) = (k * 0.3, k * 1.7);
    let fill = c.barrel(x - half, x + half, o.colour, o.left);
    c.path(
        &format!(
            "M{} {y}L{} {}C{} {} {} {} {} {}L{} {}L{} {}L{} {}C{} {} {} {} {} {}L{} {y}Q{x} {} {} {y}Z",
            x - half,
            x - half,
            y - tall * 0.58,
            x - half,
            y - tall * 0.72,
            x - half * 0.34,
            y - tall * 0.7,
            x - half * 0.34,
            y - tall * 0.82,
            x - half * 0.34,
            y - tall * 0.92,
            x + half * 0.34,
            y - tall * 0.92,
            x + half * 0.34,
            y - tall * 0.82,
            x + half * 0.34,
            y - tall * 0.7,
            x + half,
            y - tall * 0.72,
            x + half,
            y - tall * 0.58,
            x + half,
            y + half * 0.16,
            x - half
        ),
        &fill,
    );
    let cap = c.barrel(x - half * 0.4, x + half * 0.4, o.trim, o.left);
    c.round(x - half * 0.4, y - tall, half * 0.8, tall * 0.11, k * 0.02, &cap);
    let paper = hex(0xf6f1e6);
    let label = c.barrel(x - half, x + half, paper.lift(-0.07), o.left);
    c.rect(x - half * 0.99, y - tall * 0.47, half * 1.98, tall * 0.3, &label);
    c.rect(x - half * 0.5, y - tall * 0.39, half, k * 0.02, &o.colour.at(0.3).hex());
    c.rect(x - half * 0.32, y - tall * 0.34, half * 0.64, k * 0.012, &o.colour.at(0.45).hex());
    c.circle(x, y - tall * 0.26, half * 0.14, &o.trim.hex());
    shine(c, x - half * 0.66, y - tall * 0.56, k * 0.05, tall * 0.5, 0.42);
}

fn perfume(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k, o.at);
    let (half, tall) = (k * 0.46, k * 0.98);
    let glass = o.colour.mix(WHITE, 0.25);
    c.round(x - half, y - tall, half * 2.0, tall, k * 0.1, &glass.alpha(0.5));
    let juice = c.linear(
        (x - half, y - tall),
        (x + half, y),
        &[(0.0, o.trim.lift(0.2), 0.95), (0.5, o.trim, 0.9), (1.0, o.trim.lift(-0.2), 0.95)],
    );
    c.round(x - half * 0.84, y - tall * 0.8, half * 1.68, tall * 0.72, k * 0.05, &juice);
    let edge = c.linear(
        (x - half, 0.0),
        (x + half, 0.0),
        &[(0.0, WHITE, 0.75), (0.09, WHITE, 0.1), (0.5, WHITE, 0.0), (0.9, WHITE, 0.08), (1.0, WHITE, 0.55)],
    );
    c.round(x - half, y - tall, half * 2.0, tall, k * 0.1, &edge);
    c.rect(x - half * 0.2, y - tall - k * 0.1, half * 0.4, k * 0.12, &hex(0xc9b37a).hex());
    let cap = c.barrel(x - half * 0.42, x + half * 0.42, o.colour.at(0.22), o.left);
    c.round(x - half * 0.42, y - tall - k * 0.5, half * 0.84, k * 0.42, k * 0.03, &cap);
    c.round(x - half * 0.46, y - tall * 0.56, half * 0.92, tall * 0.24, k * 0.01, &hex(0xf6f1e6).alpha(0.92));
    c.rect(x - half * 0.3, y - tall * 0.46, half * 0.6, k * 0.022, &hex(0x2a2626).hex());
    c.rect(x - half * 0.18, y - tall * 0.4, half * 0.36, k * 0.012, &hex(0x6a6262).hex());
    shine(c, x - half * 0.9, y - tall * 0.92, k * 0.045, tall * 0.8, 0.6);
}

fn watch(c: &mut Canvas, o: &Set, chance: &mut Chance) {
    let (k, (x, y)) = (o.k, (o.at.0, o.at.1 - o.k * 0.85));
    let strap = c.barrel(x - k * 0.27, x + k * 0.27, o.colour, o.left);
    c.round(x - k * 0.25, y - k * 0.98, k * 0.5, k * 1.86, k * 0.08, &strap);
    let metal = c.linear(
        (x - k * 0.5, y - k * 0.5),
        (x + k * 0.5, y + k * 0.5),
        &[(0.0, WHITE, 1.0), (0.4, o.trim.lift(0.1), 1.0), (0.7, o.trim.lift(-0.2), 1.0), (1.0, o.trim.lift(0.1), 1.0)],
    );
    c.round(x + k * 0.46, y - k * 0.07, k * 0.13, k * 0.14, k * 0.03, &metal);
    c.circle(x, y, k * 0.5, &metal);
    let dial = if chance.hit(0.5) { hex(0xf7f3ea) } else { o.colour.at(0.22) };
    let mark = if dial.lightness() > 0.5 { hex(0x22242a) } else { hex(0xf4efe4) };
    let face =
        c.radial((x - k * 0.15, y - k * 0.15), k * 0.7, &[(0.0, dial.lift(0.05), 1.0), (1.0, dial.lift(-0.05), 1.0)]);
    c.circle(x, y, k * 0.42, &face);
    for i in 0..60 {
        let (sin, cos) = (i as f32 * 0.10472).sin_cos();
        let (inner, wide) = if i % 5 == 0 { (0.33, 0.014) } else { (0.38, 0.005) };
        c.line(
            (x + sin * k * inner, y - cos * k * inner),
            (x + sin * k * 0.395, y - cos * k * 0.395),
            &mark.hex(),
            k * wide,
        );
    }
    for (angle, long, wide) in [(-1.05_f32, 0.22, 0.03), (1.05, 0.32, 0.02)] {
        c.line((x, y), (x + angle.sin() * k * long, y - angle.cos() * k * long), &mark.hex(), k * wide);
    }
    c.line((x, y + k * 0.08), (x - k * 0.05, y - k * 0.34), &hex(0xd8492f).hex(), k * 0.008);
    c.circle(x, y, k * 0.026, &o.trim.hex());
    c.path(
        &format!("M{} {}a{r} {r} 0 0 1 {} {}z", x - k * 0.38, y + k * 0.1, k * 0.5, -k * 0.46, r = k * 0.42),
        &WHITE.alpha(0.1),
    );
}

fn sneaker(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k * 1.25, o.at);
    let at = |px: f32, py: f32| (x + px * k, y - py * k);
    let sole: Vec<Pt> =
        [(-0.8, 0.02), (-0.84, 0.16), (-0.5, 0.2), (0.2, 0.16), (0.76, 0.2), (0.88, 0.1), (0.78, 0.02), (0.0, 0.0)]
            .map(|(a, b)| at(a, b))
            .to_vec();
    let upper: Vec<Pt> = [
        (-0.8, 0.14),
        (-0.84, 0.42),
        (-0.72, 0.66),
        (-0.5, 0.6),
        (-0.26, 0.62),
        (-0.08, 0.54),
        (0.18, 0.38),
        (0.56, 0.31),
        (0.8, 0.24),
        (0.84, 0.14),
        (0.2, 0.12),
        (-0.4, 0.14),
    ]
    .map(|(a, b)| at(a, b))
    .to_vec();
    let fill = c.vertical(y - k * 0.66, y - k * 0.1, &[o.colour.lift(0.12), o.colour, o.colour.lift(-0.12)]);
    c.path(&smooth(&upper, Close::Yes), &fill);
    c.path(
        &smooth(&[at(-0.5, 0.56), at(-0.26, 0.72), at(-0.08, 0.56), at(-0.2, 0.46)], Close::Yes),
        &o.trim.lift(0.05).hex(),
    );
    c.path(
        &smooth(&[at(0.44, 0.3), at(0.7, 0.28), at(0.84, 0.16), at(0.5, 0.14)], Close::Yes),
        &o.colour.lift(-0.08).hex(),
    );
    c.path(&smooth(&[at(-0.82, 0.2), at(-0.8, 0.5), at(-0.62, 0.46), at(-0.56, 0.2)], Close::Yes), &o.trim.hex());
    c.stroke(
        &smooth(&[at(-0.5, 0.22), at(-0.2, 0.24), at(0.08, 0.36), at(0.24, 0.38)], Close::No),
        &o.trim.hex(),
        k * 0.07,
    );
    let white = c.vertical(y - k * 0.2, y, &[hex(0xfbf8f1), hex(0xd6d0c4)]);
    c.path(&smooth(&sole, Close::Yes), &white);
    for i in 0..5 {
        let t = i as f32 * 0.085;
        c.line(at(-0.12 + t, 0.56 - t * 0.7), at(-0.22 + t, 0.46 - t * 0.62), &WHITE.hex(), k * 0.026);
    }
    c.line(at(-0.78, 0.08), at(0.8, 0.09), &o.colour.alpha(0.6), k * 0.012);
}

fn lamp_object(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k, o.at);
    let glow = c.radial(
        (x, y - k * 1.0),
        k * 1.9,
        &[(0.0, hex(0xffe2a8), 0.75), (0.4, hex(0xffd08a), 0.22), (1.0, hex(0xffc070), 0.0)],
    );
    c.circle(x, y - k * 1.0, k * 1.9, &glow);
    let stem = c.barrel(x - k * 0.04, x + k * 0.04, o.trim, o.left);
    c.rect(x - k * 0.035, y - k * 0.9, k * 0.07, k * 0.88, &stem);
    let base = c.barrel(x - k * 0.34, x + k * 0.34, o.trim, o.left);
    c.path(
        &format!(
            "M{} {y}q0 {} {} {}q{} 0 {} {}z",
            x - k * 0.34,
            -k * 0.12,
            k * 0.34,
            -k * 0.12,
            k * 0.34,
            k * 0.34,
            k * 0.12
        ),
        &base,
    );
    let shade = o.colour.mix(hex(0xffd9a0), 0.35).at(0.74);
    let fill = c.vertical(y - k * 1.55, y - k * 0.85, &[shade.lift(-0.08), shade.lift(0.08), hex(0xfff0cc)]);
    c.path(
        &format!(
            "M{} {}C{} {} {} {} {} {}Q{x} {} {} {}C{} {} {} {} {} {}Z",
            x - k * 0.24,
            y - k * 1.55,
            x - k * 0.42,
            y - k * 1.45,
            x - k * 0.6,
            y - k * 1.1,
            x - k * 0.62,
            y - k * 0.85,
            y - k * 0.78,
            x + k * 0.62,
            y - k * 0.85,
            x + k * 0.6,
            y - k * 1.1,
            x + k * 0.42,
            y - k * 1.45,
            x + k * 0.24,
            y - k * 1.55
        ),
        &fill,
    );
}

fn camera(c: &mut Canvas, o: &Set) {
    let (k, (x, y)) = (o.k * 1.1, o.at);
    let body = c.vertical(y - k, y, &[o.colour.lift(0.1), o.colour, o.colour.lift(-0.1)]);
    let silver = c.vertical(y - k, y - k * 0.66, &[hex(0xf1f1ef), hex(0xb9b9b6)]);
    c.round(x - k * 0.22, y - k * 1.04, k * 0.44, k * 0.24, k * 0.05, &silver);
    c.round(x - k * 0.62, y - k * 0.97, k * 0.2, k * 0.12, k * 0.02, &hex(0xc9c9c6).hex());
    c.round(x + k * 0.46, y - k * 0.95, k * 0.14, k * 0.1, k * 0.02, &o.trim.hex());
    c.round(x - k * 0.8, y - k * 0.88, k * 1.6, k * 0.88, k * 0.1, &silver);
    c.rect(x - k * 0.8, y - k * 0.66, k * 1.6, k * 0.46, &body);
    let ring = c.linear(
        (x - k * 0.4, y - k * 0.8),
        (x + k * 0.4, y),
        &[(0.0, hex(0xe8e8e6), 1.0), (0.5, hex(0x77777a), 1.0), (1.0, hex(0xc8c8c6), 1.0)],
    );
    let (lx, ly) = (x, y - k * 0.43);
    c.circle(lx, ly, k * 0.4, &ring);
    c.circle(lx, ly, k * 0.34, &hex(0x1a1b20).hex());
    c.ring(lx, ly, k * 0.29, &hex(0x3a3c44).hex(), k * 0.025);
    let glass = c.radial(
        (lx - k * 0.08, ly - k * 0.1),
        k * 0.3,
        &[(0.0, hex(0x6f8fd8), 1.0), (0.5, hex(0x2a2f5a), 1.0), (1.0, hex(0x0d0e18), 1.0)],
    );
    c.circle(lx, ly, k * 0.24, &glass);
    c.ellipse(lx - k * 0.09, ly - k * 0.11, k * 0.07, k * 0.045, &WHITE.alpha(0.7));
    c.circle(lx + k * 0.08, ly + k * 0.1, k * 0.025, &hex(0xf0a0c0).alpha(0.7));
    c.round(x + k * 0.42, y - k * 0.83, k * 0.24, k * 0.13, k * 0.02, &hex(0x33353c).hex());
}
