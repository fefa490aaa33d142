//! Processor time of an SPF check whose answers are in memory.

mod instructions;
mod peers;
pub mod subject;
mod worker;

use std::fmt;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use quivive_bench_measure::Pass;

use crate::corpus::{self, Corpus};
use crate::series::Series;
use crate::table::Table;
use worker::Worker;

pub(crate) use peers::pyspf_packages;

/// How long a pass takes at least, in nanoseconds of processor time: well above the clock's ticks.
const PASS_NANOSECONDS: u64 = 80_000_000;

/// Rounds of a program that is so slow that one pass takes longer than [`SLOW_NANOSECONDS`].
const SLOW_ROUNDS: usize = 3;
const SLOW_NANOSECONDS: u64 = 1_000_000_000;

/// What was measured, as tables.
pub struct Report {
    text: String,
}

/// Measures everything in `rounds` rounds.
///
/// # Errors
/// No corpus, or our own measured programs do not run. A missing peer is said in the report.
pub fn run(rounds: usize) -> Result<Report> {
    let folder = root().join("target/bench");
    let corpus = corpus::find()?;
    corpus.write(&folder)?;
    let (mut workers, skipped) = workers(&folder)?;
    let mix = measure(&mut workers, 0, rounds)?;
    let growth: Result<Vec<(String, Vec<Row>)>> = corpus
        .growth
        .iter()
        .enumerate()
        .map(|(group, queries)| {
            let rows = measure(&mut workers, group + 1, rounds.min(GROWTH_ROUNDS))?;
            Ok((queries.name.clone(), rows))
        })
        .collect();
    let mut text = heading(&corpus, rounds);
    text += &mix_table(&mix).to_string();
    text += &growth_heading();
    text += &growth_table(&growth?).to_string();
    text += &instructions::report(&workers, &folder, corpus.mix.len());
    for reason in skipped {
        text += &format!("\nskipped: {reason}\n");
    }
    Ok(Report { text })
}

/// Growth is a matter of factors: fewer rounds do.
const GROWTH_ROUNDS: usize = 5;

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The measured programs, the yardstick first, and why any is missing.
fn workers(folder: &Path) -> Result<(Vec<Worker>, Vec<String>)> {
    let (mut workers, mut skipped) = (Vec::new(), Vec::new());
    let mut peer = |command: std::result::Result<_, String>, name: &str| {
        let worker = command
            .and_then(|command| Worker::start(name, command).map_err(|error| error.to_string()));
        match worker {
            Ok(worker) => workers.push(worker),
            Err(reason) => skipped.push(format!("{name}: {reason}")),
        }
    };
    peer(peers::mail_auth(&root(), folder), "mail-auth 0.13.3");
    peer(peers::pyspf(&root(), folder), "pyspf 2.0.14");
    for name in subject::NAMES {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.args(["subject", name]).arg(folder);
        workers.push(Worker::start(name, command)?);
    }
    Ok((workers, skipped))
}

/// What one program did with one group of queries.
struct Row {
    name: String,
    /// Nanoseconds a check.
    cost: Series,
    last: Pass,
}

/// Lets every program pass over a group in turn, round by round; who begins changes every round.
fn measure(workers: &mut [Worker], group: usize, rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut plans = Vec::new();
    for worker in &mut *workers {
        // The first pass also fills whatever the program keeps.
        let cold = worker.pass(group, 1)?;
        let slow = cold.nanoseconds > SLOW_NANOSECONDS;
        let last = if slow { cold } else { worker.pass(group, 1)? };
        let repeats = PASS_NANOSECONDS.div_ceil(last.nanoseconds.max(1));
        let repeats = usize::try_from(repeats).map_err(Error::other)?;
        plans.push((repeats, if slow { rounds.min(SLOW_ROUNDS) } else { rounds }));
        rows.push(Row { name: worker.name().to_owned(), cost: Series::default(), last });
    }
    for round in 0..rounds {
        for turn in 0..workers.len() {
            let index = (round + turn) % workers.len();
            let (repeats, rounds) = plans[index];
            if round < rounds {
                let pass = workers[index].pass(group, repeats)?;
                rows[index].cost.add(pass.nanoseconds as f64 / pass.checks as f64);
                rows[index].last = pass;
            }
        }
    }
    Ok(rows)
}

fn heading(corpus: &Corpus, rounds: usize) -> String {
    format!(
        "SPF, answers in memory: {} queries ({}), {rounds} interleaved rounds.\n\
         speed: how many checks in the time of one of the first row; median of the ratios of a \
         round, with half the\ndistance between the first and the ninth tenth as noise. Below 20 % \
         a difference says nothing.\n\n",
        corpus.mix.len(),
        corpus.origin,
    )
}

fn mix_table(rows: &[Row]) -> Table {
    let mut table =
        Table::new(&["", "speed", "noise", "allocations a check", "right", "us a check"]);
    let yardstick = &rows[0].cost;
    for row in rows {
        let speed = yardstick.ratio_to(&row.cost);
        let checks = row.last.checks as f64;
        let allocations = row
            .last
            .allocations
            .map_or("?".to_owned(), |count| format!("{:.1}", count as f64 / checks));
        table.row(vec![
            row.name.clone(),
            ratio(speed.median()),
            format!("{:.0} %", speed.noise() * 100.0),
            allocations,
            format!("{:.2} %", row.last.right as f64 / checks * 100.0),
            format!("{:.2}", row.cost.median() / 1000.0),
        ]);
    }
    table
}

fn growth_heading() -> String {
    "\nHow cost grows: speed against the first column's program on the same queries (us a check).\n\n"
        .to_owned()
}

fn growth_table(groups: &[(String, Vec<Row>)]) -> Table {
    let names = groups.first().map_or(&[][..], |(_, rows)| rows);
    let mut headings = vec![""];
    headings.extend(names.iter().map(|row| row.name.as_str()));
    let mut table = Table::new(&headings);
    for (name, rows) in groups {
        let yardstick = &rows[0].cost;
        let mut cells = vec![name.clone()];
        for row in rows {
            let speed = yardstick.ratio_to(&row.cost).median();
            cells.push(format!("{} ({:.2})", ratio(speed), row.cost.median() / 1000.0));
        }
        table.row(cells);
    }
    table
}

/// Two significant digits and a bit.
fn ratio(value: f64) -> String {
    match value {
        value if value >= 10.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value if value >= 0.1 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}
