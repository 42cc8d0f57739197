//! What the operator reads: the API's numbers, the table, the lines for a spreadsheet.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use floimg_fleet::model::spend::{Ask, Usage};
use tempfile::TempDir;

use super::{PRICES, Purse, ask, at, money, usage};

#[tokio::test]
async fn spending_is_told_by_day_month_and_whatever_it_was_for() {
    let lines = format!(
        "[budgets]\ncaps = [{{ scope = \"fleet\", period = \"month\", money = 10 }}, {{ scope = \"persona\", period = \"day\", money = 1 }}]\n{PRICES}"
    );
    let purse = Purse::new(&lines).await;
    purse.clock.put(at("2026-11-09T00:00:00Z"));
    let painter = Ask { bot: "painter-3".parse().expect("a bot"), purpose: "caption".to_owned(), ..ask(1_000_000, 0) };
    purse.call(&painter, usage(1_000_000, 0)).await.expect("room");
    purse.clock.put(at("2026-11-11T00:00:00Z"));
    let cached = Usage { input: 100_000, cached_input: 50_000, image: 0, output: 10_000 };
    purse.call(&ask(100_000, 10_000), cached).await.expect("room");
    let spent = purse.budget.spent(50).await.expect("a report");
    let report = &spent.report;
    // 50 000 at 1, 50 000 at 0.1 and 10 000 at 4 for a million.
    assert_eq!((report.today.spent.money, report.month.spent.money), (money("0.095"), money("1.095")));
    assert_eq!((report.today.saved, report.today.cached_tokens, report.today.calls), (money("0.045"), 50_000, 1));
    // Two days cost 1.095; twenty more of them are left.
    assert_eq!(spent.forecast, Some(money("12.045")));
    let names =
        |scope| report.by[&scope].iter().map(|row| (row.name.as_str(), row.month.spent.money)).collect::<Vec<_>>();
    use floimg_fleet::model::spend::Scope;
    assert_eq!(names(Scope::Persona), [("painter", money("1")), ("critic", money("0.095"))]);
    assert_eq!(names(Scope::Bot), [("painter-3", money("1")), ("critic-1", money("0.095"))]);
    assert_eq!(names(Scope::Purpose), [("caption", money("1")), ("comment", money("0.095"))]);
    assert_eq!(names(Scope::Model), [("m", money("1.095"))]);
    let caps: Vec<_> = spent.caps.iter().map(|cap| (cap.full.cap.whose(), cap.used)).collect();
    let whose = |name: &str| format!("budget of the persona {name}");
    assert_eq!(caps, [("fleet budget".to_owned(), 109), (whose("critic"), 95), (whose("painter"), 0)]);
    // Nothing in a week is no basis.
    purse.clock.put(at("2026-11-25T00:00:00Z"));
    assert_eq!(purse.budget.spent(50).await.expect("a report").forecast, None);
}

#[tokio::test]
async fn old_calls_are_dropped_and_months_stay() {
    let purse = Purse::new(PRICES).await;
    purse.clock.put(at("2026-01-05T00:00:00Z"));
    purse.call(&ask(1000, 0), usage(1000, 0)).await.expect("room");
    purse.clock.put(at("2026-11-05T00:00:00Z"));
    purse.call(&ask(1000, 0), usage(1000, 0)).await.expect("room");
    purse.budget.prune().await;
    purse.clock.put(at("2026-01-05T00:00:00Z"));
    // Time is still counted from the newest call.
    assert_eq!(purse.budget.spent(1).await.expect("a report").report.at, at("2026-11-05T00:00:00Z"));
    let path = purse.folder.path().join("fleet.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.expect("connects");
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT period, COUNT(*) FROM spend_counters WHERE scope = 'fleet' GROUP BY period ORDER BY period",
    )
    .fetch_all(&mut connection)
    .await
    .expect("rows");
    assert_eq!(rows, [("day".to_owned(), 1), ("hour".to_owned(), 1), ("month".to_owned(), 2)]);
}

