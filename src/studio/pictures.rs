//! Pictures: made from recipes, kept in a bounded folder, made again when they are missing.
//!
//! The folder never holds more bytes than it was given, and no picture is ever lost.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use image::ImageFormat;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

use super::gallery::Recipe;
use super::render::{Made, Renderer, StepError};

/// How many workflows are drawn at once.
const DRAWING: usize = 2;
/// How many may wait for their turn before more are turned away.
const WAITING: usize = 256;
/// The widths that smaller versions have; others are rounded up, so that the folder cannot be filled by asking.
const WIDTHS: [u32; 3] = [240, 480, 960];

/// Why there is no picture.
#[derive(Debug)]
pub(super) enum PictureError {
    /// Too many wait already.
    Busy,
    /// A step refused.
    Step(StepError),
    /// Drawing failed in a way that it should not.
    Broken(String),
}

/// Draws pictures and keeps the files.
pub(super) struct Pictures {
    renderer: Renderer,
    shelf: Arc<Shelf>,
    turns: Semaphore,
    waiting: AtomicUsize,
}

impl Pictures {
    /// Opens the folder, making it when it is not there.
    pub(super) fn open(dir: PathBuf, limit: u64) -> io::Result<Self> {
        let shelf = Arc::new(Shelf::open(dir, limit)?);
        let (turns, waiting) = (Semaphore::new(DRAWING), AtomicUsize::new(0));
        Ok(Self { renderer: Renderer::new(), shelf, turns, waiting })
    }

    /// The renderer, for what needs no turn.
    pub(super) fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// Runs a workflow.
    pub(super) async fn draw(&self, steps: Vec<Value>, seed: String) -> Result<Vec<Made>, PictureError> {
        let _turn = self.turn().await?;
        let renderer = self.renderer.clone();
        apart(move || renderer.run(&steps, &seed).map_err(PictureError::Step)).await
    }

    /// Keeps a picture that was just drawn. The disk may refuse: the recipe is what counts.
    pub(super) async fn keep(&self, id: &str, extension: &str, bytes: Vec<u8>) {
        let (shelf, name) = (Arc::clone(&self.shelf), file_name(id, None, extension));
        // The outcome is logged where it happens; a picture that is not kept is drawn again.
        let _ = apart(move || {
            shelf.put(&name, &bytes);
            Ok(())
        })
        .await;
    }

    /// The bytes of a picture and their media type, whole or at most about `width` pixels across.
    pub(super) async fn content(
        &self,
        recipe: &Arc<Recipe>,
        index: usize,
        width: Option<u32>,
    ) -> Result<(Vec<u8>, &'static str), PictureError> {
        let Some(image) = recipe.images.get(index).cloned() else {
            return Err(PictureError::Broken("the recipe has no such picture".to_owned()));
        };
        let width = width.and_then(|width| narrower(width, image.width)).filter(|_| image.extension != "svg");
        let name = file_name(&image.id, width, &image.extension);
        let (shelf, wanted) = (Arc::clone(&self.shelf), name.clone());
        if let Some(bytes) = apart(move || Ok(shelf.get(&wanted))).await? {
            let mime = mime_of(&bytes, &image.extension);
            return Ok((bytes, mime));
        }
        let _turn = self.turn().await?;
        let (shelf, renderer, recipe) = (Arc::clone(&self.shelf), self.renderer.clone(), Arc::clone(recipe));
        apart(move || {
            // Whoever had the turn before may have drawn the same.
            if let Some(bytes) = shelf.get(&name) {
                let mime = mime_of(&bytes, &image.extension);
                return Ok((bytes, mime));
            }
            let whole_name = file_name(&image.id, None, &image.extension);
            let whole = match shelf.get(&whole_name) {
                Some(bytes) => bytes,
                None => {
                    let steps = recipe.steps.as_array().map(Vec::as_slice).unwrap_or_default();
                    let made = renderer.run(steps, &recipe.seed).map_err(PictureError::Step)?;
                    let one = made.into_iter().nth(index);
                    let bytes = one.ok_or_else(|| PictureError::Broken("the recipe draws less".to_owned()))?.bytes;
                    shelf.put(&whole_name, &bytes);
                    bytes
                }
            };
            let bytes = match width {
                None => whole,
                Some(width) => {
                    let smaller = shrink(&whole, width).map_err(|error| PictureError::Broken(error.to_string()))?;
                    shelf.put(&name, &smaller);
                    smaller
                }
            };
            let mime = mime_of(&bytes, &image.extension);
            Ok((bytes, mime))
        })
        .await
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, PictureError> {
        let _place = Place::take(&self.waiting).ok_or(PictureError::Busy)?;
        self.turns.acquire().await.map_err(|_| PictureError::Broken("the studio is closing".to_owned()))
    }
}

/// A place among those that wait, given back when the wait ends in whatever way.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs what blocks on a thread where that hurts nobody.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PictureError> + Send + 'static,
) -> Result<T, PictureError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(PictureError::Broken(error.to_string())))
}

fn file_name(id: &str, width: Option<u32>, extension: &str) -> String {
    match width {
        None => format!("{id}.{extension}"),
        Some(width) => format!("{id}-w{width}.small"),
    }
}

