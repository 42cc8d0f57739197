//! Layered landscapes under a sky that knows the hour.
//!
//! Far things are pale and near things dark, so there is always depth.

mod sky;

use crate::studio::render::canvas::{Canvas, Close, Pt, line, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE, hex};
use crate::studio::render::prompt::{Brief, Light};

pub(super) use sky::{Air, sky};

/// A ridge line across the page: heights from noise, `rough` from rolling to jagged.
pub(super) fn ridge(c: &Canvas, chance: &mut Chance, base: f32, tall: f32, rough: f32) -> Vec<Pt> {
    let noise = chance.noise();
    let scale = chance.between(1.6, 3.2);
    let octaves = if rough > 0.5 { 5 } else { 2 };
    let n = if rough > 0.5 { 140 } else { 60 };
    (0..=n)
        .map(|i| {
            let t = i as f32 / n as f32;
            let v = noise.fractal(t * scale * c.w / c.side(), 3.7, octaves);
            let v = if rough > 0.5 { 1.0 - v.abs() * 1.9 } else { 0.5 + 0.5 * v };
            (t * c.w, base - tall * v)
        })
        .collect()
}

fn below(c: &Canvas, mut top: Vec<Pt>, rough: f32) -> String {
    let (w, h) = (c.w + 4.0, c.h + 4.0);
    let mut d = if rough > 0.5 { line(&top) } else { smooth(&top, Close::No) };
    top.clear();
    d.push_str(&format!("L{w} {h}L-4 {h}Z"));
    d
}

/// Draws the landscape.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let level = c.h * chance.between(0.5, 0.66);
    let air = sky(brief, c, chance, level);
    let s = c.side();
    if brief.has("aurora") {
        aurora(brief, c, chance, level);
    }
    let kind = brief
        .first(&[
            ("vaporwave retrowave synthwave grid", 6),
            ("sea ocean beach coast wave island fjord horizon", 1),
            ("lake river reflection pond", 2),
            ("desert dune sand canyon", 3),
            ("forest wood woods pine birch trees jungle", 4),
            ("field meadow hill countryside valley farm vineyard tundra", 5),
            ("mountain peak alps glacier volcano snow cliff", 0),
        ])
        .unwrap_or_else(|| chance.below(6));
    match kind {
        0 => mountains(brief, c, chance, &air, c.h * 1.02),
        1 => {
            if brief.has("island cliff coast fjord mountain") || chance.hit(0.6) {
                let tall = s * chance.between(0.05, 0.16);
                let top = ridge(c, chance, level, tall, 0.8);
                let d = below(c, top, 0.8);
                c.path(&d, &air.horizon.mix(air.near, 0.35).hex());
            }
            water(brief, c, chance, &air);
            if chance.hit(0.5) || brief.has("boat sail ship") {
                boat(c, chance, &air);
            }
            shore(brief, c, chance, &air);
        }
        2 => {
            mountains(brief, c, chance, &air, level + s * 0.02);
            water(brief, c, chance, &air);
            trees_row(c, chance, level + s * 0.015, air.near.mix(air.horizon, 0.25), s * 0.055, 90);
            shore(brief, c, chance, &air);
        }
        3 => dunes(brief, c, chance, &air),
        4 => forest(brief, c, chance, &air),
        6 => grid(brief, c, chance, &air),
        _ => hills(brief, c, chance, &air),
    }
    if !brief.dark() && chance.hit(0.55) || brief.has("bird birds gull") {
        flock(c, chance, &air);
    }
}

fn aurora(brief: &Brief, c: &mut Canvas, chance: &mut Chance, level: f32) {
    let s = c.side();
    let noise = chance.noise();
    for band in 0..3 {
        let colour = [hex(0x5af0b0), brief.palette.accent.at(0.75), hex(0x9d7bff)][band];
        c.blended("screen");
        c.blurred(s * 0.008);
        let n = 70;
        for i in 0..n {
            let t = i as f32 / n as f32;
            let x = t * c.w * 1.1 - c.w * 0.05;
            let y = level * (0.32 + 0.14 * band as f32) + s * 0.16 * noise.fractal(t * 3.0, band as f32 * 7.0, 2);
            let tall = s * (0.2 + 0.16 * noise.at(t * 9.0, 20.0 + band as f32));
            let fill =
                c.linear((0.0, y - tall), (0.0, y), &[(0.0, colour, 0.0), (0.8, colour, 0.45), (1.0, colour, 0.0)]);
            c.rect(x, y - tall, c.w / n as f32 * 1.3, tall, &fill);
        }
        c.end();
        c.end();
    }
}

