//! The API: FloImg's calls, answered as the live service answers them.
//!
//! A call that is answered with success has happened and is on the disk.

use axum::extract::{Path, Query as UriQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use base64::Engine;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::answer::{ApiError, JsonBody, NO_IMAGE};
use super::desk::{NewAccount, NewItem, Refusal, fresh_id};
use super::gallery::{AccountAt, Comment, Gallery, Item, Order, Query, kind_of};
use super::journal::{Event, RecipeImage};
use super::render;
use super::wire::{
    Fields, ImageRef, Issue, Measure, ShowcaseItem, User, UserRef, WireComment, avatar_path, image_path, iso,
};
use super::{Shared, faults};

/// The most steps of one workflow.
const STEPS: usize = 64;

/// Who asks: the account in `X-Agent-Id`, when there is one.
#[derive(Debug, Clone)]
struct Caller {
    account: Option<(String, String)>,
}

impl Caller {
    fn required(&self) -> Result<&str, ApiError> {
        self.account.as_ref().map(|(id, _)| id.as_str()).ok_or_else(|| {
            let error = "Name the account that acts in the X-Agent-Id header";
            ApiError::coded(StatusCode::FORBIDDEN, "AGENT_REQUIRED", error)
        })
    }

    fn place(&self, gallery: &Gallery) -> Option<AccountAt> {
        self.account.as_ref().and_then(|(id, _)| gallery.account_by_id(id))
    }
}

/// The API's routes.
pub(super) fn routes(shared: Shared) -> Router<Shared> {
    let closed = Router::new()
        .route("/api/admin/users/invite", post(invite))
        .route("/api/admin/users/{id}", delete(remove))
        .route("/api/admin/faults", get(faults::show).put(faults::set).delete(faults::clear))
        .route("/api/admin/audit", get(audit))
        .route("/api/execute/sync", post(execute))
        .route("/api/nodes/generators", get(generators))
        .route("/api/nodes/transforms", get(transforms))
        .route("/api/showcase", get(list).post(share))
        .route("/api/showcase/{id}", get(item))
        .route("/api/showcase/{id}/like", post(like))
        .route("/api/showcase/{id}/comments", get(comments).post(comment))
        .route("/api/users/{username}", get(user))
        .route("/api/users/{username}/showcase", get(user_items))
        .route("/api/{*rest}", axum::routing::any(nowhere))
        .layer(axum::middleware::from_fn_with_state(shared, admit));
    Router::new()
        .route("/api/storage/images/{id}/content", get(image))
        .route("/api/users/{username}/avatar", get(avatar))
        .merge(closed)
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "This address does not take that method")
        })
}

async fn nowhere() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "Not found")
}

/// Lets in who brings the token, as the account it names.
async fn admit(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let brought = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Digests are compared, so that the time it takes tells nothing of the token.
    let is_right = brought
        .and_then(|text| text.strip_prefix("Bearer "))
        .is_some_and(|token| Sha256::digest(token) == Sha256::digest(shared.token.expose()));
    if !is_right {
        return ApiError::new(StatusCode::UNAUTHORIZED, "Unauthorized: bring the service token").into_response();
    }
    let account = match headers.get("x-agent-id") {
        None => None,
        Some(value) => {
            let username = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let id =
                shared.desk.read(|gallery| gallery.account_named(&username).map(|at| gallery.account(at).id.clone()));
            let Some(id) = id else {
                let error = format!("No account has the username `{username}`; invite it first");
                return ApiError::coded(StatusCode::FORBIDDEN, "UNKNOWN_AGENT", error).into_response();
            };
            Some((id, username))
        }
    };
    request.extensions_mut().insert(Caller { account });
    next.run(request).await
}

async fn invite(State(shared): State<Shared>, body: JsonBody) -> Result<Json<Value>, ApiError> {
    let mut fields = Fields::of(body.object()?);
    let agent_id = fields.text("agentId", 1, 200, Measure::Characters);
    let name = fields.text("name", 1, 100, Measure::Characters);
    let username = fields.text("username", 1, 64, Measure::Characters);
    let is_agent = fields.truth("isAgent");
    let persona = fields.optional_text("agentPersonaId", 200, Measure::Characters);
    if !username.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        fields.object_to("username", "Must be letters, digits, `_`, `.` or `-`");
    }
    fields.finish()?;
    let new = NewAccount { username, name, is_agent, agent_id: Some(agent_id), persona };
    let (at, created) = shared.desk.invite(new, None)?;
    let (id, username) = shared.desk.read(|gallery| {
        let account = gallery.account(at);
        (account.id.clone(), account.username.clone())
    });
    Ok(Json(json!({ "id": id, "username": username, "created": created })))
}

