//! The client against a server that plays a script, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use floimg_fleet::clock::Clock;
use floimg_fleet::floimg::error::{Error, Period, Upstream, Usage};
use floimg_fleet::floimg::options::Options;
use floimg_fleet::floimg::signals::BreakerState;
use floimg_fleet::floimg::{Capabilities, Floimg};
use floimg_fleet::model::failure::FailureKind;
use floimg_fleet::model::gallery::{FeedQuery, FeedSort, NewAccount, NewPost, Step, Workflow};
use floimg_fleet::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

// ---------------------------------------------------------------------------------------------- the other end

/// A request as it came over the wire.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What the server does with the next request.
#[derive(Debug, Clone)]
enum Answer {
    /// These bytes, then the connection closes.
    Bytes(Vec<u8>),
    /// Nothing: the connection closes.
    Drop,
    /// Nothing: the connection stays open until the client closes it.
    Hang,
    /// A body that only ends when the client has enough.
    Endless,
    /// These bytes, but not before so many requests have come.
    After(usize, Vec<u8>),
}

fn answer(status: u16, headers: &str, body: &[u8]) -> Answer {
    let head =
        format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

fn ok(body: Value) -> Answer {
    answer(200, "content-type: application/json\r\n", body.to_string().as_bytes())
}

fn fails(status: u16, body: Value) -> Answer {
    answer(status, "content-type: application/json\r\n", body.to_string().as_bytes())
}

/// Plays a script on a port of its own. Questions about what it offers are answered aside.
struct Server {
    url: Url,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    seen: Vec<Seen>,
    offers: Option<Value>,
    asked: usize,
    /// Requests that came and are not answered, now and at most.
    open: (usize, usize),
    /// Bytes of endless bodies that went out.
    endless: usize,
}

impl Server {
    async fn plays(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = Url::parse(&format!("http://{}", listener.local_addr().expect("bound"))).expect("an address");
        let script = Arc::new(Mutex::new(Script { answers: answers.into_iter().collect(), ..Script::default() }));
        let mut tasks = JoinSet::new();
        let played = Arc::clone(&script);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(play(stream, Arc::clone(&played)));
            }
        });
        Self { url, script, _tasks: tasks }
    }

    fn seen(&self) -> Vec<Seen> {
        self.script.lock().expect("not poisoned").seen.clone()
    }

    fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    fn then(&self, answer: Answer) {
        self.script.lock().expect("not poisoned").answers.push_back(answer);
    }

    fn offers(&self, generators: Value) {
        self.script.lock().expect("not poisoned").offers = Some(generators);
    }

    fn options(&self) -> Options {
        let options = Options::new(self.url.clone(), Secret::new("fst_token"), Clock::wall());
        Options { read_retries: 0, reads_per_sec: 1e6, writes_per_sec: 1e6, ..options }
    }

    fn client(&self) -> Floimg {
        Floimg::new(self.options()).expect("a client")
    }
}

async fn play(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    let Some(seen) = request(&mut stream).await else { return };
    let answer = {
        let mut script = script.lock().expect("not poisoned");
        if seen.line.starts_with("GET /api/nodes/") {
            script.asked += 1;
            match script.offers.clone() {
                Some(offers) if seen.line.ends_with("/generators") => ok(offers),
                _ => fails(404, json!({"error": "no such page"})),
            }
        } else {
            script.seen.push(seen);
            script.open.0 += 1;
            script.open.1 = script.open.1.max(script.open.0);
            script.answers.pop_front().unwrap_or_else(|| fails(599, json!({"error": "the script is over"})))
        }
    };
    if let Answer::After(requests, _) = answer {
        while script.lock().expect("not poisoned").seen.len() < requests {
            tokio::task::yield_now().await;
        }
        // Time for one more to come, if more are let out than may be.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        script.lock().expect("not poisoned").open.0 -= 1;
    }
    match answer {
        Answer::Bytes(bytes) | Answer::After(_, bytes) => {
            // The client may have gone; the test is about what it says then.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read(&mut [0; 1]).await;
        }
        Answer::Drop => {}
        Answer::Hang => while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {},
        Answer::Endless => {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            while sent.is_ok() && script.lock().expect("not poisoned").endless < (1 << 28) {
                sent = stream.write_all(format!("1000\r\n{}\r\n", " ".repeat(0x1000)).as_bytes()).await;
                script.lock().expect("not poisoned").endless += 0x1000;
            }
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).expect("a head in ASCII");
    let mut lines = text.split("\r\n");
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
    let mut body = bytes[head + 4..].to_vec();
    while body.len() < length {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&chunk[..read]);
    }
    Some(Seen { line, headers, body: String::from_utf8(body).expect("a body in UTF-8") })
}

// ---------------------------------------------------------------------------------------------- what is asked

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Invite,
    Delete,
    Execute,
    Share,
    Feed,
    Post,
    Like,
    Comments,
    Comment,
    UserPosts,
}

use Ask::*;

const ALL: [Ask; 10] = [Invite, Delete, Execute, Share, Feed, Post, Like, Comments, Comment, UserPosts];
const READS: [Ask; 4] = [Feed, Post, Comments, UserPosts];
const ONCE: [Ask; 4] = [Execute, Share, Like, Comment];
const REPEATABLE: [Ask; 2] = [Invite, Delete];

async fn ask(client: &Floimg, ask: Ask) -> Result<(), Error> {
    match ask {
        Invite => client.invite(&account()).await.map(drop),
        Delete => client.delete_account("u1").await,
        Execute => client.execute("mia_1", &workflow("openai")).await.map(drop),
        Share => client.share("mia_1", &new_post(None)).await.map(drop),
        Feed => client.feed(Some("mia_1"), &FeedQuery::default()).await.map(drop),
        Post => client.post(Some("mia_1"), "p1").await.map(drop),
        Like => client.toggle_like("mia_1", "p1").await.map(drop),
        Comments => client.comments(Some("mia_1"), "p1", 50, 0).await.map(drop),
        Comment => client.comment("mia_1", "p1", "schön 🎨").await.map(drop),
        UserPosts => client.user_posts("mia_1").await.map(drop),
    }
}

