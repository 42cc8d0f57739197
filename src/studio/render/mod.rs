//! The renderer: turns workflow steps into pictures.

use std::io::Cursor;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// SVG.
    Svg,
}

impl Format {
    /// The media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }

    /// How a file of it ends.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Svg => "svg",
        }
    }
}

/// A picture that a step made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The name the step gave it.
    pub out: String,
    /// How it is encoded.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// What is wrong with a step.
#[derive(Debug, Clone)]
pub struct StepError {
    /// Which step, from 0.
    pub step: usize,
    /// Which of its parameters.
    pub parameter: Option<String>,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Whether the caller can cure it.
    pub is_validation: bool,
}

/// Draws.
#[derive(Debug, Clone, Default)]
pub struct Renderer;

impl Renderer {
    /// A renderer.
    pub fn new() -> Self {
        Self
    }

    /// Looks for mistakes.
    ///
    /// # Errors
    /// All that are found.
    pub fn check(&self, steps: &[Value]) -> Result<(), Vec<StepError>> {
        let mut found = Vec::new();
        for (step, value) in steps.iter().enumerate() {
            if !matches!(value["kind"].as_str(), Some("generate" | "transform" | "save")) {
                found.push(StepError {
                    step,
                    parameter: Some("kind".into()),
                    code: "UNKNOWN_KIND",
                    message: "unknown kind of step".into(),
                    is_validation: true,
                });
            }
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    /// Makes one picture per image step.
    ///
    /// # Errors
    /// When a step fails.
    pub fn run(&self, steps: &[Value], seed: &str) -> Result<Vec<Made>, StepError> {
        let mut made = Vec::new();
        for (step, value) in steps.iter().enumerate().filter(|(_, value)| value["kind"] != "save") {
            let digest = Sha256::digest(format!("{seed}{value}"));
            let shapes = [(1024, 1024), (1792, 1024), (1024, 1792), (900, 1200), (1200, 800)];
            let (width, height) = shapes[usize::from(digest[0]) % shapes.len()];
            let picture = image::RgbImage::from_fn(width, height, |x, y| {
                let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
                let wave =
                    ((u * 6.0 + f32::from(digest[4])).sin() * (v * 5.0 + f32::from(digest[5])).cos() + 1.0) / 2.0;
                let mix =
                    |a: u8, b: u8| (f32::from(a) * (1.0 - v) * wave + f32::from(b) * v + 40.0 * u).min(255.0) as u8;
                image::Rgb([mix(digest[1], digest[6]), mix(digest[2], digest[7]), mix(digest[3], digest[8])])
            });
            let mut bytes = Vec::new();
            picture.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).map_err(|error| StepError {
                step,
                parameter: None,
                code: "ENCODE",
                message: error.to_string(),
                is_validation: false,
            })?;
            let out = value["out"].as_str().unwrap_or("out").to_owned();
            made.push(Made { out, format: Format::Png, bytes, width, height });
        }
        Ok(made)
    }

    /// What can be generated.
    pub fn generators(&self) -> Value {
        json!([])
    }

    /// What can be transformed.
    pub fn transforms(&self) -> Value {
        json!([])
    }

    /// A picture for an account.
    pub fn avatar(&self, username: &str, px: u32) -> String {
        let digest = Sha256::digest(username);
        let hue = u32::from(digest[0]) * 360 / 256;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{px}' height='{px}' viewBox='0 0 8 8'><rect width='8' height='8' fill='hsl({hue} 60% 55%)'/><circle cx='{}' cy='5' r='3' fill='hsl({} 70% 75%)'/></svg>",
            digest[1] % 8,
            (hue + 50) % 360
        )
    }
}
