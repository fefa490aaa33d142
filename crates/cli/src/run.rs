use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::EnvFilter;

use crate::command_line::{Command, CommandLine};
use crate::error::Error;
use crate::{
    case, check, config, demo, lint, manual, opensmtpd_filter, publish, serve, setup, simulate,
    srs, token, user,
};

/// Names what is logged, as `info` or `quivive_resolver=debug`.
const LOG_VARIABLE: &str = "QUIVIVE_LOG";

/// What the DNS library thinks of forged packets would let a stranger fill the log.
const FORGERIES_ARE_NO_NEWS: &str = "hickory_proto=error,hickory_net=error,hickory_resolver=error";

/// Runs the command, and says on standard error why it could not be done.
pub(crate) fn run(command_line: CommandLine) -> ExitCode {
    log_to_stderr(&command_line.command);
    match execute(command_line) {
        Ok(exit_code) => exit_code,
        Err(error) => {
            if !error.is_broken_pipe() {
                anstream::eprintln!("quivive: {error}");
            }
            error.exit_code()
        }
    }
}

fn execute(command_line: CommandLine) -> Result<ExitCode, Error> {
    let CommandLine { global, command } = command_line;
    if let Some(word) = command.later() {
        return Err(Error::NotInThisVersion { what: "command", word });
    }
    match command {
        Command::Check(check) => check::run(&global, *check),
        Command::Lint(lint) => lint::run(&global, &lint),
        Command::Simulate(simulate) => simulate::run(&global, &simulate),
        Command::Publish(publish) => publish::run(&global, &publish),
        Command::Config(command) => config::run(&global, command),
        Command::Serve => serve::run(&global),
        Command::Setup(setup) => setup::run(&global, &setup),
        Command::Case(command) => case::run(&global, *command),
        Command::OpensmtpdFilter(flags) => opensmtpd_filter::run(&global, &flags),
        Command::Token(command) => token::run(&global, command),
        Command::User(command) => user::run(&global, command),
        Command::Srs(command) => srs::run(&global, *command),
        Command::Demo(demo) => demo::run(&global, &demo),
        Command::Completions(completions) => manual::complete(&completions),
        Command::Man(man) => manual::print(&man),
        _ => unreachable!("commands of later versions are refused above"),
    }
}

/// The daemon tells what it does; other commands only what is wrong.
fn log_to_stderr(command: &Command) {
    let level = if matches!(command, Command::Serve) { "info" } else { "warn" };
    let filter = EnvFilter::try_from_env(LOG_VARIABLE)
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},{FORGERIES_ARE_NO_NEWS}")));
    let stderr = std::io::stderr();
    let colour = AutoStream::choice(&stderr) != ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .init();
}