fn account() -> NewAccount {
    NewAccount {
        agent_id: "ai_artist-1".to_owned(),
        name: "Mía Träume".to_owned(),
        username: "mia_1".to_owned(),
        persona: "ai_artist".to_owned(),
    }
}

fn new_post(workflow_id: Option<&str>) -> NewPost {
    NewPost {
        image_url: "https://cdn.example/1.png".to_owned(),
        title: "Über den Wolken".to_owned(),
        description: "日本語 — ok".to_owned(),
        workflow_id: workflow_id.map(str::to_owned),
    }
}

fn workflow(generator: &str) -> Workflow {
    let Value::Object(params) = json!({"prompt": "ein Café in Zürich, 雨", "style": null}) else { unreachable!() };
    let Value::Object(resize) = json!({"width": 64}) else { unreachable!() };
    Workflow {
        name: "café".to_owned(),
        steps: vec![
            Step::Generate { generator: generator.to_owned(), params, out: "a".to_owned() },
            Step::Transform { op: "resize".to_owned(), input: "a".to_owned(), params: resize, out: "b".to_owned() },
        ],
    }
}

fn item(id: &str) -> Value {
    json!({"id": id, "title": "t", "createdAt": "2026-03-01T12:00:00.000Z", "user": {"id": "u9"}})
}

fn remark(id: &str) -> Value {
    json!({"id": id, "content": "c", "createdAt": "2026-03-01T12:00:00.000Z", "user": {"id": "u9"}})
}

/// What the gallery answers to each when all is well.
fn fine(ask: Ask) -> Answer {
    ok(match ask {
        Invite => json!({"id": "u1", "username": "mia_1", "created": true}),
        Delete => json!({"deleted": true}),
        Execute => json!({"status": "completed", "imageUrls": ["/api/images/1"]}),
        Share => json!({"showcaseItem": item("p1")}),
        Feed => json!({"items": [item("p1")]}),
        Post => json!({"item": item("p1")}),
        Like => json!({"liked": true, "likeCount": 3}),
        Comments => json!({"comments": [remark("c1")]}),
        Comment => json!({"comment": remark("c1")}),
        UserPosts => json!({"showcase": [item("p1")]}),
    })
}

