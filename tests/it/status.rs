//! The status API over real sockets, in front of a double of the supervisor.

pub mod fake;
mod plugins;

use std::net::SocketAddr;
use std::time::Duration;

use fake::{Double, activity};
use floimg_fleet::http::{Options, router, serve};
use floimg_fleet::model::activity::Ending;
use floimg_fleet::secret::Secret;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A served double; waits that would never end fail the test instead.
struct Served {
    double: Double,
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinSet<std::io::Result<()>>,
}

const TOKEN: &str = "b7e1-open-sesame";
const PATIENCE: Duration = Duration::from_secs(30);

impl Served {
    async fn new() -> Self {
        let double = Double::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let options = Options {
            admin_token: Secret::new(TOKEN),
            listen: address,
            gallery_url: "http://127.0.0.1:4747".to_owned(),
            stop: stop.clone(),
        };
        let mut server = JoinSet::new();
        server.spawn(serve(double.fleet.clone(), options, listener));
        Self { double, address, stop, server }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("\r\n{body}"));
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.expect("connects");
            // A server that refuses a body early may hang up while it is sent; the reply is what counts.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut reply = Vec::new();
            let _ = stream.read_to_end(&mut reply).await;
            String::from_utf8(reply).expect("UTF-8")
        };
        Reply::parse(&tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time"))
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "").await
    }

    async fn post(&self, path: &str, body: &str) -> Reply {
        let token = format!("Bearer {TOKEN}");
        self.ask("POST", path, &[("Authorization", &token), ("Content-Type", "application/json")], body).await
    }

    fn told(&self) -> Vec<String> {
        self.double.told.lock().expect("not poisoned").clone()
    }

    async fn happens(&self, text: &str) {
        let world = self.double.fleet.world();
        world.journal.record(activity(&world.clock, Some("ai_artist-1"), "upvote", Ending::Done, text)).await;
    }

    async fn events(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        stream.write_all(request.as_bytes()).await.expect("sends");
        let mut events = Events { lines: BufReader::new(stream) };
        let head = events.line().await.expect("a head");
        assert!(head.contains("200 OK"), "{head}");
        while events.line().await.is_some_and(|line| !line.is_empty()) {}
        // The first frame says where the stream begins.
        let hello = events.frame().await.expect("a first frame");
        assert!(hello.iter().any(|line| line.starts_with("id: ")), "{hello:?}");
        events
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|problem| panic!("{problem}: {self:?}"))
    }

    /// The JSON of a reply with status 200.
    #[track_caller]
    fn fine(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// The error of a reply, which has the shape that every error has.
    #[track_caller]
    fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let json = self.json();
        let fields = json.as_object().expect("an object");
        assert!(fields.keys().all(|name| name == "error" || name == "hint"), "{json}");
        let hint = fields.get("hint").map_or("", |hint| hint.as_str().expect("a text"));
        format!("{} | {hint}", fields["error"].as_str().expect("a text"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

struct Events {
    lines: BufReader<TcpStream>,
}

impl Events {
    /// The next line without the chunks' own; none at the end.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, self.lines.read_line(&mut line)).await.expect("a line in time");
        (read.ok()? > 0).then(|| line.trim_end().to_owned())
    }

    /// The lines of the next frame; none when the stream ends.
    async fn frame(&mut self) -> Option<Vec<String>> {
        let mut frame = Vec::new();
        loop {
            // Chunks begin with their length in hexadecimal and end with an empty line of their own.
            let length = self.line().await?;
            let length = usize::from_str_radix(&length, 16).expect("a chunk's length");
            if length == 0 {
                return None;
            }
            let mut chunk = vec![0; length + 2];
            self.lines.read_exact(&mut chunk).await.ok()?;
            let text = String::from_utf8(chunk).expect("UTF-8");
            frame.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
            if text.ends_with("\n\n\r\n") && frame.iter().any(|line| !line.starts_with(':')) {
                return Some(frame);
            }
        }
    }

    /// The text of the next activity, once its id and its data agree.
    async fn text(&mut self) -> Option<(i64, String)> {
        let frame = self.frame().await?;
        let field = |name: &str| frame.iter().find_map(|line| line.strip_prefix(name)).expect("a field").to_owned();
        assert_eq!(field("event: "), "activity");
        let data: Value = serde_json::from_str(&field("data: ")).expect("JSON");
        let id: i64 = field("id: ").parse().expect("a number");
        assert_eq!(data["id"], id);
        Some((id, data["text"].as_str().expect("a text").to_owned()))
    }

    async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.text().await.expect("an activity").1);
        }
        texts
    }
}

