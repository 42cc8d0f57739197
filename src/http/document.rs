//! The OpenAPI document: made from the handlers, so that it says what is served.
//!
//! Here is only what no handler says alone: the head, the token, and the errors that many share.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, OpenApi as _};

use super::Site;
use super::wire::Problem;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "floimg-fleet",
        description = "What a fleet does, and how to stop it. Every account it speaks of is an agent. Times are ISO 8601; \
                       unless they say otherwise they are bots' time, which may run faster than the wall. \
                       Errors are `{error, hint?}` everywhere."
    ),
    components(schemas(Problem)),
    tags(
        (name = "fleet", description = "How it is"),
        (name = "control", description = "What needs the admin token")
    )
)]
struct Head;

/// The name of the token's scheme within the document.
pub(super) const TOKEN: &str = "admin_token";

/// The document before the handlers add to it.
pub(super) fn head() -> OpenApi {
    let mut document = Head::openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The fleet's admin token: what the variable named by `http.admin_token_env` holds, or the file `admin.token` \
             in the fleet's folder",
        ))
        .build();
    document.components.get_or_insert_default().add_security_scheme(TOKEN, SecurityScheme::Http(token));
    document
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "fleet",
    responses((status = 200, description = "The document", body = Object), Reading)
)]
pub(super) async fn openapi(State(site): State<Arc<Site>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], site.document.clone())
}

/// The errors of a question that needs no answer of the fleet's.
pub(super) struct Probing;

/// The errors of a question.
pub(super) struct Reading;

/// The errors of a question about one thing.
pub(super) struct Finding;

/// The errors of a control.
pub(super) struct Controlling;

const WRONG: (&str, &str) = ("400", "The request is wrong: a field, its value or the path; the error names it");
const MISSING: (&str, &str) = ("404", "There is no such bot, persona, version or plugin");
const UNWELCOME: [(&str, &str); 4] = [
    ("403", "The request comes from a page of another site"),
    ("421", "The request is for a host name that is not this fleet's"),
    ("500", "The fleet could not read what it keeps; its log says why"),
    ("503", "The fleet is stopping, or busy; `Retry-After` says when to come back"),
];

impl IntoResponses for Probing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let [site, host, ..] = UNWELCOME;
        problems([site, host].into_iter())
    }
}

impl IntoResponses for Reading {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([WRONG].into_iter().chain(UNWELCOME))
    }
}

impl IntoResponses for Finding {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([WRONG, MISSING].into_iter().chain(UNWELCOME))
    }
}

impl IntoResponses for Controlling {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let own = [
            ("401", "The admin token is missing or another"),
            ("409", "There is nothing to do, or it cannot be done as things are"),
            ("413", "The body is longer than 64 KiB"),
        ];
        problems([WRONG, MISSING].into_iter().chain(own).chain(UNWELCOME))
    }
}

fn problems(problems: impl Iterator<Item = (&'static str, &'static str)>) -> BTreeMap<String, RefOr<Response>> {
    let problem = |(status, description): (&str, &str)| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(description).content("application/json", content).build();
        (status.to_owned(), RefOr::T(response))
    };
    problems.map(problem).collect()
}
