//! Every message a case: mail from smtp-source through `quivive serve` into a Maildir, and every
//! case judged again. None is missing, and none comes out otherwise.

use std::net::SocketAddr;
use std::process::Command;

use crate::quivive::{Serve, program};
use crate::{client, nsd, wait};

/// How many messages the whole job has; the ordinary test sends a hundredth.
pub const MESSAGES: usize = 100_000;

/// How many connections smtp-source keeps open at once.
const SESSIONS: usize = 10;

/// What the senders publish: an answer of every kind.
const ZONE: &str = "\
pass.test. TXT \"v=spf1 include:net.pass.test -all\"
net.pass.test. TXT \"v=spf1 ip4:127.0.0.0/8 ~all\"
fail.test. TXT \"v=spf1 a mx exists:%{ir}.%{d} -all exp=why.fail.test\"
fail.test. A 192.0.2.1
fail.test. MX 10 fail.test.
why.fail.test. TXT \"%{i} does not send for %{d}\"
soft.test. TXT \"v=spf1 ptr ~all\"
broken.test. TXT \"v=spf1 ip4:192.0.2.0/33 -all\"
;!servfail slow.test";

/// One of each kind, and one that publishes nothing.
const SENDERS: &[&str] =
    &["pass.test", "fail.test", "soft.test", "broken.test", "slow.test", "no.test"];

/// Runs the job with about so many messages, and gives the daemon's peak of resident memory in KiB
/// and the octets that a case takes.
///
/// # Panics
/// When a case is missing or comes out otherwise.
pub fn run(messages: usize) -> (u64, u64) {
    let nsd = nsd::start(ZONE);
    let serve = Serve::start(&configuration(nsd.address));
    let each = messages.div_ceil(SENDERS.len());
    for sender in SENDERS {
        let (count, sessions) = (each.to_string(), SESSIONS.to_string());
        let (from, helo) = (format!("a@{sender}"), format!("mail.{sender}"));
        let sent = client::smtp_source(
            serve.address("gateway"),
            &["-m", &count, "-s", &sessions, "-f", &from, "-M", &helo, "-t", "b@example.test"],
        );
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }
    let count = each * SENDERS.len();
    let expected = format!("{count} judged again, 0 come out otherwise\n");
    // Cases are written off the message's path.
    let said = wait::until("all cases", || Some(replay(&serve)).filter(|said| *said == expected));
    assert_eq!(said, expected, "{}", serve.log());
    assert!(!serve.log().contains("dropped"), "{}", serve.log());
    let octets = std::fs::metadata(serve.folder().join("cases.db")).expect("the store is there");
    (serve.peak_memory_kib(), octets.len() / count as u64)
}

/// What `case replay --all` says in the end; what differs, it says before.
fn replay(serve: &Serve) -> String {
    let mut command = Command::new(program());
    command.args(["case", "replay", "--all", "--config", "quivive.toml"]);
    let output = command.current_dir(serve.folder()).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// A gateway that marks everything and writes down everything.
fn configuration(name_server: SocketAddr) -> String {
    format!(
        r#"
hostname = "mx.example.test"
[resolver]
servers = ["{name_server}"]
[store]
path = "cases.db"
[[listen]]
door = "gateway"
address = "127.0.0.1:0"
next_hop = "maildir:Maildir"
"#
    )
}