/// What a fleet answers.
const ANSWER: &str = r#"{
  "currency": "USD", "at": "2026-11-11T10:00:00Z", "behind_secs": 7200,
  "today": { "money": "0.095", "tokens": 110000, "calls": 1, "held": "0.00", "cached_tokens": 50000, "saved": "0.045", "actions": 10, "per_action": "0.0095" },
  "month": { "money": "1.095000001", "tokens": 1110000, "calls": 2, "held": "0.00", "cached_tokens": 50000, "saved": "0.045", "actions": 0, "per_action": null },
  "forecast": "12.045",
  "caps": [
    { "scope": "fleet", "name": null, "period": "month", "unit": "money", "limit": "10.00", "used": "1.095000001", "share": 0.109, "until": "2026-12-01T00:00:00Z", "at_end": "offline", "used_up": null },
    { "scope": "persona", "name": "critic", "period": "day", "unit": "tokens", "limit": "110000", "used": "110000", "share": 1.0, "until": "2026-11-12T00:00:00Z", "at_end": "sleep", "used_up": "budget of the persona critic until 00:00 UTC" }
  ],
  "by_bot": [], "by_purpose": [],
  "by_persona": [{ "name": "critic",
    "today": { "money": "0.095", "tokens": 110000, "calls": 1, "held": "0.00", "cached_tokens": 50000, "saved": "0.045", "actions": 10, "per_action": "0.0095" },
    "month": { "money": "0.095", "tokens": 110000, "calls": 1, "held": "0.00", "cached_tokens": 50000, "saved": "0.045", "actions": 10, "per_action": "0.0095" } }],
  "by_model": [{ "name": "=m,\"x\"",
    "today": { "money": "0.00", "tokens": 0, "calls": 0, "held": "0.00", "cached_tokens": 0, "saved": "0.00", "actions": 0, "per_action": null },
    "month": { "money": "1.00", "tokens": 1000000, "calls": 1, "held": "0.00", "cached_tokens": 0, "saved": "0.00", "actions": 0, "per_action": null } }],
  "charged_in_full": [{ "why": "cut_off", "calls": 3, "money": "0.02" }]
}"#;

/// `fleet spend` with these arguments, against a fleet that gives one answer.
fn told(args: &[&str]) -> (i32, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut asked = [0; 4096];
        let length = stream.read(&mut asked).expect("a request");
        assert!(
            asked[..length].starts_with(b"GET /api/v1/spend?limit=20 "),
            "{:?}",
            String::from_utf8_lossy(&asked[..length])
        );
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            ANSWER.len()
        );
        stream.write_all(format!("{head}{ANSWER}").as_bytes()).expect("an answer");
    });
    let folder = TempDir::new().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
    command.env_clear().current_dir(folder.path()).arg("spend").args(args).stdin(Stdio::null());
    let done = command.arg("--set").arg(format!("http.listen={address}")).output().expect("the program starts");
    answering.join().expect("it was asked");
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    (done.status.code().expect("a code"), String::from_utf8(done.stdout).expect("UTF-8"))
}

#[test]
fn the_command_shows_sums_caps_and_rows() {
    let (code, out) = told(&[]);
    assert_eq!(code, 0);
    let expected = "                         TODAY   THIS MONTH
spent, USD               0.095   1.0951
held by calls under way  0.00    0.00
calls                    1       2
tokens                   110000  1110000
of them from caches      50000   50000
saved by caches          0.045   0.045
actions                  10      0
spent per action         0.0095  -

this month, if it goes on like the last days: 12.045 USD
the clock is 7200 s behind the newest call: no period begins anew before 2026-11-11T10:00:00Z. If the clock was wrong then: fleet spend --trust-clock
this month 3 calls are charged in full, 0.02 USD: the process ended while they were under way

CAP                  USED                     SHARE  UNTIL                 AT ITS END
fleet, month         1.0951 of 10.00          11 %   2026-12-01T00:00:00Z  then offline
persona critic, day  110000 of 110000 tokens  100 %  2026-11-12T00:00:00Z  used up: budget of the persona critic until 00:00 UTC

PERSONA  TODAY  THIS MONTH  CALLS  TOKENS  SAVED  PER ACTION
critic   0.095  0.095       1      110000  0.045  0.0095

MODEL   TODAY  THIS MONTH  CALLS  TOKENS   SAVED
=m,\"x\"  0.00   1.00        1      1000000  0.00
";
    assert_eq!(out, expected, "{out}");
    assert_eq!(
        told(&["--by", "model"]).1,
        expected.split_once("\nMODEL").map(|(_, rest)| format!("\nMODEL{rest}")).expect("a table")
    );
}

#[test]
fn the_command_writes_json_and_lines_for_a_spreadsheet() {
    let (code, out) = told(&["--json"]);
    assert_eq!(code, 0);
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(json(&out), json(ANSWER));
    assert_eq!(
        told(&["--csv"]).1,
        "scope,name,currency,today_money,today_tokens,today_calls,today_cached_tokens,today_saved,today_actions,\
         month_money,month_tokens,month_calls,month_cached_tokens,month_saved,month_actions\n\
         fleet,,USD,0.095,110000,1,50000,0.045,10,1.095000001,1110000,2,50000,0.045,0\n\
         persona,critic,USD,0.095,110000,1,50000,0.045,10,0.095,110000,1,50000,0.045,10\n\
         model,\"'=m,\"\"x\"\"\",USD,0.00,0,0,0,0.00,0,1.00,1000000,1,0,0.00,0\n"
    );
}
