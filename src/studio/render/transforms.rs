//! The transforms: pixels in, pixels out.
//!
//! A filter on an SVG is refused as on the real backend; `convert` and `resize` turn it into pixels.

use std::sync::Arc;

use image::{Rgba, RgbaImage, imageops};
use resvg::usvg::fontdb;

use super::canvas::{Canvas, Face};
use super::colour::{Colour, hex};
use super::raster::{self, Picture};
use super::steps::Params;
use super::{Format, MAX_SIDE};

/// One transform with its parameters.
pub(super) enum Op {
    Convert(Format),
    Resize { width: Option<u32>, height: Option<u32>, fit: Fit },
    Blur(f32),
    Sharpen(f32),
    Grayscale,
    Negate,
    Normalize,
    Threshold(u8),
    Modulate { brightness: f32, saturation: f32, hue: f32, lightness: f32 },
    Tint(Colour),
    Extend { top: u32, bottom: u32, left: u32, right: u32, background: Option<Colour> },
    Extract { left: u32, top: u32, width: u32, height: u32 },
    RoundCorners(u32),
    AddText { text: String, x: f32, y: f32, size: f32, colour: Colour },
    AddCaption { text: String, top: bool, size: Option<f32>, colour: Colour, background: Colour },
    Preset(String),
    Composite { left: i64, top: i64, opacity: f32 },
}

/// How a picture is fitted into a size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Cover,
    Contain,
    Fill,
}

/// Why a transform failed.
pub(super) struct Fault {
    pub(super) parameter: &'static str,
    pub(super) code: &'static str,
    pub(super) message: String,
}

fn failed(message: String) -> Fault {
    Fault { parameter: "in", code: "RENDER_FAILED", message }
}

impl Op {
    pub(super) fn read(name: &str, p: &mut Params<'_>) -> Option<Self> {
        p.text("provider", 64, Some("sharp"));
        Some(match name {
            "convert" => {
                let to = p.choice("to", &["png", "jpeg", "jpg", "webp"], None);
                p.whole("quality", (1, 100), Some(90));
                Self::Convert(match to?.as_str() {
                    "jpeg" | "jpg" => Format::Jpeg,
                    "webp" => Format::Webp,
                    _ => Format::Png,
                })
            }
            "resize" => {
                let width = p.maybe_whole("width", (1, MAX_SIDE));
                let height = p.maybe_whole("height", (1, MAX_SIDE));
                let fit = match p.choice("fit", &["cover", "contain", "fill"], Some("cover"))?.as_str() {
                    "contain" => Fit::Contain,
                    "fill" => Fit::Fill,
                    _ => Fit::Cover,
                };
                let (width, height) = (width?, height?);
                if width.is_none() && height.is_none() {
                    p.fault("width", "MISSING_PARAMETER", "transform `resize` needs `width` or `height`".to_owned());
                    return None;
                }
                Self::Resize { width, height, fit }
            }
            "blur" => Self::Blur(p.number("sigma", (0.3, 100.0), None)? as f32),
            "sharpen" => Self::Sharpen(p.number("sigma", (0.3, 10.0), None)? as f32),
            "grayscale" => Self::Grayscale,
            "negate" => Self::Negate,
            "normalize" => Self::Normalize,
            "threshold" => Self::Threshold(p.whole("value", (0, 255), Some(128))? as u8),
            "modulate" => {
                let brightness = p.number("brightness", (0.0, 10.0), Some(1.0));
                let saturation = p.number("saturation", (0.0, 10.0), Some(1.0));
                let hue = p.number("hue", (-360.0, 360.0), Some(0.0));
                let lightness = p.number("lightness", (-100.0, 100.0), Some(0.0));
                Self::Modulate {
                    brightness: brightness? as f32,
                    saturation: saturation? as f32,
                    hue: hue? as f32,
                    lightness: lightness? as f32,
                }
            }
            "tint" => Self::Tint(p.colour("color", None)?),
            "extend" => {
                let mut side = |key| p.whole(key, (0, 1024), Some(0));
                let (top, bottom, left, right) = (side("top"), side("bottom"), side("left"), side("right"));
                let background = match p.raw("background") {
                    None => Some(None),
                    Some(_) => p.colour("background", None).map(Some),
                };
                Self::Extend { top: top?, bottom: bottom?, left: left?, right: right?, background: background? }
            }
            "extract" => {
                let left = p.whole("left", (0, MAX_SIDE - 1), Some(0));
                let top = p.whole("top", (0, MAX_SIDE - 1), Some(0));
                let width = p.whole("width", (1, MAX_SIDE), None);
                let height = p.whole("height", (1, MAX_SIDE), None);
                Self::Extract { left: left?, top: top?, width: width?, height: height? }
            }
            "roundCorners" => Self::RoundCorners(p.whole("radius", (1, 1024), None)?),
            "addText" => {
                let text = p.text("text", 200, None);
                let x = p.number("x", (-2048.0, 2048.0), Some(40.0));
                let y = p.number("y", (-2048.0, 2048.0), Some(80.0));
                let size = p.number("size", (6.0, 512.0), Some(48.0));
                let colour = p.colour("color", Some(hex(0xffffff)));
                Self::AddText { text: text?, x: x? as f32, y: y? as f32, size: size? as f32, colour: colour? }
            }
            "addCaption" => {
                let text = p.text("text", 200, None);
                let position = p.choice("position", &["top", "bottom"], Some("bottom"));
                let size = match p.raw("size") {
                    None => Some(None),
                    Some(_) => p.number("size", (6.0, 256.0), None).map(|n| Some(n as f32)),
                };
                let colour = p.colour("color", Some(hex(0xffffff)));
                let background = p.colour("background", Some(hex(0x000000)));
                Self::AddCaption {
                    text: text?,
                    top: position? == "top",
                    size: size?,
                    colour: colour?,
                    background: background?,
                }
            }
            "preset" => Self::Preset(p.choice("name", &["vintage", "cool", "warm", "dramatic"], None)?),
            "composite" => {
                let left = p.number("left", (-2048.0, 2048.0), Some(0.0));
                let top = p.number("top", (-2048.0, 2048.0), Some(0.0));
                let opacity = p.number("opacity", (0.0, 1.0), Some(1.0));
                Self::Composite { left: left? as i64, top: top? as i64, opacity: opacity? as f32 }
            }
            _ => return None,
        })
    }

