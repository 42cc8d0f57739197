//! The embedded studio over real HTTP: what it answers, keeps, refuses and breaks on demand.

mod document;

use std::path::Path;
use std::sync::Arc;

use floimg_fleet::clock::Clock;
use floimg_fleet::secret::Secret;
use floimg_fleet::studio::{Error, Options, Studio};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "fst_test";

fn options(dir: &Path) -> Options {
    Options {
        data_dir: dir.to_owned(),
        service_token: Secret::new(TOKEN),
        clock: Clock::scaled("2026-03-01T12:00:00Z".parse().expect("a time"), 1.0),
        image_cache_bytes: 64 << 20,
        public_url: "http://studio.test".to_owned(),
    }
}

/// A studio that serves, and somebody to call it.
struct World {
    studio: Studio,
    base: String,
    client: Client,
    stop: CancellationToken,
    serving: JoinSet<std::io::Result<()>>,
}

impl World {
    async fn new() -> (Self, TempDir) {
        let dir = tempfile::tempdir().expect("a folder");
        (Self::open(options(dir.path())).await, dir)
    }

    async fn open(options: Options) -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let studio = Studio::open(options).expect("a studio");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        let mut serving = JoinSet::new();
        let (served, told) = (studio.clone(), stop.clone());
        serving.spawn(async move { served.serve(listener, told).await });
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().expect("a client");
        Self { studio, base, client, stop, serving }
    }

    /// Stops as SIGTERM does.
    async fn close(mut self) {
        self.stop.cancel();
        while let Some(outcome) = self.serving.join_next().await {
            outcome.expect("no panic").expect("an orderly end");
        }
    }

    fn call(&self, method: Method, path: &str, agent: Option<&str>) -> RequestBuilder {
        let call = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(TOKEN);
        match agent {
            Some(agent) => call.header("X-Agent-Id", agent),
            None => call,
        }
    }

    async fn send(&self, method: Method, path: &str, agent: Option<&str>, body: Value) -> (StatusCode, Value) {
        answer(self.call(method, path, agent).json(&body).send().await.expect("a reply")).await
    }

    async fn get(&self, path: &str, agent: Option<&str>) -> (StatusCode, Value) {
        answer(self.call(Method::GET, path, agent).send().await.expect("a reply")).await
    }

    async fn invite(&self, username: &str) -> String {
        let body = json!({
            "agentId": format!("{username}-1"), "name": username.to_uppercase(), "username": username,
            "isAgent": true, "agentPersonaId": "tester",
        });
        let (status, reply) = self.send(Method::POST, "/api/admin/users/invite", None, body).await;
        assert_eq!(status, 200, "{reply}");
        reply["id"].as_str().expect("an id").to_owned()
    }

    async fn draw(&self, agent: &str) -> Value {
        let body = json!({ "name": "test", "steps": steps() });
        let (status, reply) = self.send(Method::POST, "/api/execute/sync", Some(agent), body).await;
        assert_eq!((status, reply["status"].as_str()), (StatusCode::OK, Some("completed")), "{reply}");
        reply
    }

    async fn post(&self, agent: &str, title: &str) -> String {
        let drawn = self.draw(agent).await;
        let body = json!({ "imageUrl": drawn["imageUrls"][0], "title": title, "description": "made in a test" });
        let (status, reply) = self.send(Method::POST, "/api/showcase", Some(agent), body).await;
        assert_eq!(status, 201, "{reply}");
        reply["showcaseItem"]["id"].as_str().expect("an id").to_owned()
    }

    async fn like(&self, agent: &str, item: &str) -> Value {
        self.send(Method::POST, &format!("/api/showcase/{item}/like"), Some(agent), json!({})).await.1
    }

    async fn audit(&self) -> Value {
        self.get("/api/admin/audit", None).await.1
    }

    async fn faults(&self, faults: Value) {
        let (status, reply) = self.send(Method::PUT, "/api/admin/faults", None, faults).await;
        assert_eq!(status, 200, "{reply}");
    }

    async fn page(&self, path: &str, cookie: Option<&str>) -> (StatusCode, Option<String>, String) {
        let mut call = self.client.get(format!("{}{path}", self.base));
        if let Some(cookie) = cookie {
            call = call.header("Cookie", cookie);
        }
        let reply = call.send().await.expect("a page");
        let set = reply.headers().get("set-cookie").map(|value| value.to_str().expect("text").to_owned());
        (reply.status(), set, reply.text().await.expect("text"))
    }

    async fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let call = self.client.post(format!("{}{path}", self.base)).header("Cookie", cookie);
        let call = call.header("Content-Type", "application/x-www-form-urlencoded");
        call.header("Origin", &self.base).body(body).send().await.expect("a reply")
    }

    /// A browser that has opened the gallery: its cookie and its form token.
    async fn visit(&self, path: &str) -> (String, String) {
        let (_, set, page) = self.page(path, None).await;
        let set = set.expect("a cookie");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
        let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        (set.split(';').next().expect("a pair").to_owned(), token.expect("a form with a token").to_owned())
    }
}

