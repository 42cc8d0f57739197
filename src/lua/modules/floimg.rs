//! `floimg`: the gallery.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use mlua::{Lua, Table, Value};

use crate::host::action::Draft;
use crate::host::gallery::{SeenComment, SeenPost};
use crate::lua::api::{Answer, Call, Module, Trouble};
use crate::lua::args::Fields;
use crate::lua::value::to_json;
use crate::model::gallery::{FeedQuery, FeedSort, Picture, Step, Workflow};

pub(super) const MODULE: Module = Module {
    name: "floimg",
    types: include_str!("floimg.d.luau"),
    is_granted_by_name: true,
    waiting: &[
        ("floimg.feed", feed),
        ("floimg.trending", trending),
        ("floimg.get", get),
        ("floimg.mine", mine),
        ("floimg.comments", comments),
        ("floimg.generate", generate),
        ("floimg.run", run),
        ("floimg.share", share),
        ("floimg.upvote", upvote),
        ("floimg.comment", comment),
        ("floimg.remix", remix),
    ],
    immediate: &[],
};

/// Most bytes of a workflow's parameters as JSON.
const PARAMS_BYTES: usize = 64 << 10;
/// Most steps of a workflow.
const STEPS: usize = 32;
/// Most bytes of a prompt.
const PROMPT_CHARS: usize = 4000;

fn feed(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["limit", "offset", "sort", "category", "content_type"])?;
        let sort = match options.optional_text("sort")?.as_deref() {
            None | Some("recent") => FeedSort::Recent,
            Some("popular") => FeedSort::Popular,
            Some("trending") => FeedSort::Trending,
            Some(other) => {
                return Err(format!("floimg.feed: `sort` must be recent, popular or trending, got `{other}`").into());
            }
        };
        show_feed(&call, &options, sort).await
    })
}

fn trending(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["limit", "offset", "category", "content_type"])?;
        show_feed(&call, &options, FeedSort::Trending).await
    })
}

async fn show_feed(call: &Call, options: &Fields, sort: FeedSort) -> Answer {
    let query = FeedQuery {
        limit: options.count("limit", 1..=100, 20)?,
        offset: options.count("offset", 0..=1_000_000, 0)?,
        sort,
        category: options.optional_text("category")?,
        content_type: options.optional_text("content_type")?,
    };
    let posts = call.host.feed(query).await?;
    list(&call.lua, posts.iter().map(|post| post_table(&call.lua, post, call.host.now())))
}

fn get(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let id = call.args.text("id")?;
        let post = call.host.post(id).await?;
        Ok(Value::Table(post_table(&call.lua, &post, call.host.now())?))
    })
}

fn mine(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.optional_fields(&["limit"])?;
        let posts = call.host.mine(options.count("limit", 1..=100, 20)? as usize).await?;
        list(&call.lua, posts.iter().map(|post| post_table(&call.lua, post, call.host.now())))
    })
}

fn comments(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let post = call.args.text("post_id")?;
        let options = call.args.optional_fields(&["limit", "offset"])?;
        let limit = options.count("limit", 1..=100, 50)?;
        let offset = options.count("offset", 0..=1_000_000, 0)?;
        let comments = call.host.comments(post, limit, offset).await?;
        list(&call.lua, comments.iter().map(|comment| comment_table(&call.lua, comment, call.host.now())))
    })
}

fn generate(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["prompt", "style", "size", "quality", "generator", "name", "transforms"])?;
        let mut prompt = options.text("prompt")?;
        if let Some(style) = options.optional_text("style")? {
            prompt = format!("{prompt}, {style}");
        }
        let chars = prompt.chars().count();
        if prompt.trim().is_empty() || chars > PROMPT_CHARS {
            return Err(
                format!("floimg.generate: `prompt` must have 1 to {PROMPT_CHARS} characters, got {chars}").into()
            );
        }
        let generator = options.optional_text("generator")?.unwrap_or_else(|| "openai".to_owned());
        let mut params = serde_json::Map::new();
        params.insert("prompt".to_owned(), prompt.clone().into());
        for key in ["size", "quality"] {
            if let Some(value) = options.optional_text(key)? {
                params.insert(key.to_owned(), value.into());
            }
        }
        let mut steps = vec![Step::Generate { generator: generator.clone(), params, out: "s1".to_owned() }];
        if let Some(transforms) = options.optional_table("transforms")? {
            for (index, transform) in transforms.sequence_values::<Value>().enumerate() {
                let Value::Table(transform) = transform? else {
                    return Err(
                        format!("floimg.generate: `transforms[{}]` must be a table with `op`", index + 1).into()
                    );
                };
                if index + 1 >= STEPS {
                    return Err(format!("floimg.generate: at most {} `transforms`", STEPS - 1).into());
                }
                steps.push(short_transform(&transform, index)?);
            }
        }
        let name = options.optional_text("name")?.unwrap_or_else(|| crate::text::clip(&prompt, 60));
        make(&call, Workflow { name, steps }, generator, prompt).await
    })
}

