//! Plugins: how they are, and pausing one.
//!
//! A paused plugin is asked by nobody, so that actions go on without it; that is the operator's word, not a fault.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Site;
use super::control::{LONGEST_REASON, WHO};
use super::document::{Controlling, Finding, Reading};
use super::fields::{Body, NoFields, ThePlugin};
use super::guard::Admin;
use super::refused::Refused;
use super::wire::PausePlugin;
use super::wire::plugins::{Plugin, Plugins};
use super::wire::versions::Decided;
use crate::model::plugin::PluginName;
use crate::runtime::plugin_view::{PluginChange, PluginView};

/// Every plugin, in the order in which they are asked.
#[utoipa::path(
    get, path = "/api/v1/plugins", tag = "fleet",
    responses((status = 200, description = "The plugins", body = Plugins), Reading)
)]
pub(super) async fn plugins(State(site): State<Arc<Site>>, _: NoFields) -> Result<Json<Plugins>, Refused> {
    Ok(Json(site.asked(site.fleet.plugins()).await?.into()))
}

/// One plugin.
#[utoipa::path(
    get, path = "/api/v1/plugins/{plugin}", tag = "fleet",
    params(("plugin" = String, Path, description = "The plugin's name", example = "guard")),
    responses((status = 200, description = "The plugin", body = Plugin), Finding)
)]
pub(super) async fn plugin(
    State(site): State<Arc<Site>>,
    ThePlugin(name): ThePlugin,
    _: NoFields,
) -> Result<Json<Plugin>, Refused> {
    Ok(Json(known(&site, &name).await?.into()))
}

/// Lets nobody ask a plugin until it is resumed.
#[utoipa::path(
    post, path = "/api/v1/plugins/{plugin}/pause", tag = "control", security(("admin_token" = [])),
    params(("plugin" = String, Path, description = "The plugin's name", example = "guard")), request_body = Option<PausePlugin>,
    responses((status = 200, description = "What was done", body = Decided), Controlling)
)]
pub(super) async fn pause(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePlugin(name): ThePlugin,
    _: NoFields,
    body: Body,
) -> Result<Json<Decided>, Refused> {
    body.only(&["reason"])?;
    let reason = body.text("reason", LONGEST_REASON)?.unwrap_or_default();
    decide(&site, name, PluginChange::Pause(reason)).await
}

/// Lets a plugin be asked again, out of quarantine too.
#[utoipa::path(
    post, path = "/api/v1/plugins/{plugin}/resume", tag = "control", security(("admin_token" = [])),
    params(("plugin" = String, Path, description = "The plugin's name", example = "guard")),
    responses((status = 200, description = "What was done", body = Decided), Controlling)
)]
pub(super) async fn resume(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePlugin(name): ThePlugin,
    _: NoFields,
    body: Body,
) -> Result<Json<Decided>, Refused> {
    body.only(&[])?;
    decide(&site, name, PluginChange::Resume).await
}

async fn known(site: &Site, name: &PluginName) -> Result<PluginView, Refused> {
    let plugins = site.asked(site.fleet.plugins()).await?;
    plugins
        .into_iter()
        .find(|plugin| plugin.name == *name)
        .ok_or_else(|| Refused::missing(format!("there is no plugin `{name}`")).hint("GET /api/v1/plugins lists them"))
}

async fn decide(site: &Site, name: PluginName, change: PluginChange) -> Result<Json<Decided>, Refused> {
    known(site, &name).await?;
    match site.told(site.fleet.change_plugin(name, change, WHO)).await? {
        Ok(message) => Ok(Json(Decided { message })),
        Err(reason) => Err(Refused::new(StatusCode::CONFLICT, reason)),
    }
}
