//! The pages: the gallery as people see it.
//!
//! They need no network and no script to be read, and everything that somebody wrote is escaped.

mod forms;
mod view;

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query as UriQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use self::view::{Card, CardsPart, Eyes, GalleryPage, ItemPage, ProfilePage, day, person};
use super::Shared;
use super::answer::ApiError;
use super::desk::Live;
use super::gallery::{Order, Query};
use super::visitors::Pace;

/// How many pictures one page of the gallery has.
const PAGE: usize = 24;
/// How many remixes an item's page shows.
const REMIXES: usize = 12;
/// How many pages may listen for news at once.
const LISTENERS: usize = 1024;
/// The studio's wire API, as other programs read it.
const DOCUMENT: &str = include_str!("assets/openapi.json");
const STYLE: &str = include_str!("assets/studio.css");
const SCRIPT: &str = include_str!("assets/studio.js");
const ICON: &str = include_str!("assets/icon.svg");

/// What all pages share.
#[derive(Debug)]
pub(super) struct Site {
    url: String,
    speed: f64,
    /// Changes with the assets, so that browsers may keep them for ever.
    stamp: String,
    pace: Pace,
    listeners: std::sync::Arc<Semaphore>,
}

impl Site {
    /// A site at that address, whose clock runs at that speed.
    pub(super) fn new(url: String, speed: f64) -> Self {
        let digest = Sha256::digest([STYLE, SCRIPT, ICON].concat());
        let stamp = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let listeners = std::sync::Arc::new(Semaphore::new(LISTENERS));
        Self { url, speed, stamp, pace: Pace::new(), listeners }
    }
}

/// The routes of the pages.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(gallery))
        .route("/p/{id}", get(item))
        .route("/p/{id}/card", get(card))
        .route("/p/{id}/like", post(forms::like))
        .route("/p/{id}/comments", post(forms::comment))
        .route("/u/{username}", get(profile))
        .route("/events", get(events))
        .route("/assets/{name}", get(asset))
        .route("/openapi.json", get(document))
        .fallback(missing)
}

/// How the gallery is asked for.
#[derive(Debug, Deserialize)]
struct GalleryQuery {
    sort: Option<String>,
    offset: Option<usize>,
    /// Only the cards, to be added to a page that is open.
    part: Option<u8>,
}

async fn gallery(
    State(shared): State<Shared>,
    headers: HeaderMap,
    UriQuery(asked): UriQuery<GalleryQuery>,
) -> Response {
    let eyes = Eyes::of(&headers, &shared);
    let order = asked.sort.as_deref().and_then(Order::named).unwrap_or_default();
    let offset = asked.offset.unwrap_or_default();
    let query = Query { order, limit: PAGE + 1, offset, category: None, content_type: None };
    let (frame, mut cards, posts) = shared.desk.read(|gallery| {
        let page = gallery.page(&query, eyes.now);
        let cards: Vec<Card> = page.into_iter().map(|item| eyes.card(gallery, item)).collect();
        (eyes.frame(&shared, gallery), cards, gallery.counts().posts)
    });
    let more = (cards.len() > PAGE).then(|| offset.saturating_add(PAGE));
    cards.truncate(PAGE);
    let word = order.word();
    if asked.part.is_some() {
        return eyes.show(&shared, StatusCode::OK, &CardsPart { frame, cards, order: word, more });
    }
    let tabs = Order::ALL.iter().map(|(one, word, title)| (*word, *title, *one == order)).collect();
    eyes.show(&shared, StatusCode::OK, &GalleryPage { frame, tabs, order: word, cards, more, posts })
}

async fn card(State(shared): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let eyes = Eyes::of(&headers, &shared);
    let found = shared
        .desk
        .read(|gallery| gallery.item(&id).map(|item| (eyes.frame(&shared, gallery), vec![eyes.card(gallery, item)])));
    let Some((frame, cards)) = found else { return eyes.missing(&shared) };
    eyes.show(&shared, StatusCode::OK, &CardsPart { frame, cards, order: Order::Recent.word(), more: None })
}