    /// How many pixels the result has, where that is more than was there.
    pub(super) fn area(&self, (w, h): (u32, u32)) -> Option<u64> {
        let area = |(w, h): (u32, u32)| u64::from(w) * u64::from(h);
        match self {
            Self::Resize { width, height, fit } => Some(area(target((w, h), *width, *height, *fit))),
            Self::Extract { .. } => None,
            _ => Some(area((w, h))),
        }
    }

    /// Applies it.
    pub(super) fn apply(
        &self,
        source: &Picture,
        overlay: Option<&Picture>,
        fonts: &Arc<fontdb::Database>,
    ) -> Result<Picture, Fault> {
        let (image, format) = match source {
            Picture::Raster { image, format } => (image, *format),
            Picture::Svg { text, width, height } => return self.apply_svg(text, (*width, *height), fonts),
        };
        let mut format = format;
        let image = match self {
            Self::Convert(to) => {
                format = *to;
                image.clone()
            }
            Self::Resize { width, height, fit } => resize(image, *width, *height, *fit),
            Self::Blur(sigma) => imageops::fast_blur(image, *sigma),
            Self::Sharpen(sigma) => sharpen(image, *sigma),
            Self::Grayscale => each(image, |[r, g, b]| [luma(r, g, b) as u8; 3]),
            Self::Negate => each(image, |rgb| rgb.map(|v| 255 - v)),
            Self::Normalize => normalize(image),
            Self::Threshold(value) => {
                let value = f32::from(*value);
                each(image, |[r, g, b]| [if luma(r, g, b) >= value { 255 } else { 0 }; 3])
            }
            Self::Modulate { brightness, saturation, hue, lightness } => {
                modulate(image, *brightness, *saturation, *hue, *lightness)
            }
            Self::Tint(colour) => {
                let tint = colour.bytes().map(f32::from);
                each(image, |[r, g, b]| {
                    let l = luma(r, g, b) / 255.0;
                    // The tint colours the mid tones; black stays black and white stays white.
                    tint.map(|t| {
                        let t = t / 255.0;
                        let v = if l < 0.5 { 2.0 * l * t } else { 1.0 - 2.0 * (1.0 - l) * (1.0 - t) };
                        byte(v * 255.0)
                    })
                })
            }
            Self::Extend { top, bottom, left, right, background } => {
                let (w, h) = (image.width() + left + right, image.height() + top + bottom);
                if w > MAX_SIDE || h > MAX_SIDE {
                    let message = format!("extend would make {w}x{h}; a side has at most {MAX_SIDE} pixels");
                    return Err(Fault { parameter: "top", code: "TOO_LARGE", message });
                }
                let [r, g, b] = background.unwrap_or(hex(0x000000)).bytes();
                let mut page = RgbaImage::from_pixel(w, h, Rgba([r, g, b, 255]));
                imageops::overlay(&mut page, image, i64::from(*left), i64::from(*top));
                page
            }
            Self::Extract { left, top, width, height } => {
                let (w, h) = image.dimensions();
                if left + width > w || top + height > h {
                    let message = format!(
                        "extract takes {width}x{height} at {left},{top}, but the picture is {w}x{h}: stay inside it"
                    );
                    return Err(Fault { parameter: "width", code: "OUT_OF_BOUNDS", message });
                }
                imageops::crop_imm(image, *left, *top, *width, *height).to_image()
            }
            Self::RoundCorners(radius) => {
                // JPEG has no transparency, so the result becomes a PNG.
                if format == Format::Jpeg {
                    format = Format::Png;
                }
                round_corners(image, *radius)
            }
            Self::AddText { text, x, y, size, colour } => {
                let mut canvas = Canvas::new(image.width() as f32, image.height() as f32);
                canvas.text((*x, *y), *size, Face::Bold, &colour.hex(), "start", text);
                stamp(image, &canvas, fonts)?
            }
            Self::AddCaption { text, top, size, colour, background } => {
                stamp(image, &caption(image.dimensions(), text, *top, *size, *colour, *background), fonts)?
            }
            Self::Preset(name) => preset(image, name),
            Self::Composite { left, top, opacity } => {
                let rendered;
                let over = match overlay {
                    Some(Picture::Raster { image, .. }) => image,
                    Some(Picture::Svg { text, width, height }) => {
                        rendered = raster::render(text, (*width, *height), fonts).map_err(failed)?;
                        &rendered
                    }
                    None => {
                        let message = "the overlay was not made".to_owned();
                        return Err(Fault { parameter: "overlay", code: "UNKNOWN_INPUT", message });
                    }
                };
                let mut page = image.clone();
                if *opacity < 1.0 {
                    let mut faded = over.clone();
                    for pixel in faded.pixels_mut() {
                        pixel.0[3] = byte(f32::from(pixel.0[3]) * opacity);
                    }
                    imageops::overlay(&mut page, &faded, *left, *top);
                } else {
                    imageops::overlay(&mut page, over, *left, *top);
                }
                page
            }
        };
        Ok(Picture::Raster { image, format })
    }

