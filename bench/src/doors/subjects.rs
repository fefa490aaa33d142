//! Postfix with each filter, one beside the other.

use std::fs;
use std::io::{BufRead, BufReader, Error, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::Serve;
use quivive_e2e::{nsd, postfix, wait};

use super::load::Load;
use super::{CLIENT, zone};
use crate::cost::Tree;

/// The yardstick of all.
pub(super) const NO_FILTER: &str = "no filter";

const NULL_POLICY: &str = "null policy server";
const POLICY: &str = "quivive, policy service";
const NOOP: &str = "no-op milter, our events";
const MILTER: &str = "quivive, milter";

/// What ours are held against: what asking costs alone.
pub(super) const PAIRS: &[(&str, &str)] = &[(NULL_POLICY, POLICY), (NOOP, MILTER)];

/// Where all filters look for a name server.
const NAME_SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 53);

/// Postfix throws away what it takes: what is measured is the way there.
const DISCARD: &str = "\
virtual_mailbox_domains =
relay_domains = example.test
transport_maps = static:discard:
smtpd_client_connection_count_limit = 0
";

/// spf-milter of crates.io, a program of its own under its own licence.
const SPF_MILTER: &str = "0.6.0";

/// Postfix with a filter.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) postfix: Peer,
    filter: Filter,
}

/// The filter's process. It ends with this.
enum Filter {
    None,
    Quivive(Serve),
    Peer(Peer),
    Program(Program),
    /// Postfix starts it; its command line holds this.
    WithinPostfix(&'static str),
}

/// All subjects of a run.
pub(super) struct Subjects {
    all: Vec<Subject>,
    skipped: Vec<String>,
    _nsd: Peer,
    sockets: tempfile::TempDir,
}

/// A process that is killed with this.
struct Program {
    child: Child,
    address: String,
}

impl Subject {
    /// The filter's processes.
    pub(super) fn filter(&self) -> Tree {
        match &self.filter {
            Filter::None => Tree::default(),
            Filter::Quivive(serve) => Tree::of(serve.id()),
            Filter::Peer(peer) => Tree::of(peer.id()),
            Filter::Program(program) => Tree::of(program.child.id()),
            Filter::WithinPostfix(word) => Tree::of(self.postfix.id()).with(word),
        }
    }

    /// Whether the filter's processes are Postfix's, too.
    pub(super) fn is_within_postfix(&self) -> bool {
        matches!(self.filter, Filter::WithinPostfix(_))
    }
}

/// Builds what is to be compared and comes from a package registry. What cannot be had is left out.
pub(super) fn fetch() {
    if spf_milter().is_file() {
        return;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = spf_milter().parent().and_then(Path::parent).map(Path::to_owned);
    let mut install = Command::new(cargo);
    install.args(["install", "--quiet", "spf-milter", "--version", SPF_MILTER, "--root"]);
    // Its own lock file names a package that today's compilers refuse.
    let _ = install.arg(root.unwrap_or_default()).stdin(Stdio::null()).status();
}

fn spf_milter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/spf-milter/bin/spf-milter")
}

impl Subjects {
    /// Starts everything that can be had.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let nsd = nsd::start_at(NAME_SERVER, &zone::records());
        let sockets = peer::open_folder();
        let mut subjects = Self { all: Vec::new(), skipped: Vec::new(), _nsd: nsd, sockets };
        subjects.add(NO_FILTER, "", Filter::None);
        subjects.add_policies()?;
        subjects.add_milters()?;
        subjects.add_others(folder)?;
        Ok(subjects)
    }

    pub(super) fn all(&self) -> &[Subject] {
        &self.all
    }

    /// What could not be had, and why.
    pub(super) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Leaves a filter of others out from now on, for it could not do its work.
    ///
    /// # Errors
    /// It is one that the others are held against, or ours.
    pub(super) fn leave_out(&mut self, index: usize, error: &Error) -> Result<()> {
        let name = self.all[index].name;
        let is_needed = name == NO_FILTER
            || name.starts_with("quivive")
            || PAIRS.iter().any(|(yardstick, _)| *yardstick == name);
        if is_needed {
            return Err(Error::other(error.to_string()));
        }
        self.skipped.push(format!("{error}"));
        Ok(())
    }

