//! `demo`: mail of every kind through a real gateway, on loopback, without any network or set-up.

mod client;
mod maildir;
mod messages;
mod table;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use quivive_config::Config;
use quivive_contract::{Query, Selection};
use quivive_evidence::{Finding, Header};
use quivive_resolver::{Resolver, Zone};
use quivive_server::check::Judgement;
use quivive_server::listener::Address;
use quivive_server::logins::Logins;
use quivive_server::server::Server;
use quivive_smtp::Reply;
use quivive_store::Store;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::command_line::{Demo, Global};
use crate::error::Error;
use crate::examiner::Examiner;
use crate::listeners::{self, Memory};
use crate::terminal;
use client::ClientError;
use maildir::Arrived;
use messages::{MESSAGES, Message, Outcome};

/// The DNS of the demo.
const ZONE: &str = include_str!("demo/world.zone");

/// The configuration of its gateway.
const CONFIG: &str = include_str!("demo/demo.toml");

/// How long sessions may go on when the demo ends.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A message that was sent, and what came of it.
struct Sent {
    number: usize,
    message: &'static Message,
    /// What a check by the same policy and DNS finds.
    judgement: Judgement,
    /// What the gateway said.
    reply: Result<Reply, ClientError>,
    /// What is not as it was promised.
    problems: Vec<String>,
}

/// Sends the messages, shows what came of them, and without `--once` leaves the gateway running.
pub(crate) fn run(global: &Global, demo: &Demo) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(show(global, demo))
}

