//! The milter with a real Sendmail, as its page says, and DNS from a real name server. What
//! Sendmail takes it hands on to a Postfix.

use std::fs;

use quivive_e2e::client::Dialogue;
use quivive_e2e::filtered::{DNS, MESSAGE};
use quivive_e2e::matrix::{Proof, SENDMAIL_MILTER_END, SENDMAIL_MILTER_RCPT, shown};
use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::{maildir, milter, nsd, postfix, sendmail, wait};

/// Text that Sendmail could take for a format.
const PERCENT: &str = "percent.test. TXT \"v=spf1 -all exp=why.percent.test\"
why.percent.test. TXT \"100%% of %{d} %%n%%s\"";

/// A Sendmail that asks, and what it hands on to. It ends first.
struct World {
    sendmail: Peer,
    postfix: Peer,
    _serve: Serve,
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
    let world = World { sendmail, postfix, _serve: serve, _nsd: nsd };
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
    for proof in [Proof::Marked, Proof::Cleaned, Proof::UnixSocket] {
        shown(SENDMAIL_MILTER_END, proof);
    }
    shown(SENDMAIL_MILTER_RCPT, Proof::Client);
    shown(SENDMAIL_MILTER_RCPT, Proof::UnixSocket);
}

#[test]
fn what_is_held_is_quarantined_and_an_ipv6_client_is_known_over_tcp() {
    let folder = peer::open_folder();
    let nsd = nsd::start(DNS);
    let tables = format!("none = \"hold\"\n{}", milter::OVER_TCP);
    let serve = Serve::start(&quivive::doors(nsd.address, &tables));
    let address = serve.address("milter");
    let line = format!(
        "INPUT_MAIL_FILTER(`quivive', `S=inet:{}@{}, F=T, T=C:10s;S:30s;R:60s;E:5m')dnl",
        address.port(),
        address.ip()
    );
    let postfix = postfix::start();
    let sendmail = sendmail::start(postfix.address, &line, folder.path());
    let world = World { sendmail, postfix, _serve: serve, _nsd: nsd };
    let taken = world.client().message("a@nothing.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    // The control file of a message in quarantine begins with `hf`; its line `q` has the reason.
    let queue = world.sendmail.folder().join("queue");
    let held = wait::until("a message in quarantine", || {
        let mut entries = fs::read_dir(&queue).ok()?.flatten();
        let file = entries.find(|entry| entry.file_name().to_string_lossy().starts_with("hf"))?;
        Some(String::from_utf8_lossy(&fs::read(file.path()).ok()?).into_owned())
    });
    let reason = "qspf helo none: mark (no action is set); spf mailfrom none: hold";
    assert!(held.contains(reason), "{held}");
    shown(SENDMAIL_MILTER_END, Proof::Held);
    let v6 = (std::net::Ipv6Addr::LOCALHOST, world.sendmail.address.port()).into();
    let mut client = Dialogue::open(v6);
    client.say("EHLO client.test", "250");
    let refusal = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 ") && refusal.contains("SPF: ::1 is not"), "{refusal}");
    shown(SENDMAIL_MILTER_RCPT, Proof::Ipv6);
}
