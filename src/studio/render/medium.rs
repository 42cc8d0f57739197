//! How a scene becomes a picture: clean, on film, in pixels, in paint.
//!
//! Every medium starts from the same drawing and keeps its composition.

use std::f32::consts::TAU;
use std::sync::Arc;

use image::{RgbaImage, imageops};
use resvg::usvg::fontdb;

use super::canvas::{Canvas, Pt};
use super::chance::{Chance, Noise};
use super::colour::Colour;
use super::palette::Palette;
use super::prompt::{Brief, Family, Medium};
use super::{raster, scenes};

/// Draws the brief in its medium.
pub(super) fn paint(
    brief: &Brief,
    size: (u32, u32),
    chance: &mut Chance,
    fonts: &Arc<fontdb::Database>,
) -> Result<RgbaImage, String> {
    let mut canvas = Canvas::new(size.0 as f32, size.1 as f32);
    scenes::compose(brief, &mut canvas, chance);
    let svg = canvas.svg();
    let sample = |divide: u32| raster::render(&svg, (size.0 / divide, size.1 / divide), fonts);
    let mut image = match brief.medium {
        Medium::Pixel => return Ok(pixelate(&sample(6)?, size)),
        Medium::LowPoly => raster::render(&low_poly(&sample(4)?, size, chance), size, fonts)?,
        Medium::Oil => raster::render(&strokes(&sample(4)?, size, chance), size, fonts)?,
        Medium::Watercolour => watercolour(&sample(2)?, size, chance, &brief.palette),
        Medium::Ink => ink(&sample(2)?, size, &brief.palette),
        Medium::Riso => riso(&sample(2)?, size, &brief.palette),
        Medium::Clean | Medium::Photo | Medium::Film => raster::render(&svg, size, fonts)?,
    };
    let flat = matches!(brief.family, Family::DataViz | Family::Interface);
    let (grain, edge) = match brief.medium {
        Medium::Film => (15, 0.34),
        Medium::Photo => (6, 0.2),
        Medium::Oil => (6, 0.1),
        Medium::Watercolour => (5, 0.0),
        Medium::Clean if flat => (0, 0.0),
        _ => (4, 0.06),
    };
    finish(&mut image, grain, edge, brief.medium == Medium::Film, chance);
    Ok(image)
}

/// Grain, a darker edge and, for film, a faded curve.
fn finish(image: &mut RgbaImage, grain: i32, edge: f32, film: bool, chance: &mut Chance) {
    if grain == 0 && edge == 0.0 {
        return;
    }
    let (w, h) = image.dimensions();
    let mut state = (chance.unit() * 4e9) as u32 | 1;
    let columns: Vec<f32> = (0..w).map(|x| (x as f32 / w as f32 * 2.0 - 1.0).powi(2)).collect();
    for (y, row) in image.chunks_exact_mut(w as usize * 4).enumerate() {
        let fy = (y as f32 / h as f32 * 2.0 - 1.0).powi(2);
        for (pixel, fx) in row.chunks_exact_mut(4).zip(&columns) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let noise = ((state & 255) as i32 + ((state >> 8) & 255) as i32 - 255) * grain / 255;
            let far = (fx + fy) * 0.5;
            let keep = ((1.0 - edge * far * far) * 256.0) as i32;
            for (i, channel) in pixel[..3].iter_mut().enumerate() {
                let mut v = ((i32::from(*channel) * keep) >> 8) + noise;
                if film {
                    v = 16 + v * 222 / 255 + [6, 2, -4][i];
                }
                *channel = v.clamp(0, 255) as u8;
            }
        }
    }
}