#[tokio::test]
async fn the_fleet_shows_itself_in_a_few_numbers() {
    let served = Served::new().await;
    served.happens("one").await;
    assert_eq!(served.get("/livez").await.fine(), json!({ "live": true }));
    assert_eq!(served.get("/readyz").await.fine(), json!({ "ready": true }));
    let status = served.get("/api/v1/status").await.fine();
    assert_eq!(status["state"], "running");
    assert_eq!(status["bots"], 60);
    assert_eq!(status["by_status"]["acting"], 6);
    assert_eq!(status["by_persona"], json!({ "ai_artist": 40, "data_viz_analyst": 20 }));
    assert_eq!(status["actions"], json!([{ "kind": "upvote", "ending": "done", "count": 1 }]));
    assert_eq!(status["lag"], json!({ "p50_millis": 2, "p99_millis": 31 }));
    assert_eq!(status["refused"], json!(["data_viz_analyst"]));
    assert!(status["now"].as_str().expect("a time").ends_with('Z'));
    served.post("/api/v1/fleet/pause", "").await.fine();
    let status = served.get("/api/v1/status").await.fine();
    assert_eq!((&status["state"], &status["stopped_because"]), (&json!("stopped"), &json!("paused by operator")));
}

#[tokio::test]
async fn a_fleet_that_ended_is_alive_but_not_ready() {
    let mut served = Served::new().await;
    served.double.supervisor.shutdown().await;
    assert_eq!(served.get("/livez").await.status, 200);
    let reply = served.get("/readyz").await;
    assert!(reply.error(503).starts_with("the fleet is stopping"));
    assert!(reply.header("retry-after").is_some());
    assert_eq!(served.get("/api/v1/bots").await.status, 503);
}

#[tokio::test]
async fn bots_are_filtered_and_paged() {
    let served = Served::new().await;
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("a list");
        items.iter().map(|bot| bot["id"].as_str().expect("an id").to_owned()).collect()
    };
    let page = served.get("/api/v1/bots").await.fine();
    assert_eq!(
        (ids(&page).len(), &page["total"], &page["limit"], &page["offset"]),
        (50, &json!(60), &json!(50), &json!(0))
    );
    let page = served.get("/api/v1/bots?limit=2&offset=39").await.fine();
    assert_eq!(ids(&page), ["ai_artist-40", "data_viz_analyst-1"]);
    let page = served.get("/api/v1/bots?persona=data_viz_analyst&status=acting").await.fine();
    assert_eq!(ids(&page), ["data_viz_analyst-1", "data_viz_analyst-11"]);
    assert_eq!(page["total"], 2);
    let page = served.get("/api/v1/bots?search=LUCID%20dreams&persona=ai_artist&limit=500&status=").await.fine();
    assert_eq!(page["total"], 6, "{page}");
    let page = served.get("/api/v1/bots?search=ai_17").await.fine();
    assert_eq!(ids(&page), ["ai_artist-17"]);
    let bot = &page["items"][0];
    assert_eq!(
        [&bot["persona"], &bot["status"], &bot["reason"], &bot["version"], &bot["zone"], &bot["next_wake"]],
        [
            &json!("ai_artist"),
            &json!("paused"),
            &json!("paused by operator: maintenance"),
            &json!("0f3a9c1e"),
            &json!("Europe/Berlin"),
            &Value::Null
        ]
    );
}

#[tokio::test]
async fn a_bot_is_shown_with_what_it_did_and_may_do() {
    let served = Served::new().await;
    served.happens("one").await;
    served.happens("two").await;
    let bot = served.get("/api/v1/bots/ai_artist-1").await.fine();
    assert_eq!(bot["id"], "ai_artist-1");
    assert_eq!(bot["bio"], "Collects skies that never were.");
    assert_eq!(bot["state"], Value::Null);
    assert_eq!(bot["activities"][0]["text"], "two");
    assert_eq!(
        bot["limits"][0],
        json!({ "kind": "actions", "hour": 0, "per_hour": 20, "day": 0, "per_day": 80, "last": null })
    );
    assert_eq!(
        served.get("/api/v1/bots/ai_artist-4").await.fine()["error"],
        "scripts/personas/ai_artist.luau:31: attempt to index nil with 'title'"
    );
    assert!(served.get("/api/v1/bots/ai_artist-400").await.error(404).starts_with("there is no bot `ai_artist-400`"));
}

