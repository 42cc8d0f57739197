//! Questions: how the fleet is, what it did, and why a bot is idle.
//!
//! Nothing here changes anything.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use utoipa::IntoParams;

use super::document::{Finding, Probing, Reading};
use super::fields::{Fields, NoFields, TheBot};
use super::refused::Refused;
use super::wire::Problem;
use super::wire::bots::{Activities, BotInFull, Bots};
use super::wire::fleet::{Live, Ready, Status};
use super::wire::scripts::{Personas, Scripts};
use super::{Site, within};
use crate::runtime::view::BotFilter;
use crate::store::ActivityQuery;

/// How long the fleet may take to show that it is there.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// How many of a list are shown when nobody says.
const FEW: u32 = 50;
/// The most of a list that is shown at once.
const MANY: u32 = 500;
/// The words for a bot's status.
const STATUSES: [&str; 6] = ["acting", "asleep", "paused", "backoff", "quarantined", "retired"];

/// Whether the process answers.
#[utoipa::path(get, path = "/livez", tag = "fleet", responses((status = 200, description = "It does", body = Live), Probing))]
pub(super) async fn livez() -> Json<Live> {
    Json(Live { live: true })
}

/// Whether the fleet answers.
#[utoipa::path(
    get, path = "/readyz", tag = "fleet",
    responses(
        (status = 200, description = "It does", body = Ready),
        (status = 503, description = "It does not; the error says why", body = Problem),
        Probing
    )
)]
pub(super) async fn readyz(State(site): State<Arc<Site>>) -> Result<Json<Ready>, Refused> {
    if site.options.stop.is_cancelled() {
        return Err(crate::runtime::fleet::Error::Stopping.into());
    }
    // The least that needs both the supervisor and the store.
    let looked = async {
        site.fleet.bots(BotFilter { limit: 1, ..BotFilter::default() }).await?;
        site.fleet.activities(&ActivityQuery { limit: 1, ..ActivityQuery::default() }).await
    };
    match within(READY_WITHIN, looked).await {
        Ok(_) => Ok(Json(Ready { ready: true })),
        // A fleet that cannot read its store is not ready, rather than broken.
        Err(refused) => Err(Refused::later(refused.error(), 5).hint("the fleet's log says more")),
    }
}

/// The fleet in a few numbers.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "fleet",
    responses((status = 200, description = "The fleet now", body = Status), Reading)
)]
pub(super) async fn status(State(site): State<Arc<Site>>, _: NoFields) -> Result<Json<Status>, Refused> {
    let view = site.asked(site.fleet.status()).await?;
    Ok(Json(Status::of(view, &site.options.gallery_url)))
}

/// Which bots.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `bots` reads field by field, for better errors")]
pub(super) struct WhichBots {
    /// Only this persona's
    #[param(example = "ai_artist")]
    persona: Option<String>,
    /// Only with this status: `acting`, `asleep`, `paused`, `backoff`, `quarantined` or `retired`
    #[param(example = "asleep")]
    status: Option<String>,
    /// Only those whose id, username or name holds this, in any case
    #[param(example = "art_")]
    search: Option<String>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// How many to skip
    #[param(minimum = 0, default = 0)]
    offset: Option<u32>,
}

/// Bots, by id.
#[utoipa::path(
    get, path = "/api/v1/bots", tag = "fleet", params(WhichBots),
    responses((status = 200, description = "Some bots, and how many fit", body = Bots), Reading)
)]
pub(super) async fn bots(State(site): State<Arc<Site>>, uri: Uri) -> Result<Json<Bots>, Refused> {
    let fields = Fields::read(uri.query(), &["persona", "status", "search", "limit", "offset"])?;
    let status = fields.text("status");
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        return Err(Refused::field("status", status, &format!("one of {}", STATUSES.join(", "))));
    }
    let limit = fields.number("limit", 1..=MANY)?.unwrap_or(FEW) as usize;
    let offset = fields.number("offset", 0..=u32::MAX)?.unwrap_or(0) as usize;
    let filter = BotFilter {
        persona: fields.persona("persona")?,
        status: status.map(str::to_owned),
        search: fields.text("search").map(str::to_owned),
        offset,
        limit,
    };
    let page = site.asked(site.fleet.bots(filter)).await?;
    Ok(Json(Bots::of(page, limit, offset)))
}

/// One bot as closely as it can be looked at.
#[utoipa::path(
    get, path = "/api/v1/bots/{id}", tag = "fleet",
    params(("id" = String, Path, description = "The bot's id", example = "ai_artist-1")),
    responses((status = 200, description = "The bot", body = BotInFull), Finding)
)]
pub(super) async fn bot(
    State(site): State<Arc<Site>>,
    TheBot(id): TheBot,
    _: NoFields,
) -> Result<Json<BotInFull>, Refused> {
    match site.asked(site.fleet.bot(id.clone())).await? {
        Some(detail) => Ok(Json(BotInFull::of(detail, &site.fleet.world().rules.load().caps))),
        None => Err(no_bot(&id)),
    }
}

/// The answer about a bot that is not there.
pub(super) fn no_bot(id: &crate::model::name::BotId) -> Refused {
    Refused::missing(format!("there is no bot `{id}`")).hint("GET /api/v1/bots lists them")
}

/// Every persona.
#[utoipa::path(
    get, path = "/api/v1/personas", tag = "fleet",
    responses((status = 200, description = "The personas", body = Personas), Reading)
)]
pub(super) async fn personas(State(site): State<Arc<Site>>, _: NoFields) -> Result<Json<Personas>, Refused> {
    Ok(Json(site.asked(site.fleet.scripts()).await?.into()))
}

/// Every persona's script, with what is wrong with it.
#[utoipa::path(
    get, path = "/api/v1/scripts", tag = "fleet",
    responses((status = 200, description = "The scripts", body = Scripts), Reading)
)]
pub(super) async fn scripts(State(site): State<Arc<Site>>, _: NoFields) -> Result<Json<Scripts>, Refused> {
    Ok(Json(site.asked(site.fleet.scripts()).await?.into()))
}

/// Which activities.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `activities` reads field by field, for better errors")]
pub(super) struct WhichActivities {
    /// Only this bot's
    #[param(example = "ai_artist-1")]
    bot: Option<String>,
    /// Only this persona's
    #[param(example = "ai_artist")]
    persona: Option<String>,
    /// Only of this kind
    #[param(example = "upvote")]
    kind: Option<String>,
    /// Only those older than this activity
    #[param(minimum = 0)]
    before: Option<i64>,
    /// Only those newer than this activity, oldest first
    #[param(minimum = 0)]
    after: Option<i64>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
}

/// What bots did, and what happened to them.
#[utoipa::path(
    get, path = "/api/v1/activities", tag = "fleet", params(WhichActivities),
    responses((status = 200, description = "Some activities", body = Activities), Reading)
)]
pub(super) async fn activities(State(site): State<Arc<Site>>, uri: Uri) -> Result<Json<Activities>, Refused> {
    let fields = Fields::read(uri.query(), &["bot", "persona", "kind", "before", "after", "limit"])?;
    let query = ActivityQuery {
        bot: fields.bot("bot")?,
        persona: fields.persona("persona")?,
        kind: fields.text("kind").map(str::to_owned),
        before: fields.number("before", 0..=i64::MAX)?,
        after: fields.number("after", 0..=i64::MAX)?,
        limit: fields.number("limit", 1..=MANY)?.unwrap_or(FEW),
    };
    let activities = site.asked(site.fleet.activities(&query)).await?;
    Ok(Json(Activities::of(activities, query.limit, query.after.is_some())))
}