/// `{ op = "resize", width = 800 }`: what is not `op` is a parameter.
fn short_transform(transform: &Table, index: usize) -> Result<Step, Trouble> {
    let path = format!("floimg.generate: `transforms[{}]`", index + 1);
    let Value::String(op) = transform.raw_get::<Value>("op")? else {
        return Err(format!("{path} needs `op`, like {{ op = \"resize\", width = 800 }}").into());
    };
    let mut params = match to_json(&Value::Table(transform.clone()), &path, PARAMS_BYTES)? {
        serde_json::Value::Object(params) => params,
        _ => return Err(format!("{path} must have texts as keys").into()),
    };
    params.remove("op");
    Ok(Step::Transform {
        op: op.to_string_lossy(),
        input: format!("s{}", index + 1),
        params,
        out: format!("s{}", index + 2),
    })
}

fn run(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["name", "steps"])?;
        let name = options.text("name")?;
        let listed = options.table("steps")?;
        let mut steps = Vec::new();
        let mut first_generator = None;
        let mut prompt = String::new();
        let mut last = String::new();
        for (index, entry) in listed.sequence_values::<Value>().enumerate() {
            let path = format!("floimg.run: `steps[{}]`", index + 1);
            if index >= STEPS {
                return Err(format!("floimg.run: at most {STEPS} steps").into());
            }
            let Value::Table(entry) = entry? else {
                return Err(format!("{path} must be a table with `generate` or `transform`").into());
            };
            let fields = Fields::new("floimg.run", entry, &["generate", "transform", "params", "input", "out"])
                .map_err(|wrong| wrong.replacen("floimg.run", &path, 1))?;
            let params = match fields.get("params") {
                Value::Nil => serde_json::Map::new(),
                params => match to_json(&params, &format!("{path}.params"), PARAMS_BYTES)? {
                    serde_json::Value::Object(params) => params,
                    _ => return Err(format!("{path}.params must have texts as keys").into()),
                },
            };
            let out = fields.optional_text("out")?.unwrap_or_else(|| format!("s{}", index + 1));
            let step = match (fields.optional_text("generate")?, fields.optional_text("transform")?) {
                (Some(generator), None) => {
                    if first_generator.is_none() {
                        first_generator = Some(generator.clone());
                        prompt = params.get("prompt").and_then(|prompt| prompt.as_str()).unwrap_or_default().to_owned();
                    }
                    Step::Generate { generator, params, out: out.clone() }
                }
                (None, Some(op)) => {
                    let input = fields.optional_text("input")?.unwrap_or_else(|| last.clone());
                    if input.is_empty() {
                        return Err(format!("{path} transforms, but nothing was generated before it").into());
                    }
                    Step::Transform { op, input, params, out: out.clone() }
                }
                _ => return Err(format!("{path} needs one of `generate` and `transform`").into()),
            };
            last = out;
            steps.push(step);
        }
        let Some(generator) = first_generator else {
            return Err("floimg.run: `steps` needs at least one with `generate`".to_owned().into());
        };
        make(&call, Workflow { name, steps }, generator, prompt).await
    })
}

async fn make(call: &Call, workflow: Workflow, generator: String, prompt: String) -> Answer {
    let picture = call.host.generate(workflow, prompt.clone()).await?;
    let table = call.lua.create_table_with_capacity(0, 4)?;
    table.raw_set("url", picture.url)?;
    table.raw_set("prompt", prompt)?;
    table.raw_set("generator", generator)?;
    table.raw_set("workflow_id", picture.workflow_id)?;
    Ok(Value::Table(table))
}

fn share(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["picture", "title", "description"])?;
        let draft = draft("floimg.share", &options)?;
        let post = call.host.share(draft).await?;
        Ok(Value::Table(post_table(&call.lua, &post, call.host.now())?))
    })
}

