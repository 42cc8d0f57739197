//! Screens of apps that do not exist.
//!
//! Everything sits on one grid, in one palette.

use crate::studio::render::canvas::{Canvas, Close, Face, Pt, arc, smooth};
use crate::studio::render::chance::Chance;
use crate::studio::render::colour::{Colour, WHITE};
use crate::studio::render::prompt::Brief;

struct Look {
    ground: Colour,
    card: Colour,
    ink: Colour,
    quiet: Colour,
    main: Colour,
    accent: Colour,
}

/// Draws the screen.
pub(super) fn draw(brief: &Brief, c: &mut Canvas, chance: &mut Chance) {
    let p = &brief.palette;
    let dark = brief.has("dark night") || (!brief.has("light white bright mint pastel") && chance.hit(0.3));
    let look = if dark {
        Look {
            ground: p.ink.at(0.17),
            card: p.ink.at(0.235),
            ink: p.paper,
            quiet: p.soft.at(0.58).vivid(0.5),
            main: p.main.at(0.7),
            accent: p.accent.at(0.74),
        }
    } else {
        Look {
            ground: p.paper.mix(p.soft, 0.35),
            card: WHITE.mix(p.paper, 0.3),
            ink: p.ink.at(0.25),
            quiet: p.deep.at(0.66).vivid(0.4),
            main: p.main.at(0.62),
            accent: p.accent,
        }
    };
    if brief.has("mobile app phone ios android onboarding screen screens")
        && !brief.has("dashboard website landing desktop")
    {
        phones(brief, c, chance, &look, dark);
    } else {
        dashboard(brief, c, chance, &look);
    }
}

fn curve(chance: &mut Chance, (x, y): Pt, w: f32, h: f32, n: usize) -> Vec<Pt> {
    let noise = chance.noise();
    (0..n)
        .map(|i| {
            (
                x + w * i as f32 / (n - 1) as f32,
                y + h * (0.5 - 0.3 * i as f32 / n as f32 + 0.42 * noise.fractal(i as f32 * 0.42, 0.3, 2)),
            )
        })
        .collect()
}

fn area(c: &mut Canvas, points: &[Pt], base: f32, tone: Colour, width: f32) {
    let d = smooth(points, Close::No);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let top = points.iter().map(|p| p.1).fold(base, f32::min);
    let fill = c.linear((0.0, top), (0.0, base), &[(0.0, tone, 0.4), (1.0, tone, 0.0)]);
    c.path(&format!("{d}L{} {base}L{} {base}Z", last.0, first.0), &fill);
    c.stroke(&d, &tone.hex(), width);
}

fn card(c: &mut Canvas, look: &Look, x: f32, y: f32, w: f32, h: f32, u: f32) {
    c.round(x, y + u * 0.5, w, h, u * 1.8, &look.ink.at(0.1).alpha(0.06));
    c.round(x, y, w, h, u * 1.8, &look.card.hex());
}

