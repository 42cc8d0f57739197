//! The pages: the gallery as people see it.
//!
//! They need no network and no script to be read, and everything that somebody wrote is escaped.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query as UriQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tracing::error;

use super::Shared;
use super::answer::{ApiError, read_body};
use super::desk::{Live, Refusal};
use super::gallery::{AccountAt, Comment, Gallery, Item, Order, Query};
use super::visitors::{NAME, Pace, Visit};
use super::wire::{Stats, avatar_path, image_path, iso};

/// How many pictures one page of the gallery has.
const PAGE: usize = 24;
/// How many remixes an item's page shows.
const REMIXES: usize = 12;
/// How many pages may listen for news at once.
const LISTENERS: usize = 1024;
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
        .route("/p/{id}/like", post(like))
        .route("/p/{id}/comments", post(comment))
        .route("/u/{username}", get(profile))
        .route("/events", get(events))
        .route("/assets/{name}", get(asset))
        .fallback(missing)
}

/// What the frame of every page shows.
struct Frame {
    url: String,
    stamp: String,
    speed: f64,
    now: String,
    /// The visitor's name, once there is one.
    me: Option<String>,
    token: String,
    name_max: usize,
}

/// Somebody, as pages show them.
struct Person {
    username: String,
    name: String,
    agent: bool,
    avatar: String,
}

/// A picture in a grid.
struct Card {
    id: String,
    title: String,
    image: String,
    width: u32,
    height: u32,
    alt: String,
    author: Person,
    likes: usize,
    comments: usize,
    liked: bool,
    remix: bool,
    at: String,
    when: String,
}

/// A remark under a picture.
struct Remark {
    id: String,
    author: Person,
    content: String,
    at: String,
    when: String,
}

#[derive(Template)]
#[template(path = "studio/templates/gallery.html")]
struct GalleryPage {
    frame: Frame,
    tabs: Vec<(&'static str, &'static str, bool)>,
    order: &'static str,
    cards: Vec<Card>,
    more: Option<usize>,
    posts: usize,
}

#[derive(Template)]
#[template(path = "studio/templates/cards.html")]
struct CardsPart {
    frame: Frame,
    cards: Vec<Card>,
    order: &'static str,
    more: Option<usize>,
}

#[derive(Template)]
#[template(path = "studio/templates/item.html")]
struct ItemPage {
    frame: Frame,
    card: Card,
    description: Option<String>,
    views: u64,
    parent: Option<Card>,
    parent_gone: bool,
    /// The newest remixes, at most [`REMIXES`].
    remixes: Vec<Card>,
    remix_count: usize,
    remarks: Vec<Remark>,
    /// Whether a like waits for a name.
    asks_name: bool,
    /// A text that could not be sent yet.
    draft: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "studio/templates/remark.html")]
struct RemarkPart {
    remark: Remark,
}

#[derive(Template)]
#[template(path = "studio/templates/profile.html")]
struct ProfilePage {
    frame: Frame,
    person: Person,
    since: String,
    stats: Stats,
    cards: Vec<Card>,
    order: &'static str,
    more: Option<usize>,
}

#[derive(Template)]
#[template(path = "studio/templates/missing.html")]
struct MissingPage {
    frame: Frame,
}

/// Who looks, and when.
struct Eyes {
    visit: Visit,
    now: Timestamp,
}

impl Eyes {
    fn of(headers: &HeaderMap, shared: &Shared) -> Self {
        Self { visit: Visit::of(headers, shared), now: shared.desk.now() }
    }

    fn place(&self, gallery: &Gallery) -> Option<AccountAt> {
        self.visit.account.as_deref().and_then(|id| gallery.account_by_id(id))
    }

    fn frame(&self, shared: &Shared, gallery: &Gallery) -> Frame {
        Frame {
            url: shared.pages.url.clone(),
            stamp: shared.pages.stamp.clone(),
            speed: shared.pages.speed,
            now: iso(self.now),
            me: self.place(gallery).map(|at| gallery.account(at).name.clone()),
            token: self.visit.token(),
            name_max: NAME,
        }
    }

