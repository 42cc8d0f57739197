//! Language models, from the outside: a script asks, a provider of ours answers as it likes, and the store has the bill.

mod again;
mod budget;
mod choosing;
mod commands;
mod config;
mod faults;
mod server;
mod words;

use serde_json::Value;
use sqlx::{Connection, Row, SqliteConnection};

use crate::living::{Home, Running, persona};
use server::Server;

/// What no log, error or page may show.
const KEY: &str = "sk-geheim-0123456789";

/// A persona that asks once in each tick and then sleeps until it is woken: `ask` is its call.
fn asker(ask: &str) -> String {
    let tick = format!(
        "on_tick = function(bot)
            local answer, failure = {ask}
            local s = bot.state
            s.n, s.answer = (s.n or 0) + 1, answer
            s.kind, s.message = failure and failure.kind, failure and failure.message
            s.retry_after = failure and failure.retry_after
            return 86400 * 300
        end,
        templates = {{ titles = {{ \"From a template\" }} }},"
    );
    let text = persona("", &tick);
    text.replace(r#"needs = { "floimg", "events" }"#, r#"needs = { "floimg", "events", "llm" }"#)
}

/// A call for a text, and one for a table.
const WRITE: &str = r#"llm.write { purpose = "title", prompt = "A title for a red circle.", max_chars = 80 }"#;
const JUDGE: &str = r#"llm.json { purpose = "judge", prompt = "How calm is it?", fields = { calm = "number" } }"#;

/// One provider with one model for small words, which costs nothing.
fn settings(server: &Server, more: &str) -> String {
    format!(
        "[llm]
provider = \"models\"
fallback = \"fail\"
timeout_secs = 8.0
attempt_timeout_secs = 0.4
rest_secs = 0.01
requests_per_minute = 100000
[llm.roles]
small = \"mini\"
[llm.providers.fake]
base_url = \"{}/v1\"
api_key_env = \"FAKE_KEY\"
[llm.models.mini]
provider = \"fake\"
model = \"mini-1\"
price = \"free\"
{more}
",
        server.url
    )
}

/// One bot of a persona, whose words come from a server.
async fn start(server: &Server, script: &str, more: &str) -> (Home, Running) {
    start_with(server, script, more, &[]).await
}

/// The same, with flags.
async fn start_with(server: &Server, script: &str, more: &str, flags: &[&str]) -> (Home, Running) {
    let home = Home::new();
    home.save("personas/asker.luau", script);
    home.config(&format!("{}{}", settings(server, more), crate::living::roster(&[("asker", 1)])));
    let running = home.start_in(flags, &[("FAKE_KEY", KEY)]).await;
    (home, running)
}

impl Running {
    /// Wakes the asker, and answers its state after one more tick.
    async fn asked(&self) -> Value {
        let before = self.state("asker-1").await["n"].as_u64().unwrap_or(0);
        self.wake_all().await;
        self.until_state("asker-1", "another answer", |state| state["n"].as_u64() > Some(before)).await
    }
}

/// A line of the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    purpose: String,
    model: String,
    state: String,
    held: i64,
    input: i64,
    cached: i64,
    output: i64,
}

/// Every call of a fleet, oldest first, as its database has it.
async fn bill(home: &Home) -> Vec<Line> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.path().join("data/fleet.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.expect("a database");
    let query = "SELECT purpose, model, state, held_tokens, input, cached_input, output FROM spend ORDER BY id";
    let rows = sqlx::query(query).fetch_all(&mut connection).await.expect("rows");
    let line = |row: &sqlx::sqlite::SqliteRow| Line {
        purpose: row.get(0),
        model: row.get(1),
        state: row.get(2),
        held: row.get(3),
        input: row.get(4),
        cached: row.get(5),
        output: row.get(6),
    };
    rows.iter().map(line).collect()
}

/// How the calls of a bill ended, in their order.
fn states(bill: &[Line]) -> Vec<&str> {
    bill.iter().map(|line| line.state.as_str()).collect()
}