fn mountains(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air, floor: f32) {
    let s = c.side();
    let layers = chance.count(4, 6);
    let snowy = brief.has("snow winter alps glacier peak ice") || chance.hit(0.35);
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let base = air.level + (floor - air.level) * t * 0.9 + s * 0.04;
        let tall = s * (0.26 - 0.12 * t) * chance.between(0.8, 1.25);
        let top = ridge(c, chance, base, tall, if t > 0.75 { 0.2 } else { 0.9 });
        let colour = air.horizon.mix(air.near, 0.18 + 0.82 * t);
        let high = base - tall;
        let fill = c.linear(
            (0.0, high),
            (0.0, base + s * 0.12),
            &[(0.0, colour.lift(0.03), 1.0), (1.0, colour.mix(air.horizon, 0.45 * (1.0 - t)), 1.0)],
        );
        let d = below(c, top.clone(), 0.9);
        c.path(&d, &fill);
        if t < 0.6 {
            facets(c, &top, air, colour, tall, snowy && i < 3);
        }
        if t < 0.8 {
            mist(c, air, base + s * 0.02, 0.4 * (1.0 - t));
        }
        if t > 0.75 {
            trees_row(c, chance, base - tall * 0.3, air.near.lift(-0.02), s * 0.09, 46);
        }
    }
}

/// Light and shade on the sides of peaks.
fn facets(c: &mut Canvas, top: &[Pt], air: &Air, colour: Colour, tall: f32, snow: bool) {
    let lit_left = air.sun_at.0 < c.w / 2.0;
    for i in 3..top.len().saturating_sub(3) {
        let (x, y) = top[i];
        let peak = (1..=3).all(|k| top[i - k].1 > y && top[i + k].1 > y);
        if !peak {
            continue;
        }
        let side = if lit_left { 1_isize } else { -1 };
        let mut shade = vec![(x, y)];
        for k in 1..9_isize {
            let j = i as isize + side * k;
            if j < 0 || j as usize >= top.len() {
                break;
            }
            shade.push(top[j as usize]);
        }
        let Some(last) = shade.last().copied() else { continue };
        shade.push((last.0, last.1 + tall * 0.35));
        shade.push((x + (last.0 - x) * 0.25, y + tall * 0.55));
        shade.push((x - (last.0 - x) * 0.12, y + tall * 0.22));
        let fill = c.linear((0.0, y), (0.0, y + tall * 0.6), &[(0.0, colour.lift(-0.09), 0.75), (1.0, colour, 0.0)]);
        c.poly(&shade, &fill);
        if snow {
            let cap = colour.mix(WHITE, 0.7);
            let reach = 5.min(i).min(top.len() - 1 - i);
            let mut points: Vec<Pt> = (i - reach..=i + reach).map(|j| top[j]).collect();
            let (l, r) = (top[i - reach], top[i + reach]);
            for k in 1..6 {
                let t = k as f32 / 6.0;
                let drop = if k % 2 == 0 { 0.1 } else { 0.02 };
                points.push((r.0 + (l.0 - r.0) * t, r.1.max(l.1) * 0.5 + (y + r.1.min(l.1)) * 0.25 + tall * drop));
            }
            c.poly(&points, &cap.alpha(0.8));
        }
    }
}

fn mist(c: &mut Canvas, air: &Air, y: f32, strength: f32) {
    let s = c.side();
    let pale = air.horizon.mix(WHITE, 0.25);
    let fill = c.linear(
        (0.0, y - s * 0.09),
        (0.0, y + s * 0.05),
        &[(0.0, pale, 0.0), (0.6, pale, strength), (1.0, pale, 0.0)],
    );
    let w = c.w;
    c.rect(0.0, y - s * 0.09, w, s * 0.14, &fill);
}

