//! Draws a list of prompts into a folder: one sheet of small pictures per twelve prompts.
//!
//! `cargo run --example contact_sheet -- FOLDER [PROMPTS.txt] [SEED]`

use std::error::Error;
use std::path::PathBuf;

use floimg_fleet::studio::render::Renderer;
use image::{RgbaImage, imageops};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().ok_or("name a folder to write to")?);
    let prompts = match args.next() {
        Some(file) => std::fs::read_to_string(file)?,
        None => include_str!("contact_sheet.txt").to_owned(),
    };
    let seed = args.next().unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    let renderer = Renderer::new();
    let prompts: Vec<&str> = prompts.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut slow = std::time::Duration::ZERO;
    for (page, chunk) in prompts.chunks(12).enumerate() {
        let mut sheet = RgbaImage::new(4 * 400, 3 * 400);
        for (i, prompt) in chunk.iter().enumerate() {
            let start = std::time::Instant::now();
            let step = json!({ "kind": "generate", "generator": "openai", "params": { "prompt": prompt }, "out": "a" });
            let made = renderer.run(&[step], &seed)?;
            slow = slow.max(start.elapsed());
            let picture = image::load_from_memory(&made[0].bytes)?.to_rgba8();
            let small = imageops::resize(&picture, 396, 396, imageops::FilterType::Triangle);
            imageops::replace(&mut sheet, &small, (i % 4) as i64 * 400 + 2, (i / 4) as i64 * 400 + 2);
        }
        image::DynamicImage::ImageRgba8(sheet).to_rgb8().save(folder.join(format!("sheet-{page}.png")))?;
    }
    std::fs::write(folder.join("slowest.txt"), format!("{slow:?}\n"))?;
    Ok(())
}
