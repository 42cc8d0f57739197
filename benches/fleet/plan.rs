//! The plan: which children to ask, how often, and what to make of their answers.

use std::time::Instant;

use anyhow::Context;

use crate::author;
use crate::child::{self, Answer};
use crate::report::{Report, Target, median};
use crate::rig::BUNDLED;

/// What to run.
#[derive(Default)]
pub struct Options {
    /// Fewer and shorter runs.
    pub is_quick: bool,
    /// JSON instead of a table.
    pub is_json: bool,
    /// Only these measurements; empty means all.
    pub only: Vec<String>,
}

/// The measurements, in the order of the report.
pub const NAMES: [&str; 12] = [
    "check",
    "save",
    "sleeping",
    "vms",
    "calls",
    "hook",
    "throughput",
    "lag",
    "hostile",
    "reload",
    "restart",
    "writes",
];

/// The speed of bots' time where a measurement does not need another.
const SPEED: f64 = 60.0;
/// A load that is a quarter of what the throughput is, or this many ticks a second when that was not measured.
const DEFAULT_RATE: f64 = 300.0;

struct Plan<'a> {
    options: &'a Options,
    root: String,
    report: Report,
    /// Ticks in a second that the machine does at most, building a VM for each.
    capacity: Option<f64>,
}

/// Runs everything that was asked for and prints the report.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    let root = tempfile::Builder::new().prefix("fleet-bench").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let path = root.path().to_str().context("the folder for measuring has a strange name")?.to_owned();
    let mut plan = Plan { options, root: path, report: Report::default(), capacity: None };
    for name in NAMES {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        if !options.is_json {
            eprintln!("measuring {name} …");
        }
        let measured = match name {
            "check" => plan.check(),
            "save" => plan.save(),
            "sleeping" => plan.sleeping(),
            "vms" => plan.vms(),
            "calls" => plan.calls(),
            "hook" => plan.hook(),
            "throughput" => plan.throughput(),
            "lag" => plan.lag(),
            "hostile" => plan.hostile(),
            "reload" => plan.reload(),
            "restart" => plan.restart(),
            _ => plan.writes(),
        };
        measured.with_context(|| format!("could not measure `{name}`"))?;
    }
    if options.is_json {
        plan.report.print_json(started.elapsed());
    } else {
        eprintln!();
        plan.report.print(started.elapsed());
    }
    Ok(())
}

