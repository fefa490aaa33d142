//! `cargo xtask bench [spf | gateway]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

use std::path::Path;
use std::process::ExitCode;

use quivive_bench::{corpus, spf};

const USAGE: &str = "\
Usage: quivive-bench [spf | gateway] [--rounds N]

  spf       processor time of an SPF check, answers in memory, beside mail-auth and pyspf";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["spf"] => spf::run(spf::ROUNDS).map(|report| println!("{report}")),
        ["spf", "--rounds", rounds] => match rounds.parse() {
            Ok(rounds) => spf::run(rounds).map(|report| println!("{report}")),
            Err(_) => return usage(),
        },
        // A measured program: started by `spf`, and by whoever looks for what takes its time.
        ["subject", name, folder] => spf::subject::serve(name, Path::new(folder)),
        ["corpus", folder] => corpus::find().and_then(|corpus| {
            let groups = corpus.write(Path::new(folder))?;
            eprintln!("{}: {groups} groups", corpus.origin);
            Ok(())
        }),
        _ => return usage(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quivive-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