fn steps() -> Value {
    json!([
        { "kind": "generate", "generator": "shapes", "out": "a",
          "params": { "shapeType": "circle", "width": 640, "height": 480, "fillType": "solid", "fillColor": "#336699" } },
        { "kind": "transform", "op": "convert", "in": "a", "params": { "to": "png" }, "out": "b" },
        { "kind": "save", "in": "b", "destination": "cloud" },
    ])
}

async fn answer(reply: Response) -> (StatusCode, Value) {
    (reply.status(), reply.json().await.expect("JSON"))
}

#[tokio::test]
async fn only_the_service_token_opens_the_api() {
    let (world, _dir) = World::new().await;
    for path in ["/api/showcase", "/api/nodes/generators", "/api/admin/audit", "/api/admin/faults", "/api/users/x"] {
        for token in [None, Some("Bearer fst_tesT"), Some("Bearer "), Some("fst_test"), Some("Bearer fst_test2")] {
            let mut call = world.client.get(format!("{}{path}", world.base));
            if let Some(token) = token {
                call = call.header("Authorization", token);
            }
            let (status, reply) = answer(call.send().await.expect("a reply")).await;
            assert_eq!(status, 401, "{path} with {token:?}");
            assert!(reply["error"].is_string());
        }
    }
    let (status, reply) = world.get("/api/showcase", Some("nobody")).await;
    assert_eq!((status, reply["code"].as_str()), (StatusCode::FORBIDDEN, Some("UNKNOWN_AGENT")));
    assert_eq!(world.get("/api/nowhere", None).await.0, 404);
    let (status, reply) = world.send(Method::PATCH, "/api/showcase", None, json!({})).await;
    assert_eq!(status, 405, "{reply}");
    world.close().await;
}

#[tokio::test]
async fn an_account_is_made_once_and_deleted_once() {
    let (world, _dir) = World::new().await;
    let id = world.invite("anna").await;
    let invite = |agent: &str, is_agent: Value| json!({ "agentId": agent, "name": "A", "username": "anna", "isAgent": is_agent });
    let path = "/api/admin/users/invite";
    let (status, again) = world.send(Method::POST, path, None, invite("anna-1", json!(true))).await;
    assert_eq!((status, again), (StatusCode::OK, json!({ "id": id, "username": "anna", "created": false })));
    let (status, other) = world.send(Method::POST, path, None, invite("other", json!(true))).await;
    assert_eq!((status, other["code"].as_str()), (StatusCode::CONFLICT, Some("USERNAME_TAKEN")));
    let (status, _) = world.send(Method::POST, path, None, invite("anna-1", Value::Null)).await;
    assert_eq!(status, 400);
    let ben = world.invite("ben").await;
    let item = world.post("anna", "hers").await;
    let kept = world.post("ben", "his").await;
    world.like("anna", &kept).await;
    world.send(Method::POST, &format!("/api/showcase/{kept}/comments"), Some("anna"), json!({ "content": "x" })).await;
    let gone = format!("/api/admin/users/{id}");
    assert_eq!(world.send(Method::DELETE, &gone, None, json!({})).await, (StatusCode::OK, json!({ "deleted": true })));
    assert_eq!(world.send(Method::DELETE, &gone, None, json!({})).await.0, 404);
    assert_eq!(world.get(&format!("/api/showcase/{item}"), None).await.0, 404);
    let left = world.get(&format!("/api/showcase/{kept}"), None).await.1;
    assert_eq!((&left["item"]["likeCount"], &left["item"]["commentCount"]), (&json!(0), &json!(0)));
    let counts = world.studio.counts();
    assert_eq!((counts.accounts, counts.agents, counts.posts, counts.likes, counts.comments), (1, 1, 1, 0, 0));
    assert_ne!(world.invite("anna").await, id);
    assert_eq!(world.invite("ben").await, ben);
    world.close().await;
}

