//! Shell completions and manual pages, made from the definitions of the command line.

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::command_line::{CommandLine, Completions, Man};
use crate::error::Error;

/// Prints the completions of a shell.
pub(crate) fn complete(completions: &Completions) -> Result<ExitCode, Error> {
    let mut text = Vec::new();
    clap_complete::generate(completions.shell, &mut CommandLine::command(), "quivive", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints `quivive(1)`, or writes a page for each command into a folder.
pub(crate) fn print(man: &Man) -> Result<ExitCode, Error> {
    let command = CommandLine::command();
    match &man.folder {
        Some(folder) => clap_mangen::generate_to(command, folder)
            .map_err(|source| Error::Unwritable { path: folder.clone(), source })?,
        None => clap_mangen::Man::new(command).render(&mut std::io::stdout())?,
    }
    Ok(ExitCode::SUCCESS)
}
