//! Developer commands of Quivive: `cargo xtask COMMAND`.
//!
//! Progress goes to standard error, what a command was asked for to standard output.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

mod apt;
mod bench;
mod ci;
mod differential;
mod fuzz;
mod matrix;
mod peers;
mod program;
mod soak;
mod suites;
mod test;
mod tidy;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test                     fetches suites and peers, then runs every test of the workspace
  peers                    unpacks the servers and clients that tests meet, and runs nothing
  matrix                   writes docs/matrix.md from the last run of test
  ci                       format, clippy, docs, tidy, test, fuzz --smoke: what a change must pass
  tidy                     layers, licences, bans, duplicate crates, file rules
  fuzz [--smoke]           builds all fuzz targets; runs each for a bounded number of inputs
  fuzz TARGET [--runs N]   runs one target, without --runs until it finds something
  bench [ARGUMENT]...      speed, side by side with its limits and peers
  differential [--cases N] [--seed S]
                           generated worlds, judged by other implementations too
  soak NAME                a long test whole: main-job, kept, policy, milter, store";

/// What a step ends with; the message is for the developer.
type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["test"] => test::run(),
        ["peers"] => peers::unpack(),
        ["matrix"] => matrix::write(),
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["differential", rest @ ..] => differential::run(rest),
        ["soak", name] => soak::run(name),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}
