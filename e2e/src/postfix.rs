//! Postfix as a next hop that delivers `example.test` into one Maildir, and its `smtp-source` and
//! `smtp-sink`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::peer::{self, Peer};

/// The services of a Postfix that receives and delivers, all without chroot.
const SERVICES: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
";

/// Starts a Postfix that takes mail for `example.test` from anybody and for other domains from
/// nobody: our address is not in its `mynetworks`. It believes XCLIENT from loopback.
pub fn start() -> Peer {
    start_with("")
}

/// As [`start`], with further lines for its `main.cf`.
pub fn start_with(settings: &str) -> Peer {
    start_as("postfix", settings, |_| String::new())
}

/// As [`start_with`], among the files of a peer that brings more than Postfix, with further lines
/// for its `master.cf` when its folder is known.
pub fn start_as(peer: &str, settings: &str, services: impl Fn(&Path) -> String) -> Peer {
    let prepare = |folder: &Path, address: SocketAddr| {
        for name in ["data", "mail"] {
            peer::owned_folder(folder, name);
        }
        let main = without_those_of(&self::settings(folder), settings) + settings;
        let (ip, port) = (address.ip(), address.port());
        let further = services(folder);
        let services = format!("{ip}:{port} inet n - n - 100 smtpd\n{SERVICES}{further}");
        for name in ["conf", "spool"] {
            fs::create_dir(folder.join(name)).expect("the folder is new");
        }
        fs::write(folder.join("conf/main.cf"), main).expect("the folder is ours");
        fs::write(folder.join("conf/master.cf"), services).expect("the folder is ours");
        let conf = folder.join("conf").display().to_string();
        vec!["postfix".to_owned(), "-c".to_owned(), conf, "start-fg".to_owned()]
    };
    Peer::start(peer, prepare, peer::accepts)
}

/// The lines whose settings are not made again. Each process of Postfix warns of those that are,
/// and its log writer stands still where its own warnings fill its socket.
fn without_those_of(lines: &str, settings: &str) -> String {
    let name = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let made: Vec<String> = settings.lines().map(name).collect();
    let kept = lines.lines().filter(|line| !made.contains(&name(line)));
    kept.map(|line| format!("{line}\n")).collect()
}

/// The Maildir of everybody at `example.test`.
pub fn maildir(postfix: &Peer) -> PathBuf {
    postfix.folder().join("mail/box")
}

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = next.example.test
inet_interfaces = loopback-only
inet_protocols = all
mydestination =
mynetworks = 192.0.2.254/32
alias_maps =
alias_database =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:box/
virtual_mailbox_base = {folder}/mail
virtual_mailbox_limit = 0
mailbox_size_limit = 0
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
in_flow_delay = 0
",
        owner = peer::OWNER
    )
}
