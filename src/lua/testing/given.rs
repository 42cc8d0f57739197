//! What a test gives: posts, a model's answers, failures, bots and events, read strictly from the tables it hands over.
//!
//! An option that is not known is named, with those that are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};
use mlua::{Lua, Table, Value};

use crate::host::identity::identity;
use crate::host::rhythm::Visit;
use crate::host::rhythm::parse;
use crate::host::trial::{PlannedFailure, Scripted};
use crate::lua::args::{Fields, as_number, as_text, shown};
use crate::lua::modules::MODULES;
use crate::lua::value::to_json;
use crate::model::failure::{Failure, FailureKind};
use crate::model::gallery::{Author, Comment, Post};
use crate::model::name::{BotId, PersonaName};
use crate::model::persona::{Identity, Pace, Persona, Schedule, Span as Hours};
use crate::model::seconds::Seconds;
use crate::store::{NewEvent, StoredEvent};
use crate::text;

use super::subject::{Deeds, Subject};
use super::world::World;

/// Most bytes of a table that a test hands over.
const BYTES: usize = 256 << 10;
/// Ticks that the first visit has after the first.
const TICKS_LEFT: u32 = 5;

/// A length of time: seconds, or a text like `2h`.
pub(super) fn seconds(name: &str, key: &str, value: &Value) -> Result<Seconds, String> {
    let read = match value {
        Value::String(words) => words
            .to_string_lossy()
            .parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .ok()
            .and_then(|length| Seconds::new(length.as_secs_f64()).ok()),
        other => as_number(other).and_then(|number| Seconds::new(number).ok()),
    };
    read.ok_or_else(|| format!("{name}: `{key}` must be seconds, or a text like \"2h\", got {}", shown(value)))
}

pub(super) fn optional_seconds(name: &str, fields: &Fields, key: &str) -> Result<Option<Seconds>, String> {
    match fields.get(key) {
        Value::Nil => Ok(None),
        value => seconds(name, key, &value).map(Some),
    }
}

pub(super) fn table(name: &str, value: Value) -> Result<Table, String> {
    match value {
        Value::Table(table) => Ok(table),
        other => Err(format!("{name}: expected a table, got {}", shown(&other))),
    }
}

pub(super) fn items(table: &Table) -> Result<Vec<Value>, String> {
    table.sequence_values::<Value>().collect::<mlua::Result<_>>().map_err(|error| error.to_string())
}

fn before(now: Timestamp, age: f64) -> Timestamp {
    now.saturating_sub(Seconds::clamped(age).signed()).unwrap_or(Timestamp::MIN)
}

pub(super) fn flag(name: &str, fields: &Fields, key: &str) -> Result<bool, String> {
    match fields.get(key) {
        Value::Nil => Ok(false),
        Value::Boolean(flag) => Ok(flag),
        other => Err(format!("{name}: `{key}` must be true or false, got {}", shown(&other))),
    }
}