fn remix(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["post", "picture", "title", "description"])?;
        let parent = options.text("post")?;
        let draft = draft("floimg.remix", &options)?;
        let post = call.host.remix(parent, draft).await?;
        Ok(Value::Table(post_table(&call.lua, &post, call.host.now())?))
    })
}

fn draft(name: &'static str, options: &Fields) -> Result<Draft, Trouble> {
    let table = options.table("picture")?;
    let picture = Fields::new(name, table, &["url", "prompt", "generator", "workflow_id"])
        .map_err(|wrong| wrong.replacen(name, &format!("{name}: `picture`"), 1))?;
    let picture = Picture { url: picture.text("url")?, workflow_id: picture.optional_text("workflow_id")? };
    Ok(Draft {
        image_url: picture.url,
        workflow_id: picture.workflow_id,
        title: options.text("title")?,
        description: options.optional_text("description")?.unwrap_or_default(),
    })
}

fn upvote(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let id = call.args.text("post_id")?;
        let likes = call.host.upvote(id).await?;
        let table = call.lua.create_table_with_capacity(0, 1)?;
        table.raw_set("likes", likes)?;
        Ok(Value::Table(table))
    })
}

fn comment(mut call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let options = call.args.fields(&["post", "text", "reply_to"])?;
        let comment =
            call.host.comment(options.text("post")?, options.text("text")?, options.optional_text("reply_to")?).await?;
        Ok(Value::Table(comment_table(&call.lua, &comment, call.host.now())?))
    })
}

fn list(lua: &Lua, tables: impl Iterator<Item = mlua::Result<Table>>) -> Answer {
    let list = lua.create_table()?;
    for (index, table) in tables.enumerate() {
        list.raw_set(index + 1, table?)?;
    }
    Ok(Value::Table(list))
}

fn post_table(lua: &Lua, seen: &SeenPost, now: Timestamp) -> mlua::Result<Table> {
    let post = &seen.post;
    let table = lua.create_table_with_capacity(0, 17)?;
    table.raw_set("id", post.id.as_str())?;
    table.raw_set("title", post.title.as_str())?;
    table.raw_set("description", post.description.as_deref())?;
    table.raw_set("category", post.category.as_deref())?;
    table.raw_set("tags", lua.create_sequence_from(post.tags.iter().map(String::as_str))?)?;
    table.raw_set("content_type", post.content_type.as_str())?;
    table.raw_set("image_url", post.image_url.as_deref())?;
    table.raw_set("workflow_id", post.workflow_id.as_deref())?;
    table.raw_set("likes", post.like_count)?;
    table.raw_set("comments", post.comment_count)?;
    table.raw_set("views", post.view_count)?;
    table.raw_set("remixes", post.fork_count)?;
    table.raw_set("is_liked", post.is_liked.unwrap_or(false))?;
    table.raw_set("created_at", unix(post.created_at))?;
    table.raw_set("age", age(post.created_at, now))?;
    table.raw_set("author", author_table(lua, &post.author, seen.is_me, seen.is_fleet)?)?;
    Ok(table)
}

fn comment_table(lua: &Lua, seen: &SeenComment, now: Timestamp) -> mlua::Result<Table> {
    let comment = &seen.comment;
    let table = lua.create_table_with_capacity(0, 5)?;
    table.raw_set("id", comment.id.as_str())?;
    table.raw_set("text", comment.content.as_str())?;
    table.raw_set("created_at", unix(comment.created_at))?;
    table.raw_set("age", age(comment.created_at, now))?;
    table.raw_set("author", author_table(lua, &comment.author, seen.is_me, seen.is_fleet)?)?;
    Ok(table)
}

fn author_table(lua: &Lua, author: &crate::model::gallery::Author, is_me: bool, is_fleet: bool) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 5)?;
    table.raw_set("id", author.id.as_str())?;
    table.raw_set("username", author.username.as_deref())?;
    table.raw_set("name", author.name.as_deref())?;
    table.raw_set("is_me", is_me)?;
    table.raw_set("is_fleet", is_fleet)?;
    Ok(table)
}

/// Unix seconds as scripts see them.
pub(in crate::lua) fn unix(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// Seconds since then, never negative.
pub(super) fn age(at: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(at).as_secs_f64().max(0.0)
}
