//! Permissions: what is not declared or not granted is refused by name, with the key to change.

use std::collections::BTreeSet;
use std::sync::Arc;

use floimg_fleet::config::{Config, ConfigFile, Sources};
use floimg_fleet::host::trial::Trial;
use floimg_fleet::lua::modules::MODULES;
use floimg_fleet::lua::version::Sources as Scripts;
use floimg_fleet::model::grant::HostGrant;
use floimg_fleet::model::permission::{BY_HOST, BY_NAME, Permissions};
use floimg_fleet::runtime::catalog::{Catalog, Test};
use jiff::Timestamp;

use super::workbench::{HEAD, Life, PATIENT, build};

fn persona(needs: &[&str], body: &str) -> String {
    let needs: Vec<String> = needs.iter().map(|need| format!("\"{need}\"")).collect();
    format!("{HEAD}\nP.needs = {{ {} }}\nP.on_tick = function(bot)\n{body}\nend\nreturn P", needs.join(", "))
}

/// What a bot with these needs is told, when the config grants this.
async fn told(needs: &[&str], granted: Permissions, body: &str) -> Result<(), String> {
    let version = build(&[("personas/test.luau", &persona(needs, body))], &PATIENT).expect("a version");
    let mut life = Life::new(version, PATIENT, None).expect("a VM");
    life.trial = Arc::new(Trial::new(Timestamp::UNIX_EPOCH, false).granting(Arc::new(granted)));
    life.live().await.map(|_| ()).map_err(|problem| problem.to_string())
}

fn host() -> Permissions {
    let mut granted = Permissions::usual();
    granted.persona_hosts.insert("test".to_owned(), vec![HostGrant::parse("example.com").expect("a host")]);
    granted
}

#[tokio::test]
async fn every_primitive_without_its_permission_refuses_with_its_name() {
    let mut tried = 0;
    for module in MODULES.iter().filter(|module| module.is_granted_by_name) {
        let others: Vec<&str> =
            MODULES.iter().filter(|other| other.name != module.name).map(|other| other.name).collect();
        let all: Vec<&str> = MODULES.iter().map(|module| module.name).collect();
        let mut without = host();
        without.default.remove(module.name);
        if module.name == BY_HOST {
            without.persona_hosts.clear();
        }
        let names = module.waiting.iter().map(|(name, _)| *name).chain(module.immediate.iter().map(|(name, _)| *name));
        for name in names {
            let body = format!("{name}()");
            let undeclared = told(&others, host(), &body).await.expect_err(name);
            let words = format!(
                "test.luau:4: {name} needs the permission `{0}`: add \"{0}\" to the persona's needs",
                module.name
            );
            assert!(undeclared.contains(&words), "{undeclared}");
            let ungranted = told(&all, without.clone(), &body).await.expect_err(name);
            let key = if module.name == BY_HOST { "[web.personas]" } else { "permissions.default" };
            let words = format!("test.luau:4: {name} needs the permission `{}`: ", module.name);
            assert!(ungranted.contains(&words) && ungranted.contains(key), "{ungranted}");
            assert!(ungranted.contains("the persona `test`"), "{ungranted}");
            tried += 1;
        }
    }
    assert!(tried > 25, "{tried}");
}

#[test]
fn what_can_be_granted_is_what_the_modules_ask_for() {
    let asked: BTreeSet<&str> =
        MODULES.iter().filter(|module| module.is_granted_by_name).map(|module| module.name).collect();
    assert_eq!(asked, BY_NAME.into_iter().chain([BY_HOST]).collect());
}

#[tokio::test]
async fn a_list_of_a_personas_own_wins_over_the_default() {
    let mut granted = Permissions::usual();
    granted.personas.insert("test".to_owned(), ["store".to_owned()].into());
    assert_eq!(told(&["store", "llm"], granted.clone(), "store.get('a')").await, Ok(()));
    let refused = told(&["store", "llm"], granted.clone(), "llm.choose {}").await.expect_err("not granted");
    assert!(refused.contains("add \"llm\" to permissions.personas.test in the config"), "{refused}");
    let free =
        told(&["store"], granted, "log.info('x') assert(json.encode({}) and time.now() and rand.number())").await;
    assert_eq!(free, Ok(()));
}

#[tokio::test]
async fn other_hosts_are_never_open_to_a_persona_that_does_not_say_so() {
    let refused = told(&[], host(), "http.get('https://example.com/')").await.expect_err("no needs is not all needs");
    assert!(refused.contains("http.get needs the permission `http`: add \"http\" to the persona's needs"), "{refused}");
    let body = "local reply, failure = http.get('https://example.com/') assert(reply == nil and failure.kind == 'unavailable')";
    assert_eq!(told(&["http"], host(), body).await, Ok(()));
    let post = told(&["http"], host(), "http.post('https://example.com/', { body = 'x' })").await.expect_err("a bot");
    assert!(post.contains("the persona `test` may only get") && post.contains("plugin"), "{post}");
}

