//! What is kept of messages: listed, shown, judged again, handed over, forgotten.

pub(crate) mod list;
mod replay;
mod show;
mod subject;

use std::io::Write;
use std::process::ExitCode;

use quivive_config::Config;
use quivive_store::{Settings, Store};
use quivive_verdict::Case;

use crate::command_line::{self, Global, StoreFile};
use crate::error::Error;
use crate::style::printable;
use crate::world;

/// Reads the store, or for `erase` writes it: also while the daemon has it open.
pub(crate) fn run(global: &Global, command: command_line::Case) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            command_line::Case::List(list) => list::run(global, list).await,
            command_line::Case::Show(which) => show::run(global, &which).await,
            command_line::Case::Replay(replay) => replay::run(global, &replay).await,
            command_line::Case::Export(subject) => subject::export(global, subject).await,
            command_line::Case::Erase(subject) => subject::erase(global, subject).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The store, for reading alone, with the configuration it belongs to.
pub(crate) fn open_to_read(global: &Global, file: &StoreFile) -> Result<(Config, Store), Error> {
    let config = world::kept_config(global)?;
    let store = Store::open_to_read(settings(&config, file)?)?;
    Ok((config, store))
}

fn settings(config: &Config, file: &StoreFile) -> Result<Settings, Error> {
    match &file.store {
        Some(path) => Ok(world::settings_of(path.clone(), &config.store)),
        None => world::store_settings(&config.store).ok_or(Error::NoStore),
    }
}

async fn find(store: &Store, id: &str) -> Result<Case, Error> {
    let case = store.case(id).await?;
    case.ok_or_else(|| Error::NoCase(printable(id).into_owned()))
}

/// Seconds since 1970 as people read them, in UTC (RFC 3339).
fn time(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string())
}

/// Says what was cut of a case, where that is so.
fn write_cut(out: &mut impl Write, case: &Case) -> std::io::Result<()> {
    if case.cut.is_empty() {
        return Ok(());
    }
    let cut: Vec<_> = case.cut.iter().map(|field| printable(field)).collect();
    writeln!(out, "cut      {} (the case was too long to be kept whole)", cut.join(", "))
}
