//! What was spent, and on what.
//!
//! Nothing here changes what was spent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use utoipa::IntoParams;

use super::Site;
use super::control::WHO;
use super::document::{Controlling, Reading};
use super::fields::{Body, Fields, NoFields};
use super::guard::Admin;
use super::refused::Refused;
use super::wire::Controlled;
use super::wire::spend::Spend;

/// How many bots, personas, purposes and models are shown when nobody says.
const FEW: u32 = 50;
/// The most of each that are shown.
const MANY: u32 = 500;

/// How much of the report.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `spend` reads field by field, for better errors")]
pub(super) struct HowMuch {
    /// How many bots, personas, purposes and models at most
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
}

/// Counts by the clock as it is now, although calls were counted by a later time, because the clock was wrong then.
#[utoipa::path(
    post, path = "/api/v1/spend/clock", tag = "control", security(("admin_token" = [])),
    responses((status = 200, description = "How many calls were counted by a later time", body = Controlled), Controlling)
)]
pub(super) async fn trust_clock(
    State(site): State<Arc<Site>>,
    _: Admin,
    _: NoFields,
    body: Body,
) -> Result<Json<Controlled>, Refused> {
    body.only(&[])?;
    let count = site.told(site.fleet.trust_clock(WHO)).await?;
    let message = match count {
        0 => "no call was counted by a later time than the clock's".to_owned(),
        count => format!("counting by the clock again; calls that were counted by a later time: {count}"),
    };
    Ok(Json(Controlled { message, count }))
}

/// What models cost today and this month, by bot, persona, purpose and model, and how far the budgets are used.
#[utoipa::path(
    get, path = "/api/v1/spend", tag = "fleet", params(HowMuch),
    responses((status = 200, description = "What was spent", body = Spend), Reading)
)]
pub(super) async fn spend(State(site): State<Arc<Site>>, uri: Uri) -> Result<Json<Spend>, Refused> {
    let fields = Fields::read(uri.query(), &["limit"])?;
    let limit = fields.number("limit", 1..=MANY)?.unwrap_or(FEW);
    Ok(Json(Spend::of(site.asked(site.fleet.spent(limit)).await?)))
}