    fn add(&mut self, name: &'static str, main_cf: &str, filter: Filter) {
        let postfix = postfix::start_with(&format!("{DISCARD}{main_cf}"));
        self.all.push(Subject { name, postfix, filter });
    }

    fn add_policies(&mut self) -> Result<()> {
        let null = Program::start(&["null-policy"])?;
        let asks = |address: &str| {
            format!("smtpd_recipient_restrictions = check_policy_service inet:{address}\n")
        };
        self.add(NULL_POLICY, &asks(&null.address), Filter::Program(null));
        let serve = Serve::start(&configuration("policy", "127.0.0.1:0"));
        let lines = asks(&serve.address("policy").to_string());
        self.add(POLICY, &lines, Filter::Quivive(serve));
        self.must_refuse()
    }

    fn add_milters(&mut self) -> Result<()> {
        let noop = |arguments: &[&str]| Program::start(&[&["noop-milter"], arguments].concat());
        for (name, file, events) in
            [(NOOP, "ours", "ours"), ("no-op milter, all events", "all", "all")]
        {
            let socket = self.socket(file);
            let program = noop(&[events, "prompt", &socket])?;
            self.add(name, &unix(&socket), Filter::Program(program));
        }
        let socket = self.socket("quivive");
        let serve = Serve::start(&configuration("milter", &format!("unix:{socket}")));
        self.add(MILTER, &unix(&socket), Filter::Quivive(serve));
        self.must_refuse()?;
        for (name, arguments) in [
            ("no-op milter, our events, TCP", ["ours", "prompt"]),
            ("the same, acknowledged late", ["ours", "late"]),
            ("the same, each event answered", ["answered", "late"]),
        ] {
            let program = noop(&arguments)?;
            self.add(name, &inet(&program.address), Filter::Program(program));
        }
        let serve = Serve::start(&configuration("milter", "127.0.0.1:0"));
        let lines = inet(&serve.address("milter").to_string());
        self.add("quivive, milter, TCP", &lines, Filter::Quivive(serve));
        Ok(())
    }

    fn add_others(&mut self, folder: &Path) -> Result<()> {
        if spf_milter().is_file() {
            let socket = self.socket("spf-milter");
            let program = start_spf_milter(folder, &socket)?;
            self.add("spf-milter 0.6.0", &unix(&socket), Filter::Program(program));
            self.must_refuse()?;
        } else {
            self.skipped.push("spf-milter: `cargo install spf-milter` failed".to_owned());
        }
        if peer::is_unpacked("policyd-spf") {
            let postfix = start_policyd_spf();
            let filter = Filter::WithinPostfix("policyd-spf");
            self.all.push(Subject { name: "policyd-spf-python 3.0.4", postfix, filter });
            self.must_refuse()?;
        } else {
            self.skipped.push("policyd-spf-python: run `cargo xtask peers`, as root".to_owned());
        }
        if peer::is_unpacked("rspamd") {
            let rspamd = start_rspamd();
            let lines = inet(&rspamd.address.to_string());
            self.add("rspamd 3.4, SPF DKIM DMARC", &lines, Filter::Peer(rspamd));
            self.must_refuse()?;
        } else {
            self.skipped.push("rspamd: run `cargo xtask peers`, as root".to_owned());
        }
        Ok(())
    }

    fn socket(&self, name: &str) -> String {
        self.sockets.path().join(name).display().to_string()
    }

    /// A filter that checks nothing would be fast: the last one has to refuse who must be refused.
    fn must_refuse(&self) -> Result<()> {
        let subject = self.all.last().expect("one was just added");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let load = Load { connections: 1, messages: 1, client: CLIENT, senders: [].into() };
        let refusal = runtime.block_on(load.refusal(subject.postfix.address, zone::STRICT))?;
        match refusal.starts_with('5') {
            true => Ok(()),
            false => Err(Error::other(format!("{}: no refusal, but {refusal}", subject.name))),
        }
    }
}

