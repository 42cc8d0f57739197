//! From drawings to pixels to files.
//!
//! Sizes were checked before; what fails here is reported, never a panic.

use std::io::Cursor;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbaImage};
use resvg::usvg::fontdb;
use resvg::{tiny_skia, usvg};

use super::Format;

/// A picture between two steps.
pub(super) enum Picture {
    Svg { text: String, width: u32, height: u32 },
    Raster { image: RgbaImage, format: Format },
}

impl Picture {
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Svg { width, height, .. } => (*width, *height),
            Self::Raster { image, .. } => image.dimensions(),
        }
    }

    pub(super) fn pixels(&self) -> u64 {
        match self {
            Self::Svg { .. } => 0,
            Self::Raster { image, .. } => u64::from(image.width()) * u64::from(image.height()),
        }
    }

    /// The file and what it is.
    pub(super) fn encode(&self) -> Result<(Vec<u8>, Format), String> {
        match self {
            Self::Svg { text, .. } => Ok((text.clone().into_bytes(), Format::Svg)),
            Self::Raster { image, format } => Ok((encode(image, *format)?, *format)),
        }
    }
}

/// Draws an SVG at a size.
pub(super) fn render(
    svg: &str,
    (width, height): (u32, u32),
    fonts: &Arc<fontdb::Database>,
) -> Result<RgbaImage, String> {
    let options = usvg::Options {
        fontdb: Arc::clone(fonts),
        font_family: "Space Grotesk".to_owned(),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|cause| format!("the drawing is not valid SVG: {cause}"))?;
    let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or("the picture has no area")?;
    let size = tree.size();
    let transform = tiny_skia::Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    let mut bytes = pixmap.take();
    for pixel in bytes.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        if alpha != 255 && alpha != 0 {
            for channel in &mut pixel[..3] {
                *channel = (u32::from(*channel) * 255 / alpha).min(255) as u8;
            }
        }
    }
    RgbaImage::from_raw(width, height, bytes).ok_or_else(|| "the picture has the wrong size".to_owned())
}

fn encode(image: &RgbaImage, format: Format) -> Result<Vec<u8>, String> {
    let (width, height) = image.dimensions();
    let mut bytes = Cursor::new(Vec::new());
    let done = match format {
        Format::Jpeg => {
            let rgb: Vec<u8> = image.pixels().flat_map(|pixel| over_white(pixel.0)).collect();
            JpegEncoder::new_with_quality(&mut bytes, 90).write_image(&rgb, width, height, ExtendedColorType::Rgb8)
        }
        Format::Webp => {
            WebPEncoder::new_lossless(&mut bytes).write_image(image, width, height, ExtendedColorType::Rgba8)
        }
        Format::Png | Format::Svg => PngEncoder::new_with_quality(
            &mut bytes,
            CompressionType::Fast,
            FilterType::Adaptive,
        )
        .write_image(image, width, height, ExtendedColorType::Rgba8),
    };
    done.map_err(|cause| format!("the picture could not be encoded: {cause}"))?;
    Ok(bytes.into_inner())
}

fn over_white([r, g, b, a]: [u8; 4]) -> [u8; 3] {
    let a = u32::from(a);
    [r, g, b].map(|v| ((u32::from(v) * a + 255 * (255 - a)) / 255) as u8)
}