async fn remove(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    shared.desk.delete(&id)?;
    Ok(Json(json!({ "deleted": true })))
}

async fn execute(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: JsonBody,
) -> Result<Json<Value>, ApiError> {
    let mut fields = Fields::of(body.object()?);
    fields.text("name", 1, 200, Measure::Characters);
    let steps = fields.list("steps");
    if steps.is_empty() || steps.len() > STEPS {
        fields.object_to("steps", format!("Must have 1 to {STEPS} steps"));
    }
    fields.finish()?;
    let steps = steps.to_vec();
    if let Err(found) = render::check(&steps) {
        return Err(ApiError::steps(&found));
    }
    let (account, seed) = match caller.account {
        Some((id, username)) => (Some(id), username),
        None => (None, fresh_id()),
    };
    let made = shared.pictures.draw(steps.clone(), seed.clone()).await?;
    let images: Vec<RecipeImage> = made
        .iter()
        .map(|made| RecipeImage {
            id: fresh_id(),
            extension: made.format.extension().to_owned(),
            width: made.width,
            height: made.height,
        })
        .collect();
    let workflow = fresh_id();
    let recipe = Event::Recipe {
        workflow: workflow.clone(),
        account,
        seed,
        steps: Value::Array(steps),
        images: images.clone(),
        at: shared.desk.now(),
    };
    shared.desk.record(recipe)?;
    let mut previews = Map::new();
    for (image, made) in images.iter().zip(made) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(&made.bytes);
        previews.insert(image.id.clone(), Value::String(format!("data:{};base64,{encoded}", made.format.mime())));
        shared.pictures.keep(&image.id, &image.extension, made.bytes).await;
    }
    let ids: Vec<&str> = images.iter().map(|image| image.id.as_str()).collect();
    let urls: Vec<String> = ids.iter().map(|id| image_path(id)).collect();
    Ok(Json(json!({
        "status": "completed", "workflowId": workflow, "imageIds": ids, "imageUrls": urls,
        "previews": previews, "dataOutputs": {}, "usageEvents": [],
    })))
}

async fn generators(State(shared): State<Shared>) -> Json<Value> {
    Json(render::generators())
}

async fn transforms(State(shared): State<Shared>) -> Json<Value> {
    Json(render::transforms())
}

async fn share(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let account = caller.required()?;
    let mut fields = Fields::of(body.object()?);
    let url = fields.text("imageUrl", 1, 4000, Measure::Characters);
    let title = fields.text("title", 1, 200, Measure::Utf16);
    let description = fields.optional_text("description", 5000, Measure::Characters);
    let workflow = fields.optional_text("workflowId", 200, Measure::Characters);
    let image = image_in(&url);
    if image.is_none() {
        fields.object_to("imageUrl", NO_IMAGE);
    }
    if workflow.as_deref() == Some("") {
        fields.object_to("workflowId", "Must not be empty; leave it out instead");
    }
    fields.finish()?;
    let description = description.filter(|text| !text.trim().is_empty());
    let new = NewItem { image: image.unwrap_or_default().to_owned(), title, description, workflow };
    let id = shared.desk.share(account, new)?;
    let item =
        shared.desk.read(|gallery| gallery.item(&id).map(|item| wire_item(gallery, item, caller.place(gallery))));
    Ok((StatusCode::CREATED, Json(json!({ "showcaseItem": item }))).into_response())
}

/// The picture that an address of this studio names.
fn image_in(url: &str) -> Option<&str> {
    let url = url.split(['?', '#']).next()?;
    let (_, rest) = url.split_once("/api/storage/images/")?;
    rest.strip_suffix("/content").filter(|id| !id.is_empty() && !id.contains('/'))
}

/// What a list is asked for with.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    limit: Option<String>,
    offset: Option<String>,
    sort: Option<String>,
    category: Option<String>,
    content_type: Option<String>,
}

