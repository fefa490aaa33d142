//! The `quivive` program: one file for each command, what they say in modules of its own.

mod batch;
mod case;
mod check;
mod command_line;
mod config;
mod demo;
mod error;
mod examiner;
mod forwarding;
mod grants;
mod input;
mod json;
mod lint;
mod listeners;
mod manual;
mod opensmtpd_filter;
mod password;
mod publish;
mod run;
mod secret_file;
mod serve;
mod setup;
mod simulate;
mod srs;
mod style;
mod terminal;
mod text;
mod token;
mod user;
mod world;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Judging a message allocates much and keeps little: a fifth of the gateway's time went to the
/// system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    run::run(command_line::CommandLine::parse())
}