/// Water from the horizon down, with the light's road on it.
pub(super) fn water(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let tone = if brief.has("lavender lilac purple violet") {
        brief.palette.main
    } else {
        brief.palette.main.mix(hex(0x2a6f8f), 0.55)
    };
    let deep = tone.mix(air.near, 0.5);
    let fill = c.vertical(
        air.level,
        h,
        &[air.horizon.mix(tone, 0.25), tone.mix(air.horizon, 0.3), deep.at(deep.lightness().min(0.42))],
    );
    c.rect(0.0, air.level, w, h - air.level, &fill);
    let depth = h - air.level;
    for _ in 0..150 {
        let t = chance.unit().powf(1.6);
        let y = air.level + t * depth;
        let long = s * (0.02 + 0.16 * t) * chance.between(0.5, 1.4);
        let x = chance.unit() * w;
        let colour = if chance.hit(0.5) { air.horizon.lift(0.05).alpha(0.2) } else { deep.lift(-0.05).alpha(0.2) };
        c.round(x, y, long, s * (0.001 + 0.004 * t), s, &colour);
    }
    if brief.light != Light::Overcast {
        for _ in 0..120 {
            let t = chance.unit().powf(1.3);
            let y = air.level + t * depth;
            let spread = s * (0.03 + 0.13 * t);
            let x = air.sun_at.0 + chance.bell() * spread * 0.5;
            let long = s * (0.012 + 0.06 * t) * chance.between(0.4, 1.3);
            c.round(
                x - long / 2.0,
                y,
                long,
                s * (0.0014 + 0.004 * t),
                s,
                &air.sun.alpha(chance.between(0.25, 0.75) * (1.0 - 0.5 * t)),
            );
        }
    }
    c.rect(0.0, air.level - 0.5, w, s * 0.0025, &air.horizon.lift(0.08).alpha(0.6));
}

fn boat(c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let s = c.side();
    let (x, y, k) =
        (c.w * chance.between(0.25, 0.75), air.level + s * chance.between(0.03, 0.09), s * chance.between(0.035, 0.06));
    let dark = air.near.hex();
    c.poly(&[(x - k, y), (x + k, y), (x + k * 0.7, y + k * 0.3), (x - k * 0.7, y + k * 0.3)], &dark);
    c.poly(
        &[(x - k * 0.05, y - k * 0.1), (x - k * 0.05, y - k * 2.2), (x + k * 0.9, y - k * 0.1)],
        &air.sun.mix(air.near, 0.15).hex(),
    );
    c.poly(
        &[(x - k * 0.15, y - k * 0.1), (x - k * 0.15, y - k * 1.9), (x - k * 0.75, y - k * 0.1)],
        &air.sun.mix(air.near, 0.35).hex(),
    );
    c.ellipse(x, y + k * 0.5, k * 1.1, k * 0.16, &air.near.alpha(0.3));
}

fn shore(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let s = c.side();
    let near = air.near;
    if brief.has("beach sand seaside") {
        let top = ridge(c, chance, c.h * 0.92, s * 0.07, 0.1);
        let sand = hex(0xe8cfa2).mix(air.near, if brief.dark() { 0.6 } else { 0.15 });
        let foam: Vec<Pt> = top.iter().map(|(x, y)| (*x, *y - s * 0.012)).collect();
        c.stroke(&smooth(&foam, Close::No), &WHITE.alpha(0.7), s * 0.012);
        let d = below(c, top, 0.1);
        c.path(&d, &sand.hex());
        return;
    }
    let top = ridge(c, chance, c.h * 0.99, s * 0.12, 0.2);
    let d = below(c, top.clone(), 0.2);
    let fill = c.vertical(c.h * 0.86, c.h, &[near, near.lift(-0.07)]);
    c.path(&d, &fill);
    grass(c, chance, &top, near, s * 0.05);
}

