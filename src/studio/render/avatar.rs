//! Small round portraits for usernames.
//!
//! The same username always gets the same avatar.

use super::canvas::{Canvas, Close, Face, smooth};
use super::chance::Chance;
use super::palette::Palette;

/// A small SVG avatar of `px` pixels a side, the same for the same username.
pub fn avatar(username: &str, px: u32) -> String {
    let mut chance = Chance::new(&["avatar", username]);
    let palette = Palette::choose(&[], &mut chance);
    let s = px.clamp(8, 1024) as f32;
    let mut c = Canvas::new(s, s);
    let (from, to) =
        chance.pick(&[(palette.main, palette.soft), (palette.deep, palette.main), (palette.accent, palette.soft)]);
    let angle = chance.between(0.0, std::f32::consts::TAU);
    let (dx, dy) = (angle.cos() * s * 0.6, angle.sin() * s * 0.6);
    let ground =
        c.linear((s / 2.0 - dx, s / 2.0 - dy), (s / 2.0 + dx, s / 2.0 + dy), &[(0.0, from, 1.0), (1.0, to, 1.0)]);
    c.page(&ground);
    for layer in 0..2 {
        let colour = if layer == 0 { palette.accent } else { palette.deep };
        let (x, y, r) = (chance.between(0.1, 0.9) * s, chance.between(0.45, 1.05) * s, chance.between(0.28, 0.5) * s);
        let blob: Vec<_> = (0..7)
            .map(|i| {
                let (sin, cos) = (i as f32 * 0.8976).sin_cos();
                let r = r * chance.between(0.8, 1.2);
                (x + cos * r, y + sin * r)
            })
            .collect();
        c.path(&smooth(&blob, Close::Yes), &colour.alpha(0.75));
    }
    let letter: String =
        username.chars().find(|c| c.is_alphanumeric()).into_iter().flat_map(char::to_uppercase).collect();
    let ink = if from.mix(to, 0.5).lightness() > 0.66 { palette.ink } else { palette.paper };
    c.text((s / 2.0, s * 0.66), s * 0.46, Face::Bold, &ink.hex(), "middle", &letter);
    c.svg()
}
