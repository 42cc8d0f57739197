//! The one writer: gathers what many bots write into one transaction.
//!
//! A job is answered only after the transaction that holds it is on disk.

use futures_util::future::BoxFuture;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::Error;

/// Told how the group ended.
pub(super) type Finish = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Does its statements and answers whether they failed, and whom to tell; without a connection it only tells why.
pub(super) type Work =
    Box<dyn for<'c> FnOnce(Result<&'c mut SqliteConnection, Error>) -> BoxFuture<'c, (bool, Finish)> + Send>;

/// One caller's statements.
pub(super) struct Job {
    pub(super) extent: Extent,
    pub(super) work: Work,
}

/// How many statements a job has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// One, which SQLite itself takes back when it fails.
    One,
    /// Any number; a savepoint takes them back together.
    Many,
}

/// Jobs waiting for a group; when full, callers wait.
const QUEUE: usize = 4096;

/// Jobs in one transaction at most, so that nobody waits long for the commit.
const GROUP: usize = 512;

#[derive(Debug, Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    tasks: TaskTracker,
    stop: tokio_util::sync::CancellationToken,
}

impl Writer {
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let tasks = TaskTracker::new();
        let stop = tokio_util::sync::CancellationToken::new();
        tasks.spawn(run(pool, queue, stop.clone()));
        tasks.close();
        Self { jobs, tasks, stop }
    }

    pub(super) async fn send(&self, job: Job) -> Result<(), Error> {
        self.jobs.send(job).await.map_err(|_| Error::Closed)
    }

    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn run(pool: SqlitePool, mut queue: mpsc::Receiver<Job>, stop: tokio_util::sync::CancellationToken) {
    let mut group = Vec::with_capacity(GROUP);
    loop {
        let received = tokio::select! {
            received = queue.recv_many(&mut group, GROUP) => received,
            () = stop.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        if received == 0 {
            break;
        }
        // Taken from the back, so the first comes last.
        group.reverse();
        commit(&pool, &mut group).await;
    }
    pool.close().await;
}

async fn commit(pool: &SqlitePool, group: &mut Vec<Job>) {
    let mut finishes = Vec::with_capacity(group.len());
    let ended = match pool.acquire().await {
        Ok(mut connection) => {
            let ended = write_group(&mut connection, group, &mut finishes).await;
            if ended.is_err() {
                // A full disk ends the transaction behind the driver's back, which then counts it as open for ever; so the
                // next group gets another connection, and how this one closes does not matter.
                let _ = connection.close().await;
            }
            ended
        }
        Err(source) => Err(source),
    };
    let ended = ended.map_err(|source| Error::Write(Arc::new(source)));
    // The group ended before these had their turn: they fail for the same reason.
    if let Err(error) = &ended {
        for job in group.drain(..) {
            finishes.push((job.work)(Err(error.clone())).await.1);
        }
    }
    for finish in finishes {
        finish(ended.clone());
    }
}

async fn write_group(
    connection: &mut SqliteConnection,
    group: &mut Vec<Job>,
    finishes: &mut Vec<Finish>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("SAVEPOINT alive").execute(&mut *transaction).await?;
    while let Some(extent) = group.last().map(|job| job.extent) {
        // Before the job is taken, so that it can still be told when this fails.
        if extent == Extent::Many {
            sqlx::query("SAVEPOINT job").execute(&mut *transaction).await?;
        }
        let Some(job) = group.pop() else { break };
        let (failed, finish) = (job.work)(Ok(&mut transaction)).await;
        finishes.push(finish);
        match extent {
            Extent::Many => {
                if failed {
                    sqlx::query("ROLLBACK TO job").execute(&mut *transaction).await?;
                }
                sqlx::query("RELEASE job").execute(&mut *transaction).await?;
            }
            // A full disk ends the whole transaction; then this fails too, and nothing is written outside of one.
            Extent::One if failed => {
                sqlx::query("RELEASE alive").execute(&mut *transaction).await?;
                sqlx::query("SAVEPOINT alive").execute(&mut *transaction).await?;
            }
            Extent::One => {}
        }
    }
    transaction.commit().await
}
