//! The store: everything that must outlive the process.
//!
//! A write that was answered is on disk, and nothing of a write that was not answered is half done.
//! Callers see functions and plain types; SQLite is seen only here, so that PostgreSQL can join without touching a caller.

mod bots;
mod entries;
mod events;
mod intents;
mod journal;
mod lines;
mod memories;
mod plugins;
mod scripts;
mod spend;
mod texts;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use bots::{BotRow, Hold, HoldKind, NewBot, TickRow};
pub use entries::{Change, EntryLimit, Scope};
pub use events::{NewEvent, OwnPost, StoredEvent};
pub use intents::{ActionCounts, Opened};
pub use journal::{ActivityQuery, AuditRow};
pub use lines::{LineRow, StoredCanary};
pub use memories::StoredMemory;
pub use plugins::PluginRow;
pub use scripts::{StoredVersion, VersionRow};
pub use spend::{
    ActionsFull, ActionsOpened, BadEnd, CallState, CutOff, Ending as CallEnding, Full, Held, NewCall, OpenCall, Recent,
    SpendReport, SpendRow, SpendTotals, Standing, Told,
};
pub use texts::Claim;
use writer::{Extent, Finish, Job, Work, Writer};

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database file cannot be opened or brought up to date.
    #[error("could not open the database `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// The database has tables that this program does not know.
    #[error(
        "the database `{path}` was made by a newer version of this program: run that version, or name another data folder"
    )]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// A migration failed.
    #[error("could not bring the database `{path}` up to date")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Arc<MigrateError>,
    },
    /// A read failed.
    #[error("could not read from the database")]
    Read(#[source] Arc<sqlx::Error>),
    /// A write failed and changed nothing.
    #[error("could not write to the database")]
    Write(#[source] Arc<sqlx::Error>),
    /// A row holds something that this program does not understand.
    #[error("the database row {row} is not understood: {problem}")]
    Row {
        /// Which row.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl Clone for Error {
    fn clone(&self) -> Self {
        match self {
            Self::Open { path, source } => Self::Open { path: path.clone(), source: source.clone() },
            Self::Newer { path } => Self::Newer { path: path.clone() },
            Self::Migrate { path, source } => Self::Migrate { path: path.clone(), source: source.clone() },
            Self::Read(source) => Self::Read(source.clone()),
            Self::Write(source) => Self::Write(source.clone()),
            Self::Row { row, problem } => Self::Row { row: row.clone(), problem: problem.clone() },
            Self::Closed => Self::Closed,
        }
    }
}

fn read(source: sqlx::Error) -> Error {
    Error::Read(Arc::new(source))
}

/// A handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    reads: SqlitePool,
    writer: Writer,
}

/// How many readers work side by side.
const READERS: u32 = 4;

impl Store {
    /// Opens the database in a file, makes it when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or was made by a newer version of this program.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL, so that an intent is on the disk before its action goes out, also when the power fails.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .pragma("cache_size", "-8192")
            .pragma("journal_size_limit", "67108864");
        let open = |source| Error::Open { path: path.to_owned(), source: Arc::new(source) };
        let writing = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(open)?;
        migrations().run(&writing).await.map_err(|source| match source {
            MigrateError::VersionMissing(_) => Error::Newer { path: path.to_owned() },
            source => Error::Migrate { path: path.to_owned(), source: Arc::new(source) },
        })?;
        let reads = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.pragma("cache_size", "-2048").pragma("query_only", "on"))
            .await
            .map_err(open)?;
        Ok(Self { reads, writer: Writer::start(writing) })
    }

    /// Finishes the writes that were asked for, then closes the file.
    pub async fn close(&self) {
        self.writer.close().await;
        self.reads.close().await;
    }

    /// Runs one job inside the next group of writes and answers when the group is on disk.
    async fn write<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> futures_util::future::BoxFuture<'c, Result<T, sqlx::Error>>
            + Send
            + 'static,
    {
        self.write_as(Extent::Many, job).await
    }

    /// The same for a job of one statement, which fails as a whole and needs nobody to take it back.
    async fn write_one<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> futures_util::future::BoxFuture<'c, Result<T, sqlx::Error>>
            + Send
            + 'static,
    {
        self.write_as(Extent::One, job).await
    }

    async fn write_as<T, F>(&self, extent: Extent, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> futures_util::future::BoxFuture<'c, Result<T, sqlx::Error>>
            + Send
            + 'static,
    {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let work: Work = Box::new(move |connection| {
            Box::pin(async move {
                let result = match connection {
                    Ok(connection) => job(connection).await.map_err(|source| Error::Write(Arc::new(source))),
                    Err(error) => Err(error),
                };
                let failed = result.is_err();
                let finish: Finish = Box::new(move |group: Result<(), Error>| {
                    let answer = match (result, group) {
                        (Ok(value), Ok(())) => Ok(value),
                        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
                    };
                    // Nobody waits any more when the caller was dropped; the write stands all the same.
                    let _ = reply.send(answer);
                });
                (failed, finish)
            })
        });
        self.writer.send(Job { extent, work }).await?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

/// In their order; one that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 5] = [
    (1, "first", include_str!("migrations/0001_first.sql")),
    (2, "versions", include_str!("migrations/0002_versions.sql")),
    (3, "plugins", include_str!("migrations/0003_plugins.sql")),
    (4, "spend", include_str!("migrations/0004_spend.sql")),
    (5, "texts", include_str!("migrations/0005_texts.sql")),
];

fn migrations() -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

fn to_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
