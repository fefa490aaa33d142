//! Look-ups of forwarding addresses: how many a second, one after the other and asked ahead.

pub mod in_process;
mod load;
pub mod null;

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader, Error, Result};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::Serve;
use quivive_e2e::srs::{DOMAIN, SECRET, postsrsd};
use tempfile::TempDir;

use self::load::{Load, MAP};
use self::null::Protocol;
use crate::series::Series;
use crate::table::Table;

/// How many look-ups a round makes one after the other.
const SERIAL: usize = 3_000;

/// How many it asks ahead on one connection.
const PIPELINED: usize = 20_000;

/// Something that is asked.
struct Subject {
    name: &'static str,
    protocol: Protocol,
    address: SocketAddr,
    serial: Series,
    pipelined: Series,
}

/// The servers; they end with this.
struct Servers {
    subjects: Vec<Subject>,
    skipped: Option<String>,
    _ours: Serve,
    _postsrsd: Option<Peer>,
    _nulls: [Null; 2],
    _folder: TempDir,
}

/// Measures in `rounds` rounds, and gives the tables.
///
/// # Errors
/// Our own programs do not run, or an answer is missing.
pub fn run(rounds: usize) -> Result<String> {
    let mut report = in_process::run(rounds);
    let mut servers = Servers::start()?;
    let load = Load::new();
    let count = servers.subjects.len();
    // A round ahead opens connections and fills caches.
    for round in 0..=rounds {
        for turn in 0..count {
            let subject = &mut servers.subjects[(round + turn) % count];
            let failed = |error| Error::other(format!("{}: {error}", subject.name));
            let serial = load.serial(subject.address, subject.protocol, SERIAL).map_err(failed)?;
            let pipelined =
                load.pipelined(subject.address, subject.protocol, PIPELINED).map_err(failed)?;
            if round > 0 {
                subject.serial.add(serial);
                subject.pipelined.add(pipelined);
            }
        }
    }
    write!(
        report,
        "\nLook-ups: {SERIAL} one after the other, then {PIPELINED} asked ahead, on one \
         connection; {rounds} interleaved rounds.\nratio: against the table of the same protocol \
         that does nothing; the median of the ratios of a round.\n\n"
    )
    .ok();
    report += &servers.table().to_string();
    if let Some(reason) = &servers.skipped {
        writeln!(report, "skipped: {reason}").ok();
    }
    Ok(report)
}

impl Servers {
    fn start() -> Result<Self> {
        let folder = peer::open_folder();
        let ours = serve(folder.path())?;
        let nulls = [Null::start(Protocol::TcpTable)?, Null::start(Protocol::Socketmap)?];
        let (postsrsd, skipped) = match peer::is_unpacked("postsrsd") {
            true => (Some(postsrsd().0), None),
            false => (None, Some("PostSRSd: `cargo xtask test` fetches it, as root".to_owned())),
        };
        let mut subjects = vec![
            Subject::new("null tcp_table", Protocol::TcpTable, nulls[0].address),
            Subject::new("quivive, tcp-table", Protocol::TcpTable, ours.address("tcp-table")),
            Subject::new("null socketmap", Protocol::Socketmap, nulls[1].address),
            Subject::new("quivive, socketmap", Protocol::Socketmap, ours.address("socketmap")),
        ];
        if let Some(postsrsd) = &postsrsd {
            let its = Subject::new("PostSRSd 1.10", Protocol::TcpTable, postsrsd.address);
            subjects.insert(1, its);
        }
        Ok(Self {
            subjects,
            skipped,
            _ours: ours,
            _postsrsd: postsrsd,
            _nulls: nulls,
            _folder: folder,
        })
    }

    fn table(&self) -> Table {
        let headings =
            ["", "one at a time", "noise", "look-ups/s", "asked ahead", "noise", "look-ups/s"];
        let mut table = Table::new(&headings);
        for subject in &self.subjects {
            let base = self.subjects.iter().find(|other| other.protocol == subject.protocol);
            let base = base.expect("the tables that do nothing stand first");
            let mut cells = vec![subject.name.to_owned()];
            for (own, base) in
                [(&subject.serial, &base.serial), (&subject.pipelined, &base.pipelined)]
            {
                let ratio = own.ratio_to(base);
                cells.push(format!("{:.2}", ratio.median()));
                cells.push(format!("{:.0} %", ratio.noise() * 100.0));
                cells.push(format!("{:.0}", own.median()));
            }
            table.row(cells);
        }
        table
    }
}

impl Subject {
    fn new(name: &'static str, protocol: Protocol, address: SocketAddr) -> Self {
        let (serial, pipelined) = Default::default();
        Self { name, protocol, address, serial, pipelined }
    }
}

/// Ours, with both kinds of look-ups.
fn serve(folder: &Path) -> Result<Serve> {
    let secret = folder.join("srs.secret");
    fs::write(&secret, format!("{SECRET}\n"))?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    Ok(Serve::start(&format!(
        "[store]\npath = \"\"\n[methods]\nspf = \"off\"\n\
         [srs]\ndomain = \"{DOMAIN}\"\nsecret_file = \"{}\"\nlocal_part_max = 250\n\
         [[listen]]\ndoor = \"tcp-table\"\naddress = \"127.0.0.1:0\"\nmap = \"{MAP}\"\n\
         [[listen]]\ndoor = \"socketmap\"\naddress = \"127.0.0.1:0\"\n",
        secret.display()
    )))
}

/// A table that does nothing, as a process of its own.
struct Null {
    child: Child,
    address: SocketAddr,
}

impl Null {
    fn start(protocol: Protocol) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["null-table", protocol.word()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().expect("the output is piped");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().map_err(Error::other)?;
        Ok(Self { child, address })
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
