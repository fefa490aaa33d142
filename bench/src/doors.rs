//! What a filter costs Postfix: its throughput, the time a client waits, processor time, memory.
//!
//! Everything runs in a network of its own, where the client has an address that is not this
//! host's, and port 53 is free for the name server that all filters ask.

mod load;
pub mod null;
mod subjects;
mod zone;

use std::fmt::Write;
use std::io::{Error, Result};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use quivive_e2e::{peer, quivive};

use crate::cost::Tree;
use crate::series::Series;
use crate::table::Table;
use load::Load;
use subjects::{NO_FILTER, Subject, Subjects};

/// How many messages a round sends over how many connections, a message each.
const MESSAGES: usize = 200;
const CONNECTIONS: usize = 10;

/// How many messages a round sends one after the other.
const SINGLE_MESSAGES: usize = 40;

/// Where the client is: the senders' records pass it.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25));

/// Makes the network, names its name server, and becomes the rest of the arguments.
const ENTER: &str = r#"
ip link set lo up && ip address add "$1/24" dev lo && mount --bind "$2" /etc/resolv.conf || exit 97
shift 2
exec "$@"
"#;

/// Measures in a network of its own, in `rounds` rounds; tables go to standard output.
///
/// # Errors
/// The network cannot be made, or our own programs do not run.
pub fn enter(rounds: usize) -> Result<()> {
    let folder = folder()?;
    // What has to be built or fetched needs the network that there is here.
    subjects::fetch();
    let resolv_conf = folder.join("resolv.conf");
    std::fs::write(&resolv_conf, "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")?;
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "sh", "-c", ENTER, "sh", &CLIENT.to_string()]);
    command.arg(&resolv_conf).arg(std::env::current_exe()?);
    command.args(["doors-inside", "--rounds", &rounds.to_string()]);
    command.env(quivive::PROGRAM, quivive::program()).env(peer::RESOLV_CONF, &resolv_conf);
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("{command:?}: {status}"))) }
}

/// What one filter did to Postfix, round by round.
#[derive(Default)]
struct Measured {
    /// Messages a second.
    rate: Series,
    /// Milliseconds until a message was taken, one after the other.
    median: Series,
    slow: Series,
    /// Processor microseconds a message, of Postfix and the filter.
    processor: Series,
    /// The filter's alone.
    own: Series,
    /// It failed, and is not measured any more.
    is_out: bool,
}

/// Measures in the network that was made.
///
/// # Errors
/// Our own programs do not run, or a message is refused that no filter of others stands before.
pub fn inside(rounds: usize) -> Result<String> {
    let mut subjects = Subjects::start(&folder()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut measured: Vec<Measured> = subjects.all().iter().map(|_| Measured::default()).collect();
    // A round ahead fills caches and starts processes.
    for round in 0..=rounds {
        for turn in 0..measured.len() {
            let index = (round + turn) % measured.len();
            if measured[index].is_out {
                continue;
            }
            match pass(&runtime, &subjects.all()[index]) {
                Ok(passed) if round > 0 => measured[index].add(&passed),
                Ok(_) => {}
                Err(error) => {
                    subjects.leave_out(index, &error)?;
                    measured[index].is_out = true;
                }
            }
        }
    }
    Ok(report(rounds, &subjects, &measured))
}

/// What one filter did in one round.
struct Pass {
    crowd: load::Run,
    single: load::Run,
    /// Processor time of Postfix with all that it started, and of the filter.
    postfix: Duration,
    own: Duration,
    is_within_postfix: bool,
}

/// Loads one Postfix.
fn pass(runtime: &tokio::runtime::Runtime, subject: &Subject) -> Result<Pass> {
    let run = |connections, messages| {
        runtime
            .block_on(load(connections, messages).run(subject.postfix.address))
            .map_err(|error| Error::other(format!("{}: {error}", subject.name)))
    };
    let (all, own) = (Tree::of(subject.postfix.id()), subject.filter());
    let is_within_postfix = subject.is_within_postfix();
    let own_used_until =
        || if is_within_postfix { own.processor() } else { own.processor_of_threads() };
    let (all_before, own_before) = (all.processor(), own_used_until());
    Ok(Pass {
        crowd: run(CONNECTIONS, MESSAGES)?,
        single: run(1, SINGLE_MESSAGES)?,
        postfix: all.processor().saturating_sub(all_before),
        own: own_used_until().saturating_sub(own_before),
        is_within_postfix,
    })
}

impl Measured {
    fn add(&mut self, pass: &Pass) {
        let a_message =
            |used: Duration| used.as_secs_f64() * 1e6 / (MESSAGES + SINGLE_MESSAGES) as f64;
        let (postfix, own) = (a_message(pass.postfix), a_message(pass.own));
        self.rate.add(MESSAGES as f64 / pass.crowd.elapsed.as_secs_f64());
        self.median.add(pass.single.milliseconds(0.5));
        self.slow.add(pass.single.milliseconds(0.99));
        self.own.add(own);
        self.processor.add(if pass.is_within_postfix { postfix } else { postfix + own });
    }
}

fn load(connections: usize, messages: usize) -> Load {
    Load { connections, messages, client: CLIENT, senders: zone::senders().into() }
}

fn report(rounds: usize, subjects: &Subjects, measured: &[Measured]) -> String {
    let mut report = format!(
        "Postfix with filters: {MESSAGES} messages over {CONNECTIONS} connections, \
         {SINGLE_MESSAGES} one after the other, a connection each; {rounds} interleaved rounds.\n\
         rate: messages a second against no filter; the median of the ratios of a round. added: \
         what a client waits longer, in ms. processor: of Postfix and the filter, in us a \
         message; own: of the filter alone. MiB: resident memory of the filter.\n\n"
    );
    report += &table(subjects, measured, NO_FILTER, |_| true).to_string();
    for (yardstick, ours) in subjects::PAIRS {
        write!(report, "\nAgainst {yardstick}.\n\n").ok();
        let is_shown = |name: &str| name == *yardstick || name == *ours;
        report += &table(subjects, measured, yardstick, is_shown).to_string();
    }
    for reason in subjects.skipped() {
        writeln!(report, "skipped: {reason}").ok();
    }
    report
}

fn table(
    subjects: &Subjects,
    measured: &[Measured],
    yardstick: &str,
    is_shown: impl Fn(&str) -> bool,
) -> Table {
    let headings =
        ["", "rate", "noise", "added p50", "added p99", "processor", "own", "MiB", "messages/s"];
    let mut table = Table::new(&headings);
    let place = subjects.all().iter().position(|subject| subject.name == yardstick);
    let base = &measured[place.expect("the yardsticks always run")];
    for (subject, measured) in subjects.all().iter().zip(measured) {
        if measured.is_out || !is_shown(subject.name) {
            continue;
        }
        let rate = measured.rate.ratio_to(&base.rate);
        let added = |own: &Series, base: &Series| format!("{:+.2}", own.less(base).median());
        table.row(vec![
            subject.name.to_owned(),
            format!("{:.2}", rate.median()),
            format!("{:.0} %", rate.noise() * 100.0),
            added(&measured.median, &base.median),
            added(&measured.slow, &base.slow),
            format!("{:.0}", measured.processor.median()),
            format!("{:.0}", measured.own.median()),
            memory(subject),
            format!("{:.0}", measured.rate.median()),
        ]);
    }
    table
}

fn memory(subject: &Subject) -> String {
    match subject.filter().resident_mib() {
        0.0 => "-".to_owned(),
        mib => format!("{mib:.1}"),
    }
}

fn folder() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&folder)?;
    folder.canonicalize()
}
