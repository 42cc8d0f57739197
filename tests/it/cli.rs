//! The program from the outside: arguments and a fleet's answers in; text and exit codes out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use tempfile::TempDir;

/// A place to run the program in, with nothing of this process's environment in reach.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: TempDir::new().expect("a folder") }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
        command.env_clear().current_dir(self.dir.path()).args(args).stdin(Stdio::null());
        command
    }

    /// The exit code, standard output and standard error.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        told(self.command(args).output().expect("the program starts"))
    }

    /// Runs against a fleet that gives one answer; also what the fleet was asked.
    fn run_against(&self, answer: &str, args: &[&str]) -> (i32, String, String, String) {
        let (address, asked) = fleet(answer.as_bytes().to_vec());
        let listen = format!("http.listen={address}");
        let (code, out, err) = self.run(&[args, &["--set", &listen]].concat());
        let err = err.replace(&address.to_string(), "ADDRESS");
        (code, out, err, asked.recv().expect("a request").replace(&address.to_string(), "ADDRESS"))
    }
}

#[test]
fn a_new_script_is_right_from_the_start_and_never_overwrites_one() {
    let place = Place::new();
    let (code, out, err) = place.run(&["new", "persona", "night_owl"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let file = std::fs::read_to_string(place.dir.path().join("scripts/personas/night_owl.luau")).expect("a file");
    assert!(file.contains("name = \"Night owl\"") && !file.contains("NAME") && !file.contains("TITLE"), "{file}");
    let (code, out, _) = place.run(&["new", "behaviour", "wave"]);
    let (script, test) = ("scripts/behaviours/wave.luau", "scripts/behaviours/wave.test.luau");
    assert!(code == 0 && out.contains(script) && out.contains(test) && out.contains("fleet test wave"), "{out}");
    assert!(place.dir.path().join(script).exists() && place.dir.path().join(test).exists());
    let (code, out, err) = place.run(&["check"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("1 persona fine: night_owl, 0 errors, 0 warnings"), "{out}");
    let (code, out, err) = place.run(&["test"]);
    assert!(code == 0 && err.is_empty() && out.contains("5 tests passed, 0 failed in 2 files"), "{out}{err}");
    for (args, words) in [
        (["new", "persona", "night_owl"], "is there already"),
        (["new", "behaviour", "wave"], "is there already"),
        (["new", "persona", "Night"], "is no name for a persona"),
        (["new", "persona", "../night"], "is no name for a persona"),
        (["new", "plugging", "x"], "invalid value"),
    ] {
        let (code, out, err) = place.run(&args);
        assert!(code == 2 && err.contains(words), "{args:?}: {code} {out} {err}");
    }
}

#[test]
fn types_are_written_kept_up_to_date_and_added_to_what_is_there() {
    let place = Place::new();
    let path = |name: &str| place.dir.path().join(name);
    std::fs::create_dir_all(path(".vscode")).expect("a folder");
    std::fs::write(path(".vscode/settings.json"), "{ \"editor.tabSize\": 2 }").expect("a file");
    assert_eq!(place.run(&["types", "--check"]).0, 4);
    assert!(!path(".luaurc").exists());
    let (code, out, err) = place.run(&["types"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(place.run(&["types", "--check"]).0, 0);
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("a file");
    assert!(read(".vscode/settings.json").contains("\"editor.tabSize\": 2"));
    assert!(read(".luaurc").contains("\"behaviours\": \"scripts/behaviours\""));
    let types = read(".fleet/fleet.d.luau");
    for word in [
        "declare floimg: {",
        "export type Persona = {",
        "export type Failure = {",
        "declare rand: {",
        "declare given: {",
    ] {
        assert!(types.contains(word), "{word}");
    }
    std::fs::write(path(".fleet/fleet.d.luau"), types.replace("floimg", "flo")).expect("a file");
    let (code, out, _) = place.run(&["types", "--check"]);
    assert!(code == 4 && out.contains("stale       ./.fleet/fleet.d.luau"), "{out}");
    // What somebody did to it by hand is not lost in silence; what an older version wrote is no loss.
    assert!(out.contains("would replace what was changed by hand"), "{out}");
    let (code, out, _) = place.run(&["types"]);
    assert!(code == 0 && out.contains("replaced what was changed by hand"), "{out}");
    assert_eq!(read(".fleet/fleet.d.luau"), types);
    assert!(!place.run(&["types"]).1.contains("replaced"));
    std::fs::write(path(".luaurc"), "{ \"aliases\": { \"lib\": \"elsewhere\" } }").expect("a file");
    let (code, out, _) = place.run(&["types"]);
    assert!(code == 0 && out.contains("replaced aliases → lib, which was \"elsewhere\""), "{out}");
    let (code, out, _) = place.run(&["types", "--reference", "reference.md"]);
    assert!(code == 0 && read("reference.md").contains("### floimg.feed") && !out.contains("luaurc"), "{out}");
    // What cannot be added to is left alone, with what to add.
    std::fs::write(path(".vscode/settings.json"), "// mine\n{}").expect("a file");
    let (code, _, err) = place.run(&["types"]);
    assert!(code == 2 && err.contains("luau-lsp.types.definitionFiles"), "{err}");
    assert_eq!(read(".vscode/settings.json"), "// mine\n{}");
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

/// Listens, reads one whole request, sends these bytes and hangs up.
fn fleet(answer: Vec<u8>) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("a request") > 0 {
            request.extend(byte);
        }
        let head = String::from_utf8_lossy(&request).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).expect("a body");
        request.extend(body);
        stream.write_all(&answer).expect("sent");
        tell.send(String::from_utf8(request).expect("UTF-8")).expect("somebody asks");
    });
    (address, asked)
}

fn json(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

const COMMANDS: [&str; 15] = [
    "run", "check", "test", "try", "studio", "agents", "status", "bots", "pause", "resume", "wake", "reload",
    "scripts", "plugins", "config",
];

#[test]
fn help_names_every_command_and_exit_code() {
    let place = Place::new();
    let (code, help, err) = place.run(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for command in COMMANDS {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}: {help}");
        let (code, own, _) = place.run(&["help", command]);
        assert!(code == 0 && own.contains(&format!("Usage: fleet {command}")), "{own}");
    }
    for line in ["0  fine", "1  something failed", "2  wrong usage or config", "3  no fleet", "4  scripts have errors"]
    {
        assert!(help.contains(line), "{line}: {help}");
    }
}

#[test]
fn wrong_usage_and_wrong_config_end_in_two() {
    let place = Place::new();
    for args in [
        &["statuss"][..],
        &["pause", "Not A Bot"],
        &["pause", "--for", "soon"],
        &["pause", "--for=-2h"],
        &["bots", "ai_artist"],
        &["agents", "--json", "--csv"],
        &["--config", "missing.toml", "config"],
        &["--set", "clock.sped=1", "config"],
        &["--set", "clock.speed", "config"],
        &["config", "clock.sped"],
        &["--set", "floimg.studio=https://x.example", "--set", "clock.speed=1", "run"],
    ] {
        let (code, out, err) = place.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.starts_with("error: ") && !err.contains('\u{1b}'), "{args:?}: {err}");
    }
    let (_, _, err) = place.run(&["config", "clock.sped"]);
    assert_eq!(err, "error: unknown key `clock.sped`\nhint: did you mean `clock.speed`?\n");
}

#[test]
fn what_config_prints_is_a_config_that_says_the_same() {
    let place = Place::new();
    let (code, first, _) = place.run(&["config", "--set", "clock.speed=7", "--data", "elsewhere", "-v"]);
    assert_eq!(code, 0);
    for line in ["speed = 7.0", "data_dir = \"elsewhere\"", "# --set", "# --data", "# --verbose", "[[bots]]  # default"]
    {
        assert!(first.contains(line), "{line}: {first}");
    }
    std::fs::write(place.dir.path().join("config.toml"), &first).expect("written");
    let (code, second, err) = place.run(&["config"]);
    assert_eq!(code, 0, "{err}");
    let bare = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap_or_default().trim_end().to_owned()).collect()
    };
    assert_eq!(bare(&first), bare(&second));
    assert!(second.contains("# config.toml:"), "{second}");
}

