//! The journal: everything a bot did, as a row and then as an event.
//!
//! [`Journal::record`] inserts first and broadcasts second, so a stream never shows an activity the store does not have.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tracing::{error, warn};

use crate::model::activity::{Activity, Ending, NewActivity};
use crate::store::{self, Store};

/// Writes activities and tells of them; cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    store: Store,
    news: broadcast::Sender<Arc<Activity>>,
}

/// Activities a slow listener may fall behind; then it reads on from the store.
const BEHIND: usize = 1024;

/// Tries to write a row before it is only logged.
const TRIES: u32 = 4;

impl Journal {
    /// A journal on a store.
    pub fn new(store: Store) -> Self {
        Self { store, news: broadcast::channel(BEHIND).0 }
    }

    /// Hears of every activity from now on; one that falls behind loses some and reads them from the store.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Activity>> {
        self.news.subscribe()
    }

    /// Writes an activity and then tells of it. A row that cannot be written is tried again, then logged whole.
    pub async fn record(&self, activity: NewActivity) {
        let mut pause = Duration::from_millis(50);
        for _ in 1..TRIES {
            match self.store.record(activity.clone()).await {
                Ok(activity) => return self.announce(activity),
                Err(store::Error::Closed) => break,
                Err(problem) => {
                    warn!(error = &problem as &dyn std::error::Error, "could not write an activity, trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 4;
                }
            }
        }
        match self.store.record(activity.clone()).await {
            Ok(activity) => self.announce(activity),
            Err(problem) => error!(
                error = &problem as &dyn std::error::Error,
                bot = activity.bot.as_ref().map(ToString::to_string),
                kind = activity.kind,
                ending = activity.ending.as_str(),
                target = activity.target,
                text = activity.text,
                detail = %activity.detail,
                "lost the row of an activity"
            ),
        }
    }

    /// Tells of an activity that is in the store already.
    pub fn announce(&self, activity: Activity) {
        let what = &activity.what;
        let bot = what.bot.as_ref().map(ToString::to_string);
        match what.ending {
            Ending::Done => {
                tracing::info!(bot, kind = what.kind, target = what.target, text = what.text, "activity");
            }
            Ending::Refused | Ending::Unknown => tracing::info!(
                bot,
                kind = what.kind,
                ending = what.ending.as_str(),
                target = what.target,
                text = what.text,
                "activity"
            ),
            Ending::Failed => warn!(bot, kind = what.kind, target = what.target, text = what.text, "activity"),
        }
        // Nobody listening is fine: the store is the truth.
        let _ = self.news.send(Arc::new(activity));
    }
}
