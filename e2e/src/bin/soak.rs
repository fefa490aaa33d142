//! Long tests, whole. `cargo xtask soak NAME` runs them.
#![expect(clippy::print_stderr, reason = "a command line program")]

use std::process::ExitCode;

use quivive_e2e::main_job;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("main-job") => {
            let memory = main_job::run(main_job::MESSAGES);
            let messages = main_job::MESSAGES;
            eprintln!("{messages} messages, each once and marked; at most {memory} KiB resident");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("there is: main-job");
            ExitCode::from(2)
        }
    }
}