fn dashboard(brief: &Brief, c: &mut Canvas, chance: &mut Chance, k: &Look) {
    let u = c.side() / 100.0;
    let back =
        c.linear((0.0, 0.0), (c.w, c.h), &[(0.0, k.main.lift(0.05), 1.0), (1.0, k.accent.mix(k.main, 0.3), 1.0)]);
    c.page(&back);
    let (x0, y0, w, h) = (5.0 * u, 7.0 * u, c.w - 10.0 * u, c.h - 14.0 * u);
    c.blurred(u * 2.0);
    c.round(x0, y0 + 2.0 * u, w, h, 3.0 * u, &k.ink.at(0.1).alpha(0.35));
    c.end();
    c.round(x0, y0, w, h, 3.0 * u, &k.ground.hex());
    let side = 15.0 * u;
    c.round(x0, y0, side, h, 3.0 * u, &k.card.hex());
    c.circle(x0 + 4.2 * u, y0 + 5.2 * u, 1.6 * u, &k.accent.hex());
    c.round(x0 + 7.0 * u, y0 + 4.5 * u, 5.5 * u, 1.5 * u, u, &k.ink.hex());
    let rows = ((h / u - 16.0) / 6.0) as usize;
    for i in 0..rows.min(9) {
        let y = y0 + 12.0 * u + 5.2 * u * i as f32;
        if i == 1 {
            c.round(x0 + 1.6 * u, y - 1.3 * u, side - 3.2 * u, 4.0 * u, 1.2 * u, &k.main.alpha(0.22));
        }
        let tone = if i == 1 { k.main } else { k.quiet };
        c.round(x0 + 3.2 * u, y, 1.5 * u, 1.5 * u, 0.4 * u, &tone.hex());
        c.round(x0 + 6.0 * u, y + 0.2 * u, u * chance.between(4.0, 7.0), 1.1 * u, u, &tone.alpha(0.8));
    }
    let (x, w) = (x0 + side + 3.0 * u, w - side - 6.0 * u);
    c.text((x, y0 + 7.0 * u), 3.4 * u, Face::Bold, &k.ink.hex(), "start", &heading(brief));
    c.circle(x + w - 2.0 * u, y0 + 5.8 * u, 2.0 * u, &k.accent.hex());
    c.round(x + w - 22.0 * u, y0 + 4.0 * u, 16.0 * u, 3.6 * u, 1.8 * u, &k.card.hex());
    let each = (w - 6.0 * u) / 4.0;
    for i in 0..4 {
        let (cx, cy) = (x + (each + 2.0 * u) * i as f32, y0 + 11.0 * u);
        card(c, k, cx, cy, each, 14.0 * u, u);
        c.round(cx + 2.0 * u, cy + 2.2 * u, each * 0.4, u, u, &k.quiet.hex());
        let value = match chance.below(4) {
            0 => format!("{}%", chance.count(12, 98)),
            1 => format!("{}.{}k", chance.count(1, 48), chance.count(0, 9)),
            2 => format!("{}", chance.count(120, 980)),
            _ => format!("{}:{:02}", chance.count(1, 23), chance.count(0, 59)),
        };
        c.text((cx + 2.0 * u, cy + 8.0 * u), 4.2 * u, Face::Bold, &k.ink.hex(), "start", &value);
        let points = curve(chance, (cx + each * 0.48, cy + 8.4 * u), each * 0.44, 3.6 * u, 9);
        c.stroke(&smooth(&points, Close::No), &[k.main, k.accent][i % 2].hex(), 0.45 * u);
    }
    let y = y0 + 28.0 * u;
    let rest = y0 + h - y - 3.0 * u;
    let (top, low) = (rest * 0.56, rest * 0.44 - 2.0 * u);
    let wide = w * 0.63;
    card(c, k, x, y, wide, top, u);
    for i in 0..5 {
        let gy = y + top * (0.24 + 0.16 * i as f32);
        c.line((x + 2.5 * u, gy), (x + wide - 2.5 * u, gy), &k.quiet.alpha(0.22), 0.15 * u);
    }
    c.round(x + 2.5 * u, y + 2.4 * u, 14.0 * u, 1.5 * u, u, &k.ink.alpha(0.85));
    let points = curve(chance, (x + 2.5 * u, y + top * 0.4), wide - 5.0 * u, top * 0.4, 14);
    area(c, &points, y + top - 2.0 * u, k.main, 0.55 * u);
    let points = curve(chance, (x + 2.5 * u, y + top * 0.3), wide - 5.0 * u, top * 0.4, 14);
    c.stroke(&smooth(&points, Close::No), &k.accent.hex(), 0.5 * u);
    if let Some((px, py)) = points.get(8) {
        c.circle(*px, *py, 1.1 * u, &k.card.hex());
        c.ring(*px, *py, 1.1 * u, &k.accent.hex(), 0.5 * u);
    }
    let (rx, rw) = (x + wide + 2.0 * u, w - wide - 2.0 * u);
    card(c, k, rx, y, rw, top, u);
    if brief.has("bike map sharing city travel logistics fleet delivery") {
        map(c, chance, k, (rx, y), (rw, top), u);
    } else {
        let (at, r) = ((rx + rw / 2.0, y + top / 2.0), rw.min(top) * 0.34);
        let mut from = 0.0;
        for (share, tone) in [(0.46, k.main), (0.27, k.accent), (0.16, k.main.mix(k.card, 0.5)), (0.11, k.quiet)] {
            let to = from + share * std::f32::consts::TAU;
            c.path(&arc(at, r * 0.66, r, from + 0.05, to - 0.02), &tone.hex());
            from = to;
        }
        c.text(
            (at.0, at.1 + 1.6 * u),
            4.4 * u,
            Face::Bold,
            &k.ink.hex(),
            "middle",
            &format!("{}%", chance.count(41, 93)),
        );
    }
    let y = y + top + 2.0 * u;
    card(c, k, x, y, w * 0.42, low, u);
    let bars = 12;
    for i in 0..bars {
        let bh = (low - 7.0 * u) * chance.between(0.25, 1.0);
        let bw = (w * 0.42 - 5.0 * u) / bars as f32;
        c.round(
            x + 2.5 * u + bw * i as f32,
            y + low - 2.5 * u - bh,
            bw * 0.6,
            bh,
            bw * 0.25,
            &if i == 8 { k.accent } else { k.main.mix(k.card, 0.25) }.hex(),
        );
    }
    let (lx, lw) = (x + w * 0.42 + 2.0 * u, w * 0.58 - 2.0 * u);
    card(c, k, lx, y, lw, low, u);
    for i in 0..((low / u - 3.0) / 4.6) as usize {
        let ly = y + 2.6 * u + 4.6 * u * i as f32;
        c.circle(lx + 3.6 * u, ly + 1.4 * u, 1.4 * u, &[k.main, k.accent, k.quiet][i % 3].hex());
        c.round(lx + 6.6 * u, ly + 0.4 * u, u * chance.between(9.0, 15.0), 1.0 * u, u, &k.ink.alpha(0.8));
        c.round(lx + 6.6 * u, ly + 2.0 * u, u * chance.between(5.0, 9.0), 0.7 * u, u, &k.quiet.alpha(0.7));
        c.round(lx + lw - 9.0 * u, ly + 0.5 * u, 6.5 * u, 2.0 * u, u, &[k.main, k.accent][i % 2].alpha(0.25));
    }
}

