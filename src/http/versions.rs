//! Versions of scripts: their history, their files, and which one runs.
//!
//! A version is named by the first digits of its digest; what fits none or several is refused with those that there are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use similar::TextDiff;

use super::Site;
use super::control::{WHO, no_persona};
use super::document::{Controlling, Finding};
use super::fields::{Body, Fields, NoFields, ThePersona};
use super::guard::Admin;
use super::refused::{Refused, clipped};
use super::wire::versions::{Decided, Difference, Files, History, Which};
use crate::model::name::{PersonaName, VersionId};
use crate::runtime::view::{ScriptView, VersionChange};
use crate::store::{StoredVersion, VersionRow};

/// The fewest digits that name a version.
const DIGITS: usize = 4;
/// Lines around a difference.
const CONTEXT: usize = 3;

/// One persona's script with every version that is kept.
#[utoipa::path(
    get, path = "/api/v1/scripts/{name}", tag = "fleet",
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")),
    responses((status = 200, description = "The script and its versions, the one accepted last first", body = History), Finding)
)]
pub(super) async fn history(
    State(site): State<Arc<Site>>,
    ThePersona(name): ThePersona,
    _: NoFields,
) -> Result<Json<History>, Refused> {
    let (script, versions) = known(&site, &name).await?;
    Ok(Json(History::of(script, versions)))
}

/// The files of one version.
#[utoipa::path(
    get, path = "/api/v1/scripts/{name}/files", tag = "fleet",
    params(
        ("name" = String, Path, description = "The persona's name", example = "ai_artist"),
        ("version" = Option<String>, Query, description = "The version's first digits; without it, the one that runs", example = "0f3a9c1e")
    ),
    responses((status = 200, description = "Every file by its path", body = Files), Finding)
)]
pub(super) async fn files(
    State(site): State<Arc<Site>>,
    ThePersona(name): ThePersona,
    uri: Uri,
) -> Result<Json<Files>, Refused> {
    let fields = Fields::read(uri.query(), &["version"])?;
    let (script, versions) = known(&site, &name).await?;
    let id = match fields.text("version") {
        Some(prefix) => find(prefix, "version", &versions)?,
        None => running(&script)?,
    };
    Ok(Json(Files::of(kept(&site, &id).await?)))
}

/// What differs between two versions.
#[utoipa::path(
    get, path = "/api/v1/scripts/{name}/diff", tag = "fleet",
    params(
        ("name" = String, Path, description = "The persona's name", example = "ai_artist"),
        ("from" = String, Query, description = "The first digits of a version", example = "0f3a9c1e"),
        ("to" = Option<String>, Query, description = "The first digits of another; without it, the one that runs", example = "0f3a9c1e")
    ),
    responses((status = 200, description = "A unified diff of all files", body = Difference), Finding)
)]
pub(super) async fn diff(
    State(site): State<Arc<Site>>,
    ThePersona(name): ThePersona,
    uri: Uri,
) -> Result<Json<Difference>, Refused> {
    let fields = Fields::read(uri.query(), &["from", "to"])?;
    let (script, versions) = known(&site, &name).await?;
    let Some(from) = fields.text("from") else {
        return Err(Refused::wrong("`from` is missing: expected the first digits of a version"));
    };
    let from = find(from, "from", &versions)?;
    let to = match fields.text("to") {
        Some(prefix) => find(prefix, "to", &versions)?,
        None => running(&script)?,
    };
    let (old, new) = (kept(&site, &from).await?, kept(&site, &to).await?);
    // Comparing long texts takes its time, which others must not wait for.
    let diff = tokio::task::spawn_blocking(move || unified(&old, &new)).await.map_err(|_| Refused::broken())?;
    Ok(Json(Difference { from: from.to_string(), to: to.to_string(), diff }))
}

