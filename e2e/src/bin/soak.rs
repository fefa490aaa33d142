//! Long tests, whole. `cargo xtask soak NAME` runs them.
#![expect(clippy::print_stderr, reason = "a command line program")]

use std::process::ExitCode;

use quivive_e2e::filtered::Filtered;
use quivive_e2e::{churn, kept, main_job, milter, peer, policy};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("main-job") => {
            let memory = main_job::run(main_job::MESSAGES);
            let messages = main_job::MESSAGES;
            eprintln!("{messages} messages, each once and marked; at most {memory} KiB resident");
            ExitCode::SUCCESS
        }
        Some("kept") => {
            let (memory, octets) = kept::run(kept::MESSAGES);
            let messages = kept::MESSAGES;
            eprintln!(
                "{messages} messages, each a case that comes out as it was; at most {memory} KiB \
                 resident, {octets} octets a case"
            );
            ExitCode::SUCCESS
        }
        Some("policy") => churned(&mut policy::lasting_world()),
        Some("milter") => {
            let folder = peer::open_folder();
            churned(&mut milter::world(folder.path()))
        }
        _ => {
            eprintln!("there are: main-job, kept, policy, milter");
            ExitCode::from(2)
        }
    }
}

fn churned(world: &mut Filtered) -> ExitCode {
    let seen = churn::run(world, churn::MESSAGES);
    eprintln!(
        "{} messages over reloads and restarts, each once and marked; {} times one was deferred",
        seen.taken, seen.deferred
    );
    ExitCode::SUCCESS
}
