//! The report: a table for people, or JSON.

use std::time::Duration;

use serde_json::json;

/// One figure.
pub struct Row {
    /// The measurement that brought it, for `--only`.
    pub name: &'static str,
    /// What it is.
    pub what: String,
    /// What came out, in the unit of [`Row::unit`].
    pub figure: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The lowest and the highest of all runs.
    pub range: (f64, f64),
    /// What it should be.
    pub target: Option<Target>,
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most this.
    Most(f64),
    /// Exactly this.
    Just(f64),
}

impl Target {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::Most(most) => figure <= most,
            Self::Just(just) => (figure - just).abs() < f64::EPSILON,
        }
    }
}

/// All figures and the machine they are from.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a figure: the median of some runs.
    pub fn add(&mut self, name: &'static str, what: impl Into<String>, unit: &'static str, runs: &[f64]) {
        self.add_against(name, what, unit, runs, None);
    }

    /// Adds a figure that has a target.
    pub fn add_against(
        &mut self,
        name: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        runs: &[f64],
        target: Option<Target>,
    ) {
        let range = (runs.iter().copied().fold(f64::MAX, f64::min), runs.iter().copied().fold(f64::MIN, f64::max));
        self.rows.push(Row { name, what: what.into(), figure: median(runs), unit, range, target });
    }

    /// Prints the table.
    pub fn print(&self, took: Duration) {
        println!("{}\n", machine());
        let lines: Vec<[String; 5]> = self.rows.iter().map(line).collect();
        let heads = ["what", "median", "lowest to highest", "target", "cargo bench --"];
        let width = |column: usize| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.chain([heads[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let print = |cells: [&str; 5]| {
            let padded: Vec<String> = cells
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
                .collect();
            println!("{}", padded.join("  ").trim_end());
        };
        print(heads);
        for line in &lines {
            print([&line[0], &line[1], &line[2], &line[3], &line[4]]);
        }
        let missed = self.rows.iter().filter(|row| row.target.is_some_and(|target| !target.is_met(row.figure))).count();
        let aimed = self.rows.iter().filter(|row| row.target.is_some()).count();
        println!("\n{} of {aimed} targets met, in {:.0} s", aimed - missed, took.as_secs_f64());
    }

    /// Prints the same as JSON.
    pub fn print_json(&self, took: Duration) {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                let (target, met) = match row.target {
                    Some(target @ Target::Most(most)) => (json!({ "at_most": most }), json!(target.is_met(row.figure))),
                    Some(target @ Target::Just(just)) => (json!({ "exactly": just }), json!(target.is_met(row.figure))),
                    None => (json!(null), json!(null)),
                };
                json!({
                    "name": row.name, "what": row.what, "median": row.figure, "unit": row.unit, "lowest": row.range.0,
                    "highest": row.range.1, "target": target, "met": met,
                    "command": format!("cargo bench -- --only {}", row.name)
                })
            })
            .collect();
        println!("{:#}", json!({ "machine": machine(), "seconds": took.as_secs_f64(), "figures": rows }));
    }
}

fn line(row: &Row) -> [String; 5] {
    let target = row.target.map_or(String::new(), |target| {
        let word = match target {
            Target::Most(most) => format!("at most {}", shown(most, row.unit)),
            Target::Just(just) => format!("exactly {}", shown(just, row.unit)),
        };
        format!("{word}: {}", if target.is_met(row.figure) { "met" } else { "MISSED" })
    });
    [
        row.what.clone(),
        shown(row.figure, row.unit),
        format!("{} to {}", shown(row.range.0, row.unit), shown(row.range.1, row.unit)),
        target,
        format!("--only {}", row.name),
    ]
}

fn shown(figure: f64, unit: &str) -> String {
    let digits = match figure.abs() {
        0.0 => 0,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let gap = if unit.is_empty() { "" } else { " " };
    format!("{figure:.digits$}{gap}{unit}")
}

/// The middle of some figures.
pub fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (_, None) => f64::NAN,
        (1, Some(figure)) => *figure,
        (_, Some(upper)) => (upper + sorted[middle - 1]) / 2.0,
    }
}

/// Which machine this is.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    let memory = read("/proc/meminfo");
    let kib: f64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0.0);
    format!(
        "{} with {cores} cores, {:.0} GiB, Linux {}",
        model.unwrap_or("unknown processor").trim(),
        kib / 1024.0 / 1024.0,
        kernel.trim()
    )
}