/// The kept width that serves the one asked for, unless the picture is no wider.
fn narrower(asked: u32, full: u32) -> Option<u32> {
    WIDTHS.into_iter().find(|width| *width >= asked).filter(|width| *width < full)
}

/// The media type of the bytes; `extension` decides only for text.
fn mime_of(bytes: &[u8], extension: &str) -> &'static str {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => "image/png",
        Ok(ImageFormat::Jpeg) => "image/jpeg",
        Ok(ImageFormat::WebP) => "image/webp",
        _ if extension == "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn shrink(bytes: &[u8], width: u32) -> image::ImageResult<Vec<u8>> {
    let whole = image::load_from_memory(bytes)?;
    let small = whole.resize(width, u32::MAX, image::imageops::FilterType::CatmullRom);
    let mut out = Vec::new();
    let clear = small.color().has_alpha() && small.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    if clear {
        small.write_to(&mut Cursor::new(&mut out), ImageFormat::Png)?;
    } else {
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 84);
        small.to_rgb8().write_with_encoder(encoder)?;
    }
    Ok(out)
}

/// The folder and what is known of it.
#[derive(Debug)]
struct Shelf {
    dir: PathBuf,
    limit: u64,
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    files: HashMap<String, (u64, u64)>,
    /// By last use; the first goes first.
    order: BTreeMap<u64, String>,
    total: u64,
    now: u64,
}

impl Index {
    fn touch(&mut self, name: &str) {
        if let Some((_, used)) = self.files.get_mut(name) {
            self.now += 1;
            self.order.remove(used);
            *used = self.now;
            self.order.insert(self.now, name.to_owned());
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some((bytes, used)) = self.files.remove(name) {
            self.order.remove(&used);
            self.total -= bytes;
        }
    }

    fn insert(&mut self, name: String, bytes: u64) {
        self.remove(&name);
        self.now += 1;
        self.order.insert(self.now, name.clone());
        self.files.insert(name, (bytes, self.now));
        self.total += bytes;
    }

    /// Takes out what must go so that `bytes` more fit into `limit`.
    fn make_room(&mut self, bytes: u64, limit: u64) -> Vec<String> {
        let mut out = Vec::new();
        while self.total.saturating_add(bytes) > limit {
            let Some((_, name)) = self.order.pop_first() else { break };
            if let Some((bytes, _)) = self.files.remove(&name) {
                self.total -= bytes;
            }
            out.push(name);
        }
        out
    }
}

impl Shelf {
    fn open(dir: PathBuf, limit: u64) -> io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            let (Ok(name), meta) = (entry.file_name().into_string(), entry.metadata()?) else { continue };
            if name.ends_with(".part") {
                std::fs::remove_file(entry.path())?;
            } else if meta.is_file() {
                found.push((meta.modified()?, name, meta.len()));
            }
        }
        found.sort();
        let mut index = Index::default();
        for (_, name, bytes) in found {
            index.insert(name, bytes);
        }
        let shelf = Self { dir, limit, index: Mutex::new(index) };
        let over = shelf.index().make_room(0, limit);
        shelf.unlink(over);
        Ok(shelf)
    }

    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Each of these holds the index from its first look to its last touch of the disk, so that the two always agree;
    // all run on threads that may block.

    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let mut index = self.index();
        if !index.files.contains_key(name) {
            return None;
        }
        match std::fs::read(self.dir.join(name)) {
            Ok(bytes) => {
                index.touch(name);
                Some(bytes)
            }
            Err(error) => {
                warn!(name, %error, "could not read a kept picture; drawing it again");
                index.remove(name);
                None
            }
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let size = bytes.len() as u64;
        if size > self.limit {
            return;
        }
        let mut index = self.index();
        index.remove(name);
        // The room is made before the file is written, so that the folder is within its limit at every moment.
        self.unlink(index.make_room(size, self.limit));
        match write_whole(&self.dir, name, bytes) {
            Ok(()) => index.insert(name.to_owned(), size),
            Err(error) => warn!(name, %error, "could not keep a picture; it will be drawn again when asked for"),
        }
    }

    fn unlink(&self, names: Vec<String>) {
        for name in names {
            match std::fs::remove_file(self.dir.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    warn!(name, %error, "could not remove a kept picture");
                }
                _ => {}
            }
        }
    }
}

fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = dir.join(format!("{name}.part"));
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, dir.join(name))).inspect_err(|_| {
        // What is left of it goes at the next start.
        let _ = std::fs::remove_file(&part);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_stays_within_its_limit_and_forgets_the_least_used() {
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::open(dir.path().to_owned(), 100).expect("a shelf");
        for name in ["a", "b"] {
            shelf.put(name, &[1; 40]);
        }
        assert!(shelf.get("a").is_some());
        shelf.put("c", &[1; 40]);
        assert!(shelf.get("a").is_some() && shelf.get("b").is_none() && shelf.get("c").is_some());
        shelf.put("whale", &[1; 101]);
        assert!(shelf.get("whale").is_none());
        drop(shelf);
        let again = Shelf::open(dir.path().to_owned(), 50).expect("a shelf");
        let kept = ["a", "c"].into_iter().filter(|name| again.get(name).is_some()).count();
        assert_eq!((kept, std::fs::read_dir(dir.path()).expect("a folder").count()), (1, 1));
    }
}