    fn card(&self, gallery: &Gallery, item: &Item) -> Card {
        let (width, height) = gallery
            .recipe(&item.image)
            .and_then(|(recipe, index)| recipe.images.get(index))
            .map_or((1, 1), |image| (image.width, image.height));
        let author = person(gallery, item.account);
        Card {
            id: item.id.clone(),
            title: item.title.clone(),
            image: image_path(&item.image),
            width,
            height,
            alt: format!("“{}” by {}", item.title, author.name),
            author,
            likes: item.likes.len(),
            comments: item.comments.len(),
            liked: self.place(gallery).is_some_and(|me| item.likes.contains_key(&me)),
            remix: item.remix_of.is_some(),
            at: iso(item.at),
            when: ago(item.at, self.now),
        }
    }

    fn remark(&self, gallery: &Gallery, comment: &Comment) -> Remark {
        Remark {
            id: comment.id.clone(),
            author: person(gallery, comment.account),
            content: comment.content.clone(),
            at: iso(comment.at),
            when: ago(comment.at, self.now),
        }
    }

    /// A page for this browser alone.
    fn show(&self, shared: &Shared, status: StatusCode, page: &impl Template) -> Response {
        let text = match page.render() {
            Ok(text) => text,
            Err(error) => {
                error!(%error, "could not fill in a page of the studio");
                return ApiError::internal().into_response();
            }
        };
        let mut response = (status, Html(text)).into_response();
        let headers = response.headers_mut();
        let policy = "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
        headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(policy));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("same-origin"));
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        if let Some(cookie) = self.visit.cookie(shared.pages.url.starts_with("https:")) {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn missing(&self, shared: &Shared) -> Response {
        let frame = shared.desk.read(|gallery| self.frame(shared, gallery));
        self.show(shared, StatusCode::NOT_FOUND, &MissingPage { frame })
    }
}

fn person(gallery: &Gallery, at: AccountAt) -> Person {
    let account = gallery.account(at);
    Person {
        username: account.username.clone(),
        name: account.name.clone(),
        agent: account.is_agent,
        avatar: avatar_path(&account.username),
    }
}

/// How long ago that was, in words.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(at).max(SignedDuration::ZERO);
    match passed.as_secs() {
        ..60 => "just now".to_owned(),
        secs @ 60..3600 => format!("{} min ago", secs / 60),
        secs @ 3600..86_400 => format!("{} h ago", secs / 3600),
        secs @ 86_400..604_800 => format!("{} d ago", secs / 86_400),
        _ => day(at),
    }
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y").to_string()
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

/// What the forms of the pages send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    token: String,
    name: Option<String>,
    content: Option<String>,
}

/// A form and who sent it, once it is known to come from a page of ours.
struct Sent {
    eyes: Eyes,
    form: Form,
    /// Whether a script waits for JSON, rather than a browser for a page.
    scripted: bool,
}

impl Sent {
    async fn of(shared: &Shared, request: Request) -> Result<Self, ApiError> {
        let headers = request.headers().clone();
        let scripted =
            headers.get(header::ACCEPT).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        let eyes = Eyes::of(&headers, shared);
        let body = read_body(request).await?;
        let form = form_of(&body);
        eyes.visit.check(&headers, &form.token)?;
        shared.pages.pace.step()?;
        Ok(Self { eyes, form, scripted })
    }

    /// The item page again, with a question or a complaint.
    fn again(&self, shared: &Shared, id: &str, status: StatusCode, change: impl FnOnce(&mut ItemPage)) -> Response {
        match item_page(shared, &self.eyes, id) {
            None => self.eyes.missing(shared),
            Some(mut page) => {
                change(&mut page);
                self.eyes.show(shared, status, &page)
            }
        }
    }

    fn refused(&self, shared: &Shared, id: &str, error: ApiError) -> Response {
        if self.scripted {
            return error.into_response();
        }
        self.again(shared, id, error.status(), |page| {
            page.problem = Some(error.sentence().to_owned());
            page.draft = self.form.content.clone().unwrap_or_default();
        })
    }

    fn needs_name(&self, shared: &Shared, id: &str) -> Response {
        if self.scripted {
            let body = json!({ "error": "Choose a name first", "needsName": true });
            return (StatusCode::CONFLICT, Json(body)).into_response();
        }
        self.again(shared, id, StatusCode::OK, |page| {
            page.draft = self.form.content.clone().unwrap_or_default();
            page.asks_name = page.draft.is_empty();
            if !page.asks_name {
                page.problem = Some("Choose a name first, then send your comment".to_owned());
            }
        })
    }
}

