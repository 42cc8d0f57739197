//! What being asked costs: a bot's wait for the plugins before an action, from the question to the verdict.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use floimg_fleet::host::hooks::{About, Asked as Action, Verdict};
use floimg_fleet::host::words::Words;
use floimg_fleet::model::action::ActionKind;
use floimg_fleet::runtime::plugins::view::PluginState;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use crate::child::Asked;
use crate::report::median;
use crate::rig::{self, Running};

/// A plugin that has no objection.
const ALLOWS: &str = "return { before_action = function(action) end }";
/// One that looks at every word, as a guard does.
const READS: &str = "
    local words = { 'spam', 'scam', 'casino', 'lottery', 'click here', 'free money', 'follow me', 'buy now' }
    return { on_error = 'deny', before_action = function(action)
        if not action.text then return end
        local text = string.lower(action.text)
        if #text > 500 then return { deny = 'too long' } end
        for _, word in words do
            if string.find(text, word, 1, true) then return { deny = word } end
        end
    end }";
/// One that changes the words.
const CHANGES: &str = "
    return { before_action = function(action)
        if action.text then return { change = { text = action.text .. ' Truly.' } } end
    end }";
/// One that keeps a count, which is on the disk before the action goes on.
const COUNTS: &str = "
    return { before_action = function(action) plugin.state.asked = (plugin.state.asked or 0) + 1 end }";

/// Microseconds that a question takes, at the median and at the 99th percentile, for each of some sets of plugins.
pub async fn prices(asked: &Asked) -> anyhow::Result<Value> {
    let calls: usize = asked.number("calls")?;
    let sets: [(&str, &[&str]); 5] = [
        ("allows", &[ALLOWS]),
        ("reads", &[READS]),
        ("changes", &[CHANGES]),
        ("five", &[READS, ALLOWS, READS, ALLOWS, CHANGES]),
        ("counts", &[COUNTS]),
    ];
    let mut figures = Map::new();
    for (name, plugins) in sets {
        let folder = rig::folder(asked.text("root")?, &format!("hook-{name}"));
        rig::write_script(&folder, &rig::Script::Quiet(1e6))?;
        for (nth, text) in plugins.iter().enumerate() {
            write(&folder, &format!("{name}_{nth}"), text)?;
        }
        rig::write_config(&folder, &[], &[])?;
        let running = Running::start(rig::build(&folder).await?);
        // Counting waits for the disk.
        let mut micros = ask(&running, if name == "counts" { calls / 10 } else { calls }).await?;
        micros.sort_by(f64::total_cmp);
        figures.insert(name.to_owned(), median(&micros).into());
        figures.insert(format!("{name}_p99"), micros[micros.len() * 99 / 100].into());
        running.stop().await?;
    }
    Ok(Value::Object(figures))
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let plugin = folder.join("plugins").join(name);
    std::fs::create_dir_all(&plugin)?;
    Ok(std::fs::write(plugin.join("init.luau"), text)?)
}

/// Asks as an action does, where actions run; the first questions build the plugins' VMs, and do not count.
async fn ask(running: &Running, calls: usize) -> anyhow::Result<Vec<f64>> {
    const FIRST: usize = 50;
    let plugins = running.fleet.plugins();
    let all_run = plugins.iter().all(|view| view.state == PluginState::Running);
    anyhow::ensure!(all_run && !plugins.is_empty(), "the plugins do not run: {plugins:?}");
    let hooks = running.fleet.world().hooks.clone();
    let asking = async move {
        let mut micros = Vec::with_capacity(calls);
        for nth in 0..FIRST + calls {
            let action = Action {
                kind: ActionKind::Comment,
                bot: "quiet-1".parse()?,
                name: "Quiet Prism".into(),
                username: "quiet_1".into(),
                about: About { post: Some("p1".to_owned()), post_author: Some("mira".to_owned()), ..About::default() },
                words: Words::Comment("The light on the water is what makes this one; the boats can wait.".to_owned()),
            };
            let started = Instant::now();
            let verdict = hooks.before(action).await;
            let took = started.elapsed().as_secs_f64() * 1e6;
            anyhow::ensure!(matches!(verdict, Verdict::Allow | Verdict::Change(..)), "{verdict:?}");
            if nth >= FIRST {
                micros.push(took);
            }
        }
        anyhow::Ok(micros)
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(asking);
    tasks.join_next().await.context("nobody asked")??
}