#[tokio::test]
async fn a_picture_goes_from_workflow_to_gallery() {
    let (world, _dir) = World::new().await;
    world.invite("anna").await;
    world.invite("ben").await;
    let drawn = world.draw("anna").await;
    assert_eq!(drawn["imageIds"].as_array().map(Vec::len), Some(2), "one picture for each step that makes one");
    let last = drawn["imageIds"][1].as_str().expect("an id");
    assert_eq!(drawn["imageUrls"][1], json!(format!("/api/storage/images/{last}/content")));
    assert!(drawn["previews"][last].as_str().expect("a preview").starts_with("data:image/"));
    let share = json!({
        "imageUrl": format!("https://studio.test{}", drawn["imageUrls"][1].as_str().expect("a path")),
        "title": "Dusk 🌆", "description": "A circle", "workflowId": drawn["workflowId"],
    });
    let (status, posted) = world.send(Method::POST, "/api/showcase", Some("anna"), share).await;
    assert_eq!(status, 201, "{posted}");
    let item = &posted["showcaseItem"];
    let id = item["id"].as_str().expect("an id");
    assert_eq!(item["description"], "A circle");
    assert_eq!(item["category"], Value::Null);
    assert_eq!(item["contentType"], "image_workflow");
    assert_eq!(item["workflowShared"], true);
    assert_eq!((&item["user"]["username"], &item["isLiked"]), (&json!("anna"), &json!(false)));
    assert!(item["createdAt"].as_str().expect("a time").starts_with("2026-03-01T12:00:"), "the clock's time");
    let (_, seen) = world.get(&format!("/api/showcase/{id}"), None).await;
    assert!(seen["item"].get("isLiked").is_none(), "who asks as nobody is told nothing of likes");
    assert_eq!(world.like("ben", id).await, json!({ "liked": true, "likeCount": 1, "success": true }));
    assert_eq!(world.get(&format!("/api/showcase/{id}"), Some("ben")).await.1["item"]["isLiked"], true);
    assert_eq!(world.like("ben", id).await, json!({ "liked": false, "likeCount": 0, "success": true }));
    let bare =
        world.call(Method::POST, &format!("/api/showcase/{id}/like"), Some("ben")).send().await.expect("a reply");
    assert_eq!(answer(bare).await.1["liked"], true, "a like needs no body");
    let path = format!("/api/showcase/{id}/comments");
    let (status, said) = world.send(Method::POST, &path, Some("ben"), json!({ "content": "Fine work" })).await;
    assert_eq!((status, said["comment"]["content"].as_str()), (StatusCode::CREATED, Some("Fine work")));
    assert_eq!(said["comment"]["user"]["username"], "ben");
    let listed = world.get(&path, Some("anna")).await.1;
    assert_eq!(listed["comments"], json!([said["comment"]]));
    let user = world.get("/api/users/anna", None).await.1;
    assert_eq!((&user["user"]["isAgent"], &user["stats"]["likesReceived"]), (&json!(true), &json!(1)));
    let hers = world.get("/api/users/anna/showcase", Some("ben")).await.1;
    assert_eq!((&hers["showcase"][0]["id"], &hers["showcase"][0]["isLiked"]), (&json!(id), &json!(true)));
    for kind in ["generators", "transforms"] {
        assert_eq!(world.get(&format!("/api/nodes/{kind}"), None).await.0, 200);
    }
    let avatar = world.client.get(format!("{}/api/users/anna/avatar", world.base)).send().await.expect("a reply");
    assert_eq!(avatar.headers()["content-type"], "image/svg+xml");
    world.close().await;
}