#[test]
fn config_prints_one_key_one_section_or_json() {
    let place = Place::new();
    let run = |args: &[&str]| {
        let (code, out, err) = place.run(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    };
    assert_eq!(run(&["config", "http.listen"]), "127.0.0.1:4748\n");
    assert_eq!(run(&["config", "clock"]), "[clock]\nspeed = 60.0  # default\n");
    let mut command = place.command(&["config", "--json"]);
    command.env("FLEET__LOG__FILTER", "warn").env("FLEET_ADMIN_TOKEN", "geheim");
    let (_, out, _) = told(command.output().expect("the program starts"));
    assert!(!out.contains("geheim"), "{out}");
    let entries: Vec<serde_json::Value> = serde_json::from_str(&out).expect("JSON");
    let find = |key: &str| entries.iter().find(|entry| entry["key"] == key).expect("known").clone();
    assert_eq!(
        find("log.filter"),
        serde_json::json!({"key": "log.filter", "value": "warn", "origin": "$FLEET__LOG__FILTER"})
    );
    assert_eq!(find("http.admin_token_env")["secret"], "set");
    assert_eq!(find("floimg.token_env")["secret"], "not set");
}

#[test]
fn no_fleet_is_three_and_says_what_to_do() {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let listen = format!("http.listen={address}");
    for args in [&["status"][..], &["bots"], &["scripts"], &["pause", "all"], &["reload", "ai_artist"]] {
        let (code, out, err) = Place::new().run(&[args, &["--set", &listen]].concat());
        assert_eq!((code, out.as_str()), (3, ""), "{err}");
        assert!(err.starts_with(&format!("error: no fleet answers at {address}\ncaused by: ")), "{err}");
        assert!(err.contains("\nhint: is `fleet run` running?"), "{err}");
    }
}

#[test]
fn bots_are_a_table() {
    let body = r#"{"items": [
        {"id": "ai_artist-1", "username": "art_夢_1", "persona": "ai_artist", "status": "asleep", "reason": "until 07:40",
         "next_wake": null, "ticks": 3, "version": "0a1b2c3d"},
        {"id": "collector-12", "username": "c", "status": "backoff", "reason": "a\nb\u001b[2J", "ticks": 12}], "total": 7}"#;
    let place = Place::new();
    let args = ["bots", "--persona", "a&b", "--status", "asleep", "--limit", "2"];
    let (code, out, err, asked) = place.run_against(&json("200 OK", body), &args);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r"
    ID            USERNAME  STATUS   REASON       NEXT WAKE  TICKS  VERSION
    ai_artist-1   art_夢_1  asleep   until 07:40  -          3      0a1b2c3d
    collector-12  c         backoff  a�b�[2J      -          12     -
    2 of 7 bots; --limit shows more
    ");
    assert!(asked.starts_with("GET /api/v1/bots?limit=2&offset=0&persona=a%26b&status=asleep HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nHost: ADDRESS\r\n") && asked.contains("\r\nConnection: close\r\n"), "{asked}");
}