    fn apply_svg(&self, text: &str, size: (u32, u32), fonts: &Arc<fontdb::Database>) -> Result<Picture, Fault> {
        match self {
            Self::Convert(to) => {
                Ok(Picture::Raster { image: raster::render(text, size, fonts).map_err(failed)?, format: *to })
            }
            Self::Resize { width, height, fit } => {
                // A drawing scales without loss, so it is drawn large enough first.
                let (w, h) = target(size, *width, *height, *fit);
                let (sx, sy) = (w as f32 / size.0 as f32, h as f32 / size.1 as f32);
                let scale = sx.max(sy);
                let side = |v: u32| ((v as f32 * scale).round() as u32).clamp(1, MAX_SIDE);
                let large = if *fit == Fit::Fill { (w, h) } else { (side(size.0), side(size.1)) };
                let image = raster::render(text, large, fonts).map_err(failed)?;
                Ok(Picture::Raster { image: resize(&image, *width, *height, *fit), format: Format::Png })
            }
            _ => Err(Fault {
                parameter: "in",
                code: "NEEDS_RASTER",
                message: "the input is an SVG and filters work on pixels: convert to png first (transform `convert`, to: png)"
                    .to_owned(),
            }),
        }
    }
}

fn byte(v: f32) -> u8 {
    v.round().clamp(0.0, 255.0) as u8
}