#[tokio::test]
async fn wrong_and_null_fields_are_refused_by_name() {
    let (world, _dir) = World::new().await;
    world.invite("anna").await;
    let url = world.draw("anna").await["imageUrls"][0].clone();
    let item = world.post("anna", "one").await;
    let comments = format!("/api/showcase/{item}/comments");
    let long = "x".repeat(201);
    let wide = "🌆".repeat(101);
    for (path, body, field) in [
        ("/api/showcase", json!({ "imageUrl": url, "title": "t", "description": null }), "description"),
        ("/api/showcase", json!({ "imageUrl": url, "title": "t", "workflowId": null }), "workflowId"),
        ("/api/showcase", json!({ "imageUrl": url, "title": long }), "title"),
        ("/api/showcase", json!({ "imageUrl": url, "title": wide }), "title"),
        ("/api/showcase", json!({ "imageUrl": url, "title": "  " }), "title"),
        ("/api/showcase", json!({ "imageUrl": url }), "title"),
        ("/api/showcase", json!({ "imageUrl": "https://elsewhere.test/cat.png", "title": "t" }), "imageUrl"),
        ("/api/showcase", json!({ "imageUrl": "/api/storage/images/none/content", "title": "t" }), "imageUrl"),
        (&comments, json!({ "content": "" }), "content"),
        (&comments, json!({ "content": "x".repeat(1001) }), "content"),
        (&comments, json!({ "content": 7 }), "content"),
        ("/api/execute/sync", json!({ "name": "n", "steps": null }), "steps"),
        ("/api/execute/sync", json!({ "name": "n", "steps": [] }), "steps"),
        (
            "/api/admin/users/invite",
            json!({ "agentId": "a", "name": "n", "username": "a b", "isAgent": true }),
            "username",
        ),
    ] {
        let (status, reply) = world.send(Method::POST, path, Some("anna"), body.clone()).await;
        assert_eq!(status, 400, "{path} {body} {reply}");
        assert_eq!(reply["errors"][0]["path"][0], field, "{path} {body} {reply}");
    }
    for query in ["limit=0", "limit=101", "limit=x", "offset=-1", "sort=best"] {
        assert_eq!(world.get(&format!("/api/showcase?{query}"), None).await.0, 400, "{query}");
    }
    let body = json!({ "name": "n", "steps": [{ "kind": "dance" }] });
    let (status, reply) = world.send(Method::POST, "/api/execute/sync", Some("anna"), body).await;
    assert_eq!((status, reply["errorCode"].as_str()), (StatusCode::BAD_REQUEST, Some("VALIDATION_ERROR")));
    assert_eq!(reply["validationIssues"][0]["stepIndex"], 0);
    let raw = world.call(Method::POST, &comments, Some("anna")).body("{not json").send().await.expect("a reply");
    assert_eq!(answer(raw).await.0, 400);
    let big = world.call(Method::POST, &comments, Some("anna")).body(vec![b' '; 2 << 20]).send().await;
    assert!(big.is_err() || big.is_ok_and(|reply| reply.status() == 413));
    let (status, reply) = world.send(Method::POST, &comments, None, json!({ "content": "x" })).await;
    assert_eq!((status, reply["code"].as_str()), (StatusCode::FORBIDDEN, Some("AGENT_REQUIRED")));
    let (status, _) = world.send(Method::POST, "/api/showcase/none/like", Some("anna"), json!({})).await;
    assert_eq!(status, 404);
    assert_eq!(world.studio.counts().posts, 1);
    world.close().await;
}

#[tokio::test]
async fn likes_that_come_at_once_are_all_counted() {
    let (world, _dir) = World::new().await;
    for n in 0..200 {
        world.invite(&format!("fan_{n}")).await;
    }
    let item = world.post("fan_0", "loved").await;
    let world = Arc::new(world);
    let mut fans = JoinSet::new();
    for n in 0..200 {
        let (world, item) = (Arc::clone(&world), item.clone());
        fans.spawn(async move {
            let reply = world.like(&format!("fan_{n}"), &item).await;
            let path = format!("/api/showcase/{item}/comments");
            world.send(Method::POST, &path, Some(&format!("fan_{n}")), json!({ "content": n.to_string() })).await;
            reply["likeCount"].as_u64().expect("a count")
        });
    }
    let mut counts = fans.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=200).collect::<Vec<_>>(), "each like saw a count of its own");
    let kept = world.audit().await;
    assert_eq!(kept["items"][0]["likes"].as_array().map(Vec::len), Some(200));
    assert_eq!(kept["items"][0]["comments"].as_array().map(Vec::len), Some(200));
}

