//! What a change must pass: the same on a developer's machine and in a fresh clone.

use std::time::Instant;

use crate::program::{cargo, run as run_program};
use crate::{Result, fuzz, test, tidy};

type Step = fn() -> Result;

const STEPS: &[(&str, Step)] = &[
    ("format", format),
    ("clippy", clippy),
    ("docs", docs),
    ("tidy", tidy::run),
    ("test", test::run),
    ("fuzz", || fuzz::run(&["--smoke"])),
];

/// Runs every step, also after one that failed, and ends with a table.
pub(crate) fn run() -> Result {
    let mut table = String::new();
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        eprintln!("== {name}");
        let start = Instant::now();
        let outcome = step();
        let seconds = start.elapsed().as_secs();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        table += &format!("{name:<8} {word:<7} {seconds:>5} s\n");
        if let Err(error) = outcome {
            eprintln!("xtask: {name}: {error}");
            failed.push(*name);
        }
    }
    eprint!("{table}");
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn format() -> Result {
    run_program(&mut cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Result {
    let scope = ["clippy", "--locked", "--workspace", "--all-targets"];
    run_program(cargo(&scope).args(["--", "-D", "warnings"]))
}

fn docs() -> Result {
    let scope = ["doc", "--locked", "--workspace", "--no-deps"];
    run_program(cargo(&scope).env("RUSTDOCFLAGS", "-D warnings"))
}
