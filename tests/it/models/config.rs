//! Providers and models in the config: what is wrong is shown where it stands, with a cure, and no key is shown anywhere.

use floimg_fleet::config::{Config, ConfigFile, Flag, LlmProvider, Role, Sources};

const GOOD: &str = r#"
[llm]
provider = "models"
[llm.roles]
small = "mini"
[llm.bots]
ai_artist-17 = "offline"
[llm.personas]
ai_artist = "large"
[llm.providers.openai]
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
length_key = "max_completion_tokens"
max_concurrent = 2
[llm.models.mini]
provider = "openai"
model = "gpt-5-mini"
images = "url"
temperature = 1
"#;

fn load(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, file).expect("a file");
    let sources = Sources {
        file: ConfigFile::Required(path),
        environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        flags: flags.iter().map(|setting| Flag { name: "--set", setting: (*setting).to_owned() }).collect(),
    };
    Config::load(&sources).map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

#[test]
fn sections_of_the_operator_are_read_from_every_source() {
    let flags = ["llm.models.mini.max_output_tokens=77", "llm.providers.local.base_url=http://127.0.0.1:8080/v1"];
    let variables = [("FLEET__LLM__PROVIDERS__OPENAI__MAX_CONCURRENT", "3"), ("OPENAI_API_KEY", "sk-geheim")];
    let config = load(GOOD, &variables, &flags).expect("valid");
    let (mini, openai) = (&config.llm.models["mini"], &config.llm.providers["openai"]);
    assert_eq!((mini.max_output_tokens, openai.max_concurrent), (77, Some(3)));
    assert_eq!(config.llm.roles[&Role::Small].as_str(), "mini");
    assert!(config.llm.providers.contains_key("local") && config.ready_to_run().is_ok());
    let again = load(&config.to_toml(config.entries()), &variables, &[]).expect("what is printed can be loaded");
    assert_eq!(again.llm, config.llm);
    let shown = format!("{} {} {config:?}", config.to_toml(config.entries()), config.to_json(config.entries()));
    assert!(shown.contains("the key is set from $OPENAI_API_KEY") && !shown.contains("geheim"), "{shown}");
    assert!(config.find("llm.providers.openai").expect("a section").len() == 4);
    let live = config.changes(&load("", &[], &[]).expect("valid"));
    assert!(!live.is_empty() && live.iter().all(|change| !change.needs_restart), "{live:?}");
}