#[tokio::test]
async fn feeds_are_ordered_and_cut_into_pages() {
    let (world, _dir) = World::new().await;
    for name in ["anna", "ben", "cleo"] {
        world.invite(name).await;
    }
    let mut items = Vec::new();
    for n in 0..5 {
        items.push(world.post("anna", &format!("n{n}")).await);
    }
    for agent in ["anna", "ben", "cleo"] {
        world.like(agent, &items[1]).await;
    }
    world.like("ben", &items[3]).await;
    let titles = async |query: &str| {
        let reply = world.get(&format!("/api/showcase?{query}"), None).await.1;
        let items = reply["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles("").await, "n4 n3 n2 n1 n0");
    assert_eq!(titles("limit=2&offset=1").await, "n3 n2");
    assert_eq!(titles("sort=popular").await, "n1 n3 n4 n2 n0");
    assert_eq!(titles("sort=popular&limit=2&offset=2").await, "n4 n2");
    assert!(titles("sort=trending").await.starts_with("n1 n3 "));
    assert_eq!(titles("category=data-viz").await, "");
    assert_eq!(titles("contentType=image&limit=1").await, "n4");
    assert_eq!(titles("offset=99").await, "");
    world.close().await;
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (world, dir) = World::new().await;
    for name in ["anna", "ben"] {
        world.invite(name).await;
    }
    let item = world.post("anna", "kept").await;
    world.like("ben", &item).await;
    world.like("anna", &item).await;
    world.like("anna", &item).await;
    world.send(Method::POST, &format!("/api/showcase/{item}/comments"), Some("ben"), json!({ "content": "ok" })).await;
    world.get(&format!("/api/showcase/{item}"), None).await;
    let shown = world.get("/api/showcase", Some("ben")).await.1;
    let (audit, counts) = (world.audit().await, world.studio.counts());
    assert!(matches!(Studio::open(options(dir.path())), Err(Error::InUse { .. })), "two studios in one folder");
    let url = shown["items"][0]["image"]["url"].as_str().expect("a url").to_owned();
    let picture = world.client.get(format!("{}{url}", world.base)).send().await.expect("a picture");
    let bytes = picture.bytes().await.expect("bytes");
    world.close().await;
    // The finished pictures are only kept to save time.
    std::fs::remove_dir_all(dir.path().join("pictures")).expect("removed");
    let world = World::open(options(dir.path())).await;
    assert_eq!((world.audit().await, world.studio.counts()), (audit, counts));
    assert_eq!(world.get("/api/showcase", Some("ben")).await.1, shown);
    let again = world.client.get(format!("{}{url}", world.base)).send().await.expect("a picture");
    assert!(again.bytes().await.expect("bytes") == bytes, "the same picture is drawn again");
    world.close().await;
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_and_a_broken_one_is_refused() {
    let (world, dir) = World::new().await;
    world.invite("anna").await;
    let item = world.post("anna", "kept").await;
    world.like("anna", &item).await;
    world.close().await;
    let path = dir.path().join("journal.jsonl");
    let whole = std::fs::read(&path).expect("a journal");
    for cut in [1, 7, 40] {
        std::fs::write(&path, &whole[..whole.len() - cut]).expect("written");
        let studio = Studio::open(options(dir.path())).expect("a torn line is no end of the world");
        // One byte less leaves the event whole: only its line end is missing.
        assert_eq!(studio.counts().likes, usize::from(cut == 1), "cut by {cut}");
        drop(studio);
        let world = World::open(options(dir.path())).await;
        world.invite("ben").await;
        world.like("ben", &item).await;
        world.close().await;
        let studio = Studio::open(options(dir.path())).expect("what was written after is whole");
        assert_eq!((studio.counts().accounts, studio.counts().posts), (2, 1));
    }
    let mut lines: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').collect();
    lines[2] = b"{\"event\":\"surprise\"}";
    std::fs::write(&path, lines.join(&b'\n')).expect("written");
    let error = Studio::open(options(dir.path())).expect_err("nothing is guessed").to_string();
    assert!(error.contains("journal.jsonl:3:") && error.contains("surprise"), "{error}");
}

#[tokio::test]
async fn pictures_come_small_and_are_kept_by_browsers() {
    let dir = tempfile::tempdir().expect("a folder");
    // A folder for no picture at all: everything is drawn each time.
    let world = World::open(Options { image_cache_bytes: 0, ..options(dir.path()) }).await;
    world.invite("anna").await;
    let drawn = world.draw("anna").await;
    let url = format!("{}{}", world.base, drawn["imageUrls"][1].as_str().expect("a path"));
    let whole = world.client.get(&url).send().await.expect("a picture");
    assert_eq!(
        (whole.status(), &whole.headers()["content-type"]),
        (StatusCode::OK, &"image/png".parse().expect("a type"))
    );
    assert!(whole.headers()["cache-control"].to_str().expect("text").contains("immutable"));
    let tag = whole.headers()["etag"].clone();
    let whole = image::load_from_memory(&whole.bytes().await.expect("bytes")).expect("a picture");
    let known = world.client.get(&url).header("If-None-Match", tag).send().await.expect("a reply");
    assert_eq!(known.status(), 304);
    let small = world.client.get(format!("{url}?w=200")).send().await.expect("a picture");
    let small = image::load_from_memory(&small.bytes().await.expect("bytes")).expect("a picture");
    assert_eq!(small.width(), 240, "of {}", whole.width());
    let missing = world.client.get(format!("{}/api/storage/images/none/content", world.base)).send().await;
    assert_eq!(missing.expect("a reply").status(), 404);
    assert_eq!(std::fs::read_dir(dir.path().join("pictures")).expect("a folder").count(), 0);
    world.close().await;
}

#[tokio::test]
async fn a_post_with_anothers_workflow_is_its_remix() {
    let (world, _dir) = World::new().await;
    world.invite("anna").await;
    world.invite("ben").await;
    let first = world.draw("anna").await;
    let share = async |agent: &str, title: &str, drawn: &Value| {
        let body = json!({ "imageUrl": drawn["imageUrls"][1], "title": title, "workflowId": first["workflowId"] });
        let reply = world.send(Method::POST, "/api/showcase", Some(agent), body).await.1;
        reply["showcaseItem"]["id"].as_str().expect("an id").to_owned()
    };
    let original = share("anna", "Original", &first).await;
    share("anna", "Her own again", &first).await;
    let remix = share("ben", "Remixed", &world.draw("ben").await).await;
    let item = world.get(&format!("/api/showcase/{original}"), None).await.1;
    assert_eq!(item["item"]["forkCount"], 1);
    let page = world.page(&format!("/p/{remix}"), None).await.2;
    assert!(page.contains("Remix of") && page.contains(&format!("/p/{original}")), "{page}");
    assert!(world.page(&format!("/p/{original}"), None).await.2.contains("Remixes of this picture"));
    let audit = world.audit().await;
    let parents: Vec<&Value> = audit["items"].as_array().expect("items").iter().map(|item| &item["remixOf"]).collect();
    assert_eq!(parents, [&Value::Null, &Value::Null, &json!(original)]);
    world.close().await;
}

#[tokio::test]
async fn it_answers_with_the_faults_it_was_told() {
    let (world, _dir) = World::new().await;
    world.invite("anna").await;
    let once = |mut fault: Value| {
        fault["times"] = json!(1);
        json!([fault])
    };
    world.faults(once(json!({ "kind": "status", "status": 429, "retry_after": 7 }))).await;
    let reply = world.call(Method::GET, "/api/showcase", None).send().await.expect("a reply");
    assert_eq!(
        (reply.status(), reply.headers()["retry-after"].to_str().expect("text")),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );
    assert!(answer(reply).await.1.get("code").is_none());
    assert_eq!(world.get("/api/showcase", None).await.0, 200, "it strikes as often as it was told");
    for code in [
        "FLEET_DAILY_BUDGET_EXCEEDED",
        "FLEET_MONTHLY_BUDGET_EXCEEDED",
        "AGENT_DAILY_LIMIT_EXCEEDED",
        "AGENT_MONTHLY_LIMIT_EXCEEDED",
    ] {
        let usage = json!({ "used": 10, "limit": 10 });
        let fault = json!({ "kind": "code", "code": code, "reset_at": "2026-03-02T00:00:00Z", "usage": usage });
        world.faults(once(fault)).await;
        let (status, reply) = world.get("/api/showcase", None).await;
        assert_eq!((status, reply["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some(code)));
        assert_eq!((&reply["resetAt"], &reply["usage"]), (&json!("2026-03-02T00:00:00Z"), &usage));
    }
    world.faults(once(json!({ "kind": "code", "code": "FLEET_PAUSED" }))).await;
    let (status, reply) = world.get("/api/showcase", None).await;
    assert_eq!((status, reply.get("resetAt")), (StatusCode::SERVICE_UNAVAILABLE, None));
    world.faults(once(json!({ "kind": "html" }))).await;
    let reply = world.call(Method::GET, "/api/showcase", None).send().await.expect("a reply");
    assert_eq!(
        (reply.status(), reply.text().await.expect("text").starts_with("<html>")),
        (StatusCode::BAD_GATEWAY, true)
    );
    world.faults(once(json!({ "kind": "garbage" }))).await;
    let reply = world.call(Method::GET, "/api/showcase", None).send().await.expect("a reply");
    assert!(reply.status() == 200 && reply.json::<Value>().await.is_err());
    world.faults(once(json!({ "kind": "huge" }))).await;
    let mut reply = world.call(Method::GET, "/api/showcase", None).send().await.expect("a reply");
    let mut bytes = 0;
    while let Some(piece) = reply.chunk().await.expect("a piece") {
        bytes += piece.len();
    }
    assert!(bytes > 100 << 20, "{bytes}");
    world.faults(json!([{ "kind": "latency", "millis": 30 }, { "kind": "status", "status": 500 }])).await;
    assert_eq!(world.get("/api/showcase", None).await.0, 500, "a delay comes before what follows it");
    let shown = world.get("/api/admin/faults", None).await.1;
    assert_eq!((&shown["faults"][0]["struck"], &shown["faults"][1]["struck"]), (&json!(1), &json!(1)));
    let only = json!([{ "match": { "method": "post", "path": "/api/showcase", "agent": "anna" }, "kind": "status", "status": 503 }]);
    world.faults(only).await;
    assert_eq!(world.get("/api/showcase", Some("anna")).await.0, 200);
    assert_eq!(world.send(Method::POST, "/api/showcase", None, json!({})).await.0, 403);
    assert_eq!(world.send(Method::POST, "/api/showcase", Some("anna"), json!({})).await.0, 503);
    world.faults(once(json!({ "match": { "path": "/api/showcase" }, "kind": "latency", "millis": 600_000 }))).await;
    tokio::select! {
        biased;
        _ = world.get("/api/showcase", None) => panic!("a delayed call was answered before one that was not"),
        (status, shown) = async {
            while world.get("/api/admin/faults", None).await.1["faults"][0]["struck"] == 0 {}
            world.get("/api/nodes/generators", None).await
        } => assert_eq!(status, 200, "{shown}"),
    }
    for wrong in [json!([{ "kind": "sulk" }]), json!([{ "kind": "status" }]), json!([{ "kind": "drop", "tims": 1 }])] {
        let (status, reply) = world.send(Method::PUT, "/api/admin/faults", None, wrong).await;
        assert!(status == 400 && reply["error"].as_str().is_some_and(|error| error.contains("faults[0]")), "{reply}");
    }
    assert_eq!(world.send(Method::DELETE, "/api/admin/faults", None, json!({})).await.1, json!({ "faults": [] }));
    world.close().await;
}

#[tokio::test]
async fn a_dropped_reply_leaves_its_effect_and_a_dropped_call_does_not() {
    let (world, _dir) = World::new().await;
    world.invite("anna").await;
    let item = world.post("anna", "one").await;
    let likes = async || world.audit().await["items"][0]["likes"].as_array().expect("likes").len();
    let like = async || {
        let call = world.call(Method::POST, &format!("/api/showcase/{item}/like"), Some("anna"));
        call.json(&json!({})).send().await
    };
    let path = json!({ "path": "/api/showcase/" });
    world.faults(json!([{ "match": path, "kind": "drop", "times": 1 }])).await;
    assert!(like().await.is_err());
    assert_eq!(likes().await, 0);
    world.faults(json!([{ "match": path, "kind": "drop_after", "times": 1 }])).await;
    assert!(like().await.is_err());
    assert_eq!(likes().await, 1);
    assert_eq!(answer(like().await.expect("a reply")).await.1["liked"], false);
    world.close().await;
}

#[tokio::test]
async fn what_people_write_stays_text() {
    let (world, _dir) = World::new().await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
    let body = json!({ "agentId": "e", "name": evil, "username": "evil", "isAgent": true });
    world.send(Method::POST, "/api/admin/users/invite", None, body).await;
    let drawn = world.draw("evil").await;
    let body = json!({ "imageUrl": drawn["imageUrls"][0], "title": evil, "description": evil });
    let posted = world.send(Method::POST, "/api/showcase", Some("evil"), body).await.1;
    let id = posted["showcaseItem"]["id"].as_str().expect("an id");
    let path = format!("/api/showcase/{id}/comments");
    world.send(Method::POST, &path, Some("evil"), json!({ "content": evil })).await;
    for path in ["/".to_owned(), format!("/p/{id}"), "/u/evil".to_owned(), format!("/p/{id}/card")] {
        let reply = world.client.get(format!("{}{path}", world.base)).send().await.expect("a page");
        let policy = reply.headers()["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let page = reply.text().await.expect("text");
        assert!(page.contains("alert(1)"), "{path} shows the text");
        assert!(!page.contains("<script>") && !page.contains("<img src=x"), "{path}: {page}");
        for attribute in page.split('<').filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic())) {
            let tag = attribute.split('>').next().expect("a tag");
            assert!(!tag.contains(" onerror=alert(1)\"") && !tag.contains(" onclick="), "{path}: {tag}");
        }
    }
    world.close().await;
}

#[tokio::test]
async fn a_visitor_likes_and_comments_under_a_name() {
    let (world, dir) = World::new().await;
    world.invite("anna").await;
    let item = world.post("anna", "one").await;
    let (page, like, say) = (format!("/p/{item}"), format!("/p/{item}/like"), format!("/p/{item}/comments"));
    let (cookie, token) = world.visit(&page).await;
    let asked = world.form(&like, &cookie, &[("token", &token)]).await;
    assert_eq!(asked.status(), 200);
    assert!(asked.text().await.expect("text").contains("What should we call you?"));
    let liked = world.form(&like, &cookie, &[("token", &token), ("name", "Zoë <b>")]).await;
    assert_eq!(liked.status(), 303);
    let said = world.form(&say, &cookie, &[("token", &token), ("content", "Lovely\r\nlight")]).await;
    assert_eq!(said.status(), 303);
    let audit = world.audit().await;
    let visitor = audit["accounts"].as_array().expect("accounts").iter().find(|one| one["name"] == "Zoë <b>");
    let visitor = visitor.expect("an account");
    assert_eq!(visitor["isAgent"], false);
    assert_eq!(audit["items"][0]["likes"], json!([visitor["username"]]));
    assert_eq!(audit["items"][0]["comments"][0]["content"], "Lovely\nlight");
    let (_, set, shown) = world.page(&page, Some(&cookie)).await;
    assert!(set.is_none() && shown.contains("Zoë &#60;b&#62;") && shown.contains("aria-pressed=\"true\""), "{shown}");
    assert_eq!(shown.matches("class=\"agent\"").count(), 2, "only the author and the footer's word are marked");
    for (cookie, token) in
        [(cookie.as_str(), "wrong"), (cookie.as_str(), ""), ("", token.as_str()), ("studio_visit=x", &token)]
    {
        let refused = world.form(&say, cookie, &[("token", token), ("content", "forged"), ("name", "M")]).await;
        assert_eq!(refused.status(), 403, "{cookie} {token}");
    }
    let foreign = world.client.post(format!("{}{like}", world.base)).header("Cookie", &cookie);
    let foreign = foreign.header("Origin", "https://evil.test").body(format!("token={token}")).send().await;
    assert_eq!(foreign.expect("a reply").status(), 403);
    let cross = world.client.post(format!("{}{like}", world.base)).header("Cookie", &cookie);
    let cross = cross.header("Sec-Fetch-Site", "cross-site").body(format!("token={token}")).send().await;
    assert_eq!(cross.expect("a reply").status(), 403);
    assert_eq!(world.form(&say, &cookie, &[("token", &token), ("content", " ")]).await.status(), 400);
    world.close().await;
    let world = World::open(options(dir.path())).await;
    assert!(
        world.page(&page, Some(&cookie)).await.2.contains("Hello, <strong>Zoë"),
        "the visitor is known after a restart"
    );
    let back = world.form(&like, &cookie, &[("token", &token)]).await;
    assert_eq!((back.status(), world.studio.counts().likes), (StatusCode::SEE_OTHER, 0));
    world.close().await;
}

#[tokio::test]
async fn pages_are_told_of_news_and_let_go_at_the_end() {
    let (world, _dir) = World::new().await;
    assert!(world.page("/", None).await.2.contains("The first picture is on its way"));
    world.invite("anna").await;
    let mut news = world.client.get(format!("{}/events", world.base)).send().await.expect("a stream");
    let item = world.post("anna", "one").await;
    world.like("anna", &item).await;
    let mut heard = String::new();
    while !heard.contains("event: counts") {
        heard.push_str(&String::from_utf8_lossy(&news.chunk().await.expect("a piece").expect("more")));
    }
    assert!(heard.contains("event: item") && heard.contains(&item) && heard.contains("\"likes\":1"), "{heard}");
    let (status, _, page) = world.page("/", None).await;
    assert!(status == 200 && page.contains("This is a stand-in for FloImg Studio"));
    assert!(!page.contains("http://") || page.matches("http://").count() == page.matches("http://studio.test").count());
    assert_eq!(world.page("/p/none", None).await.0, 404);
    assert_eq!(world.page("/u/none", None).await.0, 404);
    assert_eq!(world.page("/nowhere", None).await.0, 404);
    // An open stream does not hold up the end.
    world.close().await;
    while news.chunk().await.expect("an orderly end").is_some() {}
}

#[tokio::test]
async fn it_answers_in_process_as_well() {
    use tower::ServiceExt;
    let dir = tempfile::tempdir().expect("a folder");
    let studio = Studio::open(options(dir.path())).expect("a studio");
    let call = |method: &str, path: &str, body: &str| {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request =
            request.header("Authorization", format!("Bearer {TOKEN}")).body(axum::body::Body::from(body.to_owned()));
        studio.router().oneshot(request.expect("a request"))
    };
    assert_eq!(call("GET", "/api/showcase", "").await.expect("a reply").status(), 200);
    let drop_next = r#"[{ "kind": "drop", "times": 1 }]"#;
    assert_eq!(call("PUT", "/api/admin/faults", drop_next).await.expect("a reply").status(), 200);
    let lost = call("GET", "/api/showcase", "").await.expect("a head");
    assert!(axum::body::to_bytes(lost.into_body(), 1 << 20).await.is_err(), "without a connection, the body breaks");
    assert_eq!(call("GET", "/api/showcase", "").await.expect("a reply").status(), 200);
}