fn unix(socket: &str) -> String {
    format!("smtpd_milters = unix:{socket}\n")
}

fn inet(address: &str) -> String {
    format!("smtpd_milters = inet:{address}\n")
}

fn configuration(door: &str, address: &str) -> String {
    let mode = if address.starts_with("unix:") { "socket_mode = \"0666\"" } else { "" };
    format!(
        r#"
hostname = "mx.example.test"
[resolver]
servers = ["{NAME_SERVER}"]
[store]
path = ""
[methods]
spf = "enforce"
[actions.spf.mailfrom]
fail = "reject"
temperror = "defer"
[[listen]]
door = "{door}"
address = "{address}"
{mode}
"#
    )
}

fn start_spf_milter(folder: &Path, socket: &str) -> Result<Program> {
    let file = folder.join("spf-milter.conf");
    fs::write(&file, format!("socket = unix:{socket}\nlog_destination = stderr\n"))?;
    let mut command = Command::new("sh");
    command.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(spf_milter()).arg("-c").arg(file);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let program = Program { child: command.spawn()?, address: socket.to_owned() };
    wait::until("spf-milter", || Path::new(socket).exists().then_some(()));
    Ok(program)
}

fn start_policyd_spf() -> Peer {
    let service = |folder: &Path| {
        let file = folder.join("policyd-spf.conf");
        let settings = "debugLevel = 0\nTestOnly = 1\nHELO_reject = Fail\n\
            Mail_From_reject = Fail\nskip_addresses = 127.0.0.0/8,::1/128\n";
        fs::write(&file, settings).expect("the folder is ours");
        format!(
            "policyd-spf unix - n n - 0 spawn user=nobody argv=/usr/bin/policyd-spf {}\n",
            file.display()
        )
    };
    let lines = format!(
        "{DISCARD}policyd-spf_time_limit = 3600\n\
         smtpd_recipient_restrictions = check_policy_service unix:private/policyd-spf\n"
    );
    postfix::start_as("policyd-spf", &lines, service)
}

fn start_rspamd() -> Peer {
    let prepare = |folder: &Path, address: SocketAddr| {
        peer::owned_folder(folder, "data");
        let settings = rspamd(folder, address);
        fs::write(folder.join("rspamd.conf"), settings).expect("the folder is ours");
        let file = folder.join("rspamd.conf").display().to_string();
        ["rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", &file].map(str::to_owned).to_vec()
    };
    Peer::start("rspamd", prepare, peer::accepts)
}

/// The least with which rspamd checks SPF, DKIM and DMARC, by itself and for a milter.
fn rspamd(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        r#"
options {{
  filters = "dkim";
  pidfile = "{folder}/data/pid";
  dns {{ nameserver = ["{NAME_SERVER}:1"]; }}
  hs_cache_dir = "{folder}/data";
  local_addrs = ["127.0.0.0/8"];
}}
logging {{ type = "console"; level = "error"; }}
modules {{
  path = "/usr/share/rspamd/plugins/spf.lua";
  path = "/usr/share/rspamd/plugins/dmarc.lua";
}}
spf {{ }}
dmarc {{ }}
actions {{ reject = 100; add_header = null; greylist = null; }}
group "spf" {{ symbols {{ "R_SPF_FAIL" {{ weight = 200; }} }} }}
worker "rspamd_proxy" {{
  bind_socket = "{address}";
  milter = yes;
  count = 1;
  timeout = 120s;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
"#
    )
}

impl Program {
    /// Starts this program itself with these arguments; it says where it listens.
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim_end().to_owned();
        let program = Self { child, address };
        if program.address.is_empty() {
            return Err(Error::other(format!("{arguments:?} does not listen")));
        }
        Ok(program)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
