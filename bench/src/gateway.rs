//! Messages per second through the gateway, beside a bare relay with the same two hops and Postfix.

pub mod hop;
pub mod load;
mod servers;

use std::cell::Cell;
use std::fmt::Write;
use std::io::{Error, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::corpus;
use crate::cost::Tree;
use crate::series::Series;
use crate::table::Table;
use load::Load;
use servers::Servers;

const CONNECTIONS: usize = 10;
const MESSAGES: usize = 1000;

/// Postfix is slow, and its queue is waited for.
const POSTFIX_MESSAGES: usize = 300;

/// The size of a message, headers included.
const MESSAGE_OCTETS: usize = 4096;

/// How many messages a pass of sustained load has: more than the store's queue takes, so that the
/// mail has to wait for it.
const SUSTAINED_MESSAGES: usize = 50_000;

/// Sustained load takes a round of so many.
const SUSTAINED_EVERY: usize = 5;

/// How long a queue is waited for.
const QUEUE_MAX: Duration = Duration::from_secs(60);

/// A server that takes mail.
struct Subject {
    name: &'static str,
    address: SocketAddr,
    messages: usize,
    /// Whether what was taken in all, so many messages, has also left and its cases are written;
    /// always, where that is what the reply means.
    is_through: Box<dyn Fn(usize) -> bool>,
    /// Whether it is at rest, with nothing put off.
    is_at_rest: Box<dyn Fn() -> bool>,
    /// Where it delivers; begun anew for each pass of sustained load.
    maildir: Option<PathBuf>,
    /// How many messages it was sent.
    sent: Cell<usize>,
    /// What it runs as.
    processes: Tree,
}

/// One server's, round by round.
#[derive(Default)]
struct Rates {
    accepted: Series,
    through: Series,
    processor: Series,
}

/// What a pass came to.
struct Pass {
    /// Messages a second that were accepted.
    accepted: f64,
    /// Messages a second that were through.
    through: f64,
    /// Microseconds of processor time a message.
    processor: f64,
}

impl Rates {
    fn add(&mut self, pass: &Pass) {
        self.accepted.add(pass.accepted);
        self.through.add(pass.through);
        self.processor.add(pass.processor);
    }
}

/// Servers, and what they are sent.
struct Bench {
    servers: Servers,
    runtime: tokio::runtime::Runtime,
    senders: Arc<[String]>,
    origin: String,
}

/// Measures everything in `rounds` rounds, and says it in tables.
///
/// # Errors
/// Our own servers do not run, or refuse a message.
pub fn run(rounds: usize) -> Result<String> {
    let bench = Bench::new()?;
    let mut report = heading(rounds, &bench.origin);
    for (kept, title) in [(false, "a new connection each"), (true, "connections kept open")] {
        let onward = bench.measure(bench.servers.onward(), kept, rounds)?;
        write!(report, "\nThrough two hops, {title}; against the bare relay.\n\n").ok();
        report += &table(&all(bench.servers.onward()), &onward, servers::BARE_RELAY).to_string();
    }
    report += &bench.maildirs(rounds, rounds.div_ceil(SUSTAINED_EVERY))?;
    report += &bench.remarks();
    Ok(report)
}

/// As [`run`], of what keeping cases costs alone.
///
/// # Errors
/// As of [`run`].
pub fn keeping(rounds: usize) -> Result<String> {
    let bench = Bench::new()?;
    let tables = bench.maildirs(rounds * SUSTAINED_EVERY, rounds)?;
    Ok(heading(rounds, &bench.origin) + &tables + &bench.remarks())
}

impl Bench {
    fn new() -> Result<Self> {
        let corpus = corpus::find()?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        std::fs::create_dir_all(&folder)?;
        let zone = folder.canonicalize()?.join("gateway.zone");
        std::fs::write(&zone, corpus.zone.to_master_text())?;
        Ok(Self {
            servers: Servers::start(&zone)?,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            senders: corpus.mix.iter().map(|query| query.sender.clone()).collect(),
            origin: corpus.origin,
        })
    }

    fn load(&self, kept: bool, messages: usize) -> Load {
        let (senders, message) = (self.senders.clone(), message().into());
        Load { connections: CONNECTIONS, messages, kept, senders, message }
    }

    fn measure(&self, subjects: &[Subject], kept: bool, rounds: usize) -> Result<Vec<Rates>> {
        measure(&self.runtime, subjects, &self.load(kept, MESSAGES), rounds)
    }

    /// Bursts, and so many rounds of messages in a row.
    fn maildirs(&self, rounds: usize, in_a_row: usize) -> Result<String> {
        let (subjects, mut report) = (self.servers.maildir(), String::new());
        let maildir = self.measure(subjects, true, rounds)?;
        let first = subjects[0].name;
        let title = "Into a Maildir on the same disk, connections kept open";
        write!(report, "\n{title}; against {first}.\n\n").ok();
        report += &table(&all(subjects), &maildir, first).to_string();
        let without = servers::WITHOUT_STORE;
        write!(report, "\nThe same, against {without} without a store.\n\n").ok();
        report += &table(&all(subjects), &maildir, without).to_string();
        let load = self.load(true, SUSTAINED_MESSAGES);
        let sustained = sustained(&self.runtime, subjects, &load, in_a_row)?;
        let title = format!("The same, {SUSTAINED_MESSAGES} messages in a row, {in_a_row} rounds");
        write!(report, "\n{title}.\n\n{sustained}").ok();
        Ok(report)
    }

    fn remarks(&self) -> String {
        let (peak, keeping) = self.servers.peak_mib();
        let mut remarks = format!(
            "\nMemory of the gateway at its peak: {peak:.1} MiB; of the one that keeps cases: \
             {keeping:.1} MiB.\nNo case was dropped: for each message one was waited for.\n"
        );
        for reason in self.servers.skipped() {
            writeln!(remarks, "skipped: {reason}").ok();
        }
        remarks
    }
}

/// Loads every server in turn, round by round; who begins changes every round.
fn measure(
    runtime: &tokio::runtime::Runtime,
    subjects: &[Subject],
    load: &Load,
    rounds: usize,
) -> Result<Vec<Rates>> {
    let mut rates: Vec<Rates> = subjects.iter().map(|_| Rates::default()).collect();
    // A round ahead fills caches and pools.
    for round in 0..=rounds {
        for turn in 0..subjects.len() {
            let index = (round + turn) % subjects.len();
            let subject = &subjects[index];
            let load = Load { messages: subject.messages, ..load.clone() };
            let pass = subject.pass(runtime, &load)?;
            if round > 0 {
                rates[index].add(&pass);
            }
        }
    }
    Ok(rates)
}

/// As [`measure`], of those that deliver by themselves and keep cases or not.
fn sustained(
    runtime: &tokio::runtime::Runtime,
    subjects: &[Subject],
    load: &Load,
    rounds: usize,
) -> Result<Table> {
    let names = [servers::WITHOUT_STORE, servers::EVERY_CASE_KEPT];
    let subjects = names.map(|name| subjects.iter().find(|subject| subject.name == name));
    let subjects: Vec<&Subject> = subjects.into_iter().flatten().collect();
    let mut rates: Vec<Rates> = subjects.iter().map(|_| Rates::default()).collect();
    for round in 0..=rounds {
        for turn in 0..subjects.len() {
            let index = (round + turn) % subjects.len();
            subjects[index].empty()?;
            let pass = subjects[index].pass(runtime, load)?;
            if round > 0 {
                rates[index].add(&pass);
            }
        }
    }
    Ok(table(&subjects, &rates, servers::WITHOUT_STORE))
}

impl Subject {
    /// Loads it.
    fn pass(&self, runtime: &tokio::runtime::Runtime, load: &Load) -> Result<Pass> {
        let (start, before) = (Instant::now(), self.processes.processor());
        let accepted = runtime
            .block_on(load.run(self.address))
            .map_err(|error| Error::other(format!("{}: {error}", self.name)))?;
        self.sent.set(self.sent.get() + load.messages);
        self.wait(|| (self.is_through)(self.sent.get()))?;
        let through = start.elapsed();
        self.wait(&self.is_at_rest)?;
        let messages = load.messages as f64;
        let processor = self.processes.processor().saturating_sub(before);
        Ok(Pass {
            accepted: messages / accepted.as_secs_f64(),
            through: messages / through.as_secs_f64(),
            processor: processor.as_secs_f64() * 1e6 / messages,
        })
    }

    /// Puts aside what it delivered, so that a folder does not grow without end. Nothing is deleted
    /// before the end: ext4 looks for the place of a new file among all that were deleted of late,
    /// and that would take longer than the rest of a message.
    fn empty(&self) -> Result<()> {
        let Some(maildir) = &self.maildir else { return Ok(()) };
        let new = maildir.join("new");
        std::fs::rename(&new, maildir.join(format!("before-{}", self.sent.get())))?;
        std::fs::create_dir(new)
    }

    /// Waits for the end of something: nobody's backlog disturbs another's pass.
    fn wait(&self, is_over: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !is_over() {
            if start.elapsed() > QUEUE_MAX {
                return Err(Error::other(format!("{}: its queue does not empty", self.name)));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

fn all(subjects: &[Subject]) -> Vec<&Subject> {
    subjects.iter().collect()
}

fn heading(rounds: usize, origin: &str) -> String {
    format!(
        "Gateway: {CONNECTIONS} connections, messages of {MESSAGE_OCTETS} octets, senders of \
         {origin}, {rounds} interleaved rounds.\n\
         accepted: messages a second that the client had answered; through: until the last had \
         left, and its case was written; processor: microseconds of its processor time a \
         message, until nothing was put off any more.\n\
         Ratios are medians of the ratios of a round; noise is half the distance between the first \
         and the ninth tenth.\n"
    )
}

fn table(subjects: &[&Subject], rates: &[Rates], yardstick: &str) -> Table {
    let mut table = Table::new(&["", "accepted", "noise", "through", "messages/s", "processor"]);
    let place = subjects.iter().position(|subject| subject.name == yardstick).unwrap_or(0);
    let base = &rates[place];
    for (subject, rates) in subjects.iter().zip(rates) {
        let accepted = rates.accepted.ratio_to(&base.accepted);
        let through = rates.through.ratio_to(&base.through);
        table.row(vec![
            subject.name.to_owned(),
            format!("{:.2}", accepted.median()),
            format!("{:.0} %", accepted.noise() * 100.0),
            format!("{:.2}", through.median()),
            format!("{:.0}", rates.accepted.median()),
            format!("{:.0}", rates.processor.median()),
        ]);
    }
    table
}

/// A message, with its closing dot.
pub(crate) fn message() -> Vec<u8> {
    let mut message = b"From: <user@example.test>\r\nTo: <user@example.test>\r\n\
        Subject: a message to measure with\r\nMessage-ID: <1@example.test>\r\n\r\n"
        .to_vec();
    while message.len() < MESSAGE_OCTETS {
        message.extend_from_slice(
            b"A line of an ordinary message of an ordinary length, and so on.\r\n",
        );
    }
    message.extend_from_slice(b".\r\n");
    message
}