fn heading(brief: &Brief) -> String {
    if brief.quoted.is_empty() { "Overview".to_owned() } else { brief.quoted[0].chars().take(20).collect() }
}

fn map(c: &mut Canvas, chance: &mut Chance, k: &Look, (x, y): Pt, (w, h): Pt, u: f32) {
    c.clipped(&format!("M{} {}h{}v{}h-{}z", x + u, y + u, w - 2.0 * u, h - 2.0 * u, w - 2.0 * u));
    c.rect(x, y, w, h, &k.ground.mix(k.main, 0.1).hex());
    for i in 0..9 {
        let t = i as f32 / 8.0;
        c.line((x + w * t, y), (x + w * (t - 0.25), y + h), &k.card.hex(), u * 0.7);
        c.line((x, y + h * t), (x + w, y + h * (t + 0.14)), &k.card.hex(), u * 0.7);
    }
    let river: Vec<Pt> = (0..6)
        .map(|i| (x + w * (0.1 + 0.17 * i as f32), y + h * (0.8 - 0.1 * i as f32) + chance.jitter(h * 0.1)))
        .collect();
    c.stroke(&smooth(&river, Close::No), &k.main.alpha(0.45), 2.4 * u);
    for _ in 0..9 {
        let (px, py) = (x + w * chance.between(0.12, 0.88), y + h * chance.between(0.12, 0.88));
        let tone = chance.pick(&[k.accent, k.main]);
        c.circle(px, py, 2.2 * u, &tone.alpha(0.25));
        c.circle(px, py, 0.9 * u, &tone.hex());
    }
    c.end();
}

fn phones(brief: &Brief, c: &mut Canvas, chance: &mut Chance, k: &Look, dark: bool) {
    let (s, w, h) = (c.side(), c.w, c.h);
    let p = &brief.palette;
    let back = c.linear(
        (0.0, 0.0),
        (w, h),
        &[
            (0.0, if dark { p.deep.at(0.3) } else { p.main.at(0.84).vivid(0.8) }, 1.0),
            (1.0, if dark { p.ink.at(0.14) } else { p.accent.at(0.86).vivid(0.7) }, 1.0),
        ],
    );
    c.page(&back);
    c.circle(w * 0.82, h * 0.2, s * 0.26, &k.main.alpha(0.35));
    c.circle(w * 0.14, h * 0.84, s * 0.2, &k.accent.alpha(0.35));
    let tall = s * 0.78;
    let wide = tall * 0.48;
    let turn = chance.jitter(5.0);
    for (i, dx) in [-0.31, 0.31, 0.0].into_iter().enumerate() {
        let scale = if i == 2 { 1.0 } else { 0.86 };
        let (pw, ph) = (wide * scale, tall * scale);
        let (x, y) = (w / 2.0 + dx * s - pw / 2.0, h / 2.0 - ph / 2.0);
        c.turned(turn + if i == 2 { 0.0 } else { dx * 12.0 }, (w / 2.0, h / 2.0));
        phone(brief, c, chance, k, (x, y), (pw, ph), i);
        c.end();
    }
}

