//! The milter with a real Sendmail, as its page says, and DNS from a real name server. What
//! Sendmail takes it hands on to a Postfix.

use std::fs;
use std::path::Path;

use quivive_e2e::client::Dialogue;
use quivive_e2e::filtered::{AUTHOR, DNS, MESSAGE, reading_header};
use quivive_e2e::matrix::{Proof, SENDMAIL_MILTER_END, SENDMAIL_MILTER_RCPT, shown};
use quivive_e2e::milter::OVER_TCP;
use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::Serve;
use quivive_e2e::{maildir, milter, nsd, postfix, sendmail, wait};

/// Text that Sendmail could take for a format.
const PERCENT: &str = "percent.test. TXT \"v=spf1 -all exp=why.percent.test\"
why.percent.test. TXT \"100%% of %{d} %%n%%s\"";

/// A Sendmail that asks, and what it hands on to. It ends first.
struct World {
    sendmail: Peer,
    postfix: Peer,
    serve: Serve,
    _nsd: Peer,
}

impl World {
    fn client(&self) -> Dialogue {
        let mut client = Dialogue::open(self.sendmail.address);
        client.say("EHLO client.test", "250");
        client
    }

    fn arrived(&self) -> String {
        let folder = postfix::maildir(&self.postfix);
        wait::until("mail in Postfix", || maildir::messages(&folder).pop())
    }
}

#[test]
fn mail_is_refused_marked_and_cleaned_as_the_page_says() {
    let folder = peer::open_folder();
    let nsd = nsd::start(&format!("{DNS}\n{PERCENT}"));
    let (serve, line) = milter::for_sendmail(nsd.address, folder.path());
    let postfix = postfix::start();
    let sendmail = sendmail::start(postfix.address, &line, folder.path());
    let world = World { sendmail, postfix, serve, _nsd: nsd };
    let mut client = world.client();
    for (sender, reply, words) in [
        ("a@strict.test", "550 5.7.23 ", "127.0.0.1 does not send for strict.test"),
        ("a@broken.test", "451 4.7.24 ", "no answer about broken.test at this time"),
        ("a@percent.test", "550 5.7.23 ", "100% of percent.test %n%s"),
    ] {
        let refusal = client.message(sender, "b@example.test", MESSAGE);
        assert!(refusal.starts_with(reply) && refusal.contains(words), "{refusal}");
        client.say("RSET", "250");
    }
    shown(SENDMAIL_MILTER_RCPT, Proof::Refused);
    shown(SENDMAIL_MILTER_RCPT, Proof::Deferred);
    let taken = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived();
    assert!(!message.contains("castle.test"), "a forged result passed: {message}");
    let fields = maildir::fields(&message);
    let place = |name: &str| fields.iter().position(|(known, _)| known == name);
    let by_sendmail = fields.iter().position(|(_, value)| value.contains("by mail.sender.test"));
    let (results, spf) = (place("Authentication-Results"), place("Received-SPF"));
    assert!(results < spf && spf < by_sendmail, "{message}");
    let (_, results) = &fields[results.expect("it is marked")];
    assert!(results.starts_with("mx.example.test; spf=pass"), "{message}");
    let (_, spf) = &fields[spf.expect("it is marked")];
    assert!(spf.contains("client-ip=127.0.0.1;") && spf.contains("helo=client.test;"), "{message}");
    for proof in [Proof::Marked, Proof::Cleaned, Proof::Client, Proof::UnixSocket] {
        shown(SENDMAIL_MILTER_END, proof);
    }
    shown(SENDMAIL_MILTER_RCPT, Proof::Client);
    shown(SENDMAIL_MILTER_RCPT, Proof::UnixSocket);
}

/// A Sendmail that asks over TCP, with these tables of Quivive's configuration and lines of its
/// own.
fn over_tcp(tables: &str, lines: &str, folder: &Path) -> World {
    let nsd = nsd::start(&format!("{DNS}\n{AUTHOR}"));
    let serve = Serve::start(&reading_header(nsd.address, &format!("{tables}{OVER_TCP}")));
    let address = serve.address("milter");
    let asks = format!(
        "INPUT_MAIL_FILTER(`quivive', `S=inet:{}@{}, F=T, T=C:10s;S:30s;R:60s;E:5m')dnl",
        address.port(),
        address.ip()
    );
    let postfix = postfix::start();
    let sendmail = sendmail::start(postfix.address, &format!("{asks}\n{lines}"), folder);
    World { sendmail, postfix, serve, _nsd: nsd }
}