fn luma(r: u8, g: u8, b: u8) -> f32 {
    0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)
}

fn each(image: &RgbaImage, f: impl Fn([u8; 3]) -> [u8; 3]) -> RgbaImage {
    let mut image = image.clone();
    for pixel in image.chunks_exact_mut(4) {
        let rgb = f([pixel[0], pixel[1], pixel[2]]);
        pixel[..3].copy_from_slice(&rgb);
    }
    image
}

fn target((w, h): (u32, u32), width: Option<u32>, height: Option<u32>, fit: Fit) -> (u32, u32) {
    let along = |other: u32, from: u32, to: u32| {
        ((u64::from(other) * u64::from(to)) as f64 / f64::from(from.max(1))).round().clamp(1.0, f64::from(MAX_SIDE))
            as u32
    };
    match (width, height) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, if fit == Fit::Fill { h } else { along(h, w, width) }),
        (None, Some(height)) => (if fit == Fit::Fill { w } else { along(w, h, height) }, height),
        (None, None) => (w, h),
    }
}

fn resize(image: &RgbaImage, width: Option<u32>, height: Option<u32>, fit: Fit) -> RgbaImage {
    let (w, h) = image.dimensions();
    let (tw, th) = target((w, h), width, height, fit);
    let filter = if tw < w { imageops::FilterType::Triangle } else { imageops::FilterType::CatmullRom };
    let scaled = |a: u32, scale: f64| ((f64::from(a) * scale).round() as u32).max(1);
    let (sx, sy) = (f64::from(tw) / f64::from(w), f64::from(th) / f64::from(h));
    match fit {
        Fit::Fill => imageops::resize(image, tw, th, filter),
        Fit::Cover => {
            // What will be cut is cut first, so that thin pictures do not grow huge in between.
            let scale = sx.max(sy);
            let (cw, ch) = ((f64::from(tw) / scale).round() as u32, (f64::from(th) / scale).round() as u32);
            let (cw, ch) = (cw.clamp(1, w), ch.clamp(1, h));
            let cut = imageops::crop_imm(image, (w - cw) / 2, (h - ch) / 2, cw, ch).to_image();
            imageops::resize(&cut, tw, th, filter)
        }
        Fit::Contain => {
            let scale = sx.min(sy);
            let (iw, ih) = (scaled(w, scale).min(tw), scaled(h, scale).min(th));
            let inner = imageops::resize(image, iw, ih, filter);
            let mut page = RgbaImage::from_pixel(tw, th, Rgba([0, 0, 0, 255]));
            imageops::replace(&mut page, &inner, i64::from((tw - iw) / 2), i64::from((th - ih) / 2));
            page
        }
    }
}

fn sharpen(image: &RgbaImage, sigma: f32) -> RgbaImage {
    let soft = imageops::fast_blur(image, sigma);
    let mut out = image.clone();
    for (pixel, soft) in out.chunks_exact_mut(4).zip(soft.chunks_exact(4)) {
        for i in 0..3 {
            let (v, s) = (f32::from(pixel[i]), f32::from(soft[i]));
            pixel[i] = byte(v + (v - s) * 0.9);
        }
    }
    out
}

fn normalize(image: &RgbaImage) -> RgbaImage {
    let mut counts = [0_u64; 256];
    for pixel in image.chunks_exact(4) {
        counts[usize::from(byte(luma(pixel[0], pixel[1], pixel[2])))] += 1;
    }
    let total: u64 = counts.iter().sum();
    let at = |share: f64| {
        let mut sum = 0;
        counts.iter().position(|count| {
            sum += count;
            sum as f64 >= share * total as f64
        })
    };
    let (low, high) = (at(0.01).unwrap_or(0) as f32, at(0.99).unwrap_or(255) as f32);
    if high - low < 1.0 {
        return image.clone();
    }
    each(image, |rgb| rgb.map(|v| byte((f32::from(v) - low) * 255.0 / (high - low))))
}

