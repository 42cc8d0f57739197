//! A fleet under test: its own folder, its own studio, and somebody who watches both from outside.
//!
//! Everything it starts ends with it, and every wait ends in a dump of what there was instead.

use std::path::{Path, PathBuf};
use std::time::Duration;

use floimg_fleet::app::{App, Options};
use floimg_fleet::config::{Config, ConfigFile, Flag, Sources};
use floimg_fleet::model::activity::Activity;
use floimg_fleet::model::name::BotId;
use floimg_fleet::runtime::fleet::Fleet;
use floimg_fleet::runtime::view::{BotFilter, BotView, Target};
use floimg_fleet::store::ActivityQuery;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest that anything is waited for.
pub const LONGEST: Duration = Duration::from_secs(60);

/// The folder that a fleet lives in. It outlives the fleet.
pub struct Home {
    dir: TempDir,
}

/// Limits that are never reached, a clock that hurries, and ports that are free.
pub const FLAGS: &[&str] = &[
    "studio.listen=127.0.0.1:0",
    "http.listen=127.0.0.1:0",
    "floimg.reads_per_sec=5000",
    "floimg.writes_per_sec=5000",
    "floimg.max_concurrent=64",
    "limits.actions_per_hour=10000",
    "limits.actions_per_day=100000",
    "limits.comments_per_hour=10000",
    "limits.comments_per_day=10000",
    "limits.upvotes_per_hour=10000",
    "limits.upvotes_per_day=10000",
    "limits.generations_per_day=10000",
    "limits.posts_per_day=10000",
    "limits.duplicate_similarity=1.0",
    "limits.typing_chars_per_sec=1000",
    "sandbox.tick_cpu_millis=5000",
    "sandbox.poll_cpu_millis=5000",
    "runtime.overdue_spread_secs=1.0",
    "runtime.script_threads=4",
];