/// Big square pixels in few colours.
fn pixelate(small: &RgbaImage, size: (u32, u32)) -> RgbaImage {
    let mut small = small.clone();
    const BAYER: [[f32; 4]; 4] =
        [[0.0, 8.0, 2.0, 10.0], [12.0, 4.0, 14.0, 6.0], [3.0, 11.0, 1.0, 9.0], [15.0, 7.0, 13.0, 5.0]];
    for (x, y, pixel) in small.enumerate_pixels_mut() {
        let lean = (BAYER[(y % 4) as usize][(x % 4) as usize] / 16.0 - 0.5) * 26.0;
        for channel in &mut pixel.0[..3] {
            let v = f32::from(*channel) + lean;
            *channel = ((v / 28.0).round() * 28.0).clamp(0.0, 255.0) as u8;
        }
    }
    imageops::resize(&small, size.0, size.1, imageops::FilterType::Nearest)
}

fn pick(image: &RgbaImage, x: f32, y: f32) -> Colour {
    let x = (x.max(0.0) as u32).min(image.width() - 1);
    let y = (y.max(0.0) as u32).min(image.height() - 1);
    let [r, g, b, _] = image.get_pixel(x, y).0;
    Colour { r: f32::from(r) / 255.0, g: f32::from(g) / 255.0, b: f32::from(b) / 255.0 }
}

/// Triangles in the colours of what lies under them.
fn low_poly(small: &RgbaImage, size: (u32, u32), chance: &mut Chance) -> String {
    let (w, h) = (size.0 as f32, size.1 as f32);
    let mut c = Canvas::new(w, h);
    let cell = w.min(h) / 26.0;
    let (nx, ny) = ((w / cell).ceil() as usize + 2, (h / cell).ceil() as usize + 2);
    let mut points: Vec<Pt> = Vec::new();
    for y in 0..=ny {
        for x in 0..=nx {
            let shift = if y % 2 == 0 { 0.0 } else { 0.5 };
            points.push((
                (x as f32 - 1.0 + shift + chance.jitter(0.3)) * cell,
                (y as f32 - 1.0 + chance.jitter(0.3)) * cell,
            ));
        }
    }
    let at = |x: usize, y: usize| points[y * (nx + 1) + x];
    for y in 0..ny {
        for x in 0..nx {
            let (a, b, d, e) = (at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1));
            let halves = if y % 2 == 0 { [[a, b, d], [b, e, d]] } else { [[a, b, e], [a, e, d]] };
            for t in halves {
                let (mx, my) = ((t[0].0 + t[1].0 + t[2].0) / 3.0, (t[0].1 + t[1].1 + t[2].1) / 3.0);
                let colour = pick(small, mx / 4.0, my / 4.0).lift(chance.jitter(0.035)).hex();
                c.poly(&t, &colour);
                c.stroke(&super::canvas::polygon(&t), &colour, 0.8);
            }
        }
    }
    c.svg()
}

/// Brush strokes that follow a slow swirl, large below, small on top.
fn strokes(small: &RgbaImage, size: (u32, u32), chance: &mut Chance) -> String {
    let (w, h) = (size.0 as f32, size.1 as f32);
    let mut c = Canvas::new(w, h);
    let u = w.min(h) / 100.0;
    c.page(&pick(small, w / 8.0, h / 8.0).hex());
    let field = chance.noise();
    for (step, wide, long, lean) in [(4.2, 5.0, 8.0, 0.03), (2.3, 2.4, 4.5, 0.05), (1.7, 1.2, 2.6, 0.07)] {
        let (nx, ny) = ((w / (u * step)) as usize + 1, (h / (u * step)) as usize + 1);
        for i in 0..nx * ny {
            let x = (i % nx) as f32 * u * step + chance.jitter(u * step * 0.6);
            let y = (i / nx) as f32 * u * step + chance.jitter(u * step * 0.6);
            // Fine strokes only go where the picture has detail.
            let here = pick(small, x / 4.0, y / 4.0);
            if step < 2.0 {
                let (a, b) = (pick(small, x / 4.0 + 3.0, y / 4.0), pick(small, x / 4.0, y / 4.0 + 3.0));
                let change = (here.r - a.r).abs() + (here.g - a.g).abs() + (here.r - b.r).abs() + (here.b - b.b).abs();
                if change < 0.05 && chance.hit(0.8) {
                    continue;
                }
            }
            let angle = field.fractal(x / (u * 32.0), y / (u * 32.0), 2) * 2.6;
            let (dx, dy) = (angle.cos() * u * long / 2.0, angle.sin() * u * long / 2.0);
            let bend = chance.jitter(0.25) * u * long;
            let d = super::canvas::smooth(
                &[(x - dx, y - dy), (x - dy / long * bend / u * 0.2, y + dx / long * bend / u * 0.2), (x + dx, y + dy)],
                super::canvas::Close::No,
            );
            let colour = here.lift(chance.jitter(lean)).vivid(chance.between(1.0, 1.25));
            c.stroke(&d, &colour.alpha(0.92), u * wide * chance.between(0.7, 1.1));
        }
    }
    c.svg()
}

