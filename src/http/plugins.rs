//! Plugins: how they are, and pausing one.
//!
//! A paused plugin is asked by nobody, so that actions go on without it; that is the operator's word, not a fault.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

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
use crate::runtime::plugins::view::{PluginState, PluginView};

/// Every plugin, and what is wrong with none of them.
#[utoipa::path(
    get, path = "/api/v1/plugins", tag = "fleet",
    responses((status = 200, description = "The plugins", body = Plugins), Reading)
)]
pub(super) async fn plugins(State(site): State<Arc<Site>>, _: NoFields) -> Result<Json<Plugins>, Refused> {
    Ok(Json(Plugins::of(site.fleet.plugins(), site.fleet.stray_plugins())))
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
    Ok(Json(known(&site, &name)?.into()))
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
    if !site.told(site.fleet.pause_plugin(&name, reason, WHO)).await? {
        return Err(missing(&name));
    }
    let message = match known(&site, &name)?.state {
        PluginState::Paused(_) => format!("paused the plugin {name}: nobody asks it until it is resumed"),
        _ => format!("the plugin {name} stays paused when it runs again; now it does not"),
    };
    Ok(Json(Decided { message }))
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
    if !site.told(site.fleet.resume_plugin(&name, WHO)).await? {
        return Err(missing(&name));
    }
    let resumed = known(&site, &name)?;
    let message = match resumed.state {
        PluginState::Running => format!("resumed the plugin {name}"),
        _ => format!("resumed the plugin {name}, which does not run all the same: {}", resumed.reason()),
    };
    Ok(Json(Decided { message }))
}

fn known(site: &Site, name: &PluginName) -> Result<PluginView, Refused> {
    site.fleet.plugins().into_iter().find(|plugin| plugin.name == *name).ok_or_else(|| missing(name))
}

fn missing(name: &PluginName) -> Refused {
    Refused::missing(format!("there is no plugin `{name}`")).hint("GET /api/v1/plugins lists them")
}