#[tokio::test]
async fn scripts_show_what_is_wrong_with_them() {
    let served = Served::new().await;
    let personas = served.get("/api/v1/personas").await.fine();
    assert_eq!(
        personas["items"][1],
        json!({ "name": "data_viz_analyst", "title": "Data viz analyst", "bots": 20, "version": "0f3a9c1e", "refused": true })
    );
    let scripts = served.get("/api/v1/scripts").await.fine();
    let script = &scripts["items"][1];
    assert_eq!(script["ran"], json!({ "0f3a9c1e": 18, "77bb": 2 }));
    let error = &script["errors"][0];
    assert_eq!((&error["severity"], &error["line"]), (&json!("error"), &json!(31)));
    assert_eq!(error["file"], "scripts/personas/data_viz_analyst.luau");
    assert!(error["hint"].as_str().expect("a hint").contains("floimg.get"));
    assert_eq!(error["traceback"].as_array().expect("a list").len(), 2);
    assert_eq!(scripts["items"][0]["warnings"][0]["severity"], "warning");
}

#[tokio::test]
async fn activities_are_walked_both_ways() {
    let served = Served::new().await;
    for i in 1..=7 {
        served.happens(&format!("{i}")).await;
    }
    let world = served.double.fleet.world();
    world.journal.record(activity(&world.clock, Some("data_viz_analyst-2"), "share", Ending::Failed, "8")).await;
    let texts = |page: &Value| -> String {
        page["items"].as_array().expect("a list").iter().map(|item| item["text"].as_str().expect("a text")).collect()
    };
    let mut walked = Vec::new();
    let mut path = "/api/v1/activities?limit=3".to_owned();
    loop {
        let page = served.get(&path).await.fine();
        walked.push(texts(&page));
        let Some(before) = page["next_before"].as_i64() else { break };
        path = format!("/api/v1/activities?limit=3&before={before}");
    }
    assert_eq!(walked, ["876", "543", "21"]);
    let page = served.get("/api/v1/activities?after=6").await.fine();
    assert_eq!((texts(&page).as_str(), &page["next_before"]), ("78", &Value::Null));
    assert_eq!(texts(&served.get("/api/v1/activities?kind=share").await.fine()), "8");
    assert_eq!(texts(&served.get("/api/v1/activities?persona=data_viz_analyst").await.fine()), "8");
    assert_eq!(texts(&served.get("/api/v1/activities?bot=ai_artist-1&limit=2").await.fine()), "76");
    let failed = &served.get("/api/v1/activities?limit=1").await.fine()["items"][0];
    assert_eq!((&failed["ending"], &failed["bot"]), (&json!("failed"), &json!("data_viz_analyst-2")));
}

#[tokio::test]
async fn a_stream_resumes_without_gap_or_double() {
    let served = Served::new().await;
    for i in 1..=450 {
        served
            .double
            .fleet
            .world()
            .store
            .record(activity(&served.double.fleet.world().clock, None, "born", Ending::Done, &format!("{i}")))
            .await
            .expect("written");
    }
    // More than one page of the store, and meanwhile news.
    let mut events = served.events("/api/v1/events?last_event_id=20", &[]).await;
    for i in 451..=470 {
        served.happens(&format!("{i}")).await;
    }
    let expected: Vec<String> = (21..=470).map(|i| i.to_string()).collect();
    assert_eq!(events.texts(450).await, expected);
    served.happens("471").await;
    assert_eq!(events.text().await, Some((471, "471".to_owned())));
    drop(events);
    served.happens("472").await;
    // The header wins over the query, as browsers repeat the address they connected to.
    let mut events = served.events("/api/v1/events?last_event_id=20", &[("Last-Event-ID", "471")]).await;
    served.happens("473").await;
    assert_eq!(events.texts(2).await, ["472", "473"]);
}