fn grass(c: &mut Canvas, chance: &mut Chance, top: &[Pt], colour: Colour, tall: f32) {
    let mut d = String::new();
    for _ in 0..260 {
        let (x, y) = chance.pick(top);
        let (x, lean, k) = (x + chance.jitter(tall), chance.jitter(tall * 0.4), tall * chance.between(0.3, 1.0));
        d.push_str(&format!("M{x:.1} {:.1}q{:.1} {:.1} {lean:.1} {:.1}", y + tall * 0.2, lean * 0.1, -k * 0.6, -k));
    }
    c.stroke(&d, &colour.hex(), (tall * 0.035).max(0.8));
}

/// A row of conifers on a line.
pub(super) fn trees_row(c: &mut Canvas, chance: &mut Chance, y: f32, colour: Colour, tall: f32, count: usize) {
    let noise = chance.noise();
    for i in 0..count {
        let x = (i as f32 + chance.jitter(0.6)) * c.w / count as f32;
        let size = tall * (0.55 + 0.45 * noise.at(x / c.side() * 6.0, 0.0)) * chance.between(0.7, 1.1);
        conifer(c, (x, y + tall * 0.2 * noise.at(x / c.side() * 3.0, 9.0)), size, colour);
    }
}

fn conifer(c: &mut Canvas, (x, y): Pt, tall: f32, colour: Colour) {
    if tall < 1.0 {
        return;
    }
    let mut right = Vec::new();
    let mut left = Vec::new();
    let steps = 6;
    for i in 0..steps {
        let t = (i + 1) as f32 / steps as f32;
        let wide = tall * 0.22 * t;
        right.push((x + wide, y - tall * (1.0 - t)));
        right.push((x + wide * 0.55, y - tall * (1.0 - t) - tall * 0.01));
        left.push((x - wide, y - tall * (1.0 - t)));
        left.push((x - wide * 0.55, y - tall * (1.0 - t) - tall * 0.01));
    }
    let mut points = vec![(x, y - tall * 1.08)];
    points.extend(right);
    points.push((x, y + tall * 0.3));
    points.extend(left.into_iter().rev());
    c.poly(&points, &colour.hex());
}

fn dunes(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let s = c.side();
    let sand = brief.palette.main.mix(hex(0xd99a5b), 0.6);
    let lit_left = air.sun_at.0 < c.w / 2.0;
    let layers = 5;
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let base = air.level + (c.h - air.level) * (0.05 + 0.75 * t) + s * 0.05;
        let tall = s * chance.between(0.1, 0.2) * (0.6 + 0.6 * t);
        let top = ridge(c, chance, base, tall, 0.1);
        let colour = air.horizon.mix(sand, 0.35 + 0.6 * t);
        let colour = if brief.dark() { colour.mix(air.near, 0.6) } else { colour };
        let d = below(c, top.clone(), 0.1);
        let fill = c.vertical(base - tall, base + s * 0.25, &[colour.lift(0.07), colour, colour.lift(-0.1)]);
        c.path(&d, &fill);
        // The lee side of the crest lies in shade with a sharp edge.
        let mut shade = top.clone();
        let lee: Vec<Pt> = top
            .iter()
            .rev()
            .map(|(x, y)| {
                (*x + if lit_left { s * 0.12 } else { -s * 0.12 }, y + tall * (0.25 + 0.75 * ((base - y) / tall)))
            })
            .collect();
        shade.extend(lee);
        let dusk =
            c.linear((0.0, base - tall), (0.0, base + tall * 0.3), &[(0.0, air.near, 0.5), (1.0, air.near, 0.0)]);
        c.path(&smooth(&shade, Close::Yes), &dusk);
        c.stroke(&smooth(&top, Close::No), &air.sun.alpha(0.5 - 0.3 * t), s * 0.002);
    }
    if brief.has("cactus cacti") || chance.hit(0.3) {
        for _ in 0..chance.count(2, 4) {
            let (x, y, k) = (c.w * chance.unit(), c.h * chance.between(0.78, 0.95), s * chance.between(0.06, 0.14));
            let colour = air.near.mix(hex(0x2f5a44), 0.4).hex();
            c.line((x, y), (x, y - k), &colour, k * 0.16);
            c.stroke(&format!("M{x} {}h{}v{}", y - k * 0.4, k * 0.3, -k * 0.3), &colour, k * 0.12);
            c.stroke(&format!("M{x} {}h{}v{}", y - k * 0.55, -k * 0.26, -k * 0.22), &colour, k * 0.12);
        }
    }
}

