//! The live page: three files, committed as they are served.
//!
//! Nothing is loaded from elsewhere, and no script is inside the page, so that the page needs no network and the policy
//! of [`super::guard`] no exception.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::Site;

/// One file of the page.
#[derive(Debug, Clone, Copy)]
struct Asset {
    path: &'static str,
    mime: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset { path: "/", mime: "text/html; charset=utf-8", text: include_str!("assets/index.html") },
    Asset { path: "/assets/page.css", mime: "text/css; charset=utf-8", text: include_str!("assets/page.css") },
    Asset { path: "/assets/page.js", mime: "text/javascript; charset=utf-8", text: include_str!("assets/page.js") },
    Asset { path: "/assets/icon.svg", mime: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

/// The page's files.
pub(super) fn routes() -> Router<Arc<Site>> {
    ASSETS.into_iter().fold(Router::new(), |router, asset| {
        // Made once, at the start.
        let tag = format!("\"{:x}\"", Sha256::digest(asset.text));
        router.route(asset.path, get(move |headers: HeaderMap| async move { answer(asset, &tag, &headers) }))
    })
}

fn answer(asset: Asset, tag: &str, headers: &HeaderMap) -> Response {
    // Browsers keep the files but ask each time whether they are still right: a new program is seen at once.
    let kept = [(header::CACHE_CONTROL, "no-cache"), (header::ETAG, tag)];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    ([(header::CONTENT_TYPE, asset.mime)], kept, asset.text).into_response()
}
