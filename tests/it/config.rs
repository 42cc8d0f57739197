//! The config from the outside: files, variables and flags in; settings, origins or readable errors out.

use std::time::Duration;

use floimg_fleet::config::{Config, ConfigFile, Flag, Origin, SHIPPED, Settings, Sources, StudioAddress};
use floimg_fleet::model::name::PersonaName;
use tempfile::TempDir;

/// Loads a config file's text with variables and `--set` flags, naming the file `config.toml` in errors.
fn load(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, String> {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, file).expect("a file");
    let sources = Sources {
        file: ConfigFile::Required(path),
        environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        flags: flags.iter().map(|setting| Flag { name: "--set", setting: (*setting).to_owned() }).collect(),
    };
    Config::load(&sources).map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

fn refused(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> String {
    match load(file, variables, flags) {
        Ok(_) => panic!("accepted: {file} {variables:?} {flags:?}"),
        Err(error) => error,
    }
}

#[test]
fn every_key_is_in_the_shipped_file_and_no_other() {
    let shipped: toml::Table = SHIPPED.parse().expect("TOML");
    assert!(shipped.clone().try_into::<Settings>().is_ok(), "the shipped file has every key and no unknown one");
    let config = Config::load(&Sources::default()).expect("the defaults are valid");
    for entry in config.entries() {
        let mut table = shipped.clone();
        match entry.key.split_once('.') {
            None => drop(table.remove(&entry.key)),
            Some((section, name)) => drop(table[section].as_table_mut().expect("a section").remove(name)),
        }
        assert!(table.try_into::<Settings>().is_err(), "{} is read from somewhere else", entry.key);
    }
    for (section, _) in shipped.iter().filter(|(_, value)| value.is_table()) {
        let mut table = shipped.clone();
        table[section].as_table_mut().expect("a section").insert("surprise".to_owned(), 1.into());
        assert!(table.try_into::<Settings>().is_err(), "[{section}] takes unknown keys");
    }
}

#[test]
fn the_defaults_are_what_the_shipped_file_says() {
    let config = Config::load(&Sources::default()).expect("valid");
    assert_eq!((config.roster.spread, config.roster.counts.len()), (96, 0));
    assert_eq!(config.floimg.studio, StudioAddress::Embedded);
    assert_eq!(config.sandbox.memory_bytes, 12 * 1024 * 1024);
    assert_eq!(config.reload.poll, Duration::from_secs(2));
    assert!(config.runtime.script_threads() >= 4);
    assert!(config.entries().iter().all(|entry| entry.origin == Origin::Default));
    assert!(config.ready_to_run().is_ok());
}

#[test]
fn a_stronger_source_wins_and_is_named() {
    let file = "seed = \"mine\"\n[clock]\nspeed = 2\n[limits]\nposts_per_day = 1\ncomments_per_day = 2\n";
    let variables = [("FLEET__CLOCK__SPEED", "3"), ("FLEET__LIMITS__POSTS_PER_DAY", "4"), ("FLEET__SEED", "12")];
    let config = load(file, &variables, &["clock.speed=4", "clock.speed = 5.5"]).expect("valid");
    let find = |key: &str| config.entries().iter().find(|entry| entry.key == key).expect("known").origin.to_string();
    assert_eq!((config.clock.speed, find("clock.speed").as_str()), (5.5, "--set"));
    assert_eq!(
        (config.limits.posts_per_day, find("limits.posts_per_day").as_str()),
        (4, "$FLEET__LIMITS__POSTS_PER_DAY")
    );
    assert_eq!((config.seed.as_str(), find("seed").as_str()), ("12", "$FLEET__SEED"));
    assert_eq!(config.limits.comments_per_day, 2);
    assert!(find("limits.comments_per_day").ends_with("config.toml:6"));
    assert_eq!(find("limits.upvotes_per_day"), "default");
}

#[test]
fn values_of_variables_and_flags_read_as_toml_where_they_can() {
    let config = load(
        "[floimg.generators]\nopenai = \"shapes\"\n",
        &[("FLEET__BOTS", "[{ persona = 'ai_artist', count = 3 }, { size = 5 }]"), ("FLEET__RELOAD__WATCH", "false")],
        &["data_dir=/tmp/a=b", "log.format=\"json\"", "floimg.generators.mermaid=qr", "floimg.studio=embedded"],
    )
    .expect("valid");
    assert_eq!(config.roster.counts[&PersonaName::new("ai_artist").expect("a name")], 3);
    assert_eq!(config.roster.spread, 5);
    assert!(!config.reload.watch);
    assert_eq!(config.data_dir.to_str(), Some("/tmp/a=b"));
    let generators: Vec<_> = config.floimg.generators.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(generators, [("mermaid", "qr"), ("openai", "shapes")]);
}

#[test]
fn an_error_shows_the_line() {
    let file = "seed = \"x\"\n\n[clock]\nspeed = \"fast\" # hm\n";
    insta::assert_snapshot!(refused(file, &[], &[]), @r#"
    the config cannot be used

      --> config.toml:4:9  [clock.speed]
       |
     4 | speed = "fast" # hm
       |         ^^^^^^ expected a number from 0.001 to 100000, got "fast"
    "#);
}

#[test]
fn all_errors_are_told_at_once() {
    let file = "[runtime]\nmax_actin = 3\nwarm_vms = -1\n[clok]\nspeed = 1\n";
    insta::assert_snapshot!(refused(file, &[("FLEET__CLOCK__SPED", "2")], &["http"]), @r"
    the config cannot be used, for 4 reasons

      --> config.toml:2:1  [runtime.max_actin]
       |
     2 | max_actin = …
       | ^^^^^^^^^ unknown key `runtime.max_actin`
       = hint: did you mean `runtime.max_acting`?

      --> config.toml:4:2  [clok]
       |
     4 | [clok]
       |  ^^^^ unknown key `clok`
       = hint: did you mean `clock`?

      --> $FLEET__CLOCK__SPED  [clock.sped]
       |
       | FLEET__CLOCK__SPED= …
       | ^^^^^^^^^^^^^^^^^^ unknown key `clock.sped`
       = hint: did you mean `FLEET__CLOCK__SPEED`?

      --> --set
       |
       | http
       | ^^^^ expected key=value, got `http`
    ");
    let error = refused("", &[("FLEET__FLOIMG__GENERATORS__", "qr")], &["bots.size=10"]);
    assert!(error.contains("for 2 reasons") && error.contains("`bots=[{ size = 10 }]`"), "{error}");
    let file = "[runtime]\nwarm_vms = -1\nwarm_secs = nan\n[log]\nformat = \"xml\"\n";
    let error = refused(file, &[], &[]);
    for part in ["for 3 reasons", "runtime.warm_vms", "runtime.warm_secs", "\"text\" or \"json\", got \"xml\""] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn wrong_values_say_what_was_expected() {
    let table = [
        ("seed = \"\"", "expected a text of 1 to 200 characters, got \"\""),
        ("data_dir = 7", "expected the path of a folder, as a text, got 7"),
        ("clock = 60", "expected a section, `[clock]`, got 60"),
        ("[seed]\nx = 1", "expected a text of 1 to 200 characters"),
        ("[[clock]]\nspeed = 1", "expected a section, `[clock]`"),
        ("[clock]\nspeed = 0", "expected a number from 0.001 to 100000, got 0"),
        ("[clock]\nspeed = inf", "expected a number from 0.001 to 100000, got inf"),
        ("[clock]\nspeed = nan", "expected a number from 0.001 to 100000, got nan"),
        ("[floimg]\nstudio = \"api.floimg.com\"", "expected \"embedded\", or an address"),
        ("[floimg]\nstudio = \"ftp://x\"", "expected \"embedded\", or an address"),
        ("[floimg]\nstudio = \"https://x/?a=1\"", "expected an address without user, password, `?` or `#`"),
        ("[floimg]\ntoken_env = \"MY TOKEN\"", "expected the name of an environment variable"),
        ("[floimg]\nread_timeout_secs = 0", "expected a number of seconds from 0.1 to 3600, got 0"),
        ("[floimg]\nmax_reply_mib = 1.5", "expected a whole number of MiB from 1 to 1024, got 1.5"),
        ("[floimg.generators]\nopenai = 3", "[floimg.generators.openai]"),
        ("[http]\nlisten = \"localhost:4748\"", "expected an IP address and a port"),
        ("[http]\nlisten = \"127.0.0.1:70000\"", "expected an IP address and a port"),
        ("[http]\nlisten = \"0.0.0.0:4747\"", "expected two ports, but http.listen and studio.listen share 4747"),
        ("[runtime]\nmax_acting = 0", "expected a whole number from 1 to 10000, got 0"),
        ("[runtime]\nmax_acting = 9223372036854775807", "expected a whole number from 1 to 10000"),
        (
            "[runtime]\nretry_base_secs = 7200",
            "expected retry_base_secs to be at most retry_cap_secs, got 7200 and 3600",
        ),
        ("[sandbox]\ntick_cpu_millis = 10", "expected poll_cpu_millis to be at most tick_cpu_millis, got 60 and 10"),
        ("[limits]\nduplicate_similarity = 1.1", "expected a number from 0 to 1, got 1.1"),
        ("[reload]\nwatch = \"yes\"", "expected true or false, got \"yes\""),
        ("[llm]\nprovider = \"openai\"", "expected \"offline\" or \"models\", got \"openai\""),
        ("[log]\nfilter = \"a=b=c\"", "expected a level"),
        ("bots = 3", "expected"),
        ("[[bots]]\npersona = \"ai_artist\"", "expected `count` beside `persona`"),
        ("[[bots]]\ncount = 3", "expected `persona` beside `count`"),
        ("[[bots]]\nsize = 3\ncount = 3", "expected either `persona` and `count`, or `size`"),
        ("[[bots]]\nsize = -3", "expected a whole number from 0 to 100000"),
        ("[[bots]]\npersona = \"Ai\"\ncount = 1", "expected a persona: 1 to 48 lower-case letters"),
        ("[[bots]]\nsise = 3", "unknown field `sise`, expected one of `persona`, `count`, `size`"),
        ("[[bots]]\nsize = 3\n[[bots]]\nsize = 3", "expected one entry with `size`, found two"),
        (
            "[[bots]]\npersona = \"a\"\ncount = 3\n[[bots]]\npersona = \"a\"\ncount = 3",
            "expected one entry for each persona, found two for `a`",
        ),
        ("[floimg.generators]\n\"a\\nb\" = \"qr\"", "unknown key"),
        ("[floimg.generators]\n\"\" = \"qr\"", "unknown key"),
        ("[http]\nfoo = 1", "`[http]` has admin_token_env, listen"),
        ("speed = 60", "did you mean `clock.speed`?"),
        ("[clock]\nspeed = 1\nspeed = 2", "duplicate key"),
        ("[clock\nspeed = 1", "config.toml:1:"),
    ];
    for (file, expected) in table {
        let error = refused(file, &[], &[]);
        assert!(error.contains(expected), "{file}\nexpected: {expected}\n{error}");
        assert!(error.contains("--> config.toml:"), "{error}");
    }
}

#[test]
fn an_entry_of_the_roster_is_pointed_at() {
    let file = "[[bots]]\nsize = 3\n\n[[bots]]\npersona = \"ai_artist\"\ncount = \"many\"\n";
    let error = refused(file, &[], &[]);
    assert!(error.contains("--> config.toml:6:9  [bots[1].count]"), "{error}");
}

#[test]
fn a_real_studio_lives_at_the_speed_of_the_wall_and_needs_its_token() {
    let file = "[floimg]\nstudio = \"https://api.floimg.com\"\n";
    insta::assert_snapshot!(refused(file, &[], &[]), @r#"
    the config cannot be used

      --> config.toml:2:10  [floimg.studio]
       |
     2 | studio = "https://api.floimg.com"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^ expected clock.speed = 1 with the real studio at https://api.floimg.com/, got 60
       = hint: set `speed = 1` in `[clock]`: only the embedded studio can live faster than the wall
    "#);
    let file = format!("{file}[clock]\nspeed = 1\n");
    let without = load(&file, &[], &[]).expect("commands other than run need no token");
    let error = without.ready_to_run().expect_err("no token").to_string();
    assert!(error.contains("$FLOIMG_SERVICE_TOKEN") && error.contains("not set"), "{error}");
    let wrong = load(&file, &[("FLOIMG_SERVICE_TOKEN", "sk-very-secret")], &[]).expect("valid");
    let error = wrong.ready_to_run().expect_err("wrong token").to_string();
    assert!(error.contains("begins with `fst_`") && !error.contains("very-secret"), "{error}");
    let right = load(&file, &[("FLOIMG_SERVICE_TOKEN", " fst_1 \n")], &[]).expect("valid");
    assert!(right.ready_to_run().is_ok());
    assert_eq!(right.floimg.token.as_ref().map(|token| token.expose()), Some("fst_1"));
}

#[test]
fn an_open_port_needs_an_admin_token_from_the_environment() {
    let file = "[http]\nlisten = \"0.0.0.0:4748\"\n";
    let ready = |variables: &[(&str, &str)]| load(file, variables, &[]).expect("valid").ready_to_run();
    assert!(ready(&[]).is_err());
    assert!(ready(&[("FLEET_ADMIN_TOKEN", "short")]).is_err());
    assert!(ready(&[("FLEET_ADMIN_TOKEN", "long-enough-to-be-one")]).is_ok());
}

#[test]
fn only_two_underscores_make_an_override() {
    let config = load("", &[("FLEET_ADMIN_TOKN", "x"), ("FLEET_CLOCK_SPEED", "x"), ("FLEETING", "x")], &[]);
    assert!(config.is_ok());
}

#[test]
fn no_secret_is_shown() {
    let wrong = [
        "[floimg]\ntoken_env = \"fst_geheim\"\n",
        "[floimg]\ntoken = \"fst_geheim\"\n",
        "[floimg]\ntoken = fst_geheim\n",
        "token_env = \"fst_geheim\"\n",
        "[floimg]\nstudio = \"https://me:geheim@studio.example\"\n",
        "[llm]\nprovider = [\"fst_geheim\"]\n",
        "[http]\nadmin_token = \"geheim\"\n",
    ];
    for file in wrong {
        let error = refused(file, &[], &[]);
        assert!(!error.contains("geheim"), "{error}");
        assert!(error.contains("config.toml:"), "{error}");
    }
    let error = refused("", &[("FLEET__FLOIMG__TOKEN", "fst_geheim")], &["floimg.token_env=fst_geheim"]);
    assert!(!error.contains("geheim"), "{error}");
    let variables = [("FLOIMG_SERVICE_TOKEN", "fst_geheim"), ("FLEET_ADMIN_TOKEN", "geheim-geheim-geheim")];
    let config = load("", &variables, &[]).expect("valid");
    let shown = format!("{} {} {config:?}", config.to_toml(config.entries()), config.to_json(config.entries()));
    assert!(!shown.contains("geheim"), "{shown}");
    assert!(shown.contains("the token is set from $FLOIMG_SERVICE_TOKEN"), "{shown}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let error = refused("[clock]\n\"sp\\u001beed\" = 1\n", &[("FLEET__X\u{1b}[2J", "1")], &["seed=\u{1b}[2J"]);
    assert!(!error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn what_is_printed_loads_as_the_same() {
    let file = "[floimg.generators]\n\"a.b c\" = \"shapes\"\n[[bots]]\npersona = \"ai_artist\"\ncount = 2\n[[bots]]\nsize = 9\n";
    let config = load(file, &[("FLEET__CLOCK__SPEED", "7")], &["seed=a \"b\" 'c' \\ é"]).expect("valid");
    let again = load(&config.to_toml(config.entries()), &[], &[]).expect("valid");
    assert_eq!(config.changes(&again), []);
    let settings = |config: &Config| Settings::clone(config);
    assert_eq!(settings(&config), settings(&again));
    assert_eq!(again.seed, "a \"b\" 'c' \\ é");
}

#[test]
fn changes_say_which_need_a_restart() {
    let old = load("[limits]\nposts_per_day = 3\n[floimg.generators]\na = \"b\"\n", &[], &[]).expect("valid");
    let new = load("[limits]\nposts_per_day = 4\n[http]\nlisten = \"127.0.0.1:9\"\n[[bots]]\nsize = 1\n", &[], &[]);
    let changes = old.changes(&new.expect("valid"));
    let told: Vec<_> = changes
        .iter()
        .map(|change| {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            format!("{}: {} → {}, {}", change.key, side(&change.old), side(&change.new), change.needs_restart)
        })
        .collect();
    assert_eq!(
        told,
        [
            "floimg.generators.a: \"b\" → nothing, true",
            "http.listen: \"127.0.0.1:4748\" → \"127.0.0.1:9\", true",
            "limits.posts_per_day: 3 → 4, false",
            "bots: [{ size = 96 }] → [{ size = 1 }], false",
        ]
    );
    assert_eq!(old.changes(&old), []);
}

#[test]
fn a_missing_file_matters_only_when_it_was_named() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("none.toml");
    let with = |file| Config::load(&Sources { file, ..Sources::default() });
    assert!(with(ConfigFile::Optional(path.clone())).is_ok());
    let error = with(ConfigFile::Required(path)).expect_err("missing").to_string();
    assert!(error.contains("could not read the config file"), "{error}");
    assert!(with(ConfigFile::Optional(dir.path().to_owned())).is_err(), "a folder is no file that may be missing");
}

#[test]
fn an_admin_token_is_made_once_and_kept_for_its_owner() {
    let dir = TempDir::new().expect("a folder");
    let data = format!("data_dir={}", dir.path().join("data").display());
    let config = load("", &[], &[&data]).expect("valid");
    assert!(config.admin_token().expect("no file is fine").is_none());
    let made = config.admin_token_or_new().expect("made");
    assert!(made.expose().len() >= 32);
    assert!(config.admin_token_or_new().expect("kept") == made);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(config.admin_token_file()).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::write(config.admin_token_file(), "\n").expect("written");
    assert!(config.admin_token_or_new().is_err(), "an empty file must not open the fleet to an empty token");
    let config = load("", &[("FLEET_ADMIN_TOKEN", "from-the-environment")], &[&data]).expect("valid");
    assert_eq!(
        config.admin_token().expect("set").map(|token| token.expose().to_owned()).as_deref(),
        Some("from-the-environment")
    );
}