/// The name of an error's variant.
fn word(result: &Result<(), Error>) -> String {
    match result {
        Ok(()) => "Ok".to_owned(),
        Err(error) => format!("{error:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned(),
    }
}

// ---------------------------------------------------------------------------------------------- on the wire

#[tokio::test]
async fn every_call_says_exactly_what_the_api_wants() {
    let table = [
        (
            Invite,
            "POST /api/admin/users/invite",
            Some(json!({"agentId": "ai_artist-1", "name": "Mía Träume", "username": "mia_1", "isAgent": true,
                        "agentPersonaId": "ai_artist"})),
        ),
        (Delete, "DELETE /api/admin/users/u1", None),
        (
            Execute,
            "POST /api/execute/sync",
            Some(json!({"name": "café", "steps": [
                {"kind": "generate", "generator": "openai", "params": {"prompt": "ein Café in Zürich, 雨"}, "out": "a"},
                {"kind": "transform", "op": "resize", "in": "a", "params": {"width": 64}, "out": "b"},
                {"kind": "save", "in": "b", "destination": "cloud"},
            ]})),
        ),
        (
            Share,
            "POST /api/showcase",
            Some(
                json!({"imageUrl": "https://cdn.example/1.png", "title": "Über den Wolken", "description": "日本語 — ok"}),
            ),
        ),
        (Feed, "GET /api/showcase?limit=20&offset=0&sort=recent", None),
        (Post, "GET /api/showcase/p1", None),
        (Like, "POST /api/showcase/p1/like", Some(json!({}))),
        (Comments, "GET /api/showcase/p1/comments?limit=50&offset=0", None),
        (Comment, "POST /api/showcase/p1/comments", Some(json!({"content": "schön 🎨"}))),
        (UserPosts, "GET /api/users/mia_1/showcase", None),
    ];
    assert_eq!(table.each_ref().map(|(call, ..)| *call), ALL);
    for (call, line, body) in table {
        let server = Server::plays([fine(call)]).await;
        ask(&server.client(), call).await.expect("a value");
        let [seen] = &server.seen()[..] else { panic!("{call:?}: one request") };
        assert_eq!(seen.line, line);
        assert_eq!(serde_json::from_str::<Value>(&seen.body).ok(), body, "{call:?}");
        assert_eq!(seen.headers["authorization"], "Bearer fst_token");
        assert_eq!(seen.headers["user-agent"], format!("floimg-fleet/{}", env!("CARGO_PKG_VERSION")));
        let service = matches!(call, Invite | Delete | UserPosts);
        assert_eq!(seen.headers.get("x-agent-id").map(String::as_str), (!service).then_some("mia_1"), "{call:?}");
        let typed = seen.headers.get("content-type").map(String::as_str);
        assert_eq!(typed, body.is_some().then_some("application/json"), "{call:?}");
    }
}

#[tokio::test]
async fn what_may_be_told_is_told_only_when_it_is_there() {
    let server = Server::plays([fine(Share), fine(Feed)]).await;
    let client = Floimg::new(Options { token: Secret::new(""), ..server.options() }).expect("a client");
    client.share("mia_1", &new_post(Some("w7"))).await.expect("a post");
    let query = FeedQuery {
        limit: 500,
        offset: 40,
        sort: FeedSort::Trending,
        category: Some("data viz&x".to_owned()),
        content_type: Some("image_workflow".to_owned()),
    };
    client.feed(None, &query).await.expect("a page");
    let seen = server.seen();
    let body: Value = serde_json::from_str(&seen[0].body).expect("JSON");
    assert_eq!(body["workflowId"], "w7");
    assert_eq!(
        seen[1].line,
        "GET /api/showcase?limit=100&offset=40&sort=trending&category=data+viz%26x&contentType=image_workflow"
    );
    for seen in seen {
        assert!(!seen.headers.contains_key("authorization"));
    }
    assert!(!server.seen()[1].headers.contains_key("x-agent-id"));
}

#[tokio::test]
async fn an_id_stays_one_piece_of_the_address() {
    let server = Server::plays([fine(Post)]).await;
    let client = server.client();
    client.post(None, "a/../b?c=1#d é").await.expect("a post");
    for id in ["", ".", ".."] {
        let result = client.toggle_like("mia_1", id).await.map(drop);
        assert_eq!(word(&result), "Rejected", "{id}");
    }
    let result = client.toggle_like("mia\r\nX-Evil: 1", "p1").await.map(drop);
    assert_eq!(word(&result), "Rejected");
    assert_eq!(server.lines(), ["GET /api/showcase/a%2F..%2Fb%3Fc=1%23d%20%C3%A9"]);
}

#[tokio::test]
async fn a_gallery_below_a_path_is_asked_there() {
    let server = Server::plays([fine(Post), fine(Post)]).await;
    for path in ["gallery", "gallery/"] {
        let api_url = server.url.join(path).expect("an address");
        let client = Floimg::new(Options { api_url, ..server.options() }).expect("a client");
        client.post(None, "p1").await.expect("a post");
    }
    assert_eq!(server.lines(), ["GET /gallery/api/showcase/p1"; 2]);
}

// ---------------------------------------------------------------------------------------------- what comes back

#[tokio::test]
async fn a_post_is_read_field_for_field() {
    let whole = json!({
        "id": "p1", "title": "T", "description": "D", "category": "data-viz", "tags": ["x"],
        "contentType": "workflow", "image": {"id": "i1", "url": "/api/images/i1"}, "previewImageUrl": "/preview",
        "workflowId": "w1", "workflowShared": true, "likeCount": 7, "commentCount": 2, "viewCount": 5_000_000_000u64,
        "forkCount": 1, "isLiked": true, "createdAt": "2026-03-01T12:00:00.000Z", "somethingNew": {"a": [1]},
        "user": {"id": "u1", "username": "mia_1", "name": "Mía"}, "author": {"id": "wrong"}, "userId": "wrong",
    });
    let bare = json!({
        "id": "p2", "title": "T", "description": null, "category": null, "image": {"id": "i2", "url": ""}, "previewImageUrl": "pre/2",
        "likeCount": -3, "commentCount": null, "createdAt": "2026-03-01T12:00:00Z",
        "user": {"id": "u2", "username": null, "name": null},
    });
    let server = Server::plays([ok(json!({"items": [whole, bare]}))]).await;
    let page = server.client().feed(None, &FeedQuery { limit: 2, ..FeedQuery::default() }).await.expect("a page");
    assert!(page.may_have_more);
    let [one, two] = &page.posts[..] else { panic!("two posts") };
    assert_eq!(one.image_url.as_deref(), Some(server.url.join("/api/images/i1").expect("an address").as_str()));
    assert_eq!((one.like_count, one.comment_count, one.view_count, one.fork_count), (7, 2, u32::MAX, 1));
    assert_eq!((one.author.id.as_str(), one.author.username.as_deref()), ("u1", Some("mia_1")));
    assert_eq!((one.content_type.as_str(), one.workflow_shared, one.is_liked), ("workflow", true, Some(true)));
    assert_eq!(two.image_url.as_deref(), Some(server.url.join("/pre/2").expect("an address").as_str()));
    assert_eq!((two.like_count, two.comment_count, two.fork_count), (0, 0, 0));
    assert_eq!(
        (two.content_type.as_str(), two.is_liked, &two.tags, &two.author.username),
        ("image", None, &vec![], &None)
    );
}

#[tokio::test]
async fn a_malformed_item_costs_only_itself() {
    let items = json!([item("p1"), {"id": "p2"}, null, 7, item("p3")]);
    let comments = json!([{"id": "c0", "content": 3}, remark("c1")]);
    let server =
        Server::plays([ok(json!({"items": items})), ok(json!({"showcase": items})), ok(json!({"comments": comments}))])
            .await;
    let client = server.client();
    let page = client.feed(None, &FeedQuery { limit: 5, ..FeedQuery::default() }).await.expect("a page");
    assert_eq!(page.posts.iter().map(|post| post.id.as_str()).collect::<Vec<_>>(), ["p1", "p3"]);
    assert!(page.may_have_more, "the page was full before the malformed ones were left out");
    assert_eq!(client.user_posts("mia_1").await.expect("posts").len(), 2);
    let comments = client.comments(None, "p1", 20, 0).await.expect("comments");
    assert_eq!(comments.iter().map(|comment| comment.id.as_str()).collect::<Vec<_>>(), ["c1"]);
}

#[tokio::test]
async fn a_list_under_another_key_is_no_empty_list() {
    let right = [(Feed, "items"), (Comments, "comments"), (UserPosts, "showcase"), (Post, "item")];
    for (call, right) in right {
        for key in ["items", "comments", "showcase", "item", "data", "posts"].into_iter().filter(|key| *key != right) {
            let server = Server::plays([ok(json!({key: []}))]).await;
            let result = ask(&server.client(), call).await;
            assert_eq!(word(&result), "BadReply", "{call:?} {key}");
            assert!(result.is_err_and(|error| error.to_string().contains(right)), "{call:?} names the right key");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_reply_are_an_error_and_no_more() {
    let deep = "[".repeat(200_000);
    let bodies: [&[u8]; 7] = [
        b"",
        b"<html>\n<b>gateway\x1b[31m</b>",
        b"{\"items\": [",
        b"{\"items\": [\"\xff\xfe\"]}",
        b"null",
        b"[]",
        deep.as_bytes(),
    ];
    for body in bodies {
        for call in ALL.into_iter().filter(|call| *call != Delete) {
            let server = Server::plays([answer(200, "", body)]).await;
            let result = ask(&server.client(), call).await;
            let expected = if READS.contains(&call) { "BadReply" } else { "OutcomeUnknown" };
            assert_eq!(word(&result), expected, "{call:?}");
            let message = result.expect_err("an error").to_string();
            assert!(message.len() < 600 && !message.chars().any(char::is_control), "{message}");
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_too_long_is_never_held() {
    let long = format!("{{\"items\": [], \"x\": \"{}\"}}", "x".repeat(2_000));
    let server = Server::plays([answer(200, "", long.as_bytes()), Answer::Endless, Answer::Endless]).await;
    let client = Floimg::new(Options { max_reply_bytes: 1_000, ..server.options() }).expect("a client");
    for call in [Feed, Feed] {
        assert_eq!(word(&ask(&client, call).await), "TooLarge");
    }
    let result = ask(&client, Share).await;
    assert_eq!(word(&result), "OutcomeUnknown", "the post may be there");
    let below = std::error::Error::source(result.as_ref().expect_err("an error")).expect("a cause").to_string();
    assert!(below.contains("1000 bytes"), "{below}");
    assert!(server.script.lock().expect("not poisoned").endless < (1 << 28), "the client hung up");
}

#[tokio::test]
async fn a_small_reply_that_unpacks_to_a_long_one_is_never_held() {
    // `{"items": []}` and 100000 spaces.
    let packed = base64::prelude::BASE64_STANDARD.decode(concat!(
        "H4sIAAAAAAACA+3BsREAEBAAsFX+fgyrOKVCoaJzdreGIsnJsftcWaK2GwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMC3Hl8H",
        "nDSthgEA",
    ));
    let packed = packed.expect("base64");
    assert!(packed.len() < 1_000);
    let reply = || answer(200, "content-encoding: gzip\r\n", &packed);
    let server = Server::plays([reply(), reply()]).await;
    ask(&server.client(), Feed).await.expect("a page, where it is allowed to be that long");
    let client = Floimg::new(Options { max_reply_bytes: 1_000, ..server.options() }).expect("a client");
    assert_eq!(word(&ask(&client, Feed).await), "TooLarge");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::plays([fine(Feed)]).await;
    let server = Server::plays([answer(302, &format!("location: {}api/showcase\r\n", other.url), b"")]).await;
    let result = ask(&server.client(), Feed).await;
    assert_eq!(word(&result), "BadReply");
    assert!(result.is_err_and(|error| error.to_string().contains(other.url.as_str())));
    assert!(other.lines().is_empty(), "the token stays with the configured server");
}

// ---------------------------------------------------------------------------------------------- refusals

#[tokio::test]
async fn every_code_is_understood_on_every_call() {
    let codes = [
        (400, json!({"error": "bad", "errors": [{"path": ["title"], "message": "too long"}]}), "Rejected"),
        (422, json!({"error": {"issues": []}}), "Rejected"),
        (409, json!({"error": "taken"}), "Rejected"),
        (401, json!({"error": "who"}), "Unauthorized"),
        (403, json!({"error": "no"}), "Forbidden"),
        (404, json!({"error": "gone"}), "NotFound"),
        (429, json!({"error": "slow"}), "RateLimited"),
        (429, json!({"error": "x", "code": "FLEET_DAILY_BUDGET_EXCEEDED"}), "FleetBudget"),
        (429, json!({"error": "x", "code": "FLEET_MONTHLY_BUDGET_EXCEEDED"}), "FleetBudget"),
        (429, json!({"error": "x", "code": "AGENT_DAILY_LIMIT_EXCEEDED"}), "AgentBudget"),
        (429, json!({"error": "x", "code": "AGENT_MONTHLY_LIMIT_EXCEEDED"}), "AgentBudget"),
        (429, json!({"error": "x", "code": "SOMETHING_ELSE"}), "RateLimited"),
        (503, json!({"error": "x", "code": "FLEET_PAUSED"}), "PlatformPaused"),
        (503, json!({"error": "down"}), "fault"),
        (500, json!("oops"), "fault"),
        (502, json!(null), "fault"),
        (408, json!({}), "fault"),
    ];
    for (status, body, expected) in codes {
        for call in ALL {
            let server = Server::plays([fails(status, body.clone())]).await;
            let result = ask(&server.client(), call).await;
            let expected = match (expected, call) {
                ("NotFound", Delete) => "Ok",
                ("fault", call) if READS.contains(&call) => "Unavailable",
                ("fault", _) => "OutcomeUnknown",
                (expected, _) => expected,
            };
            assert_eq!(word(&result), expected, "{status} {body} on {call:?}");
            assert_eq!(server.lines().len(), 1, "{status} {body} on {call:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_fields_and_says_it_plainly() {
    let body = json!({"error": "Validation failed", "errors": [{"path": ["title"], "message": "too\nlong"}]});
    let server = Server::plays([fails(400, body), answer(400, "", b"<h1>Bad</h1>")]).await;
    let client = server.client();
    let messages = [client.share("mia_1", &new_post(None)).await, client.share("mia_1", &new_post(None)).await]
        .map(|result| result.expect_err("refused").to_string());
    assert_eq!(
        messages,
        [
            "the gallery refused to share a post: Validation failed (`title`: too\\nlong)",
            "the gallery refused to share a post: status 400: <h1>Bad</h1>",
        ]
    );
}

fn hours(from: Timestamp, hours: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_hours(hours)).expect("in range")
}

#[tokio::test]
async fn a_budget_ends_when_the_platform_says_or_at_a_guess() {
    let now = Timestamp::now();
    let soon = hours(now, 5);
    let table = [
        (json!(soon.to_string()), (soon, soon)),
        (json!(null), (hours(now, 1), hours(now, 1))),
        (json!("whenever"), (hours(now, 1), hours(now, 1))),
        (json!(hours(now, 24 * 20).to_string()), (hours(now, 24), hours(now, 24))),
    ];
    for (reset, (from, to)) in table {
        let body =
            json!({"code": "AGENT_MONTHLY_LIMIT_EXCEEDED", "resetAt": reset, "usage": {"used": 50, "limit": 50}});
        let server = Server::plays([fails(429, body)]).await;
        let error = ask(&server.client(), Like).await.expect_err("refused");
        let passed = Timestamp::now().duration_since(now);
        let Error::AgentBudget { period: Period::Monthly, until, usage } = error else { panic!("{error:?}") };
        assert_eq!(usage, Some(Usage { used: 50.0, limit: 50.0 }));
        assert!(from <= until && until <= to.checked_add(passed).expect("in range"), "{reset}: {until}");
    }
}

#[tokio::test]
async fn what_one_bot_hears_of_the_fleets_budget_stops_all_others_before_they_call() {
    let reset = hours(Timestamp::now(), 5);
    let body = json!({"code": "FLEET_DAILY_BUDGET_EXCEEDED", "resetAt": reset.to_string()});
    let server = Server::plays([fails(429, body), fine(Feed), fine(Invite), fine(Comment)]).await;
    let client = server.client();
    assert_eq!(client.signals().borrow().fleet_until, None);
    assert_eq!(word(&ask(&client, Execute).await), "FleetBudget");
    assert_eq!(client.signals().borrow().fleet_until, Some((reset, Period::Daily)));
    let other = client.clone();
    for result in [
        other.toggle_like("bob_2", "p1").await.map(drop),
        other.comment("bob_2", "p1", "hi").await.map(drop),
        other.share("bob_2", &new_post(None)).await.map(drop),
        other.execute("bob_2", &workflow("openai")).await.map(drop),
    ] {
        assert!(matches!(result, Err(Error::FleetBudget { until, .. }) if until == reset), "{result:?}");
    }
    assert_eq!(server.lines().len(), 1, "nobody else had to call");
    // Looking around costs nothing, and accounts are no bot's affair.
    ask(&client, Feed).await.expect("reads pass");
    ask(&client, Invite).await.expect("service calls pass");
    // An operator may know better.
    client.forget_stops();
    assert_eq!(client.signals().borrow().fleet_until, None);
    ask(&client, Comment).await.expect("the platform is asked again");
}

#[tokio::test]
async fn a_budget_that_a_read_meets_stops_reads_too() {
    let server = Server::plays([fails(429, json!({"code": "FLEET_DAILY_BUDGET_EXCEEDED"}))]).await;
    let client = server.client();
    for call in [Feed, Post, Comments, Like] {
        assert_eq!(word(&ask(&client, call).await), "FleetBudget");
    }
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_bots_own_budget_stops_only_that_bot() {
    let server =
        Server::plays([fails(429, json!({"code": "AGENT_DAILY_LIMIT_EXCEEDED"})), fine(Like), fine(Feed)]).await;
    let client = server.client();
    assert_eq!(word(&ask(&client, Like).await), "AgentBudget");
    assert_eq!(word(&ask(&client, Share).await), "AgentBudget");
    client.toggle_like("bob_2", "p1").await.expect("another bot likes on");
    ask(&client, Feed).await.expect("the bot may look around");
    assert_eq!(client.signals().borrow().fleet_until, None);
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn the_kill_switch_stops_everything_at_once() {
    let server = Server::plays([fails(503, json!({"code": "FLEET_PAUSED"}))]).await;
    let client = server.client();
    let mut signals = client.signals();
    assert_eq!(word(&ask(&client, Comment).await), "PlatformPaused");
    assert!(signals.has_changed().expect("the client lives") && signals.borrow_and_update().platform_paused);
    for call in ALL {
        assert_eq!(word(&ask(&client, call).await), "PlatformPaused", "{call:?}");
    }
    client.look_after_pause().await.expect("too early to look is no error");
    assert_eq!(server.lines().len(), 1, "nothing was sent after the pause was known");
}

#[tokio::test]
async fn a_pause_is_over_when_a_look_finds_it_over() {
    let paused = || fails(503, json!({"code": "FLEET_PAUSED"}));
    let server = Server::plays([paused(), paused(), fails(502, json!({})), fine(Feed), fine(Like)]).await;
    let options = Options { look_every: Duration::from_millis(1), ..server.options() };
    let client = Floimg::new(options).expect("a client");
    let signals = client.signals();
    assert_eq!(word(&ask(&client, Like).await), "PlatformPaused");
    let looking = async {
        while signals.borrow().platform_paused {
            // Still paused, broken, or too early: the next look tells.
            let _ = client.look_after_pause().await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("the pause ends");
    ask(&client, Like).await.expect("a like");
    let look = "GET /api/showcase?limit=1&offset=0&sort=recent";
    let like = "POST /api/showcase/p1/like";
    assert_eq!(server.lines(), [like, look, look, look, like]);
}

#[tokio::test]
async fn a_rate_limit_holds_all_calls_of_its_kind_and_no_others() {
    for (header, least, most) in [
        ("retry-after: 600\r\n", 600, 600),
        ("date: Sun, 01 Mar 2026 12:00:00 GMT\r\nretry-after: Sun, 01 Mar 2026 12:10:00 GMT\r\n", 600, 600),
        ("retry-after: 99999999\r\n", 3_600, 3_600),
        ("retry-after: -7\r\n", 30, 30),
        ("retry-after: soon\r\n", 30, 30),
        ("", 30, 30),
    ] {
        let server = Server::plays([answer(429, header, b"{}"), fine(Like), fine(Execute)]).await;
        let client = Floimg::new(Options { read_retries: 3, ..server.options() }).expect("a client");
        let before = Timestamp::now();
        let Err(Error::RateLimited { until }) = ask(&client, Feed).await else { panic!("{header}: limited") };
        let after = Timestamp::now();
        let from = before.checked_add(SignedDuration::from_secs(least)).expect("in range");
        let to = after.checked_add(SignedDuration::from_secs(most)).expect("in range");
        assert!(from <= until && until <= to, "{header}: {until}");
        for call in READS {
            assert_eq!(word(&ask(&client, call).await), "RateLimited", "{call:?}");
        }
        assert_eq!(server.lines().len(), 1, "{header}");
        ask(&client, Like).await.expect("writes are another kind");
    }
}

#[tokio::test]
async fn a_rate_limit_is_told_in_the_time_that_bots_live_in() {
    let origin: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
    let server = Server::plays([answer(429, "retry-after: 600\r\n", b"{}")]).await;
    let clock = Clock::scaled(origin, 60.0);
    let client = Floimg::new(Options { clock: clock.clone(), ..server.options() }).expect("a client");
    let Err(Error::RateLimited { until }) = ask(&client, Like).await else { panic!("limited") };
    let wait = clock.wall_until(until);
    assert!(wait <= Duration::from_secs(600) && wait > Duration::from_secs(300), "{wait:?}");
    assert!(until >= hours(origin, 10), "{until}");
}

#[tokio::test]
async fn the_fleets_own_limit_refuses_what_would_wait_too_long() {
    let server = Server::plays([fine(Like), fine(Feed)]).await;
    let client = Floimg::new(Options { writes_per_sec: 0.001, ..server.options() }).expect("a client");
    ask(&client, Like).await.expect("the first passes");
    assert_eq!(word(&ask(&client, Like).await), "RateLimited");
    ask(&client, Feed).await.expect("reads have a limit of their own");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn only_so_many_calls_are_out_at_once() {
    let Answer::Bytes(bytes) = fine(Like) else { unreachable!("bytes") };
    let server = Server::plays(vec![Answer::After(2, bytes); 12]).await;
    let client = Floimg::new(Options { max_concurrent: 2, ..server.options() }).expect("a client");
    let likes = (0..12).map(|bot| {
        let client = client.clone();
        async move { client.toggle_like(&format!("bot_{bot}"), "p1").await }
    });
    for like in futures_util::future::join_all(likes).await {
        like.expect("a like");
    }
    assert_eq!(server.script.lock().expect("not poisoned").open, (0, 2));
}

// ---------------------------------------------------------------------------------------------- faults

#[tokio::test]
async fn reads_are_tried_again_and_then_given_up() {
    for call in READS {
        let faults = [
            Answer::Drop,
            answer(503, "retry-after: 0\r\n", b"<html>"),
            Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        ];
        for fault in faults {
            let server = Server::plays([fault, fine(call)]).await;
            let client = Floimg::new(Options { read_retries: 1, ..server.options() }).expect("a client");
            ask(&client, call).await.expect("the second try");
            assert_eq!(server.lines().len(), 2);
        }
    }
    let server = Server::plays([answer(429, "retry-after: 1\r\n", b""), fine(Feed)]).await;
    let client = Floimg::new(Options { read_retries: 1, ..server.options() }).expect("a client");
    ask(&client, Feed).await.expect("a short rate limit is waited for");
    let server = Server::plays(vec![Answer::Drop; 9]).await;
    let client = Floimg::new(Options { read_retries: 2, ..server.options() }).expect("a client");
    assert_eq!(word(&ask(&client, Feed).await), "Unavailable");
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn a_read_is_not_tried_again_when_it_would_not_help() {
    for fault in [answer(503, "retry-after: 60\r\n", b""), fails(400, json!({})), ok(json!({"wrong": 1}))] {
        let server = Server::plays([fault, fine(Feed)]).await;
        let client = Floimg::new(Options { read_retries: 5, ..server.options() }).expect("a client");
        ask(&client, Feed).await.expect_err("given up at once");
        assert_eq!(server.lines().len(), 1);
    }
}

fn lost_replies() -> [Answer; 4] {
    let cut = Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec());
    [Answer::Drop, Answer::Hang, cut, answer(502, "", b"<html>bad gateway</html>")]
}

#[tokio::test]
async fn what_counts_each_time_is_never_sent_twice() {
    for call in ONCE {
        for fault in lost_replies() {
            let server = Server::plays([fault.clone(), fine(call)]).await;
            let short = Duration::from_millis(200);
            let options =
                Options { write_timeout: short, workflow_timeout: short, read_retries: 5, ..server.options() };
            let result = ask(&Floimg::new(options).expect("a client"), call).await;
            assert_eq!(word(&result), "OutcomeUnknown", "{call:?} {fault:?}");
            assert_eq!(server.lines().len(), 1, "{call:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn making_and_deleting_an_account_is_tried_again() {
    for call in REPEATABLE {
        for fault in [Answer::Drop, answer(502, "", b"<html>bad gateway</html>")] {
            let server = Server::plays([fault, fine(call)]).await;
            let client = Floimg::new(Options { read_retries: 1, ..server.options() }).expect("a client");
            ask(&client, call).await.expect("the second try");
            let lines = server.lines();
            assert_eq!(lines.len(), 2);
            assert_eq!(lines[0], lines[1]);
        }
    }
}

#[tokio::test]
async fn what_was_never_sent_was_certainly_not_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = Url::parse(&format!("http://{}", listener.local_addr().expect("bound"))).expect("an address");
    drop(listener);
    for call in ALL {
        let options = Options { read_retries: 0, ..Options::new(url.clone(), Secret::new(""), Clock::wall()) };
        let result = ask(&Floimg::new(options).expect("a client"), call).await;
        let Err(Error::Unavailable { source: Some(_), .. }) = result else { panic!("{call:?}: {result:?}") };
    }
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_left_alone() {
    let server = Server::plays(vec![fails(500, json!({})); 5]).await;
    let client = server.client();
    for _ in 0..5 {
        assert_eq!(client.signals().borrow().api, BreakerState::Closed);
        assert_eq!(word(&ask(&client, Like).await), "OutcomeUnknown");
    }
    let before = Timestamp::now();
    let BreakerState::Open { .. } = client.signals().borrow().api else { panic!("open") };
    for call in ALL.into_iter().filter(|call| *call != Execute) {
        let Err(Error::BreakerOpen { upstream: Upstream::Api, until }) = ask(&client, call).await else {
            panic!("{call:?}: refused")
        };
        assert!(until > before);
    }
    assert_eq!(server.lines().len(), 5);
    // The server that runs workflows has a breaker of its own.
    server.then(fine(Execute));
    assert_eq!(client.signals().borrow().workflows, BreakerState::Closed);
    ask(&client, Execute).await.expect("a picture");
}

#[tokio::test]
async fn a_refusal_is_no_fault_of_the_server() {
    let server = Server::plays(vec![fails(400, json!({})); 8]).await;
    let client = server.client();
    for _ in 0..8 {
        assert_eq!(word(&ask(&client, Like).await), "Rejected");
    }
    assert_eq!(client.signals().borrow().api, BreakerState::Closed);
}

// ---------------------------------------------------------------------------------------------- pictures

#[tokio::test]
async fn the_finished_picture_is_the_last_one_on_the_server_that_made_it() {
    let api = Server::plays([]).await;
    let studio = Server::plays([
        ok(json!({"status": "completed", "imageIds": ["a", "b"], "imageUrls": ["/api/images/a", "/api/images/b"],
                  "previews": {"a": "data:image/png;base64,AAAA"}, "workflowId": "w1", "dataOutputs": null})),
        ok(json!({"status": "completed", "imageUrls": ["https://cdn.example/x.png"]})),
    ])
    .await;
    let options = Options { workflows_url: Some(studio.url.clone()), ..api.options() };
    let client = Floimg::new(options).expect("a client");
    let picture = client.execute("mia_1", &workflow("openai")).await.expect("a picture");
    assert_eq!(picture.url, studio.url.join("/api/images/b").expect("an address").as_str());
    assert_eq!(picture.workflow_id.as_deref(), Some("w1"));
    let picture = client.execute("mia_1", &workflow("openai")).await.expect("a picture");
    assert_eq!((picture.url.as_str(), picture.workflow_id), ("https://cdn.example/x.png", None));
    assert!(api.lines().is_empty());
    assert_eq!(studio.lines(), ["POST /api/execute/sync"; 2]);
}

#[tokio::test]
async fn a_workflow_that_fails_is_judged_by_what_is_said_and_not_by_the_status() {
    let said = |retryable| json!({"status": "error", "error": "no key", "errorCode": "GENERATION_ERROR", "retryable": retryable});
    let table = [
        (500, said(json!(false)), false),
        (500, said(json!(true)), true),
        (200, said(json!(true)), true),
        (500, json!({"status": "error", "error": "no key"}), false),
        (400, json!({"status": "error", "error": "no key"}), false),
        (200, json!({"status": "completed", "imageUrls": []}), false),
    ];
    for (status, body, expected) in table {
        let server = Server::plays([fails(status, body.clone())]).await;
        let result = ask(&server.client(), Execute).await;
        let Err(error @ Error::WorkflowFailed { retryable, .. }) = result else { panic!("{body}: {result:?}") };
        assert_eq!(retryable, expected, "{body}");
        let kind = if expected { FailureKind::Unavailable } else { FailureKind::Rejected };
        assert_eq!(error.failure(Timestamp::now()).kind, kind);
    }
    let server = Server::plays([ok(json!({"status": "running", "imageUrls": ["/1"]}))]).await;
    assert_eq!(word(&ask(&server.client(), Execute).await), "OutcomeUnknown");
}

#[tokio::test]
async fn a_workflow_that_is_wrong_names_the_step_and_the_parameter() {
    let body = json!({"status": "error", "error": "Invalid workflow", "errorCode": "VALIDATION_ERROR", "validationIssues": [
        {"code": "MISSING", "message": "width is required", "stepIndex": 1, "parameterName": "width"},
        {"code": "EMPTY", "message": "no steps"},
    ]});
    let server = Server::plays([fails(400, body)]).await;
    let error = ask(&server.client(), Execute).await.expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the workflow is wrong: Invalid workflow (step 2, `width`: width is required; workflow: no steps)"
    );
    assert_eq!(error.failure(Timestamp::now()).kind, FailureKind::Rejected);
}

#[tokio::test]
async fn a_workflow_that_cannot_run_is_not_sent() {
    let server = Server::plays([]).await;
    let client = server.client();
    let transform = |input: &str, out: &str| Step::Transform {
        op: "blur".to_owned(),
        input: input.to_owned(),
        params: serde_json::Map::new(),
        out: out.to_owned(),
    };
    let generate =
        |out: &str| Step::Generate { generator: "qr".to_owned(), params: serde_json::Map::new(), out: out.to_owned() };
    let table = [
        (vec![], "no step generates a picture"),
        (vec![transform("a", "b")], "no step before this one makes `a`"),
        (vec![generate("a"), transform("b", "c")], "step 2, `in`: no step before this one makes `b`"),
        (vec![generate("a"), generate("a")], "step 2, `out`: a step before this one makes `a` already"),
        (vec![generate("")], "step 1, `out`: the result needs a name"),
    ];
    for (steps, expected) in table {
        let result = client.execute("mia_1", &Workflow { name: "w".to_owned(), steps }).await;
        let error = result.expect_err("refused");
        assert!(matches!(error, Error::WorkflowInvalid { .. }) && error.to_string().contains(expected), "{error}");
    }
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn a_generator_that_is_not_there_is_refused_or_replaced_before_anything_is_paid() {
    let server = Server::plays([fine(Execute)]).await;
    server.offers(json!([{"id": "generator:shapes", "name": "shapes"}, {"id": "generator:qr", "name": "qr"}]));
    let error = ask(&server.client(), Execute).await.expect_err("refused");
    assert_eq!(error.to_string(), "the studio has no generator `openai`; it offers shapes, qr");
    assert_eq!(error.failure(Timestamp::now()).kind, FailureKind::Unsupported);
    assert!(server.lines().is_empty());

    let generators = BTreeMap::from([("openai".to_owned(), "shapes".to_owned())]);
    let client = Floimg::new(Options { generators, ..server.options() }).expect("a client");
    ask(&client, Execute).await.expect("a picture");
    let body: Value = serde_json::from_str(&server.seen()[0].body).expect("JSON");
    assert_eq!(body["steps"][0]["generator"], "shapes");
}

#[tokio::test]
async fn what_the_studio_offers_is_asked_once_and_may_stay_unknown() {
    let server = Server::plays([fine(Execute), fine(Execute)]).await;
    let client = server.client();
    assert_eq!(client.capabilities().await.expect("an answer"), Capabilities::default());
    ask(&client, Execute).await.expect("sent all the same");
    ask(&client, Execute).await.expect("sent all the same");
    assert_eq!(server.script.lock().expect("not poisoned").asked, 2, "generators and transforms, once each");
}

// ---------------------------------------------------------------------------------------------- as scripts see it

#[test]
fn every_error_is_one_of_the_closed_kinds() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
    let until = hours(now, 1);
    let unavailable = |retry_after| Error::Unavailable { call: "x", why: String::new(), retry_after, source: None };
    let hour = Some(3_600.0);
    let table = [
        (Error::RateLimited { until }, "rate_limited", hour, None),
        (Error::FleetBudget { period: Period::Daily, until, usage: None }, "budget", hour, Some(until)),
        (Error::AgentBudget { period: Period::Monthly, until, usage: None }, "budget", hour, Some(until)),
        (Error::PlatformPaused { look_again: until }, "paused", hour, None),
        (Error::Rejected { call: "x", message: String::new(), fields: vec![] }, "rejected", None, None),
        (Error::Unauthorized { message: String::new() }, "forbidden", None, None),
        (Error::Forbidden { call: "x", message: String::new() }, "forbidden", None, None),
        (Error::NotFound { call: "x" }, "not_found", None, None),
        (unavailable(None), "unavailable", None, None),
        (unavailable(Some(Duration::from_secs(3_600))), "unavailable", hour, None),
        (Error::BreakerOpen { upstream: Upstream::Api, until }, "unavailable", hour, None),
        (Error::TooLarge { call: "x", limit: 1 }, "unavailable", None, None),
        (Error::BadReply { expected: String::new(), snippet: String::new() }, "unavailable", None, None),
        (Error::OutcomeUnknown { call: "x", why: String::new(), source: None }, "unknown", None, None),
    ];
    for (error, kind, retry_after, until) in table {
        let failure = error.failure(now);
        assert_eq!(failure.kind.as_str(), kind, "{error:?}");
        assert_eq!(failure.retry_after.map(|wait| wait.get()), retry_after, "{error:?}");
        assert_eq!(failure.until, until, "{error:?}");
    }
    // A wait that has passed is none, and never negative.
    let late = Error::RateLimited { until: now }.failure(until);
    assert_eq!(late.retry_after.map(|wait| wait.get()), Some(0.0));
}

#[test]
fn options_that_make_no_client_are_named() {
    let url = |text| Url::parse(text).expect("an address");
    let good = || Options::new(url("https://api.floimg.com"), Secret::new("fst_1"), Clock::wall());
    let table = [
        (Options { api_url: url("ftp://x/"), ..good() }, "api_url"),
        (Options { api_url: url("https://me:pw@x/"), ..good() }, "api_url"),
        (Options { workflows_url: Some(url("https://x/?a")), ..good() }, "workflows_url"),
        (Options { token: Secret::new("fst_1\n"), ..good() }, "token"),
        (Options { reads_per_sec: f64::NAN, ..good() }, "reads_per_sec"),
        (Options { writes_per_sec: 0.0, ..good() }, "writes_per_sec"),
        (Options { read_timeout: Duration::ZERO, ..good() }, "read_timeout"),
        (Options { workflow_timeout: Duration::MAX, ..good() }, "workflow_timeout"),
        (Options { max_concurrent: 0, ..good() }, "max_concurrent"),
        (Options { max_reply_bytes: 0, ..good() }, "max_reply_bytes"),
    ];
    for (options, name) in table {
        let error = Floimg::new(options).expect_err("refused");
        let Error::Options { option, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*option, name);
        assert!(!error.to_string().contains("fst_1") && !error.to_string().contains("pw@"), "{error}");
    }
    let many = Options { max_concurrent: usize::MAX, api_url: url("http://127.0.0.1:1/"), ..good() };
    Floimg::new(many).expect("more than can be is as many as can be");
}
