//! The studio's OpenAPI document: it says what is served, and what is only assumed.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{World, answer, steps};

const API: &str = include_str!("../../../src/studio/api.rs");
const WIRE: &str = include_str!("../../../src/studio/wire.rs");

async fn read(world: &World) -> Value {
    // The document is for anybody, like the pages.
    answer(world.client.get(format!("{}/openapi.json", world.base)).send().await.expect("a reply")).await.1
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => {
            document.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place} is not there"))
        }
        None => value,
    }
}

/// What is wrong with a value, by its schema.
fn wrong(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    for (word, least) in [("anyOf", 1), ("oneOf", 1)] {
        if let Some(several) = schema[word].as_array() {
            let fitting = several.iter().filter(|one| wrong(document, one, value, place).is_empty()).count();
            return if fitting >= least {
                Vec::new()
            } else {
                vec![format!("{place} fits nothing of {word}: {value}")]
            };
        }
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return vec![format!("{place} is {value}, not {}", schema["const"])];
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place}: the test does not know the type {other}"),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(kind)) {
        return vec![format!("{place} is {value}, not {types:?}")];
    }
    let mut found = Vec::new();
    if let (Some(choices), true) = (schema["enum"].as_array(), value.is_string())
        && !choices.contains(value)
    {
        found.push(format!("{place} is {value}, not one of {choices:?}"));
    }
    if let Some(fields) = value.as_object() {
        for needed in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(needed) {
                found.push(format!("{place} has no {needed}: {value}"));
            }
        }
        if let Some(known) = schema["properties"].as_object() {
            for (name, field) in fields {
                match known.get(name) {
                    Some(schema) => found.extend(wrong(document, schema, field, &format!("{place}.{name}"))),
                    None => found.push(format!("{place}.{name} is not in the document")),
                }
            }
        }
    }
    if let (Some(list), Some(of)) = (value.as_array(), schema.get("items")) {
        let each = list.iter().enumerate();
        found.extend(each.flat_map(|(n, one)| wrong(document, of, one, &format!("{place}[{n}]"))));
    }
    found
}

