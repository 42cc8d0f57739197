//! The watch: says "look again" when files may have changed, and nothing more.
//!
//! Native events may get lost, doubled or reordered; a slow scan makes up for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;
use crate::lua::testing;

/// What to watch.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The folders with scripts and plugins, watched with all below them; they may come and go.
    pub folders: Vec<PathBuf>,
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

/// Longest that a stream of changes may put off a look.
const LONGEST_DEBOUNCE: Duration = Duration::from_millis(500);

/// What native events said since they were last asked.
#[derive(Debug, Default)]
struct Hints {
    told: Notify,
    scripts: AtomicBool,
}

/// Watches until stopped; `changed` is told after every change has been quiet for the debounce.
///
/// The config file is watched whatever `reload.watch` says: it is how that is turned on again.
pub async fn run(watched: Watched, mut config: watch::Receiver<Config>, changed: Changed, stop: CancellationToken) {
    let hints = Arc::new(Hints::default());
    // Kept alive as long as this runs: dropping a watcher ends its events.
    let mut _watcher = native(&watched, hints.clone());
    let identities = || watched.folders.iter().map(|folder| identity_of(folder)).collect::<Vec<_>>();
    let mut folders = identities();
    info!(folders = ?watched.folders, "watching for changes");
    let mut print = fingerprint(&watched).await;
    // What was saved after the files were read for the start and before now was seen by nobody.
    changed.config.notify_one();
    if config.borrow().reload.watch {
        changed.scripts.notify_one();
    }
    let mut next_scan = Instant::now() + config.borrow().reload.poll;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = hints.told.notified() => {}
            Ok(()) = config.changed() => {}
            () = tokio::time::sleep_until(next_scan) => {}
        }
        let reload = config.borrow_and_update().reload.clone();
        let mut now = fingerprint(&watched).await;
        let mut is_hinted = hints.scripts.swap(false, Ordering::Relaxed);
        if is_hinted || now != print {
            // Who saves two files saves them one after the other; a look between them would see what nobody wrote.
            let latest = Instant::now() + LONGEST_DEBOUNCE;
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(reload.debounce) => {}
                }
                let then = fingerprint(&watched).await;
                let is_quiet = then == now && !hints.scripts.swap(false, Ordering::Relaxed);
                is_hinted |= !is_quiet;
                now = then;
                if is_quiet || Instant::now() >= latest {
                    break;
                }
            }
        }
        next_scan = Instant::now() + reload.poll;
        if now.config != print.config {
            changed.config.notify_one();
        }
        let is_unlike = now.scripts != print.scripts;
        print.config = now.config;
        // What is not told now is kept as a difference, and told when watching is turned on.
        if reload.watch {
            // Two saves of one length within one tick of the file system's clock look alike from outside.
            if is_hinted || is_unlike {
                changed.scripts.notify_one();
            }
            print.scripts = now.scripts;
        }
        let are_now = identities();
        if are_now != folders {
            // Events of a folder end with it; another one under its name is another folder.
            folders = are_now;
            _watcher = native(&watched, hints.clone());
        }
    }
}

fn native(watched: &Watched, hints: Arc<Hints>) -> Option<RecommendedWatcher> {
    match try_native(watched, hints) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "no native file events, looking now and then instead");
            None
        }
    }
}

fn try_native(watched: &Watched, hints: Arc<Hints>) -> notify::Result<RecommendedWatcher> {
    let config = watched.config.as_deref().and_then(Path::file_name).map(ToOwned::to_owned);
    // Systems differ in whether they tell of a folder by the name it was asked for.
    let folders = watched.folders.iter();
    let scripts: Vec<PathBuf> =
        folders.flat_map(|folder| [folder.clone(), folder.canonicalize().unwrap_or_default()]).collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else {
            hints.told.notify_one();
            return;
        };
        if event.kind.is_access() {
            return;
        }
        let is_script = |path: &PathBuf| {
            let is_below = |folder: &PathBuf| path.starts_with(folder) && path != folder;
            scripts.iter().any(|folder| !folder.as_os_str().is_empty() && is_below(folder)) && !is_test(path)
        };
        if event.paths.iter().any(is_script) {
            hints.scripts.store(true, Ordering::Relaxed);
            hints.told.notify_one();
        } else if event.need_rescan() || event.paths.iter().any(|path| path.file_name() == config.as_deref()) {
            hints.told.notify_one();
        }
    })?;
    for folder in watched.folders.iter().filter(|folder| folder.is_dir()) {
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    // The folder, not the file: editors replace files by renaming over them.
    if let Some(folder) = watched.config.as_deref().map(folder_of).filter(|folder| folder.is_dir()) {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Which folder it is that has this name now.
fn identity_of(folder: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(folder).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// What the files look like from outside.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fingerprint {
    scripts: Vec<Seen>,
    config: Option<Seen>,
}

/// Path, size, time and number of a file.
type Seen = (PathBuf, u64, Option<SystemTime>, u64);

async fn fingerprint(watched: &Watched) -> Fingerprint {
    let watched = watched.clone();
    let scanned = tokio::task::spawn_blocking(move || {
        let mut found = Fingerprint::default();
        for folder in &watched.folders {
            scan(folder, 0, &mut found.scripts);
        }
        found.scripts.sort();
        found.config = watched.config.and_then(|config| {
            let meta = std::fs::metadata(&config).ok()?;
            Some(seen(config, &meta))
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
        } else if found.len() < FILES && !is_test(&entry.path()) {
            found.push(seen(entry.path(), &meta));
        }
    }
}

/// No bot runs a test, so that saving one is nothing to look at.
fn is_test(path: &Path) -> bool {
    path.to_str().is_some_and(testing::is_test)
}

fn seen(path: PathBuf, meta: &std::fs::Metadata) -> Seen {
    use std::os::unix::fs::MetadataExt;
    (path, meta.len(), meta.modified().ok(), meta.ino())
}
