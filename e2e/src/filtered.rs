//! A Postfix that asks Quivive about its mail, by whatever door, and delivers what it may.

use std::net::SocketAddr;

use crate::client::{self, Dialogue};
use crate::peer::Peer;
use crate::quivive::{self, Serve};
use crate::{maildir, nsd, postfix, wait};

/// `vouched.test` vouches for loopback and two clients, `strict.test` for nobody, `broken.test`
/// cannot be asked.
pub const DNS: &str = "\
vouched.test. TXT \"v=spf1 ip4:127.0.0.0/8 ip4:192.0.2.25 ip6:2001:db8::25 -all\"
strict.test. TXT \"v=spf1 -all exp=why.strict.test\"
why.strict.test. TXT \"%{i} does not send for %{d}\"
;!servfail broken.test";

/// `author.test` says by Caller ID that only one client sends for it: the author's domain, which
/// the header alone tells.
pub const AUTHOR: &str = "_ep.author.test. TXT \"<ep xmlns='http://ms.net/1'><out><m>\
    <a>192.0.2.25</a></m></out></ep>\"";

/// Has Caller ID refuse and defer, where it is enforced.
pub const READS_HEADER: &str =
    "[actions.caller-id.pra]\nfail = \"reject\"\ntemperror = \"defer\"\n";

/// A message with forged results that must not arrive.
pub const MESSAGE: &str = "From: a@vouched.test\r\nSubject: x\r\n\
    Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=king@castle.test\r\n\
    X-Between: stays\r\n\
    Authentication-Results: other.test; spf=pass smtp.mailfrom=a@vouched.test\r\n\
    Received-SPF: pass (mx.example.test: king@castle.test)\r\n\
    authentication-results: MX.example.test; none (castle.test)\r\n\r\nbody";

/// A configuration by which Caller ID refuses and defers, too, with these tables.
pub fn reading_header(name_server: SocketAddr, tables: &str) -> String {
    let configuration = quivive::doors(name_server, &format!("{READS_HEADER}{tables}"));
    let methods = "[methods]\n";
    assert!(configuration.contains(methods), "{configuration}");
    configuration.replace(methods, "[methods]\ncaller-id = \"enforce\"\n")
}

/// Quivive behind a Postfix. Drops, and so ends, the Postfix first.
pub struct Filtered {
    /// Takes mail for `example.test`, and believes XCLIENT from loopback.
    pub postfix: Peer,
    /// Judges it.
    pub serve: Serve,
    /// All of DNS.
    pub nsd: Peer,
}

impl Filtered {
    /// Starts Quivive with these tables of its configuration, before which may stand further
    /// actions of `spf.mailfrom`, and a Postfix with the lines of `main.cf` that lead to it.
    pub fn start(tables: &str, main_cf: impl FnOnce(&Serve) -> String) -> Self {
        Self::start_with("", tables, main_cf)
    }

    /// As [`Filtered::start`], with further records.
    pub fn start_with(records: &str, tables: &str, main_cf: impl FnOnce(&Serve) -> String) -> Self {
        let records = format!(
            "{DNS}
{records}"
        );
        Self::run(&records, |name_server| quivive::doors(name_server, tables), main_cf)
    }

    /// As [`Filtered::start`], with the whole of Quivive's configuration for a name server.
    pub fn start_as(
        configuration: impl FnOnce(SocketAddr) -> String,
        main_cf: impl FnOnce(&Serve) -> String,
    ) -> Self {
        Self::run(DNS, configuration, main_cf)
    }

    /// As [`Filtered::start`], with Caller ID, which reads the header, beside SPF.
    pub fn start_reading_header(tables: &str, main_cf: impl FnOnce(&Serve) -> String) -> Self {
        let configuration = |name_server| reading_header(name_server, tables);
        Self::run(&format!("{DNS}\n{AUTHOR}"), configuration, main_cf)
    }

    fn run(
        records: &str,
        configuration: impl FnOnce(SocketAddr) -> String,
        main_cf: impl FnOnce(&Serve) -> String,
    ) -> Self {
        let nsd = nsd::start(records);
        let serve = Serve::start(&configuration(nsd.address));
        let postfix = postfix::start_with(&main_cf(&serve));
        Self { postfix, serve, nsd }
    }

    /// A client that stands elsewhere.
    pub fn client(&self, address: &str) -> Dialogue {
        Dialogue::open_as(self.postfix.address, address, "client.test")
    }

    /// Sends by swaks with these arguments and gives what it said.
    pub fn swaks(&self, arguments: &[&str]) -> String {
        let sent = client::swaks(self.postfix.address, arguments);
        String::from_utf8_lossy(&sent.stdout).into_owned()
    }

    /// Waits for so many messages in Postfix's Maildir, and gives them.
    ///
    /// # Panics
    /// When there are fewer in the end, or more.
    pub fn arrived(&self, count: usize) -> Vec<String> {
        let folder = postfix::maildir(&self.postfix);
        wait::until("mail in Postfix", || (maildir::count(&folder) >= count).then_some(()));
        let messages = maildir::messages(&folder);
        assert_eq!(messages.len(), count, "messages that arrived");
        messages
    }

    /// The addresses and results of the first log line of the daemon about a message that holds all
    /// of these.
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
