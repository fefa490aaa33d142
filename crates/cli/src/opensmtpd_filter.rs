//! The filter that OpenSMTPD runs: smtpd speaks on standard input and hears on standard output, and
//! the daemon is asked about each message over a connection of its own.
//!
//! It never ends by itself, since smtpd would end with it; and it answers everything, whatever
//! becomes of the daemon.

mod lines;
mod talks;

use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;

use quivive_config::{Address, Door};
use quivive_opensmtpd::{Filter, LINE_OCTETS_MAX, Settings};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::command_line::{Global, OpensmtpdFilter};
use crate::error::Error;
use crate::world;
use lines::Lines;
pub(crate) use talks::Place;
use talks::{Heard, Talks};

/// Filters until smtpd is gone.
pub(crate) fn run(global: &Global, flags: &OpensmtpdFilter) -> Result<ExitCode, Error> {
    let place = match &flags.socket {
        Some(place) => place.clone(),
        None => configured(global)?,
    };
    let settings = Settings { when_down: flags.when_down.into() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (smtpd, output) = (file(std::io::stdin().as_fd())?, file(std::io::stdout().as_fd())?);
    runtime.block_on(filter(settings, place, smtpd, output))?;
    // Nobody waits for a read of standard input that cannot be called off.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Whatever smtpd has put behind a descriptor of ours, without a buffer.
fn file(descriptor: BorrowedFd<'_>) -> std::io::Result<tokio::fs::File> {
    let own = std::fs::File::from(descriptor.try_clone_to_owned()?);
    Ok(tokio::fs::File::from_std(own))
}

/// Where the configuration's daemon listens for us.
fn configured(global: &Global) -> Result<Place, Error> {
    let config = world::config(global)?;
    let listen = config.listen.iter().find(|listen| listen.door == Door::Opensmtpd);
    match listen.map(|listen| &listen.address) {
        Some(Address::Unix(path)) => Ok(Place::Unix(path.clone())),
        Some(Address::Tcp(address)) if address.port() != 0 => Ok(Place::Tcp(*address)),
        Some(Address::Tcp(_)) => {
            Err(Error::Usage("the daemon's port is a free one; say which with --socket"))
        }
        None => Err(Error::Usage(
            "name the daemon's --socket, or a --config with a listener whose door is \"opensmtpd\"",
        )),
    }
}

async fn filter(
    settings: Settings,
    place: Place,
    smtpd: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut filter = Filter::new(settings);
    let mut lines = Lines::new(smtpd, LINE_OCTETS_MAX);
    let mut talks = Talks::new(place);
    talks.greet();
    loop {
        while let Some((line, is_cut)) = lines.next() {
            if let Err(malformed) = filter.line(line, is_cut) {
                tracing::warn!("a line of smtpd cannot be read: {malformed}");
            }
        }
        while let Some(event) = filter.event() {
            talks.pass_on(event);
        }
        if !filter.output().is_empty() {
            output.write_all(filter.output()).await?;
            output.flush().await?;
            filter.output().clear();
        }
        tokio::select! {
            heard = talks.heard() => hear(&mut filter, &mut talks, heard),
            read = lines.read(), if !filter.is_full() => {
                if read? == 0 {
                    return Ok(());
                }
            }
        }
    }
}

fn hear(filter: &mut Filter, talks: &mut Talks, heard: Heard) {
    match heard {
        Heard::Names(names) => filter.set_names(names),
        Heard::Answer(transaction, answer) => {
            if !filter.answered(transaction, answer) {
                talks.trouble("it answered another question than was asked");
                talks.give_up(transaction);
                filter.lost(transaction);
            }
        }
        Heard::Lost(transaction, trouble) => {
            talks.trouble(&trouble);
            talks.give_up(transaction);
            filter.lost(transaction);
        }
    }
}

#[cfg(test)]
mod tests;
