//! The picture engine: FloImg workflow steps in, real pictures out.
//!
//! It is pure and bounded: the same steps and seed give the same bytes, and no input makes it panic,
//! loop long or take unbounded memory.

mod avatar;
mod canvas;
mod catalog;
mod chance;
mod chart;
mod codes;
mod colour;
mod medium;
mod palette;
mod prompt;
mod raster;
mod scenes;
mod shapes;
mod steps;
mod transforms;

use std::collections::HashMap;
use std::sync::Arc;

use resvg::usvg::fontdb;
use serde_json::Value;

pub use avatar::avatar;
pub use catalog::{generators, transforms};
pub use steps::check;

use raster::Picture;
use steps::{Step, Work};

/// Most steps one workflow may have.
pub const MAX_STEPS: usize = 32;
/// Longest side of a picture, in pixels.
pub const MAX_SIDE: u32 = 2048;
/// Most pixels that one workflow may draw, over all its steps.
const MAX_PIXELS: u64 = 48_000_000;

/// What a finished picture is encoded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lossless, with transparency.
    Png,
    /// Small, without transparency.
    Jpeg,
    /// Lossless WebP.
    Webp,
    /// A drawing that scales.
    Svg,
}

impl Format {
    /// The media type to serve it with.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }

    /// The usual file extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Svg => "svg",
        }
    }
}

/// One finished picture.
#[derive(Clone, Debug)]
pub struct Made {
    /// The name its step gave it.
    pub out: String,
    /// How `bytes` are encoded.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Why a step cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step}: {message}")]
pub struct StepError {
    /// The step's place, from 0.
    pub step: usize,
    /// The parameter at fault.
    pub parameter: Option<String>,
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether the step could be refused before anything ran.
    pub is_validation: bool,
}

impl StepError {
    fn running(step: usize, parameter: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { step, parameter: Some(parameter.to_owned()), code, message: message.into(), is_validation: false }
    }
}

/// Draws pictures; holds the fonts, so make one and keep it.
#[derive(Clone)]
pub struct Renderer {
    fonts: Arc<fontdb::Database>,
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new()
    }
}

impl Renderer {
    /// A renderer with the bundled fonts.
    pub fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        for face in [
            &include_bytes!("../assets/fonts/SpaceGrotesk-Medium.ttf")[..],
            &include_bytes!("../assets/fonts/SpaceGrotesk-Bold.ttf")[..],
            &include_bytes!("../assets/fonts/DMSerifDisplay-Regular.ttf")[..],
        ] {
            fonts.load_font_data(face.to_vec());
        }
        fonts.set_sans_serif_family("Space Grotesk");
        fonts.set_serif_family("DM Serif Display");
        Self { fonts: Arc::new(fonts) }
    }

    /// Runs the steps: one picture per generate or transform step, in order; save steps make none.
    ///
    /// # Errors
    /// The first step that is wrong ([`StepError::is_validation`]) or that cannot be done.
    pub fn run(&self, steps: &[Value], seed: &str) -> Result<Vec<Made>, StepError> {
        let steps = steps::read(steps).map_err(|errors| {
            errors
                .into_iter()
                .next()
                .unwrap_or_else(|| StepError::running(0, "steps", "INVALID", "the steps are wrong"))
        })?;
        let mut alive: HashMap<&str, Picture> = HashMap::new();
        let mut made = Vec::new();
        let mut pixels = 0_u64;
        for (at, step) in steps.iter().enumerate() {
            let Some(picture) = self.step(at, step, &alive, seed, MAX_PIXELS - pixels)? else { continue };
            pixels += picture.pixels();
            if pixels > MAX_PIXELS {
                return Err(too_much(at));
            }
            let (bytes, format) =
                picture.encode().map_err(|cause| StepError::running(at, "out", "RENDER_FAILED", cause))?;
            let (width, height) = picture.size();
            made.push(Made { out: step.out.clone(), format, bytes, width, height });
            alive.insert(&step.out, picture);
            // A picture that no later step reads is let go, so that long workflows stay small.
            alive.retain(|name, _| steps[at + 1..].iter().any(|later| later.work.reads(name)));
        }
        Ok(made)
    }

    fn step(
        &self,
        at: usize,
        step: &Step,
        alive: &HashMap<&str, Picture>,
        seed: &str,
        left: u64,
    ) -> Result<Option<Picture>, StepError> {
        let failed = |cause: String| StepError::running(at, "params", "RENDER_FAILED", cause);
        let picture = match &step.work {
            Work::Save => return Ok(None),
            Work::Draw(sketch) => {
                if u64::from(sketch.width) * u64::from(sketch.height) > left {
                    return Err(too_much(at));
                }
                let image =
                    self.draw(&sketch.prompt, &sketch.style, (sketch.width, sketch.height), seed).map_err(failed)?;
                Picture::Raster { image, format: Format::Jpeg }
            }
            Work::Shape(shape) => shape.svg(),
            Work::Qr(code) => {
                code.draw(&self.fonts).map_err(|cause| StepError::running(at, "text", "RENDER_FAILED", cause))?
            }
            Work::Chart(chart) => {
                let image = raster::render(&chart.svg(), (chart.width, chart.height), &self.fonts).map_err(failed)?;
                Picture::Raster { image, format: Format::Png }
            }
            Work::Transform { op, input, overlay } => {
                let missing =
                    || StepError::running(at, "in", "UNKNOWN_INPUT", format!("no earlier step made `{input}`"));
                let source = alive.get(input.as_str()).ok_or_else(missing)?;
                let overlay = overlay.as_ref().and_then(|name| alive.get(name.as_str()));
                if op.area(source.size()).is_some_and(|area| area > left) {
                    return Err(too_much(at));
                }
                op.apply(source, overlay, &self.fonts)
                    .map_err(|fault| StepError::running(at, fault.parameter, fault.code, fault.message))?
            }
        };
        Ok(Some(picture))
    }

    /// Draws a prompt.
    fn draw(&self, prompt: &str, style: &str, size: (u32, u32), seed: &str) -> Result<image::RgbaImage, String> {
        let mut chance = chance::Chance::new(&[prompt, style, seed]);
        let brief = prompt::Brief::read(prompt, style, &mut chance);
        medium::paint(&brief, size, &mut chance, &self.fonts)
    }
}

fn too_much(step: usize) -> StepError {
    StepError::running(
        step,
        "width",
        "TOO_LARGE",
        format!(
            "the workflow draws more than {} million pixels in all: use fewer or smaller pictures",
            MAX_PIXELS / 1_000_000
        ),
    )
}