/// Noise laid out on a coarse grid, read smoothly: cheap enough for every pixel.
struct Sheet {
    width: usize,
    cells: Vec<f32>,
    cell: f32,
}

impl Sheet {
    fn new(noise: Noise, (w, h): (u32, u32), cell: f32, scale: f32, octaves: u32) -> Self {
        let (width, height) = ((w as f32 / cell) as usize + 3, (h as f32 / cell) as usize + 3);
        let at =
            |i: usize| noise.fractal((i % width) as f32 * cell / scale, (i / width) as f32 * cell / scale, octaves);
        Self { width, cells: (0..width * height).map(at).collect(), cell }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x / self.cell, y / self.cell);
        let (ix, iy) = (x as usize, y as usize);
        let (tx, ty) = (x - ix as f32, y - iy as f32);
        let i = iy * self.width + ix;
        let row = |i: usize| {
            let a = self.cells.get(i).copied().unwrap_or(0.0);
            a + (self.cells.get(i + 1).copied().unwrap_or(0.0) - a) * tx
        };
        let top = row(i);
        top + (row(i + self.width) - top) * ty
    }
}

/// Wandering edges, pigment that pools, paper that shows.
fn watercolour(half: &RgbaImage, size: (u32, u32), chance: &mut Chance, palette: &Palette) -> RgbaImage {
    let half_size = half.dimensions();
    let soft = imageops::fast_blur(half, 2.2);
    let u = half_size.0.min(half_size.1) as f32;
    let (dx, dy) = (
        Sheet::new(chance.noise(), half_size, 4.0, u * 0.05, 3),
        Sheet::new(chance.noise(), half_size, 4.0, u * 0.05, 3),
    );
    let wash = Sheet::new(chance.noise(), half_size, 4.0, u * 0.22, 4);
    let tooth = Sheet::new(chance.noise(), half_size, 1.0, 3.0, 2);
    let paper = palette.paper.mix(super::colour::WHITE, 0.6).bytes();
    let (w, h) = half_size;
    let mut out = RgbaImage::new(w, h);
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let (fx, fy) = (x as f32, y as f32);
        let (sx, sy) = (fx + dx.at(fx, fy) * u * 0.014, fy + dy.at(fx, fy) * u * 0.014);
        let sx = (sx.max(0.0) as u32).min(w - 1);
        let sy = (sy.max(0.0) as u32).min(h - 1);
        let (here, around) = (half.get_pixel(sx, sy).0, soft.get_pixel(sx, sy).0);
        let edge: i32 = (0..3).map(|i| (i32::from(here[i]) - i32::from(around[i])).abs()).sum();
        let pool = 1.0 - (edge as f32 / 255.0).min(0.5) * 0.5;
        let load = (0.76 + 0.22 * wash.at(fx, fy) + 0.05 * tooth.at(fx, fy)).clamp(0.4, 0.97);
        let border = [fx, fy, w as f32 - 1.0 - fx, h as f32 - 1.0 - fy].into_iter().fold(f32::MAX, f32::min);
        let frame = ((border - u * 0.045 + dx.at(fx, fy) * u * 0.03) / 3.0).clamp(0.0, 1.0);
        let load = load * frame;
        for i in 0..3 {
            let (p, v) = (f32::from(paper[i]), f32::from(here[i]) * pool);
            pixel.0[i] = (p + (v - p) * load).clamp(0.0, 255.0) as u8;
        }
        pixel.0[3] = 255;
    }
    imageops::resize(&out, size.0, size.1, imageops::FilterType::CatmullRom)
}