async fn item(State(shared): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let eyes = Eyes::of(&headers, &shared);
    shared.desk.view(&id);
    match item_page(&shared, &eyes, &id) {
        Some(page) => eyes.show(&shared, StatusCode::OK, &page),
        None => eyes.missing(&shared),
    }
}

fn item_page(shared: &Shared, eyes: &Eyes, id: &str) -> Option<ItemPage> {
    shared.desk.read(|gallery| {
        let item = gallery.item(id)?;
        let parent = item.remix_of.as_deref().map(|parent| gallery.item(parent));
        let remixes = item.forks.iter().rev().take(REMIXES).map(|at| eyes.card(gallery, gallery.item_placed(*at)));
        Some(ItemPage {
            frame: eyes.frame(shared, gallery),
            card: eyes.card(gallery, item),
            description: item.description.clone(),
            views: item.views,
            parent: parent.flatten().map(|parent| eyes.card(gallery, parent)),
            parent_gone: parent.is_some_and(|parent| parent.is_none()),
            remixes: remixes.collect(),
            remix_count: item.forks.len(),
            remarks: item.comments.iter().map(|comment| eyes.remark(gallery, comment)).collect(),
            asks_name: false,
            draft: String::new(),
            problem: None,
        })
    })
}

async fn profile(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(username): Path<String>,
    UriQuery(asked): UriQuery<GalleryQuery>,
) -> Response {
    let eyes = Eyes::of(&headers, &shared);
    let offset = asked.offset.unwrap_or_default();
    let found = shared.desk.read(|gallery| {
        let at = gallery.account_named(&username)?;
        let page = gallery.items_of(at).skip(offset).take(PAGE + 1);
        let mut cards: Vec<Card> = page.map(|item| eyes.card(gallery, item)).collect();
        let more = (cards.len() > PAGE).then(|| offset.saturating_add(PAGE));
        cards.truncate(PAGE);
        let since = day(gallery.account(at).at);
        let (frame, person) = (eyes.frame(&shared, gallery), person(gallery, at));
        let order = Order::Recent.word();
        Some(ProfilePage { frame, person, since, stats: gallery.stats(at), cards, order, more })
    });
    match found {
        Some(page) if asked.part.is_some() => {
            let ProfilePage { frame, cards, order, more, .. } = page;
            eyes.show(&shared, StatusCode::OK, &CardsPart { frame, cards, order, more })
        }
        Some(page) => eyes.show(&shared, StatusCode::OK, &page),
        None => eyes.missing(&shared),
    }
}

/// News for pages that are open, until the studio closes.
async fn events(State(shared): State<Shared>) -> Response {
    let Ok(seat) = std::sync::Arc::clone(&shared.pages.listeners).try_acquire_owned() else {
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "Too many pages listen already").into_response();
    };
    let closing = shared.closing.clone();
    let news = BroadcastStream::new(shared.desk.listen()).map(move |live| {
        let _seat = &seat;
        Ok::<_, Infallible>(match live {
            Ok(Live::Item { id }) => Sse::default().event("item").data(json!({ "id": id }).to_string()),
            Ok(Live::Counts { id, likes, comments }) => Sse::default()
                .event("counts")
                .data(json!({ "id": id, "likes": likes, "comments": comments }).to_string()),
            Err(BroadcastStreamRecvError::Lagged(_)) => Sse::default().event("missed").data("{}"),
        })
    });
    axum::response::Sse::new(news.take_until(closing.cancelled_owned()))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
        .into_response()
}

async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "studio.css" => ("text/css; charset=utf-8", STYLE),
        "studio.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return ApiError::new(StatusCode::NOT_FOUND, "Not found").into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], DOCUMENT).into_response()
}

async fn missing(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        return ApiError::new(StatusCode::NOT_FOUND, "Not found").into_response();
    }
    Eyes::of(&headers, &shared).missing(&shared)
}