#[test]
fn chunked_answers_and_nested_values_are_read() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                  2e;x=y\r\n{\"state\": \"running\", \"bots\": 3, \"by_status\": {\r\n\
                  2f\r\n\"acting\": 3}, \"gallery_url\": \"http://gallery/\"}\r\n0\r\n\r\n";
    let (code, out, err, _) = Place::new().run_against(answer, &["status"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for line in ["state running", "bots 3: 3 acting", "gallery http://gallery/"] {
        let is_shown = out.lines().any(|shown| shown.split_whitespace().collect::<Vec<_>>().join(" ") == line);
        assert!(is_shown, "{line:?} is missing in\n{out}");
    }
    let (_, out, ..) = Place::new().run_against(answer, &["status", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).expect("JSON")["by_status"]["acting"], 3);
}

#[test]
fn controls_carry_the_token_and_what_was_asked() {
    let place = Place::new();
    std::fs::create_dir(place.dir.path().join("data")).expect("a folder");
    std::fs::write(place.dir.path().join("data/admin.token"), "0123456789abcdef\n").expect("written");
    let (code, out, _, asked) =
        place.run_against(&json("200 OK", "{}"), &["pause", "ai_artist-3", "--for", "1h 30m", "--reason", "rest"]);
    assert_eq!((code, out.as_str()), (0, "done\n"));
    assert!(asked.starts_with("POST /api/v1/bots/ai_artist-3/pause HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nAuthorization: Bearer 0123456789abcdef\r\n"), "{asked}");
    let body: serde_json::Value = serde_json::from_str(asked.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_eq!(body, serde_json::json!({"reason": "rest", "for_secs": 5400.0}));
    let (_, out, _, asked) =
        place.run_against(&json("202 Accepted", r#"{"message": "waking 8 bots"}"#), &["wake", "ai_artist"]);
    assert_eq!(out, "waking 8 bots\n");
    assert!(asked.starts_with("POST /api/v1/personas/ai_artist/wake "), "{asked}");
    let (_, out, _, asked) = place.run_against("HTTP/1.1 204 No Content\r\n\r\n", &["resume"]);
    assert_eq!(out, "done\n");
    assert!(asked.starts_with("POST /api/v1/fleet/resume "), "{asked}");
}

#[test]
fn scripts_with_errors_end_in_four() {
    let place = Place::new();
    let answer = json("200 OK", r#"{"errors": ["ai_artist.luau:3: expected `end`"]}"#);
    let (code, out, ..) = place.run_against(&answer, &["reload"]);
    assert_eq!((code, out.as_str()), (4, "ai_artist.luau:3: expected `end`\n"));
    let listed = |error: &str| json("200 OK", &format!(r#"{{"items": [{{"name": "ai_artist", "error": {error}}}]}}"#));
    assert_eq!(place.run_against(&listed("\"line 3\""), &["scripts"]).0, 4);
    assert_eq!(place.run_against(&listed("null"), &["scripts"]).0, 0);
}

#[test]
fn plugins_are_listed_shown_and_paused() {
    let place = Place::new();
    let guard = |errors: &str| {
        format!(
            r#"{{"name": "guard", "version": "5e5e5e5e", "status": "running", "reason": "running", "hooks": ["before_action"],
                "calls": [{{"function": "before_action", "calls": 120, "denied": 7, "changed": 2, "faults": 1, "p50_millis": 0.042, "p99_millis": 1.3}}],
                "faults": 1, "fault": {{"frame": "error: plugins/guard/init.luau:9: no words"}}, "fault_at": "2026-03-01T10:00:00.5Z",
                "options": [{{"key": "words", "kind": "list", "expected": "a list", "doc": "words that nobody says", "default": [], "value": ["spam"]}}],
                "errors": {errors}}}"#
        )
    };
    let listed = |errors| json("200 OK", &format!(r#"{{"items": [{}]}}"#, guard(errors)));
    let (code, out, _, asked) = place.run_against(&listed("[]"), &["plugins"]);
    assert!(asked.starts_with("GET /api/v1/plugins "), "{asked}");
    let line = out.lines().nth(1).expect("a line").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((code, line.as_str()), (0, "guard 5e5e5e5e before_action 120 7 2 1 0.042 ms running"));
    let wrong = r#"[{"frame": "error: config.toml:91: `limt` is no option"}]"#;
    let (code, out, ..) = place.run_against(&listed(wrong), &["plugins"]);
    assert!(code == 4 && out.contains("\nerror: config.toml:91: `limt` is no option\n"), "{out}");
    let (code, out, _, asked) = place.run_against(&json("200 OK", &guard("[]")), &["plugins", "guard"]);
    assert!(code == 0 && asked.starts_with("GET /api/v1/plugins/guard "), "{asked}");
    for words in
        [r#"["spam"]"#, "words that nobody says", "last fault at 2026-03-01T10:00:00Z", "init.luau:9: no words"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(place.run_against(&json("200 OK", r#"{"items": []}"#), &["plugins"]).1.starts_with("no plugins: "));
    assert_eq!(place.run(&["plugins", "Guard"]).0, 2);
    std::fs::create_dir_all(place.dir.path().join("data")).expect("a folder");
    std::fs::write(place.dir.path().join("data/admin.token"), "0123456789abcdef\n").expect("a file");
    let done = json("200 OK", r#"{"message": "paused guard"}"#);
    let args = ["plugins", "pause", "guard", "--reason", "too strict"];
    let (code, out, _, asked) = place.run_against(&done, &args);
    assert_eq!((code, out.as_str()), (0, "paused guard\n"));
    assert!(
        asked.starts_with("POST /api/v1/plugins/guard/pause ") && asked.ends_with(r#"{"reason":"too strict"}"#),
        "{asked}"
    );
}

#[test]
fn what_is_no_answer_of_a_fleet_is_told_as_such() {
    let table = [
        ("", 1, "does not answer as a fleet does: its reply has no head"),
        ("SSH-2.0-OpenSSH\r\n\r\n", 1, "its reply is not HTTP"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", 1, "its reply is not JSON"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{}", 1, "its reply is cut short"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", 1, "its reply is too long"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 1, "cut short or too long"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 1, "cut short or too long"),
        ("HTTP/1.1 500 Oops\r\n\r\n", 1, "the fleet refused (status 500): it gave no reason"),
        ("HTTP/1.0 200 OK\r\n\r\n{\"until the end\": 1}", 0, ""),
    ];
    for (answer, expected_code, expected) in table {
        let (code, _, err, _) = Place::new().run_against(answer, &["status"]);
        assert_eq!(code, expected_code, "{answer}: {err}");
        assert!(err.contains(expected), "{answer}: {err}");
    }
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let answer = json("404 Not Found", r#"{"error": "no bot `ai_artist-99`", "hint": "there are 8"}"#);
    let (code, _, err, _) = Place::new().run_against(&answer, &["bots", "ai_artist-99"]);
    assert_eq!(
        (code, err.as_str()),
        (1, "error: the fleet refused (status 404): no bot `ai_artist-99`\nhint: there are 8\n")
    );
    let answer = json("401 Unauthorized", r#"{"error": "a token is needed"}"#);
    let (_, _, err, _) = Place::new().run_against(&answer, &["wake"]);
    assert!(err.contains("hint: the admin token does not fit"), "{err}");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Place::new().command(&["config"]).stdout(writer).stderr(Stdio::piped()).output();
    let (code, _, err) = told(output.expect("the program starts"));
    assert_eq!((code, err.as_str()), (0, ""));
}

/// A persona with one error, one warning and, when it is mended, nothing.
const PERSONA: &str = r#"local P = { name = "T", identity = { names = { "{first}" }, username = "t_{n}" } }
P.schedule = { timezone = "Europe/Berlin" }
function P.on_tick(bot)
	local posts = floimg.feed { limt = 3 }
	for _, post in floimg.feed {} do log.debug(post.title) end
end
return P
"#;

fn scripts(place: &Place, text: &str) {
    std::fs::create_dir_all(place.dir.path().join("scripts/personas")).expect("a folder");
    std::fs::write(place.dir.path().join("scripts/personas/test.luau"), text).expect("written");
}

#[test]
fn check_shows_frames_and_counts_what_it_found() {
    let place = Place::new();
    scripts(&place, PERSONA);
    let (code, out, err) = place.run(&["check"]);
    assert_eq!((code, err.as_str()), (4, ""));
    let frame = "\
error: floimg.feed: unknown option `limt`
 --> scripts/personas/test.luau:4:30
  |
4 |     local posts = floimg.feed { limt = 3 }
  |                                 ^^^^
  |
  = hint: did you mean `limit`? It takes: limit, offset, sort, category, content_type
";
    assert!(out.contains(frame), "{out}");
    assert!(out.ends_with("0 personas fine, 1 error, 1 warning\n"), "{out}");
    // Only what was asked for is shown.
    std::fs::write(place.dir.path().join("scripts/personas/other.luau"), "return {").expect("written");
    let (_, out, _) = place.run(&["check", "scripts/personas/other.luau"]);
    assert!(
        out.contains("other.luau") && !out.contains("test.luau") && out.ends_with(" 1 error, 0 warnings\n"),
        "{out}"
    );
    let (code, out, _) = place.run(&["check", "nowhere.luau"]);
    assert_eq!((code, out.as_str()), (2, ""));
}

#[test]
fn check_prints_json_one_problem_a_line_and_nothing_else() {
    let place = Place::new();
    scripts(&place, PERSONA);
    std::fs::create_dir_all(place.dir.path().join("plugins/guard")).expect("a folder");
    std::fs::write(place.dir.path().join("plugins/guard/init.luau"), "return {\n\tname = = 'x'\n}").expect("written");
    let (code, out, err) = place.run(&["check", "--json"]);
    assert_eq!((code, err.as_str()), (4, "0 personas fine, 2 errors, 1 warning\n"));
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON on every line")).collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert_eq!((lines[0]["file"].as_str(), lines[0]["line"].as_u64()), (Some("plugins/guard/init.luau"), Some(2)));
    assert_eq!((lines[1]["column"].as_u64(), lines[1]["end_column"].as_u64()), (Some(30), Some(34)));
    assert_eq!(lines[1]["source"], "\tlocal posts = floimg.feed { limt = 3 }");
    assert_eq!(lines[2]["severity"], "warning");
    for line in &lines {
        assert!(line["frame"].as_str().expect("a frame").contains(line["message"].as_str().expect("a message")));
        assert_eq!(line.as_object().expect("an object").len(), 11);
    }
    let (code, out, err) = place.run(&["check", "--json", "scripts/personas/nobody.luau"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
}

#[test]
fn check_watches_until_it_is_told_to_stop() {
    let place = Place::new();
    scripts(&place, PERSONA);
    let mut command = place.command(&["check", "--watch", "--json", "--set", "reload.watch=false"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut told = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("its errors")));
    let mut next = || told.next().expect("another check").expect("text");
    assert_eq!(next(), "0 personas fine, 1 error, 1 warning");
    let mended = PERSONA.replace("limt", "limit").replace("floimg.feed {} do", "floimg.feed {} or {} do");
    scripts(&place, &mended);
    // A look between two changes may see the first alone.
    while next() != "1 persona fine: test, 0 errors, 0 warnings" {}
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("it is told");
    assert!(sent.success());
    let ended = child.wait().expect("it ends");
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn the_console_shows_values_and_ends_in_four_when_something_is_raised() {
    let place = Place::new();
    let body = r#"{"version":"0f3a9c1e","printed":["a line"],"values":["{ 1, 2 }","\"x\""],"error":null,"kept":false}"#;
    let args = ["console", "ai_artist-1", "-e", "bot.state.seen", "--set", "data_dir=."];
    std::fs::write(place.dir.path().join("admin.token"), "t0ken-of-a-test-that-is-long-enough\n").expect("a file");
    let (code, out, err, asked) = place.run_against(&json("200 OK", body), &args);
    assert_eq!((code, err.as_str(), out.as_str()), (0, "", "a line\n{ 1, 2 }\n\"x\"\n"));
    assert!(asked.starts_with("POST /api/v1/bots/ai_artist-1/console HTTP/1.1"), "{asked}");
    assert!(asked.contains(r#"{"code":"bot.state.seen","write":false}"#), "{asked}");
    let body = r#"{"version":"0f3a9c1e","printed":[],"values":[],"error":{"severity":"error","file":"console.luau","line":1,
        "message":"attempt to index nil","hint":"look","traceback":["scripts/lib/a.luau:3 in function f"]},"kept":true}"#;
    let (code, out, ..) = place.run_against(&json("200 OK", body), &[&args[..], &["--write"]].concat());
    assert_eq!(code, 4);
    assert_eq!(
        out,
        "error: console.luau:1: attempt to index nil\n  scripts/lib/a.luau:3 in function f\n  hint: look\nbot.state is changed and kept\n"
    );
}