fn forest(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let s = c.side();
    let birch = brief.has("birch aspen");
    let layers = 5;
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let y = air.level + (c.h - air.level) * (0.1 + 0.72 * t);
        let colour = air.horizon.mix(air.near, 0.2 + 0.8 * t).mix(brief.palette.main.at(0.45), 0.25 * (1.0 - t));
        let ground = ridge(c, chance, y + s * 0.06, s * 0.06, 0.1);
        if birch && t > 0.3 {
            birches(c, chance, y, s * (0.5 + 0.5 * t), t, air);
        } else {
            trees_row(c, chance, y, colour, s * (0.16 + 0.3 * t * t), (46.0 - 30.0 * t) as usize);
        }
        let d = below(c, ground.clone(), 0.1);
        let fill = c.vertical(y, y + s * 0.3, &[colour, colour.lift(-0.05)]);
        c.path(&d, &fill);
        if t < 1.0 {
            mist(c, air, y + s * 0.04, 0.45 * (1.0 - t * 0.6));
        } else {
            grass(c, chance, &ground, colour, s * 0.05);
        }
    }
}

/// Pale trunks with dark marks.
pub(super) fn birches(c: &mut Canvas, chance: &mut Chance, y: f32, tall: f32, t: f32, air: &Air) {
    let s = c.side();
    for _ in 0..(6.0 - 2.0 * t) as usize {
        let x = c.w * chance.unit();
        let wide = s * (0.012 + 0.026 * t) * chance.between(0.8, 1.3);
        let pale = hex(0xf2ede2).mix(air.horizon, 0.5 * (1.0 - t)).mix(air.near, 0.06);
        let fill = c.barrel(x - wide, x + wide, pale.lift(-0.03), air.sun_at.0 < x);
        c.poly(
            &[
                (x - wide * 0.8, y - tall * 1.6),
                (x + wide * 0.8, y - tall * 1.6),
                (x + wide, y + s * 0.06),
                (x - wide, y + s * 0.06),
            ],
            &fill,
        );
        for _ in 0..(14.0 + 12.0 * t) as usize {
            let (my, long) = (y - tall * 1.6 * chance.unit(), wide * chance.between(0.3, 1.1));
            let mx = if chance.hit(0.5) { x - wide } else { x + wide - long };
            c.round(mx, my, long, s * 0.003 * chance.between(0.7, 2.2), s, &air.near.alpha(0.5 + 0.4 * t));
        }
    }
}

fn hills(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let s = c.side();
    let greens = [
        brief.palette.main,
        brief.palette.deep,
        brief.palette.accent.mix(brief.palette.main, 0.6),
        brief.palette.main.lift(-0.1),
    ];
    let layers = chance.count(4, 6);
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let base = air.level + (c.h - air.level) * (0.02 + 0.8 * t) + s * 0.06;
        let tall = s * chance.between(0.08, 0.17);
        let top = ridge(c, chance, base, tall, 0.1);
        let tone = greens[i % 4].mix(air.near, if brief.dark() { 0.75 } else { 0.3 });
        let colour = air.horizon.mix(tone, 0.3 + 0.7 * t);
        let d = below(c, top.clone(), 0.1);
        let fill = c.vertical(base - tall, base + s * 0.2, &[colour.lift(0.07), colour.lift(-0.07)]);
        c.path(&d, &fill);
        if t > 0.3 {
            c.clipped(&d);
            // Furrows follow the hill and give it a body.
            for k in 1..9 {
                let row: Vec<Pt> = top
                    .iter()
                    .map(|(x, y)| (*x, *y + s * 0.004 * (k * k) as f32 * 0.6 + s * 0.008 * k as f32))
                    .collect();
                c.stroke(&smooth(&row, Close::No), &colour.lift(-0.06).alpha(0.35), s * 0.002 * (1.0 + 0.3 * k as f32));
            }
            c.end();
        }
        if chance.hit(0.7) {
            for _ in 0..chance.count(2, 7) {
                let (x, y) = chance.pick(&top);
                round_tree(c, chance, (x, y + s * 0.01), s * (0.02 + 0.05 * t), colour.mix(air.near, 0.5), air);
            }
        }
        if t == 1.0 {
            if brief.has("flower meadow poppy wildflower spring lavender") || chance.hit(0.4) {
                for _ in 0..160 {
                    let (x, y) = (c.w * chance.unit(), c.h - (c.h - base + tall * 0.4) * chance.unit());
                    let k = s * 0.006 * (0.4 + (y - base) / (c.h - base).max(1.0)).clamp(0.4, 1.5);
                    c.circle(
                        x,
                        y,
                        k,
                        &chance.pick(&[brief.palette.accent, brief.palette.soft, brief.palette.paper]).alpha(0.9),
                    );
                }
            }
            grass(c, chance, &top, colour.lift(-0.06), s * 0.03);
        }
    }
}

