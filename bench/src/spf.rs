//! Processor time of an SPF check whose answers are in memory.

mod instructions;
pub(crate) mod peers;
mod rounds;
pub mod subject;
mod tables;
mod threads;
pub(crate) mod worker;

use std::fmt::Write;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

use indicatif::ProgressBar;

use crate::corpus::{self, Corpus};
use crate::progress;
use rounds::{Row, measure};
use worker::Worker;

pub(crate) use peers::pyspf_packages;

/// Growth is a matter of factors: fewer rounds do.
const GROWTH_ROUNDS: usize = 5;

/// Measures everything in `rounds` rounds; tables, as text.
///
/// # Errors
/// No corpus, or our own measured programs do not run. A missing peer is said in the report.
pub fn run(rounds: usize) -> Result<String> {
    let folder = root().join("target/bench");
    let corpus = corpus::find()?;
    corpus.write(&folder)?;
    // The mix, parsing, and instructions beside the groups.
    let bar = progress::bar(corpus.growth.len() + 4, "tables");
    bar.tick();
    let (mut workers, skipped) = workers(&folder)?;
    let mut text = tables::heading(&corpus, rounds);
    text += &tables::mix(&step(&bar, || measure(&mut workers, 0, rounds))?);
    text += &tables::parsing(&step(&bar, || measure(&mut parsers(&folder)?, 0, rounds))?);
    text += &tables::growth(&growth(&mut workers, &corpus, rounds, &bar)?);
    text += &step(&bar, || threads::report(&folder, rounds))?;
    text += &step(&bar, || Ok(instructions::report(&workers, &corpus)))?;
    bar.finish_and_clear();
    for reason in skipped {
        writeln!(text, "\nskipped: {reason}").ok();
    }
    Ok(text)
}

fn step<T>(bar: &ProgressBar, make: impl FnOnce() -> Result<T>) -> Result<T> {
    let made = make();
    bar.inc(1);
    made
}

fn growth(
    workers: &mut [Worker],
    corpus: &Corpus,
    rounds: usize,
    bar: &ProgressBar,
) -> Result<Vec<(String, Vec<Row>)>> {
    let rounds = rounds.min(GROWTH_ROUNDS);
    let groups = corpus.growth.iter().enumerate().map(|(group, queries)| {
        let rows = step(bar, || measure(workers, group + 1, rounds))?;
        Ok((queries.name.clone(), rows))
    });
    groups.collect()
}

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
    for library in peers::LIBRARIES {
        peer(library.command(folder), library.name);
    }
    peer(peers::libspf2(folder), peers::LIBSPF2);
    peer(peers::pyspf(folder), peers::PYSPF);
    for name in subject::NAMES {
        workers.push(Worker::start(name, own(&["subject", name], folder)?)?);
    }
    Ok((workers, skipped))
}

/// Those of the libraries and ours that do something else than check one query after the other, as
/// `argument` says; what is missing of the libraries is said elsewhere.
fn others(folder: &Path, argument: &str, own_name: &str) -> Result<Vec<Worker>> {
    let mut workers = Vec::new();
    for library in peers::LIBRARIES {
        let Ok(mut command) = library.command(folder) else { continue };
        command.arg(argument);
        workers.push(Worker::start(library.name, command)?);
    }
    workers.push(Worker::start(own_name, own(&["subject", argument], folder)?)?);
    Ok(workers)
}

/// The programs that parse records, the yardstick first.
fn parsers(folder: &Path) -> Result<Vec<Worker>> {
    others(folder, subject::PARSE, "quivive")
}

fn own(words: &[&str], folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).arg(folder);
    Ok(command)
}