#[test]
fn a_model_that_is_not_there_is_pointed_at_with_its_cure() {
    let file = GOOD.replace("small = \"mini\"", "small = \"mine\"");
    let error = load(&file, &[], &[]).expect_err("no such model");
    insta::assert_snapshot!(error, @r#"
    the config cannot be used

      --> config.toml:5:9  [llm.roles.small]
       |
     5 | small = "mine"
       |         ^^^^^^ expected the name of a model, and [llm.models.mine] is not there
       = hint: add that section, or name another model or "offline": there are mini
    "#);
}

#[test]
fn wrong_values_say_what_was_expected() {
    let table = [
        ("[llm.roles]\ntiny = \"offline\"", "expected the roles small, large and vision"),
        ("[llm.roles]\nsmall = 7", "expected the name of a model under [llm.models], a role, or \"offline\""),
        ("[llm.personas]\nai_artist = \"huge\"", "expected a role or a model, and [llm.models.huge] is not there"),
        ("[llm.bots]\nai_artist = \"large\"", "expected a bot as the key, such as ai_artist-17"),
        ("[llm.providers.x]\nmax_attempts = 2", "expected `base_url` in [llm.providers.x]"),
        (
            "[llm.providers.x]\nbase_url = \"api.example.com\"",
            "expected an address such as \"https://api.openai.com/v1\"",
        ),
        ("[llm.providers.x]\nbase_ulr = \"https://x\"", "did you mean `llm.providers.x.base_url`?"),
        ("[llm.providers.\"a.b\"]\nbase_url = \"https://x\"", "unknown key"),
        (
            "[llm.providers.x]\nbase_url = \"https://x/v1\"\nmax_attempts = 4",
            "expected a whole number from 1 to 3, got 4",
        ),
        ("[llm.providers.x]\nbase_url = \"https://x/v1\"\nlength_key = \"tokens\"", "expected \"max_tokens\" or"),
        (
            "[llm.providers.x]\nbase_url = \"https://x/v1\"\napi_key_env = \"A\"\napi_key_file = \"b\"",
            "expected one place for the key",
        ),
        ("[llm.models.x]\nmodel = \"m\"", "expected `provider` in [llm.models.x]"),
        ("[llm.models.x]\nprovider = \"nobody\"\nmodel = \"m\"", "[llm.providers.nobody] is not there"),
        (
            "[llm.providers.y]\nbase_url = \"https://x/v1\"\n[llm.models.x]\nprovider = \"y\"",
            "expected `model` in [llm.models.x]",
        ),
        (
            "[llm.providers.y]\nbase_url = \"https://x/v1\"\n[llm.models.small]\nprovider = \"y\"\nmodel = \"m\"",
            "expected another name than `small`",
        ),
        ("[llm.models.x]\nimages = true", "expected \"none\" or \"url\" or \"inline\", got true"),
        ("[llm.models.x]\nprice = 0.15", "expected \"table\" or \"free\", got 0.15"),
        ("[llm.models.x]\ntemperature = 3", "expected a number from 0 to 2, got 3"),
        ("[llm.providers]\nx = \"https://x\"", "expected a section, `[llm.providers.x]`"),
        ("[llm]\noffline_purposes = [\"A text\"]", "expected a list of purposes, as scripts name them"),
        ("[llm]\nmax_attempts = 5", "expected a whole number from 1 to 3, got 5"),
    ];
    for (file, expected) in table {
        let error = load(file, &[], &[]).expect_err(file);
        assert!(error.contains(expected), "{file}\nexpected: {expected}\n{error}");
        assert!(error.contains("--> config.toml:"), "{error}");
    }
}

#[test]
fn a_key_that_is_written_by_mistake_is_not_shown() {
    for wrong in [
        "api_key_env = \"sk-ant-geheim-1\"",
        "api_key_env = \"AIzaGeheim1\"",
        "api_key_env = \"geheim\"",
        "api_key = \"geheim\"",
        "base_url = \"https://me:geheim@x/v1\"",
        "timeout_secs = \"sk-geheim\"",
    ] {
        let error = load(&format!("[llm.providers.x]\n{wrong}\n"), &[], &[]).expect_err(wrong);
        assert!(!error.to_lowercase().contains("geheim"), "{wrong}\n{error}");
        assert!(error.contains("--> config.toml:2:"), "{error}");
    }
    let error = load("", &[], &["llm.providers.x.api_key_env=geheim"]).expect_err("no variable");
    assert!(!error.contains("geheim"), "{error}");
}

#[test]
fn a_fleet_with_models_needs_their_keys_and_one_without_does_not() {
    let without = load(GOOD, &[], &[]).expect("other commands need no keys");
    let error = without.ready_to_run().expect_err("no key").to_string();
    assert!(error.contains("$OPENAI_API_KEY") && error.contains("the provider `openai` needs its key"), "{error}");
    let offline = load(GOOD, &[], &["llm.provider=offline"]).expect("valid");
    assert!(offline.ready_to_run().is_ok());
    assert_eq!(offline.llm.provider, LlmProvider::Offline);
}

#[test]
fn a_key_may_stand_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("key");
    let text = GOOD.replace("api_key_env = \"OPENAI_API_KEY\"", &format!("api_key_file = \"{}\"", file.display()));
    let load = || load(&text, &[], &[]).expect("valid");
    let error = load().ready_to_run().expect_err("no file").to_string();
    assert!(error.contains("expected a file with the key of the provider `openai`"), "{error}");
    std::fs::write(&file, "\n").expect("a file");
    assert!(load().ready_to_run().is_err(), "an empty file holds no key");
    std::fs::write(&file, "sk-geheim\n").expect("a file");
    let config = load();
    assert!(config.ready_to_run().is_ok());
    assert_eq!(config.llm.keys["openai"].expose(), "sk-geheim");
    let shown = config.to_toml(config.entries());
    assert!(shown.contains("the key is there") && !shown.contains("geheim"), "{shown}");
    assert_eq!(config.llm.providers["openai"].api_key_file, Some(file));
}

/// What the shipped file says in comments is a config that works.
#[test]
fn the_examples_of_the_shipped_file_are_valid() {
    let mut text = String::new();
    for line in floimg_fleet::config::SHIPPED.lines().skip_while(|line| !line.starts_with("[llm]")) {
        if line.starts_with("[log]") {
            break;
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_example =
            bare.starts_with("[llm.") || bare.split_once(" = ").is_some_and(|(name, _)| !name.contains(' '));
        if line.starts_with("# ") && is_example {
            text.push_str(&format!("{}\n", bare.replace("\"maxi\"", "\"mini\"")));
        } else if line.starts_with('[') {
            text.push_str(&format!("{line}\n"));
        }
    }
    let config = load(&text, &[], &[]).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let names: Vec<&str> = config.llm.providers.keys().map(String::as_str).collect();
    assert_eq!(names, ["anthropic", "google", "llamacpp", "ollama", "openai", "openrouter", "vllm"]);
    assert!(config.llm.models.contains_key("mini"), "{text}");
}
