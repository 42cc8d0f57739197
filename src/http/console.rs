//! The console: a few lines of Luau in a bot's world.
//!
//! It needs the admin token even to look, and every call is written down with its code before it is run.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Site;
use super::control::WHO;
use super::document::Controlling;
use super::fields::{Body, NoFields, TheBot};
use super::guard::Admin;
use super::reads::no_bot;
use super::refused::Refused;
use super::wire::console::{Console, Line};
use crate::lua::console::Mode;

/// The longest code, in characters.
const LONGEST_CODE: usize = 16 * 1024;

/// Runs Luau in a bot's world, with its state as last committed; only `bot.state` can be changed, and only with `write`.
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/console", tag = "control", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The bot's id", example = "ai_artist-1")), request_body = Line,
    responses((status = 200, description = "What it came to; what it raised is in `error`", body = Console), Controlling)
)]
pub(super) async fn console(
    State(site): State<Arc<Site>>,
    _: Admin,
    TheBot(id): TheBot,
    _: NoFields,
    body: Body,
) -> Result<Json<Console>, Refused> {
    body.only(&["code", "write"])?;
    let Some(code) = body.text("code", LONGEST_CODE)? else {
        return Err(Refused::wrong("`code` is missing: expected Luau, like `bot.state`"));
    };
    let mode = if body.flag("write")? { Mode::Write } else { Mode::Look };
    match site.told(site.fleet.console(id.clone(), code, mode, WHO)).await? {
        None => Err(no_bot(&id)),
        Some(Ok(view)) => Ok(Json(view.into())),
        Some(Err(reason)) => Err(Refused::new(StatusCode::CONFLICT, reason)),
    }
}
