//! What pages show: their templates, and how the gallery becomes what fills them.
//!
//! A page is for one browser alone, is never kept by anybody else, and runs nothing that is not this studio's.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tracing::error;

use crate::studio::Shared;
use crate::studio::answer::ApiError;
use crate::studio::gallery::{AccountAt, Comment, Gallery, Item};
use crate::studio::visitors::{NAME, Visit};
use crate::studio::wire::{Stats, avatar_path, image_path, iso};

/// What the frame of every page shows.
pub(super) struct Frame {
    pub(super) url: String,
    pub(super) stamp: String,
    pub(super) speed: f64,
    pub(super) now: String,
    /// The visitor's name, once there is one.
    pub(super) me: Option<String>,
    pub(super) token: String,
    pub(super) name_max: usize,
}

/// Somebody, as pages show them.
pub(super) struct Person {
    pub(super) username: String,
    pub(super) name: String,
    pub(super) agent: bool,
    pub(super) avatar: String,
}

/// A picture in a grid.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) image: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alt: String,
    pub(super) author: Person,
    pub(super) likes: usize,
    pub(super) comments: usize,
    pub(super) liked: bool,
    pub(super) remix: bool,
    pub(super) at: String,
    pub(super) when: String,
}

/// A remark under a picture.
pub(super) struct Remark {
    pub(super) id: String,
    pub(super) author: Person,
    pub(super) content: String,
    pub(super) at: String,
    pub(super) when: String,
}

#[derive(Template)]
#[template(path = "studio/templates/gallery.html")]
pub(super) struct GalleryPage {
    pub(super) frame: Frame,
    pub(super) tabs: Vec<(&'static str, &'static str, bool)>,
    pub(super) order: &'static str,
    pub(super) cards: Vec<Card>,
    pub(super) more: Option<usize>,
    pub(super) posts: usize,
}

#[derive(Template)]
#[template(path = "studio/templates/cards.html")]
pub(super) struct CardsPart {
    pub(super) frame: Frame,
    pub(super) cards: Vec<Card>,
    pub(super) order: &'static str,
    pub(super) more: Option<usize>,
}

#[derive(Template)]
#[template(path = "studio/templates/item.html")]
pub(super) struct ItemPage {
    pub(super) frame: Frame,
    pub(super) card: Card,
    pub(super) description: Option<String>,
    pub(super) views: u64,
    pub(super) parent: Option<Card>,
    pub(super) parent_gone: bool,
    /// The newest remixes, at most [`REMIXES`].
    pub(super) remixes: Vec<Card>,
    pub(super) remix_count: usize,
    pub(super) remarks: Vec<Remark>,
    /// Whether a like waits for a name.
    pub(super) asks_name: bool,
    /// A text that could not be sent yet.
    pub(super) draft: String,
    pub(super) problem: Option<String>,
}

#[derive(Template)]
#[template(path = "studio/templates/remark.html")]
pub(super) struct RemarkPart {
    pub(super) remark: Remark,
}

#[derive(Template)]
#[template(path = "studio/templates/profile.html")]
pub(super) struct ProfilePage {
    pub(super) frame: Frame,
    pub(super) person: Person,
    pub(super) since: String,
    pub(super) stats: Stats,
    pub(super) cards: Vec<Card>,
    pub(super) order: &'static str,
    pub(super) more: Option<usize>,
}

#[derive(Template)]
#[template(path = "studio/templates/missing.html")]
pub(super) struct MissingPage {
    pub(super) frame: Frame,
}

/// Who looks, and when.
pub(super) struct Eyes {
    pub(super) visit: Visit,
    pub(super) now: Timestamp,
}

impl Eyes {
    pub(super) fn of(headers: &HeaderMap, shared: &Shared) -> Self {
        Self { visit: Visit::of(headers, shared), now: shared.desk.now() }
    }

    pub(super) fn place(&self, gallery: &Gallery) -> Option<AccountAt> {
        self.visit.account.as_deref().and_then(|id| gallery.account_by_id(id))
    }

    pub(super) fn frame(&self, shared: &Shared, gallery: &Gallery) -> Frame {
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

    pub(super) fn card(&self, gallery: &Gallery, item: &Item) -> Card {
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

    pub(super) fn remark(&self, gallery: &Gallery, comment: &Comment) -> Remark {
        Remark {
            id: comment.id.clone(),
            author: person(gallery, comment.account),
            content: comment.content.clone(),
            at: iso(comment.at),
            when: ago(comment.at, self.now),
        }
    }

    /// A page for this browser alone.
    pub(super) fn show(&self, shared: &Shared, status: StatusCode, page: &impl Template) -> Response {
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

    pub(super) fn missing(&self, shared: &Shared) -> Response {
        let frame = shared.desk.read(|gallery| self.frame(shared, gallery));
        self.show(shared, StatusCode::NOT_FOUND, &MissingPage { frame })
    }
}

pub(super) fn person(gallery: &Gallery, at: AccountAt) -> Person {
    let account = gallery.account(at);
    Person {
        username: account.username.clone(),
        name: account.name.clone(),
        agent: account.is_agent,
        avatar: avatar_path(&account.username),
    }
}

/// How long ago that was, in words.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(at).max(SignedDuration::ZERO);
    match passed.as_secs() {
        ..60 => "just now".to_owned(),
        secs @ 60..3600 => format!("{} min ago", secs / 60),
        secs @ 3600..86_400 => format!("{} h ago", secs / 3600),
        secs @ 86_400..604_800 => format!("{} d ago", secs / 86_400),
        _ => day(at),
    }
}

pub(super) fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y").to_string()
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