#[tokio::test]
async fn a_stream_sends_in_order_what_was_told_out_of_order() {
    let served = Served::new().await;
    let mut events = served.events("/api/v1/events", &[]).await;
    let world = served.double.fleet.world();
    let write = |text| world.store.record(activity(&world.clock, None, "born", Ending::Done, text));
    let (one, two, three) = (
        write("one").await.expect("written"),
        write("two").await.expect("written"),
        write("three").await.expect("written"),
    );
    for late in [three, one, two] {
        world.journal.announce(late);
    }
    served.happens("four").await;
    assert_eq!(events.texts(4).await, ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn a_stream_that_fell_behind_reads_on_from_the_store() {
    let served = Served::new().await;
    let mut events = served.events("/api/v1/events", &[]).await;
    let world = served.double.fleet.world();
    // The broadcast holds 1024: on one thread, none of these is heard before all are told.
    let mut written = Vec::new();
    for i in 1..=1500 {
        written.push(
            world
                .store
                .record(activity(&world.clock, None, "born", Ending::Done, &format!("{i}")))
                .await
                .expect("written"),
        );
    }
    for activity in written {
        world.journal.announce(activity);
    }
    let expected: Vec<String> = (1..=1500).map(|i| i.to_string()).collect();
    assert_eq!(events.texts(1500).await, expected);
}

#[tokio::test]
async fn a_stream_without_a_beginning_begins_now_and_so_does_one_from_another_database() {
    let served = Served::new().await;
    served.happens("before").await;
    let mut now = served.events("/api/v1/events", &[]).await;
    let mut ahead = served.events("/api/v1/events?last_event_id=99999", &[]).await;
    served.happens("after").await;
    assert_eq!(now.texts(1).await, ["after"]);
    assert_eq!(ahead.texts(1).await, ["after"]);
}

#[tokio::test]
async fn streams_are_bounded_and_end_when_the_server_does() {
    let mut served = Served::new().await;
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(served.events("/api/v1/events", &[]).await);
    }
    let reply = served.get("/api/v1/events").await;
    assert!(reply.error(503).starts_with("too many event streams"));
    assert!(reply.header("retry-after").is_some());
    served.stop.cancel();
    for events in &mut open {
        assert_eq!(events.frame().await, None);
    }
    let ended = tokio::time::timeout(PATIENCE, served.server.join_next()).await.expect("ends in time");
    ended.expect("a server").expect("no panic").expect("no error");
}

#[tokio::test]
async fn controls_reach_the_fleet_and_say_what_they_did() {
    let served = Served::new().await;
    let paused =
        served.post("/api/v1/bots/ai_artist-3/pause", r#"{"reason": " maintenance ", "for_secs": 90.5}"#).await;
    assert_eq!(paused.fine(), json!({ "message": "paused 1 bot for 90.5 s of bots' time", "count": 1 }));
    let paused = served.post("/api/v1/personas/ai_artist/pause", r#"{"reason": null}"#).await;
    assert_eq!(paused.fine(), json!({ "message": "paused 40 bots until resumed", "count": 40 }));
    assert_eq!(
        served.post("/api/v1/fleet/resume", "{}").await.fine(),
        json!({ "message": "resumed 60 bots", "count": 60 })
    );
    assert_eq!(served.post("/api/v1/bots/ai_artist-3/wake", "").await.fine()["count"], 1);
    served.post("/api/v1/bots/ai_artist-3/wake", "null").await.fine();
    let told = served.told();
    assert!(told[0].starts_with("pause Bot(") && told[0].ends_with(r#""maintenance" Some(90.5)"#), "{told:?}");
    assert!(told[1].starts_with("pause Persona(") && told[1].ends_with(r#""" None"#), "{told:?}");
    assert_eq!(told[2], "resume All");
    let audits = served.double.fleet.world().store.audits(10).await.expect("read");
    assert_eq!(audits.len(), 5);
    assert_eq!(audits[4].detail, json!({ "reason": "maintenance", "for_secs": 90.5 }));

    for path in ["fleet", "personas/ai_artist", "bots/ai_artist-3"] {
        let reloaded = served.post(&format!("/api/v1/{path}/reload"), "").await.fine();
        assert_eq!(reloaded["message"], "1 accepted, 1 refused, 4 unchanged");
        assert_eq!(reloaded["accepted"], json!([{ "persona": "ai_artist", "version": "0f3a9c1e" }]));
        assert_eq!(reloaded["refused"][0]["errors"][0]["line"], 31);
        let error = reloaded["errors"][0].as_str().expect("a text");
        assert!(error.starts_with("scripts/personas/data_viz_analyst.luau:31: attempt to index nil"), "{error}");
    }
    for path in
        ["bots/ai_artist-99/pause", "personas/nobody/wake", "bots/ai_artist-99/reload", "personas/nobody/reload"]
    {
        served.post(&format!("/api/v1/{path}"), "").await.error(404);
    }
}

#[tokio::test]
async fn controls_need_the_admin_token() {
    let served = Served::new().await;
    for headers in [
        &[][..],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Bearer ")],
        &[("Authorization", "Basic dGhlIGFkbWluIHRva2Vu")],
        &[("Authorization", TOKEN)],
    ] {
        for path in ["fleet/pause", "bots/ai_artist-1/reload", "bots/ai_artist-99/wake", "personas/ai_artist/resume"] {
            let reply = served.ask("POST", &format!("/api/v1/{path}"), headers, "").await;
            let error = reply.error(401);
            assert!(error.contains("admin.token"), "{error}");
            assert!(!error.contains(TOKEN));
            assert_eq!(reply.header("www-authenticate"), Some("bearer"));
        }
    }
    assert_eq!(served.told(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_of_other_sites_are_kept_out() {
    let served = Served::new().await;
    let token = format!("Bearer {TOKEN}");
    let own = format!("http://{}", served.address);
    let pause = "/api/v1/fleet/pause";
    for (name, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://127.0.0.1:1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let reply = served.ask("POST", pause, &[("Authorization", &token), (name, value)], "").await;
        assert!(reply.error(403).starts_with("a page of another site"), "{name}: {value}");
    }
    assert_eq!(served.told(), Vec::<String>::new());
    let fetched = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "cors")];
    served.ask("GET", "/api/v1/events", &fetched, "").await.error(403);
    let followed = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(served.ask("GET", "/", &followed, "").await.status, 200);
    let headers = [("Authorization", token.as_str()), ("Origin", &own), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(served.ask("POST", pause, &headers, "").await.status, 200);

    for host in ["evil.example", "evil.example:4748", "localhost.evil.example", "192.0.2.1", "[2001:db8::1]:80", "a b"]
    {
        for path in ["/api/v1/status", "/", "/livez"] {
            served.ask("GET", path, &[("Host", host)], "").await.error(421);
        }
    }
    for host in ["localhost", "LOCALHOST:9000", "fleet.localhost", "127.0.0.1:1", "[::1]:4748"] {
        assert_eq!(served.ask("GET", "/livez", &[("Host", host)], "").await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_fleet_for_the_network_has_any_name_and_one_without_a_token_obeys_nobody() {
    let double = Double::new().await;
    let options = Options {
        admin_token: Secret::new(""),
        listen: "0.0.0.0:4748".parse().expect("an address"),
        gallery_url: "http://127.0.0.1:4747".to_owned(),
        stop: CancellationToken::new(),
    };
    let router = router(double.fleet.clone(), options);
    let ask = |method, path, token| {
        let request = axum::http::Request::builder().method(method).uri(path).header("Host", "fleet.example");
        let request = request.header("Authorization", token).body(axum::body::Body::empty()).expect("a request");
        router.clone().oneshot(request)
    };
    assert_eq!(ask("GET", "/livez", "").await.expect("an answer").status(), 200);
    for token in ["Bearer ", "Bearer", "Bearer x", ""] {
        let reply = ask("POST", "/api/v1/fleet/wake", token).await.expect("an answer");
        assert_eq!(reply.status(), 401, "{token:?}");
    }
    assert_eq!(double.told.lock().expect("not poisoned").len(), 0);
}

#[tokio::test]
async fn what_is_not_understood_is_named() {
    let served = Served::new().await;
    for (path, expected) in [
        ("/api/v1/bots?limit=lots", "`limit` is `lots`: expected a whole number from 1 to 500 | "),
        ("/api/v1/bots?limit=501", "`limit` is `501`: expected a whole number from 1 to 500 | "),
        ("/api/v1/bots?limit=0", "`limit` is `0`: expected a whole number from 1 to 500 | "),
        ("/api/v1/bots?offset=-1", "`offset` is `-1`: expected a whole number from 0 to 4294967295 | "),
        (
            "/api/v1/bots?limt=3",
            "unknown query field `limt`: expected persona, status, search, limit, offset | did you mean `limit`?",
        ),
        ("/api/v1/bots?limit=3&limit=4", "the query field `limit` is there twice: expected it once | "),
        (
            "/api/v1/bots?status=dead",
            "`status` is `dead`: expected one of acting, asleep, paused, backoff, quarantined, retired | ",
        ),
        ("/api/v1/status?verbose=1", "unknown query field `verbose`: expected none | "),
        ("/api/v1/bots/ai_artist-x", "`id` is `ai_artist-x`: expected a bot's id, like `ai_artist-17` | "),
        ("/api/v1/bots/%ff", "the path `/api/v1/bots/%ff` is not UTF-8 | "),
        ("/api/v1/activities?bot=me", "`bot` is `me`: expected a bot's id, like `ai_artist-17` | "),
        (
            "/api/v1/activities?before=1e3",
            "`before` is `1e3`: expected a whole number from 0 to 9223372036854775807 | ",
        ),
        (
            "/api/v1/events?last_event_id=x",
            "`last_event_id` is `x`: expected a whole number from 0 to 9223372036854775807 | ",
        ),
    ] {
        assert_eq!(served.get(path).await.error(400), expected, "{path}");
    }
    let persona = served.get("/api/v1/bots?persona=A%20B").await.error(400);
    assert!(persona.starts_with("`persona` is `A B`: expected a persona's name"), "{persona}");
    served.ask("GET", "/api/v1/events", &[("Last-Event-ID", "-4")], "").await.error(400);

    for (body, expected) in [
        (r#"{"reason": 4}"#, "`reason` is `4`: expected a text | "),
        (
            r#"{"for_secs": "1h"}"#,
            "`for_secs` is `\"1h\"`: expected seconds of bots' time, as a finite number that is not negative | ",
        ),
        (
            r#"{"for_secs": -1}"#,
            "`for_secs` is `-1`: expected seconds of bots' time, as a finite number that is not negative | ",
        ),
        (
            r#"{"for_sec": 1}"#,
            "unknown field of the body `for_sec`: expected reason, for_secs | did you mean `for_secs`?",
        ),
        ("[]", "`the body` is `[]`: expected a JSON object or nothing | "),
    ] {
        assert_eq!(served.post("/api/v1/fleet/pause", body).await.error(400), expected, "{body}");
    }
    let broken = served.post("/api/v1/fleet/pause", r#"{"for_secs": 1e999}"#).await.error(400);
    assert!(broken.starts_with("the body is not JSON: "), "{broken}");
    let long = format!(r#"{{"reason": "{}"}}"#, "x".repeat(201));
    assert!(served.post("/api/v1/fleet/pause", &long).await.error(400).contains("at most 200 characters"));
    served.post("/api/v1/fleet/wake", r#"{"reason": "x"}"#).await.error(400);
    served.post("/api/v1/personas/No/wake", "").await.error(400);
    let large = format!(r#"{{"reason": "{}"}}"#, "x".repeat(70 * 1024));
    assert_eq!(served.post("/api/v1/fleet/pause", &large).await.error(413), "the body is longer than 64 KiB | ");
    assert_eq!(served.told(), Vec::<String>::new());

    assert!(served.get("/api/v1/nothing").await.error(404).starts_with("there is nothing at `/api/v1/nothing`"));
    let reply = served.get("/api/v1/fleet/pause").await;
    assert!(reply.error(405).starts_with("`/api/v1/fleet/pause` does not take GET"));
    assert_eq!(reply.header("allow"), Some("post"));
    served.ask("DELETE", "/", &[], "").await.error(405);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let served = Served::new().await;
    for path in ["/", "/livez", "/api/v1/status", "/api/v1/bots/ai_artist-1", "/openapi.json", "/assets/page.js"] {
        let reply = served.ask("HEAD", path, &[], "").await;
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{path}");
    }
    assert_eq!(served.ask("HEAD", "/api/v1/events", &[], "").await.status, 200);
    assert_eq!(served.ask("HEAD", "/api/v1/bots/ai_artist-99", &[], "").await.status, 404);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_runs_no_script_of_its_own() {
    let served = Served::new().await;
    let page = served.get("/").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("access-control-allow-origin"), None);
    for forbidden in ["https://", "http://", " onclick=", " style=", "<script>", "<style"] {
        assert!(!page.body.contains(forbidden), "{forbidden}");
    }
    let mut files = 0;
    for address in page.body.split(['"', '\'']).filter(|part| part.starts_with("/assets/")) {
        let asset = served.get(address).await;
        assert_eq!(asset.status, 200, "{address}");
        let tag = asset.header("etag").expect("a tag").to_owned();
        assert_eq!(served.ask("GET", address, &[("If-None-Match", &tag)], "").await.status, 304);
        files += 1;
    }
    assert!(files >= 3);
    let script = served.get("/assets/page.js").await.body;
    for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
    // Whatever goes wrong is dressed like the rest.
    assert!(served.get("/nothing").await.header("content-security-policy").is_some());
    assert_eq!(served.get("/api/v1/status").await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn versions_are_shown_compared_and_chosen_by_their_first_digits() {
    let served = Served::new().await;
    let history = served.get("/api/v1/scripts/ai_artist").await.fine();
    let versions: Vec<(&Value, &Value)> = history["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|version| (&version["version"], &version["role"]))
        .collect();
    assert_eq!(versions[0], (&json!("0f3a9c1e"), &json!("runs")));
    assert_eq!(versions[2], (&json!("77bb0000"), &Value::Null));
    assert_eq!(history["script"]["fares"]["cpu_millis_per_tick"], 0.5);
    let files = served.get("/api/v1/scripts/ai_artist/files?version=77bb").await.fine();
    assert_eq!(files["files"]["personas/ai_artist.luau"], "return {}\n");
    let diff = served.get("/api/v1/scripts/ai_artist/diff?from=0f3a2").await.fine();
    let text = diff["diff"].as_str().expect("a diff");
    assert!(text.contains("--- 0f3a2222/personas/ai_artist.luau\n+++ 0f3a9c1e/personas/ai_artist.luau\n"), "{text}");
    assert!(text.contains("-return { 1 }\n+return { 2 }\n"), "{text}");
    // What fits none or several names those that there are.
    let none = served.get("/api/v1/scripts/ai_artist/files?version=beef").await;
    assert!(none.status == 404 && none.body.contains("0f3a9c1e, 0f3a2222, 77bb0000"), "{none:?}");
    let several = served.get("/api/v1/scripts/ai_artist/files?version=0f3a").await;
    assert!(several.status == 400 && several.body.contains("0f3a9c1e77aa, 0f3a22222222"), "{several:?}");
    for wrong in ["0f3", "zzzz", "0f3a9c1e0f3a9c1e%20"] {
        assert_eq!(served.get(&format!("/api/v1/scripts/ai_artist/files?version={wrong}")).await.status / 100, 4);
    }
    assert_eq!(served.get("/api/v1/scripts/nobody").await.status, 404);
    // Decisions need the token, take a version, and say when there is nothing to do.
    let path = "/api/v1/scripts/ai_artist/rollback";
    assert_eq!(served.ask("POST", path, &[], "").await.status, 401);
    served.post(path, r#"{"version": "77bb"}"#).await.fine();
    served.post("/api/v1/scripts/ai_artist/pin", "").await.fine();
    assert_eq!(served.post(path, r#"{"versoin": "77bb"}"#).await.status, 400);
    assert_eq!(served.post(path, r#"{"version": "beef"}"#).await.status, 404);
    let told = served.told();
    let last: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(
        last,
        [
            "version ai_artist RollBack(Some(VersionId(\"77bb00000000\")))",
            "version ai_artist Pin(VersionId(\"0f3a9c1e77aa\"))"
        ]
    );
    let nothing = served.post("/api/v1/scripts/data_viz_analyst/unpin", "").await;
    assert!(nothing.status == 409 && nothing.body.contains("is not pinned"), "{nothing:?}");
    let audits = served.double.fleet.world().store.audits(10).await.expect("a store");
    assert_eq!(audits.iter().filter(|row| row.what == "rollback").count(), 1);
}

#[tokio::test]
async fn the_console_needs_the_token_even_to_look_and_is_written_down() {
    let served = Served::new().await;
    let path = "/api/v1/bots/ai_artist-1/console";
    assert_eq!(served.ask("POST", path, &[], r#"{"code": "1"}"#).await.status, 401);
    assert!(served.told().is_empty());
    let looked = served.post(path, r#"{"code": "bot.state"}"#).await.fine();
    assert_eq!(looked["values"], json!(["{ 1, 2 }"]));
    assert_eq!((&looked["printed"], &looked["kept"]), (&json!(["a line"]), &json!(false)));
    let wrong = served.post(path, r#"{"code": "error()", "write": true}"#).await.fine();
    assert_eq!((&wrong["error"]["line"], &wrong["kept"]), (&json!(31), &json!(true)));
    for (body, status, words) in [
        ("{}", 400, "`code` is missing"),
        (r#"{"code": 3}"#, 400, "expected a text"),
        (r#"{"code": "1", "write": "yes"}"#, 400, "expected true or false"),
        (r#"{"code": "1", "writes": true}"#, 400, "did you mean `write`?"),
        (r#"{"code": "busy"}"#, 409, "it is in a tick"),
    ] {
        let reply = served.post(path, body).await;
        assert!(reply.status == status && reply.body.contains(words), "{body}: {reply:?}");
    }
    assert_eq!(served.post("/api/v1/bots/ai_artist-99/console", r#"{"code": "1"}"#).await.status, 404);
    // Who looked stands beside who wrote, with the code.
    let audits = served.double.fleet.world().store.audits(10).await.expect("a store");
    let first = audits.iter().rfind(|row| row.what == "console").expect("a row");
    assert_eq!(
        (first.target.as_str(), &first.detail),
        ("ai_artist-1", &json!({ "code": "bot.state", "writes": false }))
    );
    assert_eq!(audits.iter().filter(|row| row.what == "console" && row.detail["writes"] == true).count(), 1);
}

#[tokio::test]
async fn everything_in_the_document_is_served_as_it_says() {
    let served = Served::new().await;
    plugins::fill(&served.double).await;
    served.happens("one").await;
    let document = served.get("/openapi.json").await.fine();
    assert!(document["openapi"].as_str().expect("a version").starts_with("3."));
    assert_eq!(document["components"]["securitySchemes"]["admin_token"]["scheme"], "bearer");
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            operations += 1;
            let at = path.replace("{id}", "ai_artist-1").replace("{name}", "ai_artist").replace("{plugin}", "guard");
            assert!(!at.contains('{'), "{path}");
            let needed: Vec<String> = (operation["parameters"].as_array().into_iter().flatten())
                .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
                .map(|parameter| {
                    format!(
                        "{}={}",
                        parameter["name"].as_str().expect("a name"),
                        parameter["example"].as_str().expect("an example")
                    )
                })
                .collect();
            let at = if needed.is_empty() { at } else { format!("{at}?{}", needed.join("&")) };
            let is_control = method == "post";
            assert_eq!(operation["security"] == json!([{ "admin_token": [] }]), is_control, "{method} {path}");
            let responses = &operation["responses"];
            if path == "/api/v1/events" {
                assert!(responses["200"]["content"]["text/event-stream"].is_object());
            } else {
                let body = if path.ends_with("/console") { r#"{"code": "bot.state"}"# } else { "" };
                let reply = if is_control { served.post(&at, body).await } else { served.get(&at).await };
                let schema = &responses["200"]["content"]["application/json"]["schema"];
                agrees(&document, schema, &reply.fine(), &format!("{method} {path}"));
            }
            // Every error that can be had is in the document, with the shape that all have.
            for (status, response) in
                responses.as_object().expect("responses").iter().filter(|(status, _)| *status != "200")
            {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
            }
            let is_probe = path == "/livez" || path == "/readyz";
            for expected in if is_probe { &["403", "421"][..] } else { &["400", "403", "421", "500", "503"] } {
                assert!(responses[*expected].is_object(), "{method} {path}: {expected}");
            }
            assert_eq!(responses["401"].is_object(), is_control, "{method} {path}");
            // Every parameter is taken, with its own example or bounds.
            for parameter in
                operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query")
            {
                if path == "/api/v1/events" {
                    continue;
                }
                let value = [&parameter["example"], &parameter["schema"]["default"], &parameter["schema"]["minimum"]];
                let value = value.into_iter().find(|value| !value.is_null()).expect("an example");
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let name = parameter["name"].as_str().expect("a name");
                if parameter["required"] == true {
                    continue;
                }
                let joint = if at.contains('?') { '&' } else { '?' };
                let reply = served.get(&format!("{at}{joint}{name}={value}")).await;
                assert_eq!(reply.status, 200, "{path}?{name}={value}: {reply:?}");
            }
            let body = operation["requestBody"]["content"]["application/json"]["schema"].clone();
            let has_body = ["/pause", "/rollback", "/pin", "/console"].iter().any(|end| path.ends_with(end));
            assert_eq!(body.is_object(), has_body, "{path}");
        }
    }
    assert_eq!(operations, 36);
    let pause = &document["components"]["schemas"]["Pause"];
    let example = pause["example"].to_string();
    assert_eq!(served.post("/api/v1/fleet/pause", &example).await.status, 200, "{example}");
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().expect("an end");
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}

/// Checks that a value has exactly the fields that a schema says, of the types it says.
#[track_caller]
fn agrees(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(pointer) = schema["$ref"].as_str() {
        return agrees(document, document.pointer(&pointer[1..]).expect("a schema"), value, at);
    }
    for parts in ["oneOf", "anyOf"] {
        if let Some(parts) = schema[parts].as_array() {
            // An optional part: null, or the other.
            let other = parts.iter().find(|part| part["type"] != "null").expect("a part");
            if !value.is_null() {
                agrees(document, other, value, at);
            }
            return;
        }
    }
    let (mut properties, mut required) = (Vec::new(), Vec::new());
    collect(document, schema, &mut properties, &mut required);
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.is_empty() || types.contains(&is), "{at} is {value}, not {types:?}");
    if let (Value::Array(items), true) = (value, schema["items"].is_object()) {
        items.iter().enumerate().for_each(|(i, item)| agrees(document, &schema["items"], item, &format!("{at}[{i}]")));
    }
    if let (Value::Object(fields), false) = (value, properties.is_empty()) {
        for (name, field) in fields {
            let (_, schema) = properties
                .iter()
                .find(|(known, _)| known == name)
                .unwrap_or_else(|| panic!("{at}.{name} is not in the document"));
            agrees(document, schema, field, &format!("{at}.{name}"));
        }
        for (name, _) in &properties {
            // What is never left out is said to be required, or clients would have to guess.
            assert!(required.contains(name), "{at}.{name} is not required");
            assert!(fields.contains_key(name), "{at}.{name} is in the document and not in {value}");
        }
    }
}

fn collect(document: &Value, schema: &Value, properties: &mut Vec<(String, Value)>, required: &mut Vec<String>) {
    required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    if let Some(pointer) = schema["$ref"].as_str() {
        return collect(document, document.pointer(&pointer[1..]).expect("a schema"), properties, required);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(document, part, properties, required);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        properties.push((name.clone(), property.clone()));
    }
}
