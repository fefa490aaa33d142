//! OpenSMTPD as the page `docs/opensmtpd.md` has it, with Quivive behind its filter.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::book;
use crate::client::Dialogue;
use crate::filtered::{AUTHOR, DNS, READS_HEADER};
use crate::peer::{self, Peer};
use crate::quivive::{self, Serve};
use crate::{maildir, nsd, wait};

/// The account that owns what is delivered: the second one of the peer.
const MAIL_USER: &str = "opensmtpq";
const MAIL_OWNER: u32 = peer::OWNER + 1;

/// Gives smtpd the folders that are compiled into it, puts the program `$1` at `$2`, where smtpd's
/// user can run it, and becomes the rest of the arguments.
const SETTLE: &str = r#"
program=$1; place=$2; shift 2
for folder in /var/spool /var/lib /run; do mount -t tmpfs tmpfs $folder || exit 98; done
mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty
chmod 711 /var/spool/smtpd
touch "$place" && mount --bind "$program" "$place" || exit 98
exec "$@"
"#;

/// An OpenSMTPD that delivers `example.org` into one Maildir, its filter, and the daemon.
pub struct Filtered {
    /// Listens for clients that a PROXY header states, and on the next port for others.
    pub smtpd: Peer,
    /// Judges. None: it was stopped.
    pub serve: Option<Serve>,
    /// All of DNS.
    pub nsd: Peer,
    run: TempDir,
    tables: String,
}

impl Filtered {
    /// Starts all of it, with further tables in Quivive's configuration, and further words for its
    /// filter.
    pub fn start_with(tables: &str, filter: &str) -> Self {
        let nsd = nsd::start(&format!("{DNS}\n{AUTHOR}"));
        let run = peer::open_folder();
        let serve = Some(Serve::start(&configuration(nsd.address, run.path(), tables)));
        let socket = format!("{} {filter}", socket(run.path()));
        let prepare = |folder: &Path, address: SocketAddr| prepare(folder, address, &socket);
        let smtpd = Peer::start("opensmtpd", prepare, peer::accepts);
        Self { smtpd, serve, nsd, run, tables: tables.to_owned() }
    }

    /// As the page has it.
    pub fn start() -> Self {
        Self::start_with("", "")
    }

    /// The daemon.
    ///
    /// # Panics
    /// When it was stopped.
    pub fn serve(&self) -> &Serve {
        self.serve.as_ref().expect("the daemon runs")
    }

    /// Starts the daemon again, where the filter looks for it.
    pub fn restart(&mut self) {
        let configuration = configuration(self.nsd.address, self.run.path(), &self.tables);
        self.serve = Some(Serve::start(&configuration));
    }

    /// Where clients connect that no PROXY header states.
    pub fn second(&self) -> SocketAddr {
        next(self.smtpd.address)
    }

    /// A client that stands elsewhere.
    pub fn client(&self, address: &str, helo: &str) -> Dialogue {
        let client: IpAddr = address.parse().expect("an address");
        let mut dialogue = Dialogue::open_by_proxy_2(self.smtpd.address, client);
        dialogue.say(&format!("EHLO {helo}"), "250");
        dialogue
    }

    /// Waits for so many messages in the Maildir, and gives them.
    ///
    /// # Panics
    /// When there are fewer in the end, or more.
    pub fn arrived(&self, count: usize) -> Vec<String> {
        let folder = self.maildir();
        wait::until("mail from OpenSMTPD", || (maildir::count(&folder) >= count).then_some(()));
        let messages = maildir::messages(&folder);
        assert_eq!(messages.len(), count, "messages that arrived");
        messages
    }

    /// The Maildir.
    pub fn maildir(&self) -> PathBuf {
        self.smtpd.folder().join("mail")
    }

    /// The first log line of the daemon that holds all of these.
    ///
    /// # Panics
    /// When there is no such line in the end.
    pub fn logged(&self, parts: &[&str]) -> String {
        wait::until(&format!("a log line with {parts:?}"), || {
            let log = self.serve().log();
            let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
            log.lines().find(has_all).map(str::to_owned)
        })
    }
}

/// The page's configuration, with the paths, the account and the name server of this test.
///
/// With [`READS_HEADER`] among the tables, Caller ID decides, too.
fn configuration(name_server: SocketAddr, run: &Path, tables: &str) -> String {
    let page = book::blocks(&book::page("opensmtpd.md"), "toml").remove(0);
    let own = replaced(
        page,
        &[
            ("/var/lib/quivive/quivive.db", "quivive.db"),
            ("unix:/run/quivive/opensmtpd.sock", &socket(run)),
            ("\"opensmtpd\"                 #", &format!("\"{}\" #", peer::OWNER)),
        ],
    );
    let own = match tables.contains(READS_HEADER) {
        true => replaced(own, &[("[methods]\n", "[methods]\ncaller-id = \"enforce\"\n")]),
        false => own,
    };
    format!("{own}[resolver]\nservers = [\"{name_server}\"]\n{tables}")
}

/// Where the daemon listens for the filter.
fn socket(run: &Path) -> String {
    format!("unix:{}/opensmtpd.sock", run.display())
}

/// The port above: nobody else uses the address.
fn next(first: SocketAddr) -> SocketAddr {
    SocketAddr::new(first.ip(), first.port().checked_add(1).unwrap_or(1025))
}

/// The page's smtpd.conf, with the paths, the account and the addresses of this test.
fn prepare(folder: &Path, address: SocketAddr, socket: &str) -> Vec<String> {
    let mail = folder.join("mail");
    fs::create_dir(&mail).expect("the folder is new");
    std::os::unix::fs::chown(&mail, Some(MAIL_OWNER), Some(MAIL_OWNER)).expect("we are root");
    let page = book::blocks(&book::page("opensmtpd.md"), "text");
    let page = page.into_iter().find(|block| block.contains("/etc/smtpd.conf"));
    let program = folder.join("quivive").display().to_string();
    let (ip, other) = (address.ip(), next(address));
    let first = format!("{ip} port {} proxy-v2 filter \"quivive\"", address.port());
    let listen = format!("{first}\nlisten on {ip} port {} filter \"quivive\"", other.port());
    let page = replaced(
        page.expect("the page has an smtpd.conf"),
        &[
            ("/usr/bin/quivive", &program),
            ("unix:/run/quivive/opensmtpd.sock", socket),
            ("192.0.2.25 port 25 filter \"quivive\"", &listen),
            ("/var/mail/example.org", &mail.display().to_string()),
            ("vmail", MAIL_USER),
        ],
    );
    let file = folder.join("smtpd.conf");
    fs::write(&file, page).expect("the folder is ours");
    let own = quivive::program().display().to_string();
    let file = file.display().to_string();
    ["sh", "-c", SETTLE, "sh", &own, &program, "smtpd", "-d", "-f", &file].map(str::to_owned).into()
}

/// A text with each of these in place of what stands before it, which must be there.
fn replaced(text: String, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the page has no {from}");
        text.replace(from, to)
    })
}