async fn show(global: &Global, demo: &Demo) -> Result<ExitCode, Error> {
    let world = World::start().await?;
    let mut out = terminal::shared_stdout();
    if !global.json {
        world.write_introduction(&mut out)?;
        table::write_head(&mut out)?;
    }
    let mut all = Vec::new();
    for (index, message) in MESSAGES.iter().enumerate() {
        let sent = world.send(message, index + 1).await?;
        if global.json {
            table::write_json(&mut out, &sent)?;
        } else {
            table::write_row(&mut out, &sent)?;
        }
        all.push(sent);
    }
    let problems = world.arrived()?.problems();
    let is_kept = problems.is_empty() && all.iter().all(|sent| sent.problems.is_empty());
    if !global.json {
        table::write_notes(&mut out, &all, &problems)?;
    }
    if !demo.once {
        // The console shows every message from its first moment on.
        if let Some(store) = &world.store {
            store.flush().await;
        }
        // Whoever reads the invitation may end it at once.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Commands are there to be copied: none is broken.
        world.write_invitation(&mut anstream::stdout())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    world.server.drain().await;
    if let Some(store) = world.store {
        store.close().await;
    }
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The demo's gateway with everything that it stands on.
struct World {
    folder: TempDir,
    gateway: SocketAddr,
    console: SocketAddr,
    server: Server,
    store: Option<Store>,
    examiner: Examiner,
}

impl World {
    async fn start() -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("quivive-demo-").tempdir()?;
        fs::write(folder.path().join("world.zone"), ZONE)?;
        let config = Config::parse(CONFIG, folder.path()).map_err(Error::Config)?;
        let zone = Zone::parse(ZONE.as_bytes())
            .map_err(|error| Error::Zone { path: "world.zone".into(), error })?;
        let resolver = Resolver::from_zone(zone);
        let ledger = crate::world::ledger(&config.store).await?;
        let tables = crate::grants::tables(&config.binding, Arc::default()).await?;
        let memory = Memory { tables: tables.clone(), tries: Logins::tries() };
        let listeners = listeners::listeners(&config, &resolver, &ledger, &memory).await?;
        let server = Server::start(listeners, DRAIN_TIME).await;
        let server = server.map_err(|(address, error)| {
            Error::Serve(format!("cannot listen on {address} ({error})"))
        })?;
        let receiver = config.hostname.as_str().to_owned();
        Ok(Self {
            gateway: address_of(&server, "gateway"),
            console: address_of(&server, "console"),
            store: ledger.store,
            examiner: Examiner::new(config.policy(), resolver, receiver, None).with_tables(tables),
            folder,
            server,
        })
    }

    /// Sends a message, and compares what comes of it with what was promised.
    async fn send(&self, message: &'static Message, number: usize) -> Result<Sent, Error> {
        let judgement = self.examiner.examine(query(message, number)).await?;
        let reply = client::send(self.gateway, message, number).await;
        let mut problems = self.arrived()?.problems_of(message, number, &judgement);
        problems.extend(unlike_promise(message, &reply));
        let mut sent = Sent { number, message, judgement, reply, problems };
        if sent.finding().is_none_or(|finding| finding.result != message.result) {
            sent.problems.push(format!("the result should be {}", message.result));
        }
        Ok(sent)
    }

    fn arrived(&self) -> io::Result<Arrived> {
        Arrived::read(&self.maildir())
    }

    fn maildir(&self) -> std::path::PathBuf {
        self.folder.path().join("Maildir")
    }

    fn write_introduction(&self, out: &mut impl Write) -> io::Result<()> {
        let maildir = self.maildir();
        writeln!(
            out,
            "{} messages go through a gateway on {} into {}.",
            MESSAGES.len(),
            self.gateway,
            maildir.display()
        )?;
        writeln!(out, "It refuses what fails, puts off what cannot be known, and marks the rest.\n")
    }

    /// The lines to try by hand.
    fn write_invitation(&self, out: &mut impl Write) -> io::Result<()> {
        let zone = self.folder.path().join("world.zone");
        writeln!(out, "\nEvery message with its evidence: http://{}/", self.console)?;
        write_invitation(out, self.gateway, &self.maildir(), &zone)
    }
}

/// Where a door of the demo listens.
fn address_of(server: &Server, door: &str) -> SocketAddr {
    let tcp = |address: &Address| match address {
        Address::Tcp(address) => Some(*address),
        Address::Unix(_) => None,
    };
    let mut addresses = server.addresses();
    let found = addresses.find_map(|(word, address)| tcp(address).filter(|_| word == door));
    found.expect("every door of the demo listens on TCP")
}

impl Sent {
    /// What was found about the identity that the table shows.
    fn finding(&self) -> Option<&Finding> {
        let mut findings = self.judgement.findings.iter();
        findings.find(|finding| {
            (finding.method, finding.identity) == (self.message.method, self.message.identity)
        })
    }
}

fn query(message: &Message, number: usize) -> Query {
    Query {
        ip: message.client.address.parse().expect("the demo's clients have addresses"),
        helo: message.client.helo.to_owned(),
        mail_from: message.reverse_path.to_owned(),
        rcpt: vec![message.recipient.to_owned()],
        auth_user: None,
        submitter: None,
        header: Some(Header::read(&message.octets(number))),
        selection: Selection::default(),
    }
}

/// How the gateway's answer differs from what was promised.
fn unlike_promise(message: &Message, reply: &Result<Reply, ClientError>) -> Option<String> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return Some(error.to_string()),
    };
    let is_kept = match &message.outcome {
        Outcome::Delivered => reply.code == 250,
        Outcome::Refused { code, enhanced, text } => {
            reply.code == *code && reply.enhanced == Some(*enhanced) && reply.text.contains(text)
        }
    };
    (!is_kept).then(|| format!("the gateway said: {reply}"))
}

fn write_invitation(
    out: &mut impl Write,
    gateway: SocketAddr,
    maildir: &Path,
    zone: &Path,
) -> io::Result<()> {
    let port = gateway.port();
    let (maildir, zone) = (maildir.display(), zone.display());
    writeln!(
        out,
        "
Gateway and console go on until you press Ctrl-C. Try by hand:

  swaks --server {gateway} --xclient-addr 198.51.100.10 --helo mail.honest.example \\
        --from ann@honest.example --to you@demo.example
  swaks --server {gateway} --xclient-addr 192.0.2.66 --helo dialup.provider.example \\
        --from ceo@explains.example --to you@demo.example
  printf '%s\\r\\n' 'EHLO me.example' 'MAIL FROM:<boss@strict.example>' \\
        'RCPT TO:<you@demo.example>' QUIT | nc 127.0.0.1 {port}
  quivive check --zone {zone} \\
        --ip 203.0.113.25 --helo out.provider.example --mail-from shop@tenant.example

Its mail is in {maildir}/new and goes with it."
    )
}
