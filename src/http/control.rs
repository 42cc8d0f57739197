//! Controls: pause, resume, wake and reload, for one bot, one persona or the whole fleet.
//!
//! Each needs the admin token, and the fleet writes down what was asked before it is done.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Site;
use super::document::Controlling;
use super::fields::{Body, NoFields, TheBot, ThePersona};
use super::guard::Admin;
use super::reads::no_bot;
use super::refused::Refused;
use super::wire::scripts::Reload;
use super::wire::{Controlled, Pause};
use crate::model::name::PersonaName;
use crate::model::seconds::Seconds;
use crate::runtime::fleet;
use crate::runtime::view::Target;

/// Through which door commands come, in the audit.
pub(super) const WHO: &str = "http";
/// The longest reason, in characters.
pub(super) const LONGEST_REASON: usize = 200;

/// Stops one bot from waking, for some time of bots' or until resumed.
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/pause", tag = "control", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The bot's id", example = "ai_artist-1")), request_body = Option<Pause>,
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn pause_bot(
    State(site): State<Arc<Site>>,
    _: Admin,
    TheBot(id): TheBot,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    pause(&site, Target::Bot(id), &body).await
}

/// Lets one bot wake again, out of quarantine too.
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/resume", tag = "control", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The bot's id", example = "ai_artist-1")),
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn resume_bot(
    State(site): State<Arc<Site>>,
    _: Admin,
    TheBot(id): TheBot,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    resume(&site, Target::Bot(id), &body).await
}

/// Wakes one bot now, if asleep.
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/wake", tag = "control", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The bot's id", example = "ai_artist-1")),
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn wake_bot(
    State(site): State<Arc<Site>>,
    _: Admin,
    TheBot(id): TheBot,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    wake(&site, Target::Bot(id), &body).await
}

/// Reads the script files now, all of them.
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/reload", tag = "control", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The bot's id", example = "ai_artist-1")),
    responses((status = 200, description = "What was accepted and what was refused", body = Reload), Controlling)
)]
pub(super) async fn reload_bot(
    State(site): State<Arc<Site>>,
    _: Admin,
    TheBot(id): TheBot,
    _: NoFields,
    body: Body,
) -> Result<Json<Reload>, Refused> {
    if site.asked(site.fleet.bot(id.clone())).await?.is_none() {
        return Err(no_bot(&id));
    }
    reload(&site, &body).await
}

/// Stops a persona's bots from waking, for some time of bots' or until resumed.
#[utoipa::path(
    post, path = "/api/v1/personas/{name}/pause", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")), request_body = Option<Pause>,
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn pause_persona(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    pause(&site, Target::Persona(name), &body).await
}

/// Lets a persona's bots wake again, out of quarantine too.
#[utoipa::path(
    post, path = "/api/v1/personas/{name}/resume", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")),
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn resume_persona(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    resume(&site, Target::Persona(name), &body).await
}

/// Wakes a persona's bots now, if asleep.
#[utoipa::path(
    post, path = "/api/v1/personas/{name}/wake", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")),
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn wake_persona(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    wake(&site, Target::Persona(name), &body).await
}

/// Reads the script files now, all of them.
#[utoipa::path(
    post, path = "/api/v1/personas/{name}/reload", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")),
    responses((status = 200, description = "What was accepted and what was refused", body = Reload), Controlling)
)]
pub(super) async fn reload_persona(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Reload>, Refused> {
    let reloaded = reload(&site, &body).await?;
    // Asked afterwards: the persona's file may be as new as this request.
    let scripts = site.asked(site.fleet.scripts()).await?;
    if scripts.iter().any(|script| script.persona == name) { Ok(reloaded) } else { Err(no_persona(&name)) }
}

/// Stops every bot from waking, for some time of bots' or until resumed.
#[utoipa::path(
    post, path = "/api/v1/fleet/pause", tag = "control", security(("admin_token" = [])),
    request_body = Option<Pause>,
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn pause_fleet(
    State(site): State<Arc<Site>>,
    _: Admin,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    pause(&site, Target::All, &body).await
}

/// Lets every bot wake again, out of quarantine too.
#[utoipa::path(
    post, path = "/api/v1/fleet/resume", tag = "control", security(("admin_token" = [])),
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn resume_fleet(
    State(site): State<Arc<Site>>,
    _: Admin,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    resume(&site, Target::All, &body).await
}

/// Wakes every bot now, if asleep.
#[utoipa::path(
    post, path = "/api/v1/fleet/wake", tag = "control", security(("admin_token" = [])),
    responses((status = 200, description = "How many bots it concerned", body = Controlled), Controlling)
)]
pub(super) async fn wake_fleet(
    State(site): State<Arc<Site>>,
    _: Admin,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    wake(&site, Target::All, &body).await
}

/// Reads the script files now, and answers when every persona is accepted or refused.
#[utoipa::path(
    post, path = "/api/v1/fleet/reload", tag = "control", security(("admin_token" = [])),
    responses((status = 200, description = "What was accepted and what was refused", body = Reload), Controlling)
)]
pub(super) async fn reload_fleet(
    State(site): State<Arc<Site>>,
    _: Admin,
    _: NoFields,
    body: Body,
) -> Result<Json<Reload>, Refused> {
    reload(&site, &body).await
}

async fn pause(site: &Site, target: Target, body: &Body) -> Result<Json<Controlled>, Refused> {
    body.only(&["reason", "for_secs"])?;
    let expected = "seconds of bots' time, as a finite number that is not negative";
    let duration = match body.number("for_secs", expected)? {
        Some(number) => {
            let wrong = |_| Refused::field("for_secs", &number.to_string(), expected);
            Some(Seconds::new(number).map_err(wrong)?)
        }
        None => None,
    };
    let reason = body.text("reason", LONGEST_REASON)?.unwrap_or_default();
    let count = site.told(site.fleet.pause(target.clone(), reason, duration, WHO)).await?;
    let until = match duration {
        Some(duration) => format!("for {} s of bots' time", duration.get()),
        None => "until resumed".to_owned(),
    };
    controlled(count, &target, |bots| format!("paused {bots} {until}"))
}

async fn resume(site: &Site, target: Target, body: &Body) -> Result<Json<Controlled>, Refused> {
    body.only(&[])?;
    let count = site.told(site.fleet.resume(target.clone(), WHO)).await?;
    controlled(count, &target, |bots| format!("resumed {bots}"))
}

async fn wake(site: &Site, target: Target, body: &Body) -> Result<Json<Controlled>, Refused> {
    body.only(&[])?;
    let count = site.told(site.fleet.wake(target.clone(), WHO)).await?;
    controlled(count, &target, |bots| format!("woke {bots}"))
}

async fn reload(site: &Site, body: &Body) -> Result<Json<Reload>, Refused> {
    body.only(&[])?;
    Ok(Json(site.told(site.fleet.reload(WHO)).await?.into()))
}

fn controlled(
    count: fleet::Controlled,
    target: &Target,
    message: impl FnOnce(&str) -> String,
) -> Result<Json<Controlled>, Refused> {
    let count = match (count, target) {
        (Some(count), _) => count,
        (None, Target::All) => 0,
        (None, Target::Bot(id)) => return Err(no_bot(id)),
        (None, Target::Persona(name)) => return Err(no_persona(name)),
    };
    let bots = if count == 1 { "1 bot".to_owned() } else { format!("{count} bots") };
    Ok(Json(Controlled { message: message(&bots), count }))
}

pub(super) fn no_persona(name: &PersonaName) -> Refused {
    Refused::missing(format!("there is no persona `{name}`")).hint("GET /api/v1/personas lists them")
}
