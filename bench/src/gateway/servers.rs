use std::cell::Cell;
use std::io::{BufRead, BufReader, Error, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use quivive_e2e::peer::{self, Peer};
use quivive_e2e::postfix;
use quivive_e2e::quivive::Serve;
use quivive_store::{Overview, Settings, Store};

use super::{MESSAGES, POSTFIX_MESSAGES, Subject};
use crate::cost::Tree;

/// The yardstick.
pub(crate) const BARE_RELAY: &str = "bare tokio relay";

/// The yardstick of what keeping cases costs.
pub(crate) const WITHOUT_STORE: &str = "quivive, SPF";

/// The same, and a store.
pub(crate) const EVERY_CASE_KEPT: &str = "quivive, SPF, every case kept";

/// All servers of a run. They end with this.
pub(crate) struct Servers {
    onward: Vec<Subject>,
    maildir: Vec<Subject>,
    skipped: Vec<String>,
    gateway: Serve,
    keeping_cases: Serve,
    _serves: Vec<Serve>,
    _peers: Vec<Peer>,
    _bare: Vec<Bare>,
}

/// The cases that a daemon has written, looked at as the console does.
struct Cases {
    runtime: tokio::runtime::Runtime,
    store: Store,
}

/// `quivive-bench hop`, in a process of its own.
struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Servers {
    /// Starts all that can be had. `zone` is what the gateway judges by.
    pub(crate) fn start(zone: &Path) -> Result<Self> {
        let has_postfix = tree().is_dir();
        let (mut onward, mut maildir, mut peers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut bare, mut skipped) = (Vec::new(), Vec::new());
        let sink = if has_postfix {
            let sink = smtp_sink();
            let address = sink.address;
            onward.push(subject("smtp-sink alone", address, sink.id()));
            peers.push(sink);
            address
        } else {
            skipped.push("smtp-sink, Postfix: run `cargo xtask test` once, as root".to_owned());
            let sink = Bare::start(None)?;
            let address = sink.address;
            onward.push(subject("bare tokio sink alone", address, sink.child.id()));
            bare.push(sink);
            address
        };
        let relay = Bare::start(Some(sink))?;
        onward.push(subject(BARE_RELAY, relay.address, relay.child.id()));
        bare.push(relay);
        let next_hop = format!("smtp:{sink}");
        let gateway = Serve::start(&configuration(zone, "enforce", &next_hop));
        onward.push(subject("quivive, SPF", gateway.address("gateway"), gateway.id()));
        let without = Serve::start(&configuration(zone, "off", &next_hop));
        onward.push(subject("quivive, no checks", without.address("gateway"), without.id()));
        let into_maildir = Serve::start(&configuration(zone, "enforce", "maildir:box"));
        let with_cases = configuration(zone, "enforce", "maildir:box");
        let with_cases = with_cases.replace("path = \"\"", "path = \"cases.db\"");
        let keeping_cases = Serve::start(&with_cases);
        let cases = Rc::new(Cases::of(&keeping_cases)?);
        if has_postfix {
            let relay = postfix::start_with(&format!(
                "virtual_mailbox_domains =\nrelay_domains = example.test\n\
                 transport_maps = static:smtp:[{}]:{}\n",
                sink.ip(),
                sink.port()
            ));
            onward.push(queued("Postfix", &relay));
            let delivering = postfix::start();
            maildir.push(queued("Postfix", &delivering));
            peers.extend([relay, delivering]);
        }
        let delivers = |name, serve: &Serve| Subject {
            maildir: Some(serve.folder().join("box")),
            ..subject(name, serve.address("gateway"), serve.id())
        };
        maildir.push(delivers(WITHOUT_STORE, &into_maildir));
        let resting = cases.clone();
        maildir.push(Subject {
            is_through: Box::new(move |sent| cases.written() >= sent as u64),
            is_at_rest: Box::new(move || resting.are_at_rest()),
            ..delivers(EVERY_CASE_KEPT, &keeping_cases)
        });
        Ok(Self {
            onward,
            maildir,
            skipped,
            gateway,
            keeping_cases,
            _serves: vec![without, into_maildir],
            _peers: peers,
            _bare: bare,
        })
    }

    /// Those that hand mail on; the ceiling first.
    pub(crate) fn onward(&self) -> &[Subject] {
        &self.onward
    }

    /// Those that deliver; the peer first.
    pub(crate) fn maildir(&self) -> &[Subject] {
        &self.maildir
    }

    /// What could not be had, and why.
    pub(crate) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The most memory that the gateway with SPF had, and the one that keeps cases.
    pub(crate) fn peak_mib(&self) -> (f64, f64) {
        let mib = |serve: &Serve| serve.peak_memory_kib() as f64 / 1024.0;
        (mib(&self.gateway), mib(&self.keeping_cases))
    }
}

fn subject(name: &'static str, address: SocketAddr, process: u32) -> Subject {
    Subject {
        name,
        address,
        messages: MESSAGES,
        is_through: Box::new(|_| true),
        is_at_rest: Box::new(|| true),
        maildir: None,
        sent: Cell::default(),
        processes: Tree::of(process),
    }
}

/// Postfix answers for a message when it is in its queue.
fn queued(name: &'static str, postfix: &Peer) -> Subject {
    let spool = postfix.folder().join("spool");
    let queues: Vec<PathBuf> =
        ["maildrop", "incoming", "active"].iter().map(|queue| spool.join(queue)).collect();
    let is_empty =
        |queue: &PathBuf| queue.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    Subject {
        messages: POSTFIX_MESSAGES,
        is_through: Box::new(move |_| queues.iter().all(is_empty)),
        ..subject(name, postfix.address, postfix.id())
    }
}

fn smtp_sink() -> Peer {
    let words = |_: &Path, address: SocketAddr| {
        let address = address.to_string();
        ["smtp-sink", "-u", "postfix", &address, "512"].map(str::to_owned).to_vec()
    };
    Peer::start("postfix", words, peer::accepts)
}

fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/postfix")
}

fn configuration(zone: &Path, spf: &str, next_hop: &str) -> String {
    format!(
        r#"
hostname = "mx.example.test"
[resolver]
zone = "{zone}"
[store]
path = ""
[methods]
spf = "{spf}"
[[listen]]
door = "gateway"
address = "127.0.0.1:0"
recipient_domains = ["example.test"]
next_hop = "{next_hop}"
"#,
        zone = zone.display()
    )
}

impl Cases {
    fn of(serve: &Serve) -> Result<Self> {
        let path = serve.folder().join("cases.db");
        let settings =
            Settings { path, retain_days: 30, retain_mib: 1024, hash_addresses_after_days: 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let store = runtime.block_on(async { Store::open_to_read(settings) });
        Ok(Self { runtime, store: store.map_err(Error::other)? })
    }

    /// How many there are; none as long as nobody can tell.
    fn written(&self) -> u64 {
        self.overview().map_or(0, |overview| overview.cases_kept)
    }

    /// Whether none is packed any more.
    fn are_at_rest(&self) -> bool {
        self.overview().is_some_and(|overview| overview.cases_packed == 0)
    }

    fn overview(&self) -> Option<Overview> {
        self.runtime.block_on(self.store.overview(0, 1)).ok()
    }
}

impl Bare {
    fn start(next_hop: Option<SocketAddr>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("hop").args(next_hop.map(|address| address.to_string()));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim_end().parse().map_err(Error::other)?;
        Ok(Self { child, address })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