impl ListQuery {
    fn page(&self, usual: usize) -> Result<(usize, usize), ApiError> {
        let mut issues = Vec::new();
        let mut number = |key: &str, text: &Option<String>, usual: usize, range: std::ops::RangeInclusive<usize>| {
            let Some(text) = text else { return usual };
            match text.parse() {
                Ok(number) if range.contains(&number) => number,
                _ => {
                    let (from, to) = (range.start(), range.end());
                    issues.push(Issue::custom(key, format!("Must be a whole number from {from} to {to}")));
                    usual
                }
            }
        };
        let limit = number("limit", &self.limit, usual, 1..=100);
        let offset = number("offset", &self.offset, 0, 0..=10_000_000);
        if issues.is_empty() { Ok((limit, offset)) } else { Err(ApiError::issues(&issues)) }
    }
}

async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    UriQuery(asked): UriQuery<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = asked.page(20)?;
    let order = match asked.sort.as_deref() {
        None => Order::Recent,
        Some(word) => Order::named(word).ok_or_else(|| {
            ApiError::issues(&[Issue::custom("sort", "Must be one of `recent`, `popular` and `trending`")])
        })?,
    };
    let (category, content_type) = (asked.category.as_deref(), asked.content_type.as_deref());
    let query = Query { order, limit, offset, category, content_type };
    let now = shared.desk.now();
    let items: Vec<ShowcaseItem> = shared.desk.read(|gallery| {
        let asker = caller.place(gallery);
        gallery.page(&query, now).into_iter().map(|item| wire_item(gallery, item, asker)).collect()
    });
    Ok(Json(json!({ "items": items })))
}

async fn item(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    shared.desk.view(&id);
    let found =
        shared.desk.read(|gallery| gallery.item(&id).map(|item| wire_item(gallery, item, caller.place(gallery))));
    Ok(Json(json!({ "item": found.ok_or(Refusal::NoItem)? })))
}

async fn like(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<Json<Value>, ApiError> {
    body.object()?;
    let (liked, count) = shared.desk.toggle_like(caller.required()?, &id)?;
    Ok(Json(json!({ "liked": liked, "likeCount": count, "success": true })))
}

async fn comments(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    UriQuery(asked): UriQuery<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = asked.page(50)?;
    let found: Option<Vec<WireComment>> = shared.desk.read(|gallery| {
        let item = gallery.item(&id)?;
        Some(item.comments.iter().skip(offset).take(limit).map(|comment| wire_comment(gallery, comment)).collect())
    });
    Ok(Json(json!({ "comments": found.ok_or(Refusal::NoItem)? })))
}

async fn comment(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let account = caller.required()?;
    let mut fields = Fields::of(body.object()?);
    let content = fields.text("content", 1, 1000, Measure::Characters);
    fields.finish()?;
    let comment_id = shared.desk.comment(account, &id, content)?;
    let comment = shared.desk.read(|gallery| {
        let comment = gallery.item(&id)?.comments.iter().rev().find(|comment| comment.id == comment_id)?;
        Some(wire_comment(gallery, comment))
    });
    Ok((StatusCode::CREATED, Json(json!({ "comment": comment }))).into_response())
}

async fn user(State(shared): State<Shared>, Path(username): Path<String>) -> Result<Json<Value>, ApiError> {
    let found = shared.desk.read(|gallery| {
        let at = gallery.account_named(&username)?;
        let account = gallery.account(at);
        let user = User {
            id: account.id.clone(),
            username: account.username.clone(),
            name: account.name.clone(),
            is_agent: account.is_agent,
            avatar_url: avatar_path(&account.username),
            created_at: iso(account.at),
        };
        Some((user, gallery.stats(at)))
    });
    let (user, stats) = found.ok_or(Refusal::NoAccount)?;
    Ok(Json(json!({ "user": user, "stats": stats })))
}

async fn user_items(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(username): Path<String>,
    UriQuery(asked): UriQuery<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    let (limit, offset) = asked.page(20)?;
    let found: Option<Vec<ShowcaseItem>> = shared.desk.read(|gallery| {
        let (at, asker) = (gallery.account_named(&username)?, caller.place(gallery));
        let page = gallery.items_of(at).skip(offset).take(limit);
        Some(page.map(|item| wire_item(gallery, item, asker)).collect())
    });
    Ok(Json(json!({ "showcase": found.ok_or(Refusal::NoAccount)? })))
}

/// Which size of a picture is asked for.
#[derive(Debug, Deserialize)]
struct ImageQuery {
    w: Option<u32>,
}

async fn image(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    UriQuery(asked): UriQuery<ImageQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let recipe = shared.desk.read(|gallery| gallery.recipe(&id).map(|(recipe, index)| (recipe.clone(), index)));
    let (recipe, index) = recipe.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "Image not found"))?;
    // A picture never changes under its id, so its id is its tag.
    let tag = asked.w.map_or_else(|| format!("\"{id}\""), |width| format!("\"{id}-{width}\""));
    let kept = [(header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()), (header::ETAG, tag.clone())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let (bytes, mime) = shared.pictures.content(&recipe, index, asked.w).await?;
    Ok((kept, sealed(mime), bytes).into_response())
}