fn round_tree(c: &mut Canvas, chance: &mut Chance, (x, y): Pt, k: f32, colour: Colour, air: &Air) {
    c.line((x, y), (x, y - k), &air.near.hex(), k * 0.14);
    for _ in 0..5 {
        let (dx, dy) = (chance.jitter(k * 0.5), chance.jitter(k * 0.4));
        c.circle(
            x + dx,
            y - k * 1.4 + dy,
            k * chance.between(0.45, 0.65),
            &colour.lift(chance.between(-0.03, 0.05)).hex(),
        );
    }
}

fn grid(brief: &Brief, c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let (s, w, h, y0) = (c.side(), c.w, c.h, air.level);
    let glow = brief.palette.accent;
    let top = ridge(c, chance, y0 + 2.0, s * 0.14, 0.9);
    let d = below(c, top.clone(), 0.9);
    let fill = c.vertical(y0 - s * 0.14, y0, &[brief.palette.deep, brief.palette.ink]);
    c.path(&d, &fill);
    c.stroke(&line(&top), &brief.palette.main.alpha(0.9), s * 0.002);
    let fill = c.vertical(y0, h, &[brief.palette.deep.at(0.26), brief.palette.ink.at(0.1)]);
    c.rect(0.0, y0, w, h - y0, &fill);
    for i in 0..16 {
        let t = (i as f32 / 15.0).powf(2.2);
        let y = y0 + (h - y0) * t;
        c.line((0.0, y), (w, y), &glow.alpha(0.3 + 0.6 * t), s * (0.001 + 0.003 * t));
    }
    for i in -16..=16 {
        let x = w / 2.0 + i as f32 * w * 0.035;
        c.line((x, y0), (w / 2.0 + i as f32 * w * 0.22, h), &glow.alpha(0.6), s * 0.0018);
    }
    let shine =
        c.linear((0.0, y0 - s * 0.05), (0.0, y0 + s * 0.09), &[(0.0, glow, 0.0), (0.4, glow, 0.5), (1.0, glow, 0.0)]);
    c.rect(0.0, y0 - s * 0.05, w, s * 0.14, &shine);
}

/// A few birds far off.
pub(super) fn flock(c: &mut Canvas, chance: &mut Chance, air: &Air) {
    let s = c.side();
    let (cx, cy) = (c.w * chance.between(0.2, 0.8), air.level * chance.between(0.25, 0.6));
    let mut d = String::new();
    for _ in 0..chance.count(4, 9) {
        let (x, y, k) =
            (cx + chance.bell() * s * 0.08, cy + chance.bell() * s * 0.03, s * chance.between(0.006, 0.013));
        d.push_str(&format!(
            "M{x:.1} {y:.1}q{:.1} {:.1} {k:.1} {:.1}q{:.1} {:.1} {k:.1} {:.1}",
            k * 0.6,
            -k * 0.8,
            k * 0.1,
            k * 0.4,
            -k * 0.8,
            -k * 0.1
        ));
    }
    c.stroke(&d, &air.near.alpha(0.8), s * 0.0022);
}