fn modulate(image: &RgbaImage, brightness: f32, saturation: f32, hue: f32, lightness: f32) -> RgbaImage {
    // The hue turns in YIQ, where it is one small matrix.
    let (sin, cos) = hue.to_radians().sin_cos();
    each(image, |rgb| {
        let [r, g, b] = rgb.map(f32::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        let i = (0.596 * r - 0.274 * g - 0.322 * b) * saturation;
        let q = (0.211 * r - 0.523 * g + 0.312 * b) * saturation;
        let (i, q) = (i * cos - q * sin, i * sin + q * cos);
        let y = y * brightness + lightness * 2.55;
        [byte(y + 0.956 * i + 0.621 * q), byte(y - 0.272 * i - 0.647 * q), byte(y - 1.106 * i + 1.703 * q)]
    })
}

fn round_corners(image: &RgbaImage, radius: u32) -> RgbaImage {
    let mut image = image.clone();
    let (w, h) = image.dimensions();
    let r = (radius as f32).min(w.min(h) as f32 / 2.0);
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
        let dx = (r - px).max(px - (w as f32 - r)).max(0.0);
        let dy = (r - py).max(py - (h as f32 - r)).max(0.0);
        if dx > 0.0 && dy > 0.0 {
            let cover = (r - dx.hypot(dy) + 0.5).clamp(0.0, 1.0);
            pixel.0[3] = byte(f32::from(pixel.0[3]) * cover);
        }
    }
    image
}

fn stamp(image: &RgbaImage, canvas: &Canvas, fonts: &Arc<fontdb::Database>) -> Result<RgbaImage, Fault> {
    let over = raster::render(&canvas.svg(), image.dimensions(), fonts).map_err(failed)?;
    let mut image = image.clone();
    imageops::overlay(&mut image, &over, 0, 0);
    Ok(image)
}

fn caption((w, h): (u32, u32), text: &str, top: bool, size: Option<f32>, colour: Colour, background: Colour) -> Canvas {
    let (w, h) = (w as f32, h as f32);
    let mut canvas = Canvas::new(w, h);
    let most = w * 0.9;
    let mut size = size.unwrap_or(w.min(h) * 0.045).max(6.0);
    // Long captions take two lines and then smaller letters.
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut lines = vec![words.join(" ")];
    if Face::Bold.width(&lines[0]) * size > most && words.len() > 1 {
        let best = (1..words.len())
            .min_by_key(|cut| words[..*cut].join(" ").chars().count().max(words[*cut..].join(" ").chars().count()))
            .unwrap_or(1);
        lines = vec![words[..best].join(" "), words[best..].join(" ")];
    }
    let widest = lines.iter().map(|line| Face::Bold.width(line)).fold(0.1, f32::max);
    size = size.min(most / widest).max(4.0);
    let band = size * (1.3 * lines.len() as f32 + 0.9);
    let y = if top { 0.0 } else { h - band };
    canvas.rect(0.0, y, w, band, &background.alpha(0.66));
    for (i, line) in lines.iter().enumerate() {
        let baseline = y + size * (1.4 + 1.3 * i as f32);
        canvas.text((w / 2.0, baseline), size, Face::Bold, &colour.hex(), "middle", line);
    }
    canvas
}

fn preset(image: &RgbaImage, name: &str) -> RgbaImage {
    let curve = |v: f32, contrast: f32| (v - 127.5) * contrast + 127.5;
    each(image, |rgb| {
        let [r, g, b] = rgb.map(f32::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        let soften = |v: f32, keep: f32| y + (v - y) * keep;
        match name {
            "vintage" => [
                byte(curve(soften(r, 0.7), 0.85) * 1.06 + 14.0),
                byte(curve(soften(g, 0.7), 0.85) + 6.0),
                byte(curve(soften(b, 0.7), 0.8) * 0.86 + 10.0),
            ],
            "cool" => [byte(r * 0.92), byte(g), byte(b * 1.08 + 6.0)],
            "warm" => [byte(r * 1.07 + 6.0), byte(g * 1.01), byte(b * 0.9)],
            _ => [r, g, b].map(|v| byte(curve(soften(v, 1.05), 1.35) - 8.0)),
        }
    })
}