/// Drawn lines with hatched shade on tinted paper.
fn ink(half: &RgbaImage, size: (u32, u32), palette: &Palette) -> RgbaImage {
    let (w, h) = half.dimensions();
    let soft = imageops::fast_blur(half, 0.8);
    let (paper, pen) = (palette.paper.bytes().map(f32::from), palette.ink.bytes().map(f32::from));
    let luma = |x: u32, y: u32| {
        let p = soft.get_pixel(x.min(w - 1), y.min(h - 1)).0;
        0.3 * f32::from(p[0]) + 0.59 * f32::from(p[1]) + 0.11 * f32::from(p[2])
    };
    let mut out = RgbaImage::new(w, h);
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let (gx, gy) = (luma(x + 1, y) - luma(x.saturating_sub(1), y), luma(x, y + 1) - luma(x, y.saturating_sub(1)));
        let edge = ((gx.hypot(gy) - 7.0) / 16.0).clamp(0.0, 1.0);
        let tone = luma(x, y) / 255.0;
        let mut hatch = 0.0_f32;
        for (level, along, gap) in [(0.62, x + y, 7), (0.42, x + h - y, 7), (0.24, 2 * x + y, 6)] {
            if tone < level && along % gap < 2 {
                hatch = hatch.max(((level - tone) * 4.0).min(0.75));
            }
        }
        let mark = edge.max(hatch);
        let here = half.get_pixel(x, y).0;
        for i in 0..3 {
            let wash = paper[i] * 0.8 + f32::from(here[i]) * 0.2;
            pixel.0[i] = (wash + (pen[i] - wash) * mark) as u8;
        }
        pixel.0[3] = 255;
    }
    imageops::resize(&out, size.0, size.1, imageops::FilterType::CatmullRom)
}

/// Two inks and halftone dots, a little out of register.
fn riso(half: &RgbaImage, size: (u32, u32), palette: &Palette) -> RgbaImage {
    let (w, h) = half.dimensions();
    let paper = palette.paper.bytes().map(f32::from);
    let inks = [(palette.main, TAU / 24.0, 0_u32), (palette.deep, TAU / 6.0, 3)];
    let mut out = RgbaImage::new(w, h);
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let mut rgb = paper;
        for (k, (colour, angle, shift)) in inks.iter().enumerate() {
            let p = half.get_pixel((x + shift).min(w - 1), y).0.map(f32::from);
            let luma = (0.3 * p[0] + 0.59 * p[1] + 0.11 * p[2]) / 255.0;
            let warm = ((p[0] - p[2]) / 255.0 * 0.7 + 0.35).clamp(0.0, 1.0);
            let tone = if k == 0 { (1.0 - luma) * 0.6 + warm * 0.35 } else { ((1.0 - luma) * 1.8 - 0.8).max(0.0) };
            let (sin, cos) = angle.sin_cos();
            let (u, v) = ((x as f32 * cos - y as f32 * sin) * 1.25, (x as f32 * sin + y as f32 * cos) * 1.25);
            let dot = (u.sin() + v.sin()) * 0.25 + 0.5;
            let mark = ((tone - dot) * 4.0 + 0.5).clamp(0.0, 1.0) * 0.94;
            for (channel, ink) in rgb.iter_mut().zip(colour.bytes()) {
                *channel *= 1.0 - mark * (1.0 - f32::from(ink) / 255.0);
            }
        }
        let [r, g, b] = rgb.map(|v| v.clamp(0.0, 255.0) as u8);
        *pixel = image::Rgba([r, g, b, 255]);
    }
    imageops::resize(&out, size.0, size.1, imageops::FilterType::CatmullRom)
}