impl Plan<'_> {
    fn runs(&self, most: usize) -> usize {
        if self.options.is_quick { 1 } else { most }
    }

    fn folder(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    /// A database with bots in it that have lived and wake one after the other.
    fn prepare(&self, name: &str, roster: &str, period: f64, speed: f64) -> anyhow::Result<String> {
        let folder = self.folder(name);
        // Made anew: bots that woke in an earlier run would wake at other times in this.
        if std::fs::exists(&folder)? {
            std::fs::remove_dir_all(&folder)?;
        }
        let values = [
            ("folder", folder.clone()),
            ("roster", roster.to_owned()),
            ("set", format!("clock.speed:{speed:?};reload.trial:false")),
            ("period", period.to_string()),
            ("speed", speed.to_string()),
        ];
        child::ask("prepare", &values)?;
        Ok(folder)
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let runs = author::checks(if self.options.is_quick { 5 } else { 15 })?;
        let what = "`fleet check` over all bundled scripts, from start to end";
        self.report.add_against("check", what, "ms", &runs, Some(Target::Most(300.0)));
        Ok(())
    }

    fn save(&mut self) -> anyhow::Result<()> {
        let runs = if self.options.is_quick { "5" } else { "15" };
        let values = [
            ("folder", self.folder("save")),
            ("roster", "marked:1".to_owned()),
            ("set", format!("clock.speed:{SPEED:?}")),
            ("runs", runs.to_owned()),
        ];
        let times = child::ask("saves", &values)?.list("times")?;
        let what = "save to the end of the first tick on it, one bot that is up";
        self.report.add_against("save", what, "ms", &times, Some(Target::Most(300.0)));
        Ok(())
    }

    fn sleeping(&mut self) -> anyhow::Result<()> {
        const MONTH: f64 = 30.0 * 86_400.0;
        let ask = |folder: &str, roster: &str| {
            let set = "clock.speed:1.0".to_owned();
            child::ask("sleep", &[("folder", folder.to_owned()), ("roster", roster.to_owned()), ("set", set)])
        };
        let empty_folder = self.prepare("sleep-0", "", MONTH, 1.0)?;
        for count in [1000_u32, 10_000] {
            let roster = format!("{BUNDLED}:{count}");
            let folder = self.prepare(&format!("sleep-{count}"), &roster, MONTH, 1.0)?;
            let mut runs = Vec::new();
            for _ in 0..self.runs(3) {
                let (empty, full) = (ask(&empty_folder, "")?, ask(&folder, &roster)?);
                runs.push((full.get("bytes")? - empty.get("bytes")?) / f64::from(count) / 1024.0);
            }
            let what = format!("memory of a sleeping bot, of {count}, over the empty host");
            let target = (count == 10_000).then_some(Target::Most(8.0));
            self.report.add_against("sleeping", what, "KiB", &runs, target);
        }
        Ok(())
    }

    fn vms(&mut self) -> anyhow::Result<()> {
        let count = if self.options.is_quick { "100" } else { "300" };
        let ask = |kind: &str| child::ask("vms", &[("kind", kind.to_owned()), ("count", count.to_owned())]);
        let (mut bare, mut fresh, mut lived) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.runs(3) {
            bare.push(ask("bare")?);
            fresh.push(ask("fresh")?);
            lived.push(ask("lived")?);
        }
        let all = |answers: &[Answer], name: &str| {
            answers.iter().map(|answer| answer.get(name)).collect::<Result<Vec<_>, _>>()
        };
        let ratios = |over: &[f64], under: &[f64]| -> Vec<f64> { over.iter().zip(under).map(|(a, b)| a / b).collect() };
        let (bare_kib, fresh_kib, lived_kib) = (all(&bare, "kib")?, all(&fresh, "kib")?, all(&lived, "kib")?);
        let report = &mut self.report;
        report.add("vms", "memory of a bare sandboxed VM that holds the bundled persona", "KiB", &bare_kib);
        report.add("vms", "memory of a bot's VM with it, built", "KiB", &fresh_kib);
        report.add("vms", "memory of a bot's VM with it, warm after 4 ticks", "KiB", &lived_kib);
        let target = Some(Target::Most(1.3));
        report.add_against("vms", "a built VM over a bare one", "×", &ratios(&fresh_kib, &bare_kib), target);
        report.add_against("vms", "a warm VM over a bare one", "×", &ratios(&lived_kib, &bare_kib), target);
        report.add("vms", "time to build a bare VM with it", "µs", &all(&bare, "micros")?);
        report.add("vms", "time to build a bot's VM with it", "µs", &all(&fresh, "micros")?);
        Ok(())
    }

    fn calls(&mut self) -> anyhow::Result<()> {
        let runs = if self.options.is_quick { 5 } else { 15 };
        // As many as one tick may make.
        let asked = [("root", self.root.clone()), ("runs", runs.to_string()), ("calls", "1000".to_owned())];
        let answer = child::ask("calls", &asked)?;
        let mut add = |what: &str, unit, name: &str| {
            self.report.add("calls", what, unit, &[answer.get(name)?]);
            anyhow::Ok(())
        };
        add("a bare function of mlua's", "ns", "bare_now")?;
        add("a bare async function that is ready", "ns", "bare_ready")?;
        add("a bare async function that waits once", "ns", "bare_waits")?;
        add("time.now()", "ns", "now")?;
        add("store.get() in a trial, which waits once", "ns", "trial_get")?;
        add("store.get() from the database", "ns", "live_get")?;
        add("time.now() over a bare function", "×", "now_ratio")?;
        add("store.get() in a trial over a bare async function that waits once", "×", "trial_ratio")?;
        add("store.get() from the database over the same", "×", "live_ratio")
    }

    fn hook(&mut self) -> anyhow::Result<()> {
        let calls = if self.options.is_quick { "500" } else { "3000" };
        let answer = child::ask("hooks", &[("root", self.root.clone()), ("calls", calls.to_owned())])?;
        let mut add = |what: &str, name: &str, target| {
            let (p50, p99) = (answer.get(name)?, answer.get(&format!("{name}_p99"))?);
            self.report.add_against("hook", format!("{what}, median"), "µs", &[p50], target);
            self.report.add("hook", format!("{what}, 99 % within"), "µs", &[p99]);
            anyhow::Ok(())
        };
        let target = Some(Target::Most(100.0));
        add("a plugin that allows", "allows", target)?;
        add("a plugin that reads the words", "reads", target)?;
        add("a plugin that changes the words", "changes", target)?;
        add("five plugins, one after the other", "five", None)?;
        add("a plugin that keeps a count, on the disk before the action goes on", "counts", None)
    }

    fn throughput(&mut self) -> anyhow::Result<()> {
        let seconds = if self.options.is_quick { "3" } else { "5" };
        let ask = |name: &str, roster: &str, set: &str| {
            child::ask(
                "throughput",
                &[
                    ("folder", self.folder(name)),
                    ("roster", roster.to_owned()),
                    ("set", set.to_owned()),
                    ("seconds", seconds.to_owned()),
                ],
            )
        };
        let runs = self.runs(3);
        let (mut cold, mut warm, mut bundled, mut acts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for run in 0..runs {
            let speed = "clock.speed:3600.0";
            cold.push(ask(&format!("cold-{run}"), "quiet:1000", &format!("{speed};runtime.warm_vms:0"))?.get("ticks")?);
            warm.push(
                ask(&format!("warm-{run}"), "quiet:1000", &format!("{speed};runtime.warm_vms:1000"))?.get("ticks")?,
            );
            let answer = ask(&format!("bundled-{run}"), &format!("{BUNDLED}:200"), "clock.speed:20000.0")?;
            bundled.push(answer.get("ticks")?);
            acts.push(answer.get("activities")?);
        }
        self.capacity = Some(median(&cold));
        let report = &mut self.report;
        report.add("throughput", "ticks of 1,000 quiet bots, a VM built for each", "a second", &cold);
        report.add("throughput", "ticks of 1,000 quiet bots, all VMs warm", "a second", &warm);
        report.add("throughput", "ticks of 200 bundled bots on the embedded studio", "a second", &bundled);
        report.add("throughput", "what these did in the gallery meanwhile", "a second", &acts);
        Ok(())
    }

    fn steady(&self, name: &str, roster: &str, period: f64, speed: f64) -> anyhow::Result<Answer> {
        let folder = self.prepare(name, roster, period, speed)?;
        let seconds = if self.options.is_quick { 4.0 } else { 6.0 };
        let set = format!(
            "clock.speed:{speed:?};reload.trial:false;runtime.retry_base_secs:1.0;runtime.retry_cap_secs:1.0;\
             runtime.quarantine_after:1000"
        );
        let values = [
            ("folder", folder),
            ("roster", roster.to_owned()),
            ("set", set),
            ("seconds", seconds.to_string()),
            ("speed", speed.to_string()),
        ];
        child::ask("steady", &values)
    }

    fn quarter(&self) -> f64 {
        self.capacity.map_or(DEFAULT_RATE, |capacity| (capacity / 4.0).max(10.0))
    }

    fn lag(&mut self) -> anyhow::Result<()> {
        let rate = self.quarter();
        let mut grown = Vec::new();
        let (mut p50, mut p99) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let counts = [1000_u32, 10_000];
        for _ in 0..self.runs(3) {
            let mut bytes = Vec::new();
            for (nth, count) in counts.into_iter().enumerate() {
                let answer = self.steady("lag", &format!("quiet:{count}"), f64::from(count) / rate, SPEED)?;
                p50[nth].push(answer.get("p50")?);
                p99[nth].push(answer.get("p99")?);
                bytes.push(answer.get("bytes")?);
            }
            grown.push((bytes[1] - bytes[0]) / f64::from(counts[1] - counts[0]) / 1024.0);
        }
        for (nth, count) in counts.into_iter().enumerate() {
            let load = format!("{count} bots, {rate:.0} wake-ups a second");
            self.report.add("lag", format!("due to first line of the script, p50: {load}"), "ms", &p50[nth]);
            self.report.add("lag", format!("due to first line of the script, p99: {load}"), "ms", &p99[nth]);
        }
        let what = "memory of each further bot at this load, from 1,000 to 10,000";
        self.report.add_against("lag", what, "KiB", &grown, Some(Target::Most(8.0)));
        Ok(())
    }

    fn hostile(&mut self) -> anyhow::Result<()> {
        let rate = self.quarter();
        let period = 100.0 / rate;
        let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.runs(3) {
            let alone = self.steady("alone", "quiet:100", period, SPEED)?.get("p99")?;
            let beside = self.steady("hostile", "quiet:100,hostile:1", period, SPEED)?;
            anyhow::ensure!(beside.get("failed")? > 5.0, "the endless loop was not stopped over and over");
            without.push(alone);
            with.push(beside.get("p99")?);
            ratios.push(beside.get("p99")? / alone);
        }
        let report = &mut self.report;
        let load = format!("100 bots, {rate:.0} wake-ups a second");
        report.add("hostile", format!("lag p99 alone: {load}"), "ms", &without);
        report.add("hostile", "lag p99 beside an endless loop that is always tried again", "ms", &with);
        report.add_against("hostile", "the second over the first", "×", &ratios, Some(Target::Most(2.0)));
        Ok(())
    }

    fn reload(&mut self) -> anyhow::Result<()> {
        let count = 10_000_u32;
        let roster = format!("marked:{count}");
        let (mut accepted, mut last) = (Vec::new(), Vec::new());
        let (mut stale, mut lost, mut mixed, mut wakes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.runs(3) {
            // A hundred wake by themselves in every second, so that the save falls among ticks.
            let folder = self.prepare("reload", &roster, f64::from(count) / 100.0, SPEED)?;
            let values = [
                ("folder", folder),
                ("roster", roster.clone()),
                ("set", format!("clock.speed:{SPEED:?}")),
                ("count", count.to_string()),
                ("speed", SPEED.to_string()),
            ];
            let answer = child::ask("reload", &values)?;
            for (runs, name) in [
                (&mut accepted, "accepted"),
                (&mut last, "last"),
                (&mut stale, "stale"),
                (&mut lost, "lost"),
                (&mut mixed, "mixed"),
                (&mut wakes, "wakes"),
            ] {
                runs.push(answer.get(name)?);
            }
        }
        let report = &mut self.report;
        let none = Some(Target::Just(0.0));
        report.add_against("reload", "save to accepted, 10,000 bots", "s", &accepted, Some(Target::Most(1.0)));
        report.add("reload", "save to the last of 10,000 bots on it, reload = \"now\"", "s", &last);
        report.add("reload", "wake-ups looked at, later than 1 s after the save", "", &wakes);
        report.add_against("reload", "of these on the old version", "", &worst(&stale), none);
        report.add_against("reload", "ticks lost or failed", "", &worst(&lost), none);
        report.add_against("reload", "ticks on a mixture of two versions", "", &worst(&mixed), none);
        Ok(())
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        let roster = "quiet:10000";
        // They are long due when the fleet starts.
        let folder = self.prepare("restart", roster, 0.0, 0.001)?;
        let (mut loaded, mut ticked) = (Vec::new(), Vec::new());
        for _ in 0..self.runs(5) {
            let set = format!("clock.speed:{SPEED:?}");
            let values = [("folder", folder.clone()), ("roster", roster.to_owned()), ("set", set)];
            let answer = child::ask("restart", &values)?;
            loaded.push(answer.mark("loaded")?.as_secs_f64());
            ticked.push(answer.mark("ticked")?.as_secs_f64());
        }
        self.report.add("restart", "process start to 10,000 bots loaded", "s", &loaded);
        let target = Some(Target::Most(2.0));
        self.report.add_against("restart", "process start to the first tick of 10,000 bots", "s", &ticked, target);
        Ok(())
    }

    fn writes(&mut self) -> anyhow::Result<()> {
        let (mut one, mut group) = (Vec::new(), Vec::new());
        for run in 0..self.runs(3) {
            let values = [("folder", self.folder(&format!("writes-{run}"))), ("runs", "20".to_owned())];
            let answer = child::ask("writes", &values)?;
            one.push(answer.get("one")?);
            group.push(answer.get("group")?);
        }
        self.report.add("writes", "one tick written and on the disk", "ms", &one);
        self.report.add("writes", "512 ticks written together and on the disk", "ms", &group);
        Ok(())
    }
}

/// The worst of all runs, where a median would hide what must never be.
fn worst(runs: &[f64]) -> [f64; 1] {
    [runs.iter().copied().fold(0.0, f64::max)]
}
