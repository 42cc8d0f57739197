//! The watch: says "look again" when files may have changed, and nothing more.
//!
//! Native events may get lost, doubled or reordered; a slow scan makes up for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What to watch.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The folder with scripts, watched with all below it.
    pub scripts: PathBuf,
    /// The config file, if there is one.
    pub config: Option<PathBuf>,
}

/// Whom to tell.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Told when scripts may have changed.
    pub scripts: Arc<Notify>,
    /// Told when the config file may have changed.
    pub config: Arc<Notify>,
}

/// Longest that a stream of events may put off a look.
const LONGEST_DEBOUNCE: Duration = Duration::from_millis(500);

/// Watches until stopped; `changed` is told after every change has been quiet for the debounce.
pub async fn run(watched: Watched, debounce: Duration, scan: Duration, changed: Changed, stop: CancellationToken) {
    let raw = Arc::new(Notify::new());
    // Kept alive as long as this runs: dropping a watcher ends its events.
    let _watcher = match native(&watched, raw.clone()) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "no native file events, looking every {scan:?} instead");
            None
        }
    };
    let mut print = fingerprint(&watched).await;
    let mut next_scan = Instant::now() + scan;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = raw.notified() => {
                let latest = Instant::now() + LONGEST_DEBOUNCE;
                loop {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = raw.notified(), if Instant::now() < latest => {}
                        () = tokio::time::sleep(debounce) => break,
                    }
                }
            }
            () = tokio::time::sleep_until(next_scan) => {}
        }
        next_scan = Instant::now() + scan;
        let now = fingerprint(&watched).await;
        if now.scripts != print.scripts {
            changed.scripts.notify_one();
        }
        if now.config != print.config {
            changed.config.notify_one();
        }
        print = now;
    }
}

fn native(watched: &Watched, raw: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            raw.notify_one();
        }
    })?;
    if watched.scripts.is_dir() {
        watcher.watch(&watched.scripts, RecursiveMode::Recursive)?;
    }
    // The folder, not the file: editors replace files by renaming over them.
    if let Some(folder) = watched.config.as_deref().map(folder_of).filter(|folder| folder.is_dir()) {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    info!(scripts = %watched.scripts.display(), "watching for changes");
    Ok(watcher)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the files look like from outside.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fingerprint {
    scripts: Vec<Seen>,
    config: Option<Seen>,
}

type Seen = (PathBuf, u64, Option<SystemTime>);

async fn fingerprint(watched: &Watched) -> Fingerprint {
    let watched = watched.clone();
    let scanned = tokio::task::spawn_blocking(move || {
        let mut found = Fingerprint::default();
        scan(&watched.scripts, 0, &mut found.scripts);
        found.scripts.sort();
        found.config = watched.config.and_then(|config| {
            let meta = std::fs::metadata(&config).ok()?;
            Some((config, meta.len(), meta.modified().ok()))
        });
        found
    });
    // A scan that panicked counts as an empty folder, and the next one puts it right.
    scanned.await.unwrap_or_default()
}

fn scan(folder: &Path, depth: u32, found: &mut Vec<Seen>) {
    const DEPTH: u32 = 6;
    const FILES: usize = 10_000;
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(meta) = entry.path().symlink_metadata() else { continue };
        if meta.is_dir() && depth < DEPTH {
            scan(&entry.path(), depth + 1, found);
        } else if found.len() < FILES {
            found.push((entry.path(), meta.len(), meta.modified().ok()));
        }
    }
}
