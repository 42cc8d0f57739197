//! `fleet new plugin`: what it writes passes its own checks and tests, and nothing that is there is overwritten.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

pub(super) fn fleet(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
    let output = command.env_clear().current_dir(folder).args(args).output().expect("the program starts");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code().expect("an exit code"), String::from_utf8(told).expect("UTF-8"))
}

#[test]
fn a_new_plugin_is_right_and_tested() {
    let place = TempDir::new().expect("a folder");
    let (code, out) = fleet(place.path(), &["new", "plugin", "calm_down"]);
    assert_eq!(code, 0, "{out}");
    for words in
        ["plugins/calm_down/init.luau", "plugins/calm_down/calm_down.test.luau", "fleet test calm_down", "is new"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    let file = std::fs::read_to_string(place.path().join("plugins/calm_down/init.luau")).expect("a file");
    assert!(file.contains("name = \"Calm down\"") && !file.contains("NAME") && !file.contains("TITLE"), "{file}");
    std::fs::create_dir_all(place.path().join("scripts/personas")).expect("a folder");
    let (code, out) = fleet(place.path(), &["check"]);
    assert!(code == 0 && out.contains("1 plugin fine: calm_down, 0 errors, 0 warnings"), "{out}");
    let (code, out) = fleet(place.path(), &["test", "calm_down"]);
    assert!(code == 0 && out.contains("3 tests passed, 0 failed in 1 file"), "{out}");
    let (code, out) = fleet(place.path(), &["new", "plugin", "calm_down"]);
    assert!(code == 2 && out.contains("is there already"), "{out}");
    let (code, out) = fleet(place.path(), &["new", "plugin", "second"]);
    assert!(code == 0 && !out.contains("is new"), "{out}");
}

#[test]
fn what_is_wrong_with_a_plugin_is_shown_with_its_line() {
    let place = TempDir::new().expect("a folder");
    std::fs::create_dir_all(place.path().join("scripts/personas")).expect("a folder");
    std::fs::create_dir_all(place.path().join("plugins/gate")).expect("a folder");
    for (text, line, words) in [
        ("return {\n\tname = \"Gate\",\n\tbefor_action = function() end,\n}\n", 3, "before_action"),
        ("return {\n\tneeds = {\n\t\t\"llm\",\n\t},\n}\n", 2, "`llm` is for bots"),
        ("return {\n\toptions = {\n\t\tmost = { type = \"nubmer\" },\n\t},\n}\n", 3, "`options.most.type` must be"),
        (
            "return {\n\toptions = {\n\t\tmost = { type = \"number\", default = \"x\" },\n\t},\n}\n",
            3,
            "must be a number",
        ),
        ("return {\n\tevery = {\n\t\t{ seconds = 0, run = function() end },\n\t},\n}\n", 3, "at least 1"),
        ("return {\n\tname = \"Gate\"\n\ton_start = function() end,\n}\n", 3, "Expected"),
        (
            "return {\n\tbefore_action = function(action)\n\t\treturn { denied = \"no\" }\n\tend,\n}\n",
            2,
            "it takes deny",
        ),
        ("return {\n\tbefore_action = function(action)\n\t\treturn action.nothing.there\n\tend,\n}\n", 3, "index nil"),
        (
            "return {\n\tbefore_action = function(action)\n\t\tfloimg.upvote(\"p1\")\n\tend,\n}\n",
            3,
            "a plugin acts as nobody",
        ),
        (
            "return {\n\tbefore_action = function(action)\n\t\tstore.get(\"x\")\n\tend,\n}\n",
            3,
            "add \"store\" to the plugin's needs",
        ),
        ("local words = require(\"@self/wrods\")\nreturn {}\n", 1, "wrods"),
        (
            "return {\n\ton_start = function()\n\t\ttime.there(\"Europe/Berln\")\n\tend,\n}\n",
            3,
            "did you mean `Europe/Berlin`",
        ),
        ("local most = plugin.options.most\nreturn {}\n", 1, "not while its file loads"),
    ] {
        std::fs::write(place.path().join("plugins/gate/init.luau"), text).expect("written");
        let (code, out) = fleet(place.path(), &["check"]);
        let shown = format!("plugins/gate/init.luau:{line}");
        assert!(code == 4 && out.contains(&shown) && out.contains(words), "{text}\n{shown} {words}\n{out}");
    }
}