/// Goes back to a version, or to the one before, or takes back what is tried.
#[utoipa::path(
    post, path = "/api/v1/scripts/{name}/rollback", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")), request_body = Option<Which>,
    responses((status = 200, description = "What was done", body = Decided), Controlling)
)]
pub(super) async fn rollback(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Decided>, Refused> {
    let target = chosen(&site, &name, &body).await?;
    decide(&site, name, VersionChange::RollBack(target)).await
}

/// Pins a version, or the one that runs: saved files wait until it is unpinned.
#[utoipa::path(
    post, path = "/api/v1/scripts/{name}/pin", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")), request_body = Option<Which>,
    responses((status = 200, description = "What was done", body = Decided), Controlling)
)]
pub(super) async fn pin(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Decided>, Refused> {
    let target = match chosen(&site, &name, &body).await? {
        Some(target) => target,
        None => running(&known(&site, &name).await?.0)?,
    };
    decide(&site, name, VersionChange::Pin(target)).await
}

/// Takes what the files say again.
#[utoipa::path(
    post, path = "/api/v1/scripts/{name}/unpin", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")),
    responses((status = 200, description = "What was done", body = Decided), Controlling)
)]
pub(super) async fn unpin(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Decided>, Refused> {
    body.only(&[])?;
    known(&site, &name).await?;
    decide(&site, name, VersionChange::Unpin).await
}

/// Gives what is tried, or was rolled back, to all bots.
#[utoipa::path(
    post, path = "/api/v1/scripts/{name}/promote", tag = "control", security(("admin_token" = [])),
    params(("name" = String, Path, description = "The persona's name", example = "ai_artist")),
    responses((status = 200, description = "What was done", body = Decided), Controlling)
)]
pub(super) async fn promote(
    State(site): State<Arc<Site>>,
    _: Admin,
    ThePersona(name): ThePersona,
    _: NoFields,
    body: Body,
) -> Result<Json<Decided>, Refused> {
    body.only(&[])?;
    known(&site, &name).await?;
    decide(&site, name, VersionChange::Promote).await
}

async fn known(site: &Site, name: &PersonaName) -> Result<(ScriptView, Vec<VersionRow>), Refused> {
    site.asked(site.fleet.versions(name)).await?.ok_or_else(|| no_persona(name))
}

async fn chosen(site: &Site, name: &PersonaName, body: &Body) -> Result<Option<VersionId>, Refused> {
    body.only(&["version"])?;
    let (_, versions) = known(site, name).await?;
    body.text("version", 64)?.map(|prefix| find(&prefix, "version", &versions)).transpose()
}

async fn decide(site: &Site, name: PersonaName, change: VersionChange) -> Result<Json<Decided>, Refused> {
    match site.told(site.fleet.change_version(name, change, WHO)).await? {
        Ok(message) => Ok(Json(Decided { message })),
        Err(reason) => Err(Refused::new(StatusCode::CONFLICT, reason)),
    }
}

fn running(script: &ScriptView) -> Result<VersionId, Refused> {
    script.version.clone().ok_or_else(|| Refused::missing(format!("no version of `{}` runs", script.persona)))
}

async fn kept(site: &Site, id: &VersionId) -> Result<StoredVersion, Refused> {
    let version = site.asked(site.fleet.version(id)).await?;
    version.ok_or_else(|| Refused::missing(format!("version {id} is not kept any more")))
}

/// The version that these digits begin.
fn find(prefix: &str, field: &str, versions: &[VersionRow]) -> Result<VersionId, Refused> {
    let prefix = prefix.to_ascii_lowercase();
    if prefix.len() < DIGITS || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refused::field(field, &prefix, &format!("at least {DIGITS} digits of a version, like `0f3a9c1e`")));
    }
    let fitting: Vec<&VersionRow> = versions.iter().filter(|row| row.id.as_str().starts_with(&prefix)).collect();
    match fitting[..] {
        [row] => Ok(row.id.clone()),
        [] => {
            let newest: Vec<&str> = versions.iter().take(8).map(|row| row.id.short()).collect();
            Err(Refused::missing(format!("no version begins with `{}`", clipped(&prefix)))
                .hint(format!("the newest are {}", newest.join(", "))))
        }
        _ => {
            let all: Vec<&str> = fitting.iter().filter_map(|row| row.id.as_str().get(..12)).collect();
            Err(Refused::wrong(format!("several versions begin with `{}`", clipped(&prefix)))
                .hint(format!("give more digits: {}", all.join(", "))))
        }
    }
}

/// A unified diff of all files of two versions.
fn unified(old: &StoredVersion, new: &StoredVersion) -> String {
    let mut paths: Vec<&String> = old.files.keys().chain(new.files.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut diff = String::new();
    for path in paths {
        let (before, after) = (old.files.get(path), new.files.get(path));
        if before == after {
            continue;
        }
        let name = |there: bool, side: &str| if there { format!("{side}/{path}") } else { "/dev/null".to_owned() };
        let texts = TextDiff::from_lines(before.map_or("", String::as_str), after.map_or("", String::as_str));
        let mut text = texts.unified_diff();
        let text = text.context_radius(CONTEXT);
        diff += &text
            .header(&name(before.is_some(), &old.id.to_string()), &name(after.is_some(), &new.id.to_string()))
            .to_string();
    }
    diff
}