/// One call that the document describes.
struct Call {
    method: Method,
    /// The path as the document writes it, and as it is called.
    path: (&'static str, String),
    agent: Option<&'static str>,
    body: Option<Value>,
    status: u16,
}

fn call(method: Method, path: &'static str, id: &str, agent: Option<&'static str>, body: Option<Value>) -> Call {
    let filled = path.split('/').map(|part| if part.starts_with('{') { id } else { part });
    let filled = filled.collect::<Vec<_>>().join("/");
    Call { method, path: (path, filled), agent, body, status: 200 }
}

impl Call {
    fn answered(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Makes the call; what is sent and what comes back must be as the document says.
    async fn check(self, world: &World, document: &Value) -> Value {
        let name = format!("{} {} ({})", self.method, self.path.0, self.status);
        let operation = &document["paths"][self.path.0][self.method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{name} is not in the document");
        let mut request = world.call(self.method, &self.path.1, self.agent);
        if let Some(body) = &self.body {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert!(schema.is_object(), "{name} takes a body");
            if self.status < 300 {
                assert_eq!(wrong(document, schema, body, "body"), [""; 0], "{name}");
            }
            request = request.json(body);
        }
        let reply = request.send().await.expect("a reply");
        assert_eq!(reply.status(), self.status, "{name}: {}", reply.text().await.expect("text"));
        let described = resolve(document, &operation["responses"][self.status.to_string()]);
        assert!(described["description"].is_string(), "{name} is described");
        let kind =
            reply.headers()["content-type"].to_str().expect("text").split(';').next().expect("a type").to_owned();
        let content = described["content"].get(&kind).unwrap_or_else(|| panic!("{name} is not said to be {kind}"));
        if kind != "application/json" {
            return Value::Null;
        }
        let value: Value = reply.json().await.expect("JSON");
        assert_eq!(wrong(document, &content["schema"], &value, "reply"), [""; 0], "{name}");
        value
    }
}

#[tokio::test]
async fn every_path_is_served_and_answers_as_it_is_described() {
    let (world, _dir) = World::new().await;
    let document = read(&world).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let by = Some("anna");
    let (get, post) = (Method::GET, Method::POST);
    let mut made = BTreeSet::new();
    let mut checked = async |call: Call| {
        made.insert((call.path.0.to_owned(), call.method.as_str().to_lowercase()));
        call.check(&world, &document).await
    };
    let invite = |name: &str| json!({ "agentId": "x-1", "name": "Anna", "username": name, "isAgent": true, "agentPersonaId": "x" });
    let invited = checked(call(post.clone(), "/api/admin/users/invite", "", None, Some(invite("anna")))).await;
    checked(call(post.clone(), "/api/admin/users/invite", "", None, Some(invite("an na"))).answered(400)).await;
    world.invite("ben").await;
    checked(call(post.clone(), "/api/admin/users/invite", "", None, Some(invite("ben"))).answered(409)).await;
    let workflow = json!({ "name": "a circle", "steps": steps() });
    let drawn = checked(call(post.clone(), "/api/execute/sync", "", by, Some(workflow))).await;
    let bad = json!({ "name": "x", "steps": [{ "kind": "generate", "generator": "none", "out": "a" }] });
    checked(call(post.clone(), "/api/execute/sync", "", by, Some(bad)).answered(400)).await;
    checked(call(post.clone(), "/api/execute/sync", "", by, Some(json!({ "name": 3 }))).answered(400)).await;
    let picture = drawn["imageIds"][0].as_str().expect("an id").to_owned();
    let new = json!({ "imageUrl": drawn["imageUrls"][0], "title": "T", "description": "D", "workflowId": drawn["workflowId"] });
    let shared = checked(call(post.clone(), "/api/showcase", "", by, Some(new.clone())).answered(201)).await;
    checked(call(post.clone(), "/api/showcase", "", by, Some(json!({ "title": null }))).answered(400)).await;
    checked(call(post.clone(), "/api/showcase", "", None, Some(new)).answered(403)).await;
    let id = shared["showcaseItem"]["id"].as_str().expect("an id").to_owned();
    let words = json!({ "content": "hm" });
    checked(call(post.clone(), "/api/showcase/{id}/like", &id, by, Some(json!({})))).await;
    checked(call(post.clone(), "/api/showcase/{id}/like", "gone", by, Some(json!({}))).answered(404)).await;
    checked(call(post.clone(), "/api/showcase/{id}/comments", &id, by, Some(words)).answered(201)).await;
    let item = checked(call(get.clone(), "/api/showcase/{id}", &id, by, None)).await;
    assert_eq!((&item["item"]["likeCount"], &item["item"]["commentCount"]), (&json!(1), &json!(1)));
    checked(call(get.clone(), "/api/showcase/{id}", "gone", by, None).answered(404)).await;
    checked(call(get.clone(), "/api/showcase/{id}/comments", &id, None, None)).await;
    checked(call(get.clone(), "/api/showcase", "", by, None)).await;
    checked(call(get.clone(), "/api/showcase", "", Some("nobody"), None).answered(403)).await;
    for path in ["/api/users/{username}", "/api/users/{username}/showcase", "/api/users/{username}/avatar"] {
        checked(call(get.clone(), path, "anna", None, None)).await;
        checked(call(get.clone(), path, "nobody", None, None).answered(404)).await;
    }
    checked(call(get.clone(), "/api/storage/images/{id}/content", &picture, None, None)).await;
    checked(call(get.clone(), "/api/storage/images/{id}/content", "gone", None, None).answered(404)).await;
    for path in ["/api/nodes/generators", "/api/nodes/transforms", "/api/admin/audit", "/api/admin/faults"] {
        checked(call(get.clone(), path, "", None, None)).await;
    }
    let fault = json!({ "faults": [{ "match": { "path": "/nowhere" }, "kind": "code", "code": "FLEET_PAUSED" }] });
    checked(call(Method::PUT, "/api/admin/faults", "", None, Some(fault))).await;
    checked(call(Method::PUT, "/api/admin/faults", "", None, Some(json!({ "faults": [{}] }))).answered(400)).await;
    checked(call(Method::DELETE, "/api/admin/faults", "", None, None)).await;
    let account = invited["id"].as_str().expect("an id");
    checked(call(Method::DELETE, "/api/admin/users/{id}", account, None, None)).await;
    checked(call(Method::DELETE, "/api/admin/users/{id}", account, None, None).answered(404)).await;
    let paths = document["paths"].as_object().expect("paths");
    let described = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().expect("methods").keys().map(|method| (path.clone(), method.clone()))
    });
    assert_eq!(made, described.collect(), "every call that is described was made");
    world.close().await;
}

#[tokio::test]
async fn every_route_is_described_and_asks_for_the_token_where_it_says_so() {
    let (world, _dir) = World::new().await;
    let document = read(&world).await;
    let paths = document["paths"].as_object().expect("paths");
    let served: BTreeSet<&str> = API
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| !path.contains('*'))
        .collect();
    assert_eq!(paths.keys().map(String::as_str).collect::<BTreeSet<_>>(), served);
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let reply = world.client.request(verb, format!("{}{path}", world.base)).send().await.expect("a reply");
            let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
            assert_eq!(reply.status() != StatusCode::UNAUTHORIZED, is_open, "{method} {path}");
        }
    }
    world.close().await;
}

/// The sentences of the list under `# Assumed`.
fn assumed() -> BTreeSet<String> {
    let list = WIRE.split("//! # Assumed\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list");
    let text = list.lines().map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join(" ");
    text.split("- ").skip(1).flat_map(sentences).collect()
}

fn sentences(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in text.split_whitespace() {
        let begins = word.starts_with(|c: char| c.is_uppercase() || c == '`');
        match found.last_mut() {
            Some(last) if !(last.ends_with('.') && begins) => {
                last.push_str(if last.is_empty() { "" } else { " " });
                last.push_str(word);
            }
            _ => found.push(word.to_owned()),
        }
    }
    found
}

fn marks(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if map.contains_key("x-assumed") || map.contains_key("x-assumption") {
                assert_eq!(map.get("x-assumed"), Some(&json!(true)), "{value}");
                found.extend(sentences(map["x-assumption"].as_str().expect("a sentence")));
            }
            map.values().for_each(|value| marks(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| marks(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn what_is_assumed_is_marked_and_nothing_else() {
    let (world, _dir) = World::new().await;
    let mut found = BTreeSet::new();
    marks(&read(&world).await, &mut found);
    let listed = assumed();
    assert!(listed.len() > 20, "the list is found: {listed:#?}");
    assert_eq!(listed.difference(&found).collect::<Vec<_>>(), [""; 0], "assumed in wire.rs, not marked");
    assert_eq!(found.difference(&listed).collect::<Vec<_>>(), [""; 0], "marked, not in the list of wire.rs");
    world.close().await;
}
