//! Exim that asks the policy service as its page says, and delivers `example.test` into one
//! Maildir.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::book;
use crate::client::Dialogue;
use crate::filtered::DNS;
use crate::peer::{self, Peer};
use crate::quivive::Serve;
use crate::{maildir, nsd, wait};

/// Where the page has its listener, and its name.
const ADDRESS: &str = "127.0.0.1:10040";
const NAME: &str = "mx.example.org";

/// Exim reads its configuration where it was told when it was built.
const START: &str = "mount --bind \"$0\" /etc/exim4 && exec exim4 -bdf";

/// Quivive behind an Exim. Drops, and so ends, the Exim first.
pub struct Asking {
    /// Takes mail for `example.test`, and believes the PROXY protocol.
    pub exim: Peer,
    /// Judges it.
    pub serve: Serve,
    _nsd: Peer,
}

impl Asking {
    /// Starts both, with Quivive at this address.
    pub fn start(address: &str) -> Self {
        Self::start_with("", |page| page.replace(ADDRESS, address))
    }

    /// As [`Asking::start`], with further records, and what is made of the page's configuration.
    pub fn start_with(records: &str, change: impl FnOnce(String) -> String) -> Self {
        let nsd = nsd::start(&format!("{DNS}\n{records}"));
        let configuration = change(block("toml").replace("quivive.db", ""));
        let resolver = format!("[resolver]\nservers = [\"{}\"]\n", nsd.address);
        let serve = Serve::start(&(configuration + &resolver));
        let exim = start(serve.listening("policy"));
        Self { exim, serve, _nsd: nsd }
    }

    /// A client that stands elsewhere, by the PROXY protocol.
    pub fn client(&self, address: &str) -> Dialogue {
        Dialogue::open_by_proxy(self.exim.address, address, "client.test")
    }

    /// Waits for so many messages in the Maildir, and gives them.
    ///
    /// # Panics
    /// When there are fewer in the end, or more.
    pub fn arrived(&self, count: usize) -> Vec<String> {
        let folder = self.exim.folder().join("mail/box");
        wait::until("mail in Exim", || (maildir::count(&folder) >= count).then_some(()));
        let messages = maildir::messages(&folder);
        assert_eq!(messages.len(), count, "messages that arrived");
        messages
    }

    /// The first log line of the daemon that holds all of these.
    ///
    /// # Panics
    /// When there is no such line in the end.
    pub fn logged(&self, parts: &[&str]) -> String {
        wait::until(&format!("a log line with {parts:?}"), || {
            let log = self.serve.log();
            let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
            log.lines().find(has_all).map(str::to_owned)
        })
    }
}

/// A block of the page, in our name.
fn block(language: &str) -> String {
    let escaped = |name: &str| name.replace('.', "\\.");
    book::blocks(&book::page("exim.md"), language)
        .remove(0)
        .replace(NAME, "mx.example.test")
        .replace(&escaped(NAME), &escaped("mx.example.test"))
}

fn start(policy: &str) -> Peer {
    let prepare = |folder: &Path, address: SocketAddr| {
        for name in ["spool", "mail", "logs"] {
            peer::owned_folder(folder, name);
        }
        let conf: PathBuf = folder.join("conf");
        fs::create_dir(&conf).expect("the folder is new");
        let file = conf.join("exim4.conf");
        fs::write(file, settings(folder, address, policy)).expect("the folder is ours");
        ["sh", "-c", START, &conf.display().to_string()].map(str::to_owned).to_vec()
    };
    Peer::start("exim", prepare, peer::accepts)
}

fn settings(folder: &Path, address: SocketAddr, policy: &str) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    let socket = match policy.strip_prefix("unix:") {
        Some(path) => path.to_owned(),
        None => format!("inet:{policy}"),
    };
    let macros = block("exim-macros").replace(&format!("inet:{ADDRESS}"), &socket);
    let (at_rcpt, at_data) = (block("exim-rcpt"), block("exim-data"));
    format!(
        r#"
{macros}
primary_hostname = mx.example.test
domainlist local_domains = example.test
spool_directory = {folder}/spool
log_file_path = {folder}/logs/%slog
local_interfaces = {ip}
daemon_smtp_ports = {port}
hosts_proxy = 127.0.0.0/8
auth_advertise_hosts = *
never_users =
host_lookup =
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data

begin acl
check_rcpt:
  deny
    !domains = +local_domains
    message = relay not permitted
{at_rcpt}
  accept
check_data:
{at_data}
  accept

begin routers
here:
  driver = accept
  domains = +local_domains
  transport = box

begin transports
box:
  driver = appendfile
  maildir_format
  directory = {folder}/mail/box
  create_directory
  return_path_add
  user = {owner}
  group = {owner}

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = yes
  server_set_id = $auth2
"#,
        owner = peer::OWNER
    )
}