/// `given.gallery`: posts with their comments.
pub(super) fn gallery(world: &World, posts: Value) -> Result<(), String> {
    const NAME: &str = "given.gallery";
    for (place, post) in items(&table(NAME, posts)?)?.into_iter().enumerate() {
        let what = format!("{NAME}: post {}", place + 1);
        let keys = [
            "id",
            "title",
            "description",
            "category",
            "tags",
            "content_type",
            "image_url",
            "workflow_id",
            "likes",
            "views",
            "remixes",
            "is_liked",
            "age",
            "author",
            "comments",
        ];
        let fields = strict(NAME, &what, post, &keys)?;
        let named = |wrong: String| wrong.replacen(NAME, &what, 1);
        let number = world.next_number();
        let age = optional_seconds(&what, &fields, "age")?.map_or(1800.0 + 600.0 * f64::from(number - 1), Seconds::get);
        let id = fields.optional_text("id").map_err(named)?.unwrap_or_else(|| format!("post{number}"));
        let comments = match fields.get("comments") {
            Value::Nil => Vec::new(),
            comments => read_comments(world, &what, &table(&what, comments)?, age)?,
        };
        let content_type = fields.optional_text("content_type").map_err(named)?;
        let post = Post {
            title: fields.optional_text("title").map_err(named)?.unwrap_or_else(|| "Untitled".to_owned()),
            description: fields.optional_text("description").map_err(named)?,
            category: fields.optional_text("category").map_err(named)?,
            tags: fields.optional_texts("tags").map_err(named)?.unwrap_or_default(),
            content_type: content_type.unwrap_or_else(|| "image".to_owned()),
            image_url: Some(
                fields
                    .optional_text("image_url")
                    .map_err(named)?
                    .unwrap_or_else(|| format!("https://trial.invalid/{id}.png")),
            ),
            workflow_id: fields.optional_text("workflow_id").map_err(named)?,
            workflow_shared: false,
            like_count: fields.count("likes", 0..=1_000_000, 0).map_err(named)?,
            comment_count: u32::try_from(comments.len()).unwrap_or(u32::MAX),
            view_count: fields.count("views", 0..=1_000_000, 0).map_err(named)?,
            fork_count: fields.count("remixes", 0..=1_000_000, 0).map_err(named)?,
            is_liked: Some(flag(&what, &fields, "is_liked")?),
            created_at: before(world.trial.now(), age),
            author: author(world, &what, fields.get("author"))?,
            id,
        };
        world.trial.add_post(post, comments);
    }
    Ok(())
}

/// A table of options that may hold only these; `what` names it in messages.
pub(super) fn strict(name: &'static str, what: &str, value: Value, known: &[&str]) -> Result<Fields, String> {
    Fields::new(name, table(what, value)?, known).map_err(|wrong| wrong.replacen(name, what, 1))
}

fn read_comments(world: &World, what: &str, comments: &Table, age: f64) -> Result<Vec<Comment>, String> {
    const NAME: &str = "given.gallery";
    let listed = items(comments)?;
    let count = listed.len();
    let mut read = Vec::new();
    for (place, comment) in listed.into_iter().enumerate() {
        let what = format!("{what}, comment {}", place + 1);
        let fields = strict(NAME, &what, comment, &["id", "text", "author", "age"])?;
        let named = |wrong: String| wrong.replacen(NAME, &what, 1);
        // In the order they are given, between the post and now.
        #[expect(clippy::cast_precision_loss, reason = "a test gives few comments")]
        let share = (count - place) as f64 / (count + 1) as f64;
        let age = optional_seconds(&what, &fields, "age")?.map_or(age * share, Seconds::get);
        read.push(Comment {
            id: fields.optional_text("id").map_err(named)?.unwrap_or_else(|| format!("comment{}", world.next_number())),
            content: fields.text("text").map_err(named)?,
            created_at: before(world.trial.now(), age),
            author: author(world, &what, fields.get("author"))?,
        });
    }
    Ok(read)
}

/// A username, or a table of what is known of an account.
fn author(world: &World, what: &str, value: Value) -> Result<Author, String> {
    let named = |username: &str| Author {
        id: format!("id-{username}"),
        username: Some(username.to_owned()),
        name: Some(username.to_owned()),
    };
    match value {
        Value::Nil => Ok(named("somebody")),
        Value::Table(table) => {
            let what = format!("{what}, author");
            let fields = strict("given.gallery", &what, Value::Table(table), &["id", "username", "name", "is_fleet"])?;
            let text = |key| fields.optional_text(key).map_err(|wrong| wrong.replacen("given.gallery", &what, 1));
            let (username, name) = (text("username")?, text("name")?);
            if flag(&what, &fields, "is_fleet")? {
                match &username {
                    Some(username) => world.trial.add_to_fleet(username),
                    None => return Err(format!("{what}: an account of the fleet has a `username`")),
                }
            }
            let id = text("id")?.unwrap_or_else(|| format!("id-{}", username.as_deref().unwrap_or("somebody")));
            Ok(Author { id, name: name.or_else(|| username.clone()), username })
        }
        value => as_text(&value)
            .map(|username| named(&username))
            .ok_or_else(|| format!("{what}: `author` must be a username or a table, got {}", shown(&value))),
    }
}