#[tokio::test]
async fn wrong_requests_name_the_cure() {
    for (body, says) in [
        ("http.get()", "http.get: argument 1 (`url`) must be a text"),
        ("http.get('https://example.com/', { header = {} })", "did you mean `headers`?"),
        ("http.get('https://example.com/', { headers = { Host = 'x' } })", "`Host` is set by the host alone"),
        ("http.get('https://example.com/', { headers = { a = 'x\\r\\ny: z' } })", "the value of `a` has characters"),
        ("http.get('https://example.com/', { headers = { 'x' } })", "must map names to texts"),
        ("http.get('https://example.com/', { timeout = 0/0 })", "`timeout` must be seconds"),
        ("http.post('https://example.com/', { body = 'a', json = {} })", "give `body` or `json`, not both"),
        ("http.post('https://example.com/', { json = print })", "http.post: `json` is a function"),
        ("http.post('https://example.com/', { sign = 'yes' })", "`sign` must be true or false"),
    ] {
        let told = told(&["http"], host(), body).await.expect_err(body);
        assert!(told.contains("test.luau:4: ") && told.contains(says), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_version_that_lacks_a_permission_is_refused_and_taken_when_it_is_granted() {
    let script = persona(&["floimg", "store"], "store.set('a', 1)");
    let mut scripts = Scripts::default();
    scripts.files.insert("personas/test.luau".to_owned(), script.into());
    let mut catalog = Catalog::new().expect("a catalog");
    let test = |permissions: Permissions| Test {
        limits: PATIENT,
        has_trial: true,
        permissions: Arc::new(permissions),
        now: Timestamp::UNIX_EPOCH,
    };
    let mut less = Permissions::usual();
    less.default.remove("store");
    assert_eq!(catalog.refresh(&scripts, test(less.clone())).await.refused.len(), 1);
    let entry = catalog.entries.values().next().expect("an entry");
    assert!(entry.errors[0].message.contains("add \"store\" to permissions.default"), "{:?}", entry.errors);
    let again = catalog.refresh(&scripts, test(less)).await;
    assert!(again.unchanged == 1 && again.refused.is_empty(), "it was told before");
    assert_eq!(catalog.refresh(&scripts, test(Permissions::usual())).await.accepted.len(), 1);
}

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("written");
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sources = Sources { file: ConfigFile::Required(path), environment, flags: Vec::new() };
    Config::load(&sources).map_err(|error| error.to_string())
}

#[test]
fn the_config_grants_by_name_and_by_host() {
    let text = r#"
        [permissions]
        default = ["floimg"]
        [permissions.personas]
        ai_artist = ["floimg", "llm"]
        [permissions.plugins]
        guard = []
        [web.personas]
        ai_artist = ["*.example.com"]
        [web.plugins]
        webhook = ["hooks.example.com:8443", "http://127.0.0.1:9000"]
        [web.secrets]
        webhook = "HOOK_KEY"
    "#;
    let config = load(text, &[("HOOK_KEY", "s3cret")]).expect("valid");
    let granted = config.granted();
    assert_eq!(granted.default, ["floimg".to_owned()].into());
    assert_eq!(granted.personas["ai_artist"].len(), 2);
    assert!(granted.plugins["guard"].is_empty());
    assert_eq!(granted.persona_hosts["ai_artist"][0].to_string(), "https://*.example.com");
    let hosts: Vec<String> = granted.plugin_hosts["webhook"].iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["https://hooks.example.com:8443", "http://127.0.0.1:9000"]);
    assert_eq!(config.web.signing["webhook"].expose(), "s3cret");
    let shown = config.to_toml(config.entries());
    assert!(shown.contains("webhook = \"HOOK_KEY\"") && !shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("the key is set from $HOOK_KEY"), "{shown}");
    let silent = load("", &[]).expect("valid");
    assert_eq!(silent.granted(), Permissions::usual());
}

#[test]
fn a_grant_that_is_not_understood_is_refused_with_its_place() {
    for (text, says) in [
        ("[permissions]\ndefault = [\"flomig\"]", "expected permissions out of floimg, llm"),
        ("[permissions]\ndefault = [\"http\"]", "granted by naming the hosts, in [web.personas]"),
        ("[permissions]\ndefault = \"all\"", "expected a list of permissions"),
        ("[permissions.personas]\n\"AI\" = []", "is no name for a persona"),
        ("[web.plugins]\n\"no-name\" = []", "is no name for a plugin"),
        ("[web.personas]\na = [\"*\"]", "expected a host"),
        ("[web.personas]\na = [\"fine.example.com\", \"https://example.com/x\"]", "without a path"),
        ("[web.secrets]\nwebhook = \"not a name\"", "the name of an environment variable"),
        ("[web]\ntimeout_secs = 0", "from 0.1 to 120"),
    ] {
        let problem = load(text, &[]).expect_err(text);
        assert!(problem.contains(says) && problem.contains("config.toml:2:"), "{text}: {problem}");
    }
}
