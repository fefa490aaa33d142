//! Every test of the workspace on a machine that has Rust and a C compiler.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{cargo, shown};
use crate::{Result, matrix, peers, suites};

/// Carried by each process that a test starts, so that what it leaves behind is found.
const RUN_MARK: &str = "QUIVIVE_TEST_RUN";

/// Names the folder of suites: with it a test that misses its suite fails.
const SUITES: &str = "QUIVIVE_SUITES";

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// Fetches what tests need, runs them, and ends with the line `N passed, N failed`.
pub(crate) fn run() -> Result {
    let mut tally = Tally::default();
    let outcome = prepare()
        .and_then(|suites| run_tests(&suites, &mut tally))
        .and_then(|()| matrix::compare());
    if outcome.is_err() && tally.failed == 0 {
        // A test program that could not be had, or that died before its own summary.
        tally.failed = 1;
    }
    if let Err(error) = &outcome {
        eprintln!("xtask: {error}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 { Ok(()) } else { Err("tests failed".into()) }
}

fn prepare() -> Result<PathBuf> {
    peers::unpack()?;
    matrix::clear()?;
    suites::fetch()
}

fn run_tests(suites: &Path, tally: &mut Tally) -> Result {
    let mark = format!("{RUN_MARK}={}", std::process::id());
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.env(RUN_MARK, std::process::id().to_string()).env(SUITES, suites);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    eprintln!("+ {}", shown(&command));
    let mut child = command.spawn()?;
    let output = child.stdout.take().expect("the output is piped");
    for line in BufReader::new(output).lines() {
        let line = line?;
        tally.add(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    end_leftovers(&mark)?;
    if status.success() { Ok(()) } else { Err(format!("cargo test: {status}").into()) }
}

impl Tally {
    /// Adds a line like `test result: ok. 5 passed; 0 failed; 0 ignored; ...`; ignores all others.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|l| l.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse::<u64>().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse::<u64>().unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// Ends, each by its id, the processes that carry the mark of this run.
fn end_leftovers(mark: &str) -> Result {
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.bytes().all(|octet| octet.is_ascii_digit()) && carries(&path, mark) {
            let what = fs::read_to_string(path.join("comm")).unwrap_or_default();
            eprintln!("left behind by a test, ended: {name} {}", what.trim());
            Command::new("kill").args(["-KILL", &name]).status()?;
        }
    }
    Ok(())
}

fn carries(process: &Path, mark: &str) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    environment.split(|octet| *octet == 0).any(|entry| entry == mark.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn summaries_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "test a::b ... ok",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            tally.add(line);
        }
        assert_eq!((tally.passed, tally.failed), (7, 3));
    }

    #[test]
    fn a_process_is_known_by_its_mark() {
        let mut child = Command::new("cat")
            .env(RUN_MARK, "a test of the mark")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // An echo says that the program has been entered and has its environment.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let process = Path::new("/proc").join(child.id().to_string());
        assert!(carries(&process, "QUIVIVE_TEST_RUN=a test of the mark"));
        assert!(!carries(&process, "QUIVIVE_TEST_RUN=another"));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
