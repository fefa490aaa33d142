//! The programs that ask the name server.

use std::fs;
use std::io::Result;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use quivive_bench_measure::{Start, WireRequest};

use super::subject;
use crate::spf::peers as in_process;
use crate::spf::worker::Worker;

/// Libraries that take milliseconds a check make fewer of them.
const SLOW_QUERIES: usize = 500;

/// What waits for every answer one after the other makes as few as these.
const SERIAL_FAR_QUERIES: usize = 100;

/// A program, and what it can be asked for.
pub(super) struct Program {
    pub(super) worker: Worker,
    /// It checks one after the other.
    is_serial: bool,
    queries_max: usize,
}

impl Program {
    /// What it is asked: none where it cannot do it.
    pub(super) fn asked(&self, request: WireRequest) -> Option<WireRequest> {
        if !self.is_serial {
            return Some(WireRequest { queries: request.queries.min(self.queries_max), ..request });
        }
        match request.start {
            // How long its checks take does not depend on their number.
            Start::Fresh => {
                Some(WireRequest { at_once: 1, queries: SERIAL_FAR_QUERIES, ..request })
            }
            _ if request.at_once > 1 => None,
            _ => Some(WireRequest { queries: request.queries.min(self.queries_max), ..request }),
        }
    }
}

/// Builds and fetches what comes from package registries. What cannot be had is named later.
pub(super) fn fetch(folder: &Path) {
    for peer in in_process::LIBRARIES {
        let _ = peer.command(folder);
    }
    let _ = in_process::pyspf(folder);
}

/// The programs, the yardstick first, and why any is missing.
pub(super) fn programs(folder: &Path, server: SocketAddr) -> Result<(Vec<Program>, Vec<String>)> {
    let (mut programs, mut skipped) = (Vec::new(), Vec::new());
    let address = server.to_string();
    let mut add = |name: &str, command: std::result::Result<Command, String>, words: &[&str]| {
        let worker = command.and_then(|mut command| {
            command.args(words);
            Worker::start(name, command).map_err(|error| error.to_string())
        });
        let is_serial = [in_process::PYSPF, in_process::LIBSPF2].contains(&name);
        let is_slow = name.starts_with("viaspf") || name == in_process::PYSPF;
        let queries_max = if is_slow { SLOW_QUERIES } else { usize::MAX };
        match worker {
            Ok(worker) => programs.push(Program { worker, is_serial, queries_max }),
            Err(reason) => skipped.push(format!("{name}: {reason}")),
        }
    };
    let [mail_auth, viaspf] = &in_process::LIBRARIES;
    add(mail_auth.name, mail_auth.command(folder), &["wire", &address]);
    let cached = format!("{}, own cache", mail_auth.name);
    add(&cached, mail_auth.command(folder), &["wire", &address, "cache"]);
    add(viaspf.name, viaspf.command(folder), &["wire", &address]);
    add(in_process::PYSPF, in_process::pyspf(folder), &["wire", &address]);
    add(in_process::LIBSPF2, libspf2(folder, server), &["wire"]);
    for (name, word) in [
        ("quivive, driver", subject::DRIVER),
        ("quivive, check_host over kept evidence", subject::KEPT),
    ] {
        let mut own = Command::new(std::env::current_exe()?);
        own.args(["wire-subject", word]).arg(folder).arg(&address);
        add(name, Ok(own), &[]);
    }
    Ok((programs, skipped))
}

/// It asks whom /etc/resolv.conf names, on the usual port.
fn libspf2(folder: &Path, server: SocketAddr) -> std::result::Result<Command, String> {
    let program = in_process::libspf2(folder)?;
    let resolv_conf = folder.join(format!("resolv.conf.{}", server.ip()));
    fs::write(&resolv_conf, super::resolv_conf(server.ip())).map_err(|error| error.to_string())?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", super::NAME_THE_SERVER, "sh"]).arg(&resolv_conf);
    command.arg(program.get_program()).args(program.get_args());
    Ok(command)
}