fn phone(brief: &Brief, c: &mut Canvas, chance: &mut Chance, k: &Look, (x, y): Pt, (w, h): Pt, page: usize) {
    let u = w / 40.0;
    c.blurred(u * 1.4);
    c.round(x, y + 2.0 * u, w, h, 5.0 * u, &k.ink.at(0.1).alpha(0.4));
    c.end();
    c.round(x, y, w, h, 5.0 * u, &k.ink.at(0.14).hex());
    let (x, y, w, h) = (x + u, y + u, w - 2.0 * u, h - 2.0 * u);
    c.round(x, y, w, h, 4.2 * u, &k.ground.hex());
    c.round(x + w / 2.0 - 5.0 * u, y + 1.2 * u, 10.0 * u, 2.0 * u, u, &k.ink.at(0.12).hex());
    let (l, r) = (x + 3.0 * u, w - 6.0 * u);
    match page {
        2 => {
            let hero =
                c.linear((x, y), (x + w, y + h * 0.5), &[(0.0, k.main, 1.0), (1.0, k.main.mix(k.accent, 0.5), 1.0)]);
            c.round(l, y + 6.0 * u, r, h * 0.4, 3.0 * u, &hero);
            let (cx, cy) = (l + r / 2.0, y + 6.0 * u + h * 0.2);
            c.circle(cx - 5.0 * u, cy + 2.0 * u, 8.0 * u, &WHITE.alpha(0.25));
            c.circle(cx + 5.0 * u, cy - 3.0 * u, 6.0 * u, &k.accent.alpha(0.9));
            c.round(cx - 8.0 * u, cy - 3.0 * u, 16.0 * u, 10.0 * u, 1.6 * u, &WHITE.alpha(0.92));
            c.round(cx - 6.0 * u, cy - 0.6 * u, 3.0 * u, 2.4 * u, 0.6 * u, &k.accent.hex());
            c.round(cx - 6.0 * u, cy + 3.6 * u, 9.0 * u, 1.0 * u, u, &k.ink.at(0.5).alpha(0.6));
            let title = brief.quoted.first().map_or("Hello.", String::as_str);
            let size = (4.2 * u).min(r / Face::Bold.width(title).max(1.0));
            c.text((l + r / 2.0, y + h * 0.4 + 14.0 * u), size, Face::Bold, &k.ink.hex(), "middle", title);
            for (i, part) in [0.8, 0.62].into_iter().enumerate() {
                c.round(
                    l + r * (1.0 - part) / 2.0,
                    y + h * 0.4 + (17.5 + 2.6 * i as f32) * u,
                    r * part,
                    1.2 * u,
                    u,
                    &k.quiet.alpha(0.7),
                );
            }
            for i in 0..3 {
                c.round(
                    l + r / 2.0 + (i as f32 * 3.0 - 4.0) * u,
                    y + h - 14.0 * u,
                    if i == 0 { 3.0 * u } else { 1.4 * u },
                    1.2 * u,
                    u,
                    &if i == 0 { k.main } else { k.quiet }.hex(),
                );
            }
            c.round(l, y + h - 10.0 * u, r, 6.4 * u, 3.2 * u, &k.main.at(0.52).hex());
            c.text((l + r / 2.0, y + h - 5.8 * u), 2.6 * u, Face::Bold, &WHITE.hex(), "middle", "Get started");
        }
        0 => {
            c.round(l, y + 6.0 * u, 12.0 * u, 1.8 * u, u, &k.ink.hex());
            let bank = c.linear((l, y), (l + r, y + 30.0 * u), &[(0.0, k.ink.at(0.3), 1.0), (1.0, k.main, 1.0)]);
            c.round(l, y + 10.0 * u, r, 19.0 * u, 2.4 * u, &bank);
            c.text(
                (l + 2.4 * u, y + 24.0 * u),
                4.0 * u,
                Face::Bold,
                &WHITE.hex(),
                "start",
                &format!("{},{:03}", chance.count(1, 24), chance.count(0, 999)),
            );
            c.circle(l + r - 4.0 * u, y + 14.0 * u, 1.8 * u, &k.accent.hex());
            for i in 0..6 {
                let ly = y + 33.0 * u + 6.4 * u * i as f32;
                card(c, k, l, ly, r, 5.4 * u, u * 0.8);
                c.circle(l + 3.2 * u, ly + 2.7 * u, 1.6 * u, &[k.main, k.accent, k.quiet][i % 3].hex());
                c.round(l + 6.4 * u, ly + 1.4 * u, u * chance.between(8.0, 13.0), u, u, &k.ink.alpha(0.8));
                c.round(l + 6.4 * u, ly + 3.2 * u, u * chance.between(4.0, 8.0), 0.7 * u, u, &k.quiet.alpha(0.6));
            }
        }
        _ => {
            c.round(l, y + 6.0 * u, 14.0 * u, 1.8 * u, u, &k.ink.hex());
            card(c, k, l, y + 10.0 * u, r, 26.0 * u, u);
            let points = curve(chance, (l + 2.0 * u, y + 18.0 * u), r - 4.0 * u, 12.0 * u, 10);
            area(c, &points, y + 35.0 * u, k.accent, 0.7 * u);
            for i in 0..4 {
                let (cx, cy) = (l + (i % 2) as f32 * (r / 2.0 + u), y + 39.0 * u + (i / 2) as f32 * 15.0 * u);
                card(c, k, cx, cy, r / 2.0 - u, 13.0 * u, u);
                c.circle(cx + 4.0 * u, cy + 4.0 * u, 2.0 * u, &[k.main, k.accent][i % 2].alpha(0.9));
                c.round(cx + 2.0 * u, cy + 8.4 * u, u * chance.between(6.0, 10.0), 1.1 * u, u, &k.ink.alpha(0.8));
            }
        }
    }
}
