//! The rig: a folder with scripts, a config and a database, and a fleet that runs on it.
//!
//! Nothing is shared with the operator's own folders, and the folder is gone when the benchmark ends.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use floimg_fleet::app::{App, Options};
use floimg_fleet::config::{Config, ConfigFile, Sources};
use floimg_fleet::runtime::fleet::Fleet;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The bundled persona that stands for all of them.
pub const BUNDLED: &str = "ai_artist";

/// Where the measured scripts and databases lie.
pub fn folder(root: &str, name: &str) -> PathBuf {
    Path::new(root).join(name)
}

/// Scripts that were written for measuring.
pub enum Script {
    /// Counts its ticks and wakes again after so many seconds of bots' time; notes how late it was.
    Quiet(f64),
    /// Never ends.
    Hostile,
    /// Notes which version ran each wake, and whether all of it was of that version.
    Marked(f64),
}

impl Script {
    /// Its persona's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Quiet(_) => "quiet",
            Self::Hostile => "hostile",
            Self::Marked(_) => "marked",
        }
    }

    /// Its persona's file.
    pub fn text(&self) -> String {
        let (head, reload, body) = match self {
            Self::Quiet(pause) => (
                "",
                "next_tick",
                format!(
                    "local state, now = bot.state, time.now()
                    state.count = (state.count or 0) + 1
                    local late = state.late or {{}}
                    if state.due and #late < 40 then table.insert(late, now - state.due) end
                    state.late, state.due = late, now + {pause}
                    return {pause}"
                ),
            ),
            Self::Hostile => ("", "next_tick", "while true do end".to_owned()),
            Self::Marked(pause) => (
                "local one, two = require('@lib/one'), require('@lib/two')",
                "now",
                format!(
                    "local state, now, mark = bot.state, time.now(), one.mark
                    state.count = (state.count or 0) + 1
                    if rand.chance(0.1) then time.sleep(1) end
                    if two.mark ~= mark or one.mark ~= mark then state.mixed = (state.mixed or 0) + 1 end
                    local wakes = state.wakes or {{}}
                    table.insert(wakes, {{ at = now, mark = mark }})
                    if #wakes > 8 then table.remove(wakes, 1) end
                    state.wakes = wakes
                    return {pause}"
                ),
            ),
        };
        let name = self.name();
        format!(
            "{head}
            return {{
                name = '{name}', reload = '{reload}',
                identity = {{ names = {{ '{name} {{n}}' }}, username = '{name}_{{n}}' }},
                schedule = {{ timezone = 'UTC', awake = '00:00-00:00' }},
                on_tick = function(bot)
                    {body}
                end,
            }}"
        )
    }
}

/// Writes a script into a rig's folder.
pub fn write_script(folder: &Path, script: &Script) -> anyhow::Result<()> {
    let personas = folder.join("scripts/personas");
    std::fs::create_dir_all(&personas)?;
    if matches!(script, Script::Marked(_)) {
        mark(folder, 1)?;
    }
    Ok(std::fs::write(personas.join(format!("{}.luau", script.name())), script.text())?)
}

/// Saves the two files of a marked version, one right after the other, as editors save: by renaming.
pub fn mark(folder: &Path, mark: u32) -> anyhow::Result<()> {
    let lib = folder.join("scripts/lib");
    std::fs::create_dir_all(&lib)?;
    for name in ["one", "two"] {
        std::fs::write(lib.join(format!("{name}.tmp")), format!("return {{ mark = {mark} }}"))?;
    }
    for name in ["one", "two"] {
        std::fs::rename(lib.join(format!("{name}.tmp")), lib.join(format!("{name}.luau")))?;
    }
    Ok(())
}

/// Copies the scripts that are shipped.
pub fn write_bundled(folder: &Path) -> anyhow::Result<()> {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts"), &folder.join("scripts"))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("could not read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Writes the config of a rig: so many bots of each persona, and some keys that differ from the defaults.
pub fn write_config(folder: &Path, roster: &[(&str, u32)], keys: &[(&str, String)]) -> anyhow::Result<()> {
    let mut text = String::new();
    // Without a folder of its own a rig would run the plugins that are shipped.
    std::fs::create_dir_all(folder.join("plugins"))?;
    for key in ["data_dir", "scripts_dir", "plugins_dir"] {
        let path = folder.join(key.trim_end_matches("_dir"));
        writeln!(text, "{key} = {:?}", path.to_string_lossy())?;
    }
    writeln!(text, "studio.listen = \"127.0.0.1:0\"\nhttp.listen = \"127.0.0.1:0\"")?;
    // The gate stands for a real studio's limits; here it would be what is measured.
    writeln!(text, "floimg.reads_per_sec = 10000\nfloimg.writes_per_sec = 10000\nfloimg.max_concurrent = 256")?;
    for (key, value) in keys {
        writeln!(text, "{key} = {value}")?;
    }
    if roster.is_empty() {
        writeln!(text, "[[bots]]\nsize = 0")?;
    }
    for (persona, count) in roster {
        writeln!(text, "[[bots]]\npersona = \"{persona}\"\ncount = {count}")?;
    }
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join("config.toml"), text)?)
}

/// Opens everything in a rig's folder.
pub async fn build(folder: &Path) -> anyhow::Result<App> {
    let sources = Sources { file: ConfigFile::Required(folder.join("config.toml")), ..Sources::default() };
    let config = Config::load(&sources).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    App::build(config, sources, Options::default()).await
}

/// A fleet that runs.
pub struct Running {
    /// Its handle.
    pub fleet: Fleet,
    stop: CancellationToken,
    app: JoinSet<anyhow::Result<()>>,
}

impl Running {
    /// Lets a fleet run.
    pub fn start(app: App) -> Self {
        let (fleet, stop) = (app.fleet(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(app.serve(stop.clone()));
        Self { fleet, stop, app: tasks }
    }

    /// Stops it as an operator would.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.app.join_next().await {
            ended??;
        }
        Ok(())
    }
}