/// Headers under which a picture is a picture, whatever is in it.
fn sealed(mime: &'static str) -> [(header::HeaderName, &'static str); 3] {
    [
        (header::CONTENT_TYPE, mime),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"),
    ]
}

async fn avatar(State(shared): State<Shared>, Path(username): Path<String>) -> Result<Response, ApiError> {
    shared.desk.read(|gallery| gallery.account_named(&username)).ok_or(Refusal::NoAccount)?;
    let drawn = render::avatar(&username, 96);
    Ok(([(header::CACHE_CONTROL, "public, max-age=86400")], sealed("image/svg+xml"), drawn).into_response())
}

/// Everything as it is kept, so that tests can see that nothing was doubled.
async fn audit(State(shared): State<Shared>) -> Json<Value> {
    let name = |gallery: &Gallery, at: AccountAt| gallery.account(at).username.clone();
    Json(shared.desk.read(|gallery| {
        let accounts: Vec<Value> = gallery
            .accounts()
            .map(|account| {
                json!({
                    "id": account.id, "username": account.username, "name": account.name,
                    "isAgent": account.is_agent, "agentId": account.agent_id, "agentPersonaId": account.persona,
                    "createdAt": iso(account.at),
                })
            })
            .collect();
        let items: Vec<Value> = gallery
            .items()
            .map(|item| {
                let mut likes: Vec<String> = item.likes.keys().map(|at| name(gallery, *at)).collect();
                likes.sort_unstable();
                let comments: Vec<Value> = item
                    .comments
                    .iter()
                    .map(|comment| {
                        json!({
                            "id": comment.id, "username": name(gallery, comment.account),
                            "content": comment.content, "createdAt": iso(comment.at),
                        })
                    })
                    .collect();
                json!({
                    "id": item.id, "username": name(gallery, item.account), "title": item.title,
                    "description": item.description, "imageId": item.image, "workflowId": item.workflow,
                    "remixOf": item.remix_of, "createdAt": iso(item.at), "views": item.views,
                    "likes": likes, "comments": comments,
                })
            })
            .collect();
        let counts = gallery.counts();
        json!({ "accounts": accounts, "items": items, "pictures": counts.pictures })
    }))
}

fn wire_user(gallery: &Gallery, at: AccountAt) -> UserRef {
    let account = gallery.account(at);
    UserRef {
        id: account.id.clone(),
        username: Some(account.username.clone()),
        name: Some(account.name.clone()),
        avatar_url: None,
    }
}

fn wire_comment(gallery: &Gallery, comment: &Comment) -> WireComment {
    let mut user = wire_user(gallery, comment.account);
    user.avatar_url = user.username.as_deref().map(avatar_path);
    WireComment { id: comment.id.clone(), content: comment.content.clone(), created_at: iso(comment.at), user }
}

fn wire_item(gallery: &Gallery, item: &Item, asker: Option<AccountAt>) -> ShowcaseItem {
    let url = image_path(&item.image);
    let kind = kind_of(item);
    ShowcaseItem {
        id: item.id.clone(),
        title: item.title.clone(),
        description: item.description.clone(),
        category: gallery.recipe(&item.image).and_then(|(recipe, _)| recipe.category()),
        content_type: (kind != "image").then_some(kind),
        preview_image_url: Some(format!("{url}?w=480")),
        image: Some(ImageRef { id: item.image.clone(), url }),
        workflow_id: item.workflow.clone(),
        workflow_shared: item.workflow.is_some(),
        like_count: item.likes.len(),
        comment_count: item.comments.len(),
        view_count: item.views,
        fork_count: item.forks.len(),
        is_liked: asker.map(|asker| item.likes.contains_key(&asker)),
        created_at: iso(item.at),
        user: wire_user(gallery, item.account),
    }
}
