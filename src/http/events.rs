//! The event stream: every activity as it happens.
//!
//! A client that names the last one it has gets every later one exactly once: the store is what is sent, and the
//! broadcast only says when to look.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tracing::warn;
use utoipa::IntoParams;

use super::Site;
use super::document::Reading;
use super::fields::Fields;
use super::refused::Refused;
use super::wire::bots;
use crate::model::activity::Activity;
use crate::runtime::fleet;
use crate::store::ActivityQuery;

/// How often a quiet stream says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it connects again.
const COME_BACK: Duration = Duration::from_secs(2);
/// How many activities are read at once.
const PAGE: u32 = 200;

/// Where to begin.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `events` reads field by field, for better errors")]
pub(super) struct Since {
    /// The last activity that the client has, for clients that cannot set the header; the header wins
    #[param(minimum = 0)]
    last_event_id: Option<i64>,
}

/// Every activity as it happens, as server-sent events: `event: activity`, its id as `id`, its JSON as `data`.
///
/// Without a beginning, the stream begins now. A comment comes every 15 seconds when nothing happens.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "fleet",
    params(
        Since,
        ("Last-Event-ID" = Option<i64>, Header, description = "The last activity that the client has", minimum = 0),
    ),
    responses((status = 200, description = "A stream without an end", body = bots::Activity, content_type = "text/event-stream"), Reading)
)]
pub(super) async fn events(
    State(site): State<Arc<Site>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refused> {
    let fields = Fields::read(uri.query(), &["last_event_id"])?;
    let asked = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or("unreadable").trim()) {
        None | Some("") => fields.number("last_event_id", 0..=i64::MAX)?,
        Some(text) => {
            let id = text.parse().ok().filter(|id: &i64| *id >= 0);
            Some(id.ok_or_else(|| Refused::field("Last-Event-ID", text, "the id of an activity"))?)
        }
    };
    let place = Arc::clone(&site.streams)
        .try_acquire_owned()
        .map_err(|_| Refused::later("too many event streams are open", 10).hint("close one, or come back later"))?;
    // Listening comes first, so that nothing falls between the newest row and the first piece of news.
    let news = site.fleet.listen();
    let newest = site.asked(newest(&site.fleet)).await?;
    // A client that is ahead of us has seen another database.
    let sent = asked.map_or(newest, |asked| asked.min(newest));
    let behind = sent < newest;
    let reader = Reader { site, news, sent, behind, ready: VecDeque::new(), is_new: true, _place: place };
    Ok(Sse::new(stream::unfold(reader, next)).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

async fn newest(fleet: &fleet::Fleet) -> Result<i64, fleet::Error> {
    let newest = fleet.activities(&ActivityQuery { limit: 1, ..ActivityQuery::default() }).await?;
    Ok(newest.first().map_or(0, |activity| activity.id))
}

/// One client's place in the stream.
struct Reader {
    site: Arc<Site>,
    news: broadcast::Receiver<Arc<Activity>>,
    /// The last activity that was made ready.
    sent: i64,
    /// Whether the store has more than was made ready.
    behind: bool,
    ready: VecDeque<Event>,
    is_new: bool,
    _place: OwnedSemaphorePermit,
}

async fn next(mut reader: Reader) -> Option<(Result<Event, Infallible>, Reader)> {
    if reader.is_new {
        reader.is_new = false;
        // An id without data tells the client where it is without giving it anything.
        let hello = Event::default().id(reader.sent.to_string()).retry(COME_BACK);
        return Some((Ok(hello), reader));
    }
    let event = reader.next().await?;
    Some((Ok(event), reader))
}

impl Reader {
    /// The next event; none ends the stream, and the client comes back for the rest.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.site.options.stop.is_cancelled() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.behind {
                self.read().await?;
                continue;
            }
            let news = tokio::select! {
                () = self.site.options.stop.cancelled() => return None,
                news = self.news.recv() => news,
            };
            match news {
                // News of two bots may overtake each other; only rows are in order.
                Ok(activity) if activity.id == self.sent + 1 => self.make_ready(Arc::unwrap_or_clone(activity)),
                Ok(activity) => self.behind = activity.id > self.sent,
                Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Reads on from the store.
    async fn read(&mut self) -> Option<()> {
        let query = ActivityQuery { after: Some(self.sent), limit: PAGE, ..ActivityQuery::default() };
        match self.site.fleet.activities(&query).await {
            Ok(activities) => {
                self.behind = activities.len() >= PAGE as usize;
                activities.into_iter().for_each(|activity| self.make_ready(activity));
                Some(())
            }
            Err(problem) => {
                warn!(
                    error = &problem as &dyn std::error::Error,
                    "an event stream ends: its activities cannot be read"
                );
                None
            }
        }
    }

    fn make_ready(&mut self, activity: Activity) {
        self.sent = activity.id;
        let event = Event::default().event("activity").id(activity.id.to_string());
        match event.json_data(bots::Activity::from(activity)) {
            Ok(event) => self.ready.push_back(event),
            Err(problem) => warn!(error = &problem as &dyn std::error::Error, "could not write an activity as JSON"),
        }
    }
}