impl Home {
    pub fn new() -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a folder");
        for folder in ["scripts/personas", "scripts/behaviours", "plugins"] {
            std::fs::create_dir_all(dir.path().join(folder)).expect("a folder");
        }
        Self { dir }
    }

    /// A home with one persona, so many bots of it, and nothing else.
    pub fn with(persona: &str, text: &str, count: u32) -> Self {
        let home = Self::new();
        home.save(&format!("personas/{persona}.luau"), text);
        home.config(&roster(&[(persona, count)]));
        home
    }

    /// Another home that is as this one is now; nothing may be running in it.
    pub fn copy(&self) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        copy(self.dir.path(), dir.path());
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn script(&self, path: &str) -> PathBuf {
        self.dir.path().join("scripts").join(path)
    }

    pub fn save(&self, path: &str, text: &str) {
        std::fs::write(self.script(path), text).expect("a saved file");
    }

    pub fn config(&self, text: &str) {
        std::fs::write(self.dir.path().join("config.toml"), text).expect("a saved file");
    }

    /// Every `--set` that a fleet here is started with.
    pub fn flags(&self, more: &[&str]) -> Vec<String> {
        let folder = |name: &str| self.dir.path().join(name).display().to_string();
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        for name in ["data", "scripts", "plugins"] {
            flags.push(format!("{name}_dir={}", folder(name)));
        }
        if !more.iter().any(|flag| flag.starts_with("clock.speed")) {
            flags.push("clock.speed=600".to_owned());
        }
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        flags
    }

    pub async fn start(&self, more: &[&str]) -> Running {
        self.start_with(more, None).await
    }

    /// Starts against the studio at an address when one is given, with its token.
    pub async fn start_with(&self, more: &[&str], studio: Option<(&str, &str)>) -> Running {
        let variables: Vec<_> = studio.map(|(_, token)| ("FLOIMG_SERVICE_TOKEN", token)).into_iter().collect();
        self.start_in(more, &variables).await
    }

    /// Starts with variables in its environment.
    pub async fn start_in(&self, more: &[&str], variables: &[(&str, &str)]) -> Running {
        let token = variables.iter().find(|(name, _)| *name == "FLOIMG_SERVICE_TOKEN").map(|(_, token)| *token);
        let sources = Sources {
            environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            file: ConfigFile::Required(self.dir.path().join("config.toml")),
            flags: self.flags(more).into_iter().map(|setting| Flag { name: "--set", setting }).collect(),
        };
        let config = Config::load(&sources).unwrap_or_else(|problem| panic!("{problem}"));
        let app = App::build(config, sources, Options::default()).await.unwrap_or_else(|problem| panic!("{problem:?}"));
        let gallery = app.addresses().expect("addresses").gallery;
        let (fleet, stop) = (app.fleet(), CancellationToken::new());
        let mut serving = JoinSet::new();
        serving.spawn(app.serve(stop.clone()));
        Running { fleet, stop, serving, gallery: Gallery::at(&gallery, token.unwrap_or("fst_embedded")) }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            std::fs::create_dir_all(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// A roster of named personas.
pub fn roster(bots: &[(&str, u32)]) -> String {
    let entries: Vec<String> =
        bots.iter().map(|(persona, count)| format!("[[bots]]\npersona = \"{persona}\"\ncount = {count}\n")).collect();
    if entries.is_empty() { "[[bots]]\nsize = 0\n".to_owned() } else { entries.concat() }
}

/// A persona that is always awake and ticks about ten times a second at the clock of [`FLAGS`].
pub fn persona(head: &str, fields: &str) -> String {
    format!(
        r#"{head}
return {{
    identity = {{ names = {{ "{{first}} {{last}}" }}, username = "{{first}}_{{last}}_{{n}}" }},
    schedule = {{ timezone = "UTC", awake = "00:00-00:00" }},
    pace = {{ visits_per_day = 200, actions_per_visit = {{ 1, 2 }}, pause = 60 }},
    needs = {{ "floimg", "events" }},
    {fields}
}}
"#
    )
}

/// A persona that counts its ticks and says who it is.
pub fn counter(word: &str) -> String {
    persona(
        "",
        &format!(
            "on_tick = function(bot) bot.state.n = (bot.state.n or 0) + 1; bot.state.word = \"{word}\"; return 60 end"
        ),
    )
}

/// A gallery seen from outside.
#[derive(Clone)]
pub struct Gallery {
    client: Client,
    base: String,
    token: String,
}

impl Gallery {
    pub fn at(base: &str, token: &str) -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        Self { client: client.expect("a client"), base: base.trim_end_matches('/').to_owned(), token: token.to_owned() }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut call = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            call = call.json(&body);
        }
        let reply = call.send().await.expect("a reply");
        let status = reply.status();
        let text = reply.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A post by an account that is there, of a picture that the studio makes for it.
    pub async fn share_as(&self, username: &str, title: &str) {
        let send = async |path: &str, body: Value| -> Value {
            let call = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
            let reply = call.header("X-Agent-Id", username).json(&body).send().await.expect("a reply");
            let status = reply.status();
            let text = reply.text().await.expect("a body");
            assert!(status.is_success(), "{path}: {status} {text}");
            serde_json::from_str(&text).expect("JSON")
        };
        let steps = json!([
            { "kind": "generate", "generator": "shapes", "out": "a",
              "params": { "shapeType": "circle", "width": 320, "height": 240, "fillType": "solid", "fillColor": "#336699" } },
            { "kind": "save", "in": "a", "destination": "cloud" },
        ]);
        let drawn = send("/api/execute/sync", json!({ "name": "test", "steps": steps })).await;
        send("/api/showcase", json!({ "imageUrl": drawn["imageUrls"][0], "title": title })).await;
    }

    pub async fn audit(&self) -> Audit {
        Audit(self.call(Method::GET, "/api/admin/audit", None).await)
    }

    pub async fn faults(&self, faults: Value) {
        self.call(Method::PUT, "/api/admin/faults", Some(faults)).await;
    }

    /// How often the faults struck, in their order.
    pub async fn struck(&self) -> Vec<u64> {
        let shown = self.call(Method::GET, "/api/admin/faults", None).await;
        shown["faults"].as_array().expect("faults").iter().map(|fault| fault["struck"].as_u64().unwrap_or(0)).collect()
    }

    /// A person's comment, through the page's own form.
    pub async fn visitor_says(&self, item: &str, name: &str, content: &str) {
        let page = self.client.get(format!("{}/p/{item}", self.base)).send().await.expect("a page");
        let cookie = page.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let page = page.text().await.expect("a page");
        let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = [("token", token.expect("a token")), ("name", name), ("content", content)];
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let said = self
            .client
            .post(format!("{}/p/{item}/comments", self.base))
            .header("Cookie", cookie)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
        let said = said.send().await.expect("a reply");
        assert!(said.status().as_u16() < 400, "{}", said.status());
    }
}

/// What the studio knows, which no bug of the fleet can colour.
#[derive(Debug, Clone)]
pub struct Audit(pub Value);

impl Audit {
    pub fn items(&self) -> &[Value] {
        self.0["items"].as_array().expect("items")
    }

    pub fn titles_of(&self, username: &str) -> Vec<String> {
        self.items().iter().filter(|item| item["username"] == username).map(|item| text(&item["title"])).collect()
    }

    /// Items that an account likes.
    pub fn liked_by(&self, username: &str) -> Vec<String> {
        let likes = |item: &&Value| item["likes"].as_array().expect("likes").iter().any(|like| like == username);
        self.items().iter().filter(likes).map(|item| text(&item["id"])).collect()
    }

    /// Every comment as item, author and words.
    pub fn comments(&self) -> Vec<(String, String, String)> {
        let of = |item: &Value| -> Vec<(String, String, String)> {
            let comments = item["comments"].as_array().expect("comments").iter();
            comments.map(|comment| (text(&item["id"]), text(&comment["username"]), text(&comment["content"]))).collect()
        };
        self.items().iter().flat_map(of).collect()
    }

    /// Fails when anything was done twice that a bot does once.
    pub fn holds_nothing_twice(&self) {
        let mut posts: Vec<(String, String)> =
            self.items().iter().map(|item| (text(&item["username"]), text(&item["title"]))).collect();
        let mut comments = self.comments();
        let mut likes: Vec<(String, String)> = Vec::new();
        for item in self.items() {
            let who = item["likes"].as_array().expect("likes");
            likes.extend(who.iter().map(|who| (text(&item["id"]), text(who))));
        }
        let mut accounts: Vec<String> =
            self.0["accounts"].as_array().expect("accounts").iter().map(|one| text(&one["agentId"])).collect();
        accounts.retain(|agent| !agent.is_empty());
        assert_eq!(twice(&mut posts), None, "a post was shared twice");
        assert_eq!(twice(&mut comments), None, "a comment was made twice");
        assert_eq!(twice(&mut likes), None, "a like was counted twice");
        assert_eq!(twice(&mut accounts), None, "a bot has two accounts");
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn twice<T: Ord + Clone>(all: &mut [T]) -> Option<T> {
    all.sort();
    all.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}

/// A fleet that runs in this process.
pub struct Running {
    pub fleet: Fleet,
    pub gallery: Gallery,
    stop: CancellationToken,
    serving: JoinSet<Result<(), anyhow::Error>>,
}

impl Running {
    /// Stops as SIGTERM does.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(served) = self.serving.join_next().await {
            served.expect("no panic").expect("an orderly end");
        }
    }

    pub async fn bots(&self) -> Vec<BotView> {
        let filter = BotFilter { limit: 1000, ..BotFilter::default() };
        self.fleet.bots(filter).await.expect("a running fleet").bots
    }

    /// Wakes everyone now, each by itself, since those woken together are spread.
    pub async fn wake_all(&self) {
        for bot in self.bots().await {
            self.fleet.wake(Target::Bot(bot.id), "test").await.expect("a running fleet");
        }
    }

    pub async fn state(&self, bot: &str) -> Value {
        self.states(&[bot]).await.remove(0)
    }

    pub async fn states(&self, bots: &[&str]) -> Vec<Value> {
        let mut states = Vec::new();
        for bot in bots {
            let id: BotId = bot.parse().expect("an id");
            let detail = self.fleet.bot(id).await.expect("a running fleet");
            let state = detail.and_then(|detail| detail.state);
            states.push(state.map_or(Value::Null, |state| serde_json::from_str(&state).expect("JSON")));
        }
        states
    }

    /// Activities of one kind, oldest first.
    pub async fn told(&self, kind: &str) -> Vec<Activity> {
        let query = ActivityQuery { kind: Some(kind.to_owned()), limit: 1000, ..ActivityQuery::default() };
        let mut found = self.fleet.activities(&query).await.expect("a running fleet");
        found.reverse();
        found
    }

    /// Waits until a look finds something; fails with everything there is to know when that takes too long.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let end = Instant::now() + LONGEST;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() > end {
                let query = ActivityQuery { limit: 40, ..ActivityQuery::default() };
                let mut dump = format!("never came: {what}\n{:?}\n", self.fleet.status().await);
                for bot in self.bots().await {
                    let state = self.state(&bot.id.to_string()).await;
                    dump += &format!("{}: {} ticks, {}, {state}\n", bot.id, bot.ticks, bot.reason);
                }
                for told in self.fleet.activities(&query).await.unwrap_or_default() {
                    let (what, bot) = (&told.what, told.what.bot.as_ref().map(ToString::to_string));
                    dump += &format!("{} {} {bot:?} {} {}\n", what.at, what.kind, what.ending.as_str(), what.text);
                }
                panic!("{dump}");
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Waits until a bot's committed state satisfies.
    pub async fn until_state(&self, bot: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.until(what, async || Some(self.state(bot).await).filter(&fits)).await
    }

    /// Waits until there are so many activities of a kind.
    pub async fn until_told(&self, kind: &str, count: usize) -> Vec<Activity> {
        let what = format!("{count} times `{kind}`");
        self.until(&what, async || Some(self.told(kind).await).filter(|told| told.len() >= count)).await
    }

    /// Waits until every bot has lived so many more ticks.
    pub async fn live_on(&self, ticks: u64) {
        let before: Vec<(BotId, u64)> = self.bots().await.into_iter().map(|bot| (bot.id, bot.ticks)).collect();
        self.until("more ticks", async || {
            let now = self.bots().await;
            let has = |(id, lived): &(BotId, u64)| now.iter().any(|bot| bot.id == *id && bot.ticks >= lived + ticks);
            before.iter().all(has).then_some(())
        })
        .await;
    }

    /// Waits until one bot has lived so many more ticks.
    pub async fn live_on_of(&self, id: &str, ticks: u64) {
        let lived = async || {
            let bots = self.bots().await;
            bots.iter().find(|bot| bot.id.to_string() == id).map_or(0, |bot| bot.ticks)
        };
        let before = lived().await;
        self.until(id, async || (lived().await >= before + ticks).then_some(())).await;
    }

    /// Waits until no bot is in a tick, for a fleet that was paused.
    pub async fn until_still(&self) {
        self.until("a still fleet", async || {
            self.bots().await.iter().all(|bot| bot.status.as_str() != "acting").then_some(())
        })
        .await;
    }
}

/// One fault of the studio for all calls below a path.
pub fn fault(method: &str, path: &str, more: Value) -> Value {
    let mut fault = json!({ "match": { "method": method, "path": path } });
    for (key, value) in more.as_object().expect("fields") {
        fault[key] = value.clone();
    }
    fault
}