/// `given.llm`: answers by purpose.
pub(super) fn llm(world: &World, answers: Value) -> Result<(), String> {
    const NAME: &str = "given.llm";
    let answers = match to_json(&Value::Table(table(NAME, answers)?), NAME, BYTES)? {
        serde_json::Value::Object(answers) => answers,
        _ => return Err(format!("{NAME}: expected answers by purpose, like {{ comment = \"…\" }}")),
    };
    for (purpose, answer) in answers {
        let scripted = match answer {
            serde_json::Value::Array(list) => Scripted::InTurn(VecDeque::from(list)),
            other => Scripted::Always(other),
        };
        world.trial.script(&purpose, scripted);
    }
    Ok(())
}

/// `given.failure`: what calls of a primitive meet.
pub(super) fn failure(world: &World, name: &Value, options: Value) -> Result<(), String> {
    const NAME: &str = "given.failure";
    let known: Vec<&str> = MODULES.iter().flat_map(|module| module.waiting.iter().map(|(name, _)| *name)).collect();
    let name = as_text(name).unwrap_or_else(|| shown(name));
    if !known.contains(&name.as_str()) {
        let near = text::nearest(&name, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("{NAME}: `{name}` is no primitive that can fail{near} Known: {}", known.join(", ")));
    }
    let fields = strict(NAME, NAME, options, &["kind", "message", "retry_after", "times", "always"])?;
    let word = fields.text("kind")?;
    let Some(kind) = FailureKind::parse(&word) else {
        let kinds: Vec<&str> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let near = text::nearest(&word, &kinds).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("{NAME}: there is no kind `{word}`{near} Known: {}", kinds.join(", ")));
    };
    let message = fields.optional_text("message")?.unwrap_or_else(|| format!("the test says {word}"));
    let left = if flag(NAME, &fields, "always")? { None } else { Some(fields.count("times", 1..=10_000, 1)?) };
    let retry_after = optional_seconds(NAME, &fields, "retry_after")?;
    let failure = Failure { retry_after, ..Failure::new(kind, message) };
    world.trial.plan_failure(PlannedFailure { name, failure, left });
    Ok(())
}

/// `given.bot`: a bot of a persona in the scripts folder.
pub(super) fn bot(world: &World, options: Value) -> Result<usize, String> {
    const NAME: &str = "given.bot";
    let fields = strict(NAME, NAME, options, &["persona", "index", "state", "at", "visit"])?;
    let name = fields.text("persona")?;
    let version = world.bench.version(&name).map_err(|problems| {
        let personas = world.bench.personas();
        if !personas.contains(&name) {
            let personas: Vec<&str> = personas.iter().map(String::as_str).collect();
            let near =
                text::nearest(&name, &personas).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return format!("{NAME}: there is no persona `{name}`{near} Known: {}", personas.join(", "));
        }
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("{NAME}: the persona `{name}` is not fit to run: {}", problems.join("; "))
    })?;
    set_time(world, NAME, &fields)?;
    let index = fields.count("index", 1..=1_000_000, 1)?;
    let state = match fields.get("state") {
        Value::Nil => None,
        state => Some(to_json(&Value::Table(table(NAME, state)?), "given.bot: `state`", BYTES)?.to_string()),
    };
    world.add(Subject {
        id: BotId { persona: version.persona.name.clone(), index },
        profile: Arc::new(identity(&version.persona, index)),
        trial: world.trial.clone(),
        limits: world.bench.limits,
        state,
        lived: 0,
        visit: visit(NAME, &fields)?,
        wakes_at: None,
        rest: None,
        events: VecDeque::new(),
        deeds: Deeds::default(),
        version,
    })
}

pub(super) fn set_time(world: &World, name: &str, fields: &Fields) -> Result<(), String> {
    let Some(at) = fields.optional_text("at")? else { return Ok(()) };
    let at: Timestamp = at.parse().map_err(|_| {
        format!("{name}: `at` must be a time like \"2026-03-04T17:30:00Z\", got `{}`", text::clip(&at, 60))
    })?;
    world.trial.set_now(at);
    Ok(())
}

