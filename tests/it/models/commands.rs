//! What an operator types: `fleet llm`, `fleet llm test`, and what `fleet check` says of models.

use std::process::Command;

use serde_json::{Value, json};

use super::server::{Say, Server, completion};
use super::{KEY, WRITE, asker, bill, settings};
use crate::living::{Home, roster};

/// The exit code and both outputs of a command in a home.
async fn fleet(home: &Home, args: &[&str], key: Option<&str>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
    command.env_clear().current_dir(home.path()).args(args);
    command.envs(key.map(|key| ("FAKE_KEY", key)));
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

fn home(server: &Server) -> Home {
    let home = Home::new();
    home.save("personas/asker.luau", &asker(WRITE));
    home.config(&format!("{}{}", settings(server, ""), roster(&[("asker", 1)])));
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_tried_with_one_call_that_is_on_the_bill() {
    let server = Server::start(&[Say::Text("Fine.")]).await;
    let home = home(&server);
    let (code, out, err) = fleet(&home, &["llm", "test"], Some(KEY)).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("mini (mini-1 at fake): answered in "), "{out}");
    assert!(out.contains("20 tokens in, 5 out, 0.00 USD: Fine."), "{out}");
    assert_eq!(server.asked().len(), 1);
    let lines = bill(&home).await;
    assert_eq!((lines.len(), lines[0].purpose.as_str(), lines[0].state.as_str()), (1, "llm_test", "settled"));

    server.says(&[Say::Json(completion("Fine.", Value::Null))]);
    let (code, out, _) = fleet(&home, &["llm", "test", "small", "--json"], Some(KEY)).await;
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, &told["name"], &told["usage"], &told["writes_for"]),
        (0, &json!("mini"), &Value::Null, &json!(["small"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_is_told_with_the_reason_and_without_the_key() {
    let server = Server::start(&[Say::Status(401, None, format!("no {KEY}"))]).await;
    let home = home(&server);
    let (code, out, err) = fleet(&home, &["llm", "test", "mini"], Some(KEY)).await;
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("FAILED after") && out.contains("does not accept our key (status 401): no …"), "{out}");
    assert!(!out.contains(KEY) && !err.contains(KEY));
    let (code, out, _) = fleet(&home, &["llm", "test"], None).await;
    assert_eq!(code, 1);
    assert!(out.contains("has no key: the environment variable FAKE_KEY is not set"), "{out}");
    let (code, _, err) = fleet(&home, &["llm", "test", "mino"], Some(KEY)).await;
    assert_eq!(code, 1);
    assert!(err.contains("`mino` is no model of the config") && err.contains("did you mean `mini`?"), "{err}");
    let (code, out, _) = fleet(&home, &["llm"], None).await;
    assert_eq!(code, 0);
    let row = out.lines().find(|line| line.starts_with("mini")).expect("a row");
    for cell in ["mini-1", "fake", "missing", "free", "small"] {
        assert!(row.contains(cell), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_of_models_that_are_not_there() {
    let server = Server::start(&[]).await;
    let home = home(&server);
    home.save("personas/asker.luau", &asker(WRITE).replace("needs =", "model = \"hugo\",\n    needs ="));
    let (code, out, err) = fleet(&home, &["check"], None).await;
    let told = format!("{out}{err}");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("`model = \"hugo\"` is neither a role nor a model of the config"), "{told}");
    assert!(
        told.contains("scripts/personas/asker.luau:") && told.contains("there are: small, large, vision, mini"),
        "{told}"
    );
    let config = settings(&server, "").replace("small = \"mini\"", "small = \"gone\"");
    home.config(&config);
    let (code, _, err) = fleet(&home, &["check"], None).await;
    assert_eq!(code, 2);
    assert!(err.contains("[llm.models.gone] is not there") && err.contains("[llm.roles.small]"), "{err}");
}
