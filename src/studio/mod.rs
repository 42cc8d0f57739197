//! The embedded studio: a stand-in that speaks FloImg's wire API, draws real pictures and shows them to people.
//!
//! It says that it is a stand-in, marks every account that software runs, and forgets nothing over a crash.

mod answer;
mod api;
mod connection;
mod desk;
mod faults;
mod gallery;
mod journal;
mod pages;
mod pictures;
pub mod render;
mod visitors;
mod wire;

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{error, info, warn};

pub use gallery::Counts;
pub use journal::JournalError;

use self::connection::{Cut, Door};
use self::desk::Desk;
use self::faults::Faults;
use self::pictures::Pictures;
use crate::clock::Clock;
use crate::secret::Secret;

/// How long open replies may take to end after the studio was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What a studio needs to know.
#[derive(Debug)]
pub struct Options {
    /// Where it keeps its journal and its pictures.
    pub data_dir: PathBuf,
    /// What callers of the API must bring.
    pub service_token: Secret,
    /// What time it is in the studio.
    pub clock: Clock,
    /// How many bytes of finished pictures may lie on the disk; those beyond are drawn again when asked for.
    pub image_cache_bytes: u64,
    /// Where people reach it, shown on its pages.
    pub public_url: String,
}

/// Why a studio could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be used.
    #[error("could not use the studio's folder `{}`", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody else is in it.
    #[error("another studio has the folder `{}` open; stop it, or set another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The journal is not to be trusted.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A studio. Clones are the same studio.
#[derive(Clone)]
pub struct Studio {
    shared: Shared,
}

type Shared = Arc<Inner>;

struct Inner {
    desk: Desk,
    pictures: Pictures,
    faults: Faults,
    pages: pages::Site,
    token: Secret,
    closing: CancellationToken,
    /// Held as long as the studio lives, so that two never write one journal.
    _lock: File,
}

impl fmt::Debug for Studio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Studio").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.desk.flush();
    }
}

impl Studio {
    /// Opens the studio in its folder, as it was when it was last left.
    ///
    /// # Errors
    /// When the folder cannot be used, is used by another studio, or holds a journal that cannot be believed.
    pub fn open(options: Options) -> Result<Self, Error> {
        let dir = options.data_dir;
        let folder = |path: &PathBuf, source| Error::Folder { path: path.clone(), source };
        std::fs::create_dir_all(&dir).map_err(|source| folder(&dir, source))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(|source| folder(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: dir }),
            Err(TryLockError::Error(source)) => return Err(folder(&lock_path, source)),
        }
        let desk = Desk::open(&dir, options.clock.clone())?;
        let pictures_dir = dir.join("pictures");
        let pictures = Pictures::open(pictures_dir.clone(), options.image_cache_bytes)
            .map_err(|source| folder(&pictures_dir, source))?;
        let shared = Inner {
            desk,
            pictures,
            faults: Faults::default(),
            pages: pages::Site::new(options.public_url, options.clock.speed()),
            token: options.service_token,
            closing: CancellationToken::new(),
            _lock: lock,
        };
        let studio = Self { shared: Arc::new(shared) };
        let counts = studio.counts();
        info!(folder = %dir.display(), posts = counts.posts, accounts = counts.accounts, "opened the studio");
        Ok(studio)
    }

    /// Everything it serves, for a caller in the same process.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(pages::routes())
            .merge(api::routes(Arc::clone(&self.shared)))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&self.shared), faults::strike))
            .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                error!(panic = text, "a request to the studio panicked");
                answer::ApiError::internal().into_response()
            }))
            .with_state(Arc::clone(&self.shared))
    }

    /// Serves until told to stop; then replies under way end, open event streams at once, others within five seconds.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let app = self.router().into_make_service_with_connect_info::<Cut>();
        let (closing, told) = (self.shared.closing.clone(), stop.clone());
        let server = axum::serve(Door::new(listener), app).with_graceful_shutdown(async move {
            told.cancelled().await;
            closing.cancel();
        });
        let outcome = tokio::select! {
            outcome = server.into_future() => outcome,
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {
                warn!("some of the studio's replies did not end in time");
                Ok(())
            }
        };
        self.shared.desk.flush();
        outcome
    }

    /// How much there is of what.
    pub fn counts(&self) -> Counts {
        self.shared.desk.read(gallery::Gallery::counts)
    }
}
