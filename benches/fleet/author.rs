//! What an author waits for: the check of all scripts, and the first tick after a save.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use floimg_fleet::model::name::PersonaName;
use serde_json::{Value, json};

use crate::child::Asked;
use crate::live::{folder, pause, write_config};
use crate::rig::{self, Running, Script};

/// Saves a persona over and over under one bot that is up, and times each save up to the end of the first tick on it.
pub async fn saves(asked: &Asked) -> anyhow::Result<Value> {
    let runs: u32 = asked.number("runs")?;
    let folder = folder(asked)?;
    // A tick in every second of bots' time.
    rig::write_script(&folder, &Script::Marked(1.0))?;
    write_config(asked)?;
    let running = Running::start(rig::build(&folder).await?);
    let persona = PersonaName::new("marked")?;
    let state = async || {
        let found = running.fleet.scripts().await?.into_iter().find(|script| script.persona == persona);
        let script = found.context("the persona is gone")?;
        let id = script.version.context("the persona has no version")?;
        let on_it = script.ran.get(id.as_str()).copied().unwrap_or(0);
        anyhow::Ok((id, on_it))
    };
    while state().await?.1 == 0 {
        pause(0.01).await;
    }
    let mut times = Vec::new();
    for mark in 2..2 + runs {
        let (old, _) = state().await?;
        rig::mark(&folder, mark)?;
        let saved = Instant::now();
        loop {
            let (id, on_it) = state().await?;
            if id != old && on_it == 1 {
                break;
            }
            anyhow::ensure!(saved.elapsed() < Duration::from_secs(30), "no tick on the saved version within 30 s");
            pause(0.001).await;
        }
        times.push(saved.elapsed().as_secs_f64() * 1e3);
        pause(0.3).await;
    }
    running.stop().await?;
    Ok(json!({ "times": times }))
}

/// Runs `fleet check` on the bundled scripts so many times; answers milliseconds.
pub fn checks(runs: usize) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
        command.arg("check").current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).stdout(Stdio::null());
        let started = Instant::now();
        let status = command.status().context("could not start `fleet check`")?;
        anyhow::ensure!(status.success(), "`fleet check` found something wrong in the bundled scripts");
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}