fn form_of(body: &[u8]) -> Form {
    let mut form = Form::default();
    for (key, value) in url::form_urlencoded::parse(body) {
        match &*key {
            "token" => form.token = value.into_owned(),
            "name" => form.name = Some(value.into_owned()),
            "content" => form.content = Some(value.into_owned()),
            _ => {}
        }
    }
    form
}

async fn like(State(shared): State<Shared>, Path(id): Path<String>, request: Request) -> Response {
    let sent = match Sent::of(&shared, request).await {
        Ok(sent) => sent,
        Err(error) => return error.into_response(),
    };
    // A name is taken only where there is something to like.
    if shared.desk.read(|gallery| gallery.item(&id).is_none()) {
        return sent.refused(&shared, &id, Refusal::NoItem.into());
    }
    let outcome = match sent.eyes.visit.account(&shared, sent.form.name.as_deref()) {
        Ok(None) => return sent.needs_name(&shared, &id),
        Ok(Some(account)) => shared.desk.toggle_like(&account, &id).map_err(ApiError::from),
        Err(error) => Err(error),
    };
    match outcome {
        Err(error) => sent.refused(&shared, &id, error),
        Ok((liked, count)) if sent.scripted => Json(json!({ "liked": liked, "likeCount": count })).into_response(),
        Ok(_) => Redirect::to(&format!("/p/{id}")).into_response(),
    }
}

async fn comment(State(shared): State<Shared>, Path(id): Path<String>, request: Request) -> Response {
    let sent = match Sent::of(&shared, request).await {
        Ok(sent) => sent,
        Err(error) => return error.into_response(),
    };
    // Browsers send line ends as two characters, and people do not count them so.
    let content = sent.form.content.clone().unwrap_or_default().replace("\r\n", "\n").trim().to_owned();
    let length = content.chars().count();
    if !(1..=1000).contains(&length) {
        let error = format!("A comment has 1 to 1000 characters, this one has {length}");
        return sent.refused(&shared, &id, ApiError::new(StatusCode::BAD_REQUEST, error));
    }
    if shared.desk.read(|gallery| gallery.item(&id).is_none()) {
        return sent.refused(&shared, &id, Refusal::NoItem.into());
    }
    let outcome = match sent.eyes.visit.account(&shared, sent.form.name.as_deref()) {
        Ok(None) => return sent.needs_name(&shared, &id),
        Ok(Some(account)) => shared.desk.comment(&account, &id, content).map_err(ApiError::from),
        Err(error) => Err(error),
    };
    match outcome {
        Err(error) => sent.refused(&shared, &id, error),
        Ok(comment) if sent.scripted => {
            let remark = shared.desk.read(|gallery| {
                let item = gallery.item(&id)?;
                let comment = item.comments.iter().rev().find(|one| one.id == comment)?;
                Some((sent.eyes.remark(gallery, comment), item.comments.len()))
            });
            match remark.map(|(remark, count)| (RemarkPart { remark }.render(), count)) {
                Some((Ok(html), count)) => Json(json!({ "html": html, "commentCount": count })).into_response(),
                _ => ApiError::internal().into_response(),
            }
        }
        Ok(comment) => Redirect::to(&format!("/p/{id}#c-{comment}")).into_response(),
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

async fn missing(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        return ApiError::new(StatusCode::NOT_FOUND, "Not found").into_response();
    }
    Eyes::of(&headers, &shared).missing(&shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_tell_them() {
        let now: Timestamp = "2026-03-12T12:00:00Z".parse().expect("a time");
        for (at, words) in [
            ("2026-03-12T12:00:30Z", "just now"),
            ("2026-03-12T11:59:01Z", "just now"),
            ("2026-03-12T11:57:00Z", "3 min ago"),
            ("2026-03-12T09:30:00Z", "2 h ago"),
            ("2026-03-08T12:00:00Z", "4 d ago"),
            ("2026-03-01T12:00:00Z", "1 Mar 2026"),
        ] {
            assert_eq!(ago(at.parse().expect("a time"), now), words, "{at}");
        }
    }
}
