//! What visitors send: likes and comments, from a form or from the page's script.
//!
//! What does not come from a page of this browser's own changes nothing.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::item_page;
use super::view::{Eyes, ItemPage, RemarkPart};
use crate::studio::Shared;
use crate::studio::answer::{ApiError, read_body};
use crate::studio::desk::Refusal;

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

pub(super) async fn like(State(shared): State<Shared>, Path(id): Path<String>, request: Request) -> Response {
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

pub(super) async fn comment(State(shared): State<Shared>, Path(id): Path<String>, request: Request) -> Response {
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