fn visit(name: &'static str, fields: &Fields) -> Result<Visit, String> {
    let fields = match fields.get("visit") {
        Value::Nil => return Ok(Visit { number: 1, tick: 1, ticks_left: TICKS_LEFT }),
        visit => strict(name, &format!("{name}: `visit`"), visit, &["number", "tick", "ticks_left"])?,
    };
    Ok(Visit {
        number: u64::from(fields.count("number", 1..=1_000_000, 1)?),
        tick: fields.count("tick", 1..=1000, 1)?,
        ticks_left: fields.count("ticks_left", 0..=1000, TICKS_LEFT)?,
    })
}

/// `given.me`: makes the test's own VM the world of a bot, and answers it as a behaviour sees it.
pub(super) fn me(lua: &Lua, world: &World, options: Value) -> mlua::Result<Result<Table, String>> {
    let (persona, index, visit, state) = match read_me(world, options) {
        Ok(read) => read,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let profile = identity(&persona, index);
    let bot = lua.create_table()?;
    bot.raw_set("name", profile.name)?;
    bot.raw_set("username", profile.username)?;
    bot.raw_set("bio", profile.bio)?;
    bot.raw_set("persona", persona.name.as_str())?;
    bot.raw_set("index", index)?;
    bot.raw_set("interests", lua.create_sequence_from(persona.interests.iter().map(String::as_str))?)?;
    bot.raw_set("state", state.map_or_else(|| lua.create_table(), Ok)?)?;
    let visiting = lua.create_table()?;
    visiting.raw_set("number", visit.number)?;
    visiting.raw_set("tick", visit.tick)?;
    visiting.raw_set("ticks_left", visit.ticks_left)?;
    bot.raw_set("visit", visiting)?;
    let traits: Table = lua.globals().get("bot_")?;
    bot.raw_set("rng", traits.raw_get::<mlua::Function>("rng")?)?;
    world.set_me(Arc::new(persona), index);
    Ok(Ok(bot))
}

fn read_me(world: &World, options: Value) -> Result<(Persona, u32, Visit, Option<Table>), String> {
    const NAME: &str = "given.me";
    let options = match options {
        Value::Table(table) => Value::Table(table),
        other => return Err(format!("{NAME}: expected a table, {{}} at least, got {}", shown(&other))),
    };
    let keys = ["persona", "index", "state", "visit", "interests", "templates", "needs", "timezone", "at"];
    let fields = strict(NAME, NAME, options, &keys)?;
    let mut persona = match fields.optional_text("persona")? {
        None => plain_persona(),
        Some(name) => {
            let built = world.bench.version(&name).map_err(|problems| {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                format!("{NAME}: {}", problems.join("; "))
            })?;
            (*built.persona).clone()
        }
    };
    if let Some(interests) = fields.optional_texts("interests")? {
        persona.interests = interests;
    }
    if let Some(needs) = fields.optional_texts("needs")? {
        persona.needs = needs;
    }
    if let Some(zone) = fields.optional_text("timezone")? {
        persona.schedule.zone = parse::zone(&zone).map_err(|wrong| format!("{NAME}: `timezone`: {wrong}"))?;
        persona.schedule.zone_name = zone;
    }
    if let Some(templates) = fields.optional_table("templates")? {
        let json = to_json(&Value::Table(templates), "given.me: `templates`", BYTES)?;
        let read: Result<BTreeMap<String, Vec<String>>, _> = serde_json::from_value(json);
        persona.templates = read.map_err(|_| format!("{NAME}: `templates` must be lists of texts by purpose"))?;
    }
    set_time(world, NAME, &fields)?;
    let index = fields.count("index", 1..=1_000_000, 1)?;
    Ok((persona, index, visit(NAME, &fields)?, fields.optional_table("state")?))
}

/// A persona without a character: awake always, and allowed everything.
pub(super) fn plain_persona() -> Persona {
    let midnight = jiff::civil::Time::midnight();
    Persona {
        // The name is written here and fits.
        name: PersonaName::new("me").expect("`me` is a name for a persona"),
        title: "Me".to_owned(),
        weight: 1.0,
        identity: Identity {
            names: vec!["Me".to_owned()],
            username: "me_{n}".to_owned(),
            bio: String::new(),
            words: BTreeMap::new(),
        },
        voice: String::new(),
        interests: Vec::new(),
        schedule: Schedule {
            zone: TimeZone::UTC,
            zone_name: "UTC".to_owned(),
            awake: Hours { from: midnight, to: midnight },
            days: [true; 7],
            peaks: Vec::new(),
        },
        pace: Pace { visits_per_day: 3.0, actions_per_visit: (2, 8), pause_secs: 60.0 },
        model: None,
        needs: Vec::new(),
        templates: BTreeMap::new(),
        reload_now: false,
    }
}

/// `bot:event`: somebody does something that concerns the bot. Answers the id of the post it happened on.
pub(super) fn event(world: &World, id: usize, options: Value) -> Result<String, String> {
    const NAME: &str = "event";
    let fields = strict(NAME, NAME, options, &["kind", "text", "from", "post", "comment", "is_fleet"])?;
    let kind = fields.text("kind")?;
    if !["comment", "mention", "remix"].contains(&kind.as_str()) {
        return Err(format!("{NAME}: `kind` must be comment, mention or remix, got `{}`", text::clip(&kind, 60)));
    }
    let from = fields.optional_text("from")?.unwrap_or_else(|| "somebody".to_owned());
    let is_fleet = flag(NAME, &fields, "is_fleet")?;
    if is_fleet {
        world.trial.add_to_fleet(&from);
    }
    let words = fields.optional_text("text")?;
    let username = world.with(id, |bot| bot.profile.username.clone())?;
    let name = world.with(id, |bot| bot.profile.name.clone())?;
    let somebody = Author { id: format!("id-{from}"), username: Some(from.clone()), name: Some(from.clone()) };
    let me = Author { id: "me".to_owned(), username: Some(username.clone()), name: Some(name) };
    let now = world.trial.now();
    let post = match fields.optional_text("post")? {
        Some(post) if kind != "remix" => post,
        // The new post of a remix, or the bot's latest, or one that it made before the test began.
        _ => {
            let own = world.trial.posts().into_iter().rev().find(|post| post.author == me).map(|post| post.id);
            let (author, title) =
                if kind == "comment" { (me, "Something of its own") } else { (somebody.clone(), "Another one") };
            match own {
                Some(own) if kind == "comment" => own,
                _ => {
                    let id = format!("post{}", world.next_number());
                    world.trial.add_post(bare_post(&id, title, author, before(now, 7200.0)), Vec::new());
                    id
                }
            }
        }
    };
    let Some(found) = world.trial.posts().into_iter().find(|known| known.id == post) else {
        return Err(format!("{NAME}: there is no post `{post}`; give it with given.gallery"));
    };
    let comment = match kind.as_str() {
        "remix" => None,
        _ => {
            let comment = fields.optional_text("comment")?.unwrap_or_else(|| format!("comment{}", world.next_number()));
            let content = words.clone().ok_or_else(|| format!("{NAME}: a {kind} has a `text`"))?;
            let written = Comment { id: comment.clone(), content, created_at: before(now, 60.0), author: somebody };
            world.trial.add_comment(&post, written);
            Some(comment)
        }
    };
    let number = world.next_number();
    world.with(id, |bot| {
        bot.events.push_back(StoredEvent {
            id: i64::from(number),
            what: NewEvent {
                bot: bot.id.clone(),
                source: format!("test:{number}"),
                kind,
                post: post.clone(),
                post_title: found.title,
                comment,
                text: words,
                from: Some(from),
                is_fleet,
                at: now,
            },
        });
    })?;
    Ok(post)
}

fn bare_post(id: &str, title: &str, author: Author, created_at: Timestamp) -> Post {
    Post {
        id: id.to_owned(),
        title: title.to_owned(),
        description: None,
        category: None,
        tags: Vec::new(),
        content_type: "image".to_owned(),
        image_url: Some(format!("https://trial.invalid/{id}.png")),
        workflow_id: None,
        workflow_shared: false,
        like_count: 0,
        comment_count: 0,
        view_count: 0,
        fork_count: 0,
        is_liked: Some(false),
        created_at,
        author,
    }
}