#[test]
fn what_the_header_says_is_answered_at_the_end_and_what_is_thrown_away_does_not_arrive() {
    let folder = peer::open_folder();
    let world = over_tcp("[actions.spf.helo]\npass = \"discard\"\n", "", folder.path());
    let v6 = (std::net::Ipv6Addr::LOCALHOST, world.sendmail.address.port()).into();
    let sent = |helo: &str, author: &str| {
        let mut client = Dialogue::open(v6);
        client.say(&format!("EHLO {helo}"), "250");
        let content = format!("From: {author}\r\nSubject: x\r\n\r\nbody");
        client.message("a@nothing.test", "b@example.test", &content)
    };
    let refusal = sent("client.test", "a@author.test");
    assert!(refusal.starts_with("550 5.7.1 Caller ID: "), "{refusal}");
    let deferral = sent("client.test", "a@broken.test");
    assert!(deferral.starts_with("451 4.4.3 Caller ID: "), "{deferral}");
    // What passes at HELO is thrown away here; the other message arrives, and it alone.
    let mut client = world.client();
    client.say("EHLO vouched.test", "250");
    let taken = client.message("a@nothing.test", "b@example.test", "Subject: lost\r\n\r\nbody");
    assert!(taken.starts_with("250 "), "{taken}");
    wait::until("a line of the log", || {
        world.serve.log().contains("answer=\"discarded\"").then_some(())
    });
    let taken = sent("client.test", "a@nothing.test");
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived();
    assert!(message.contains("client-ip=\"::1\";") && !message.contains("lost"), "{message}");
    assert_eq!(maildir::count(&postfix::maildir(&world.postfix)), 1);
    for proof in [Proof::Refused, Proof::Deferred, Proof::Discarded, Proof::Ipv6] {
        shown(SENDMAIL_MILTER_END, proof);
    }
}

/// From loopback, for which `strict.test` does not vouch.
#[test]
fn who_logged_in_is_known_by_name_and_not_judged_by_where_it_is() {
    let folder = peer::open_folder();
    let world = over_tcp("", &sendmail::logins(folder.path()), folder.path());
    let mut client = world.client();
    let refusal = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    client.say("RSET", "250");
    // No authorisation, ann, sesame.
    client.say("AUTH PLAIN AGFubgBzZXNhbWU=", "235");
    let taken = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived();
    let results = maildir::field(&message, "Authentication-Results");
    assert_eq!(results.as_deref(), Some("mx.example.test; none"), "{message}");
    let log = world.serve.log();
    let line = log.lines().find(|line| line.contains("login=Some(\"ann\")"));
    assert!(line.is_some_and(|line| !line.contains("spf.")), "{log}");
    for row in [SENDMAIL_MILTER_RCPT, SENDMAIL_MILTER_END] {
        shown(row, Proof::Login);
    }
}

#[test]
fn what_is_held_is_quarantined_and_an_ipv6_client_is_known_over_tcp() {
    let folder = peer::open_folder();
    let world = over_tcp("[actions.spf.helo]\nnone = \"hold\"\n", "", folder.path());
    let taken = world.client().message("a@nothing.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    // The control file of a message in quarantine begins with `hf`; its line `q` has the reason.
    let queue = world.sendmail.folder().join("queue");
    let held = wait::until("a message in quarantine", || {
        let mut entries = fs::read_dir(&queue).ok()?.flatten();
        let file = entries.find(|entry| entry.file_name().to_string_lossy().starts_with("hf"))?;
        Some(String::from_utf8_lossy(&fs::read(file.path()).ok()?).into_owned())
    });
    let reason = "qspf helo none: hold ([actions.spf.helo]); spf mailfrom none: mark";
    assert!(held.contains(reason), "{held}");
    shown(SENDMAIL_MILTER_END, Proof::Held);
    let v6 = (std::net::Ipv6Addr::LOCALHOST, world.sendmail.address.port()).into();
    let mut client = Dialogue::open(v6);
    client.say("EHLO client.test", "250");
    let refusal = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 ") && refusal.contains("SPF: ::1 is not"), "{refusal}");
    shown(SENDMAIL_MILTER_RCPT, Proof::Ipv6);
}
