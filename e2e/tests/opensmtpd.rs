//! OpenSMTPD with Quivive's filter, as its page has it, and DNS from a real name server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use quivive_e2e::client::{self, Dialogue};
use quivive_e2e::filtered::READS_HEADER;
use quivive_e2e::matrix::{OPENSMTPD_FILTER_END, OPENSMTPD_FILTER_RCPT, Proof, shown};
use quivive_e2e::opensmtpd::Filtered;
use quivive_e2e::{maildir, wait};

/// A client that `vouched.test` vouches for, one that nobody does, and one with IPv6.
const VOUCHED: &str = "192.0.2.25";
const STRANGER: &str = "192.0.2.66";
const VOUCHED_IPV6: &str = "2001:db8::25";

/// A message with forged results that must not arrive.
const MESSAGE: &str = "From: a@vouched.test\r\nSubject: a | bar\r\n\
    Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=king@castle.test\r\n\
    X-Between: stays\r\n\
    Authentication-Results: other.test; spf=pass smtp.mailfrom=a@vouched.test\r\n\
    Received-SPF: pass (mx.example.org: king@castle.test)\r\n\
    authentication-results: MX.example.org;\r\n\tnone (castle.test)\r\n\r\n\
    Authentication-Results: mx.example.org; in the body\r\n..a dot\r\n\r\nbody";

#[test]
fn what_passes_is_marked_and_forged_results_go() {
    let world = Filtered::start();
    let mut client = world.client(VOUCHED, "client.test");
    let taken = client.message("a@vouched.test", "b@example.org", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let fields = maildir::fields(&message);
    let ours = fields.iter().position(|(name, _)| name == "Authentication-Results");
    let fields = &fields[ours.expect("a result")..];
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Authentication-Results",
            "Received-SPF",
            "Received-SPF",
            "Received",
            "From",
            "Subject",
            "X-Between",
            "Authentication-Results"
        ],
        "{message}"
    );
    let value = |index: usize| fields[index].1.as_str();
    assert!(value(0).starts_with("mx.example.org;") && value(0).contains("spf=pass"), "{message}");
    assert!(value(1).starts_with("pass ") && value(1).contains(VOUCHED), "{message}");
    assert!(value(2).contains("helo=client.test"), "{message}");
    assert!(value(7).starts_with("other.test;"), "{message}");
    assert!(!message.contains("castle.test"), "a forged result passed: {message}");
    let (_, body) = message.split_once("\n\n").expect("a body");
    let expected = "Authentication-Results: mx.example.org; in the body\n.a dot\n\nbody\n";
    assert_eq!(body.replace("\r\n", "\n"), expected);
    let logged = world.logged(&["opensmtpd", "Message accepted for delivery"]);
    assert!(logged.contains(VOUCHED) && logged.contains("client.test"), "{logged}");
    for proof in [Proof::Marked, Proof::Cleaned, Proof::Client, Proof::UnixSocket] {
        shown(OPENSMTPD_FILTER_END, proof);
    }
}

#[test]
fn fail_is_refused_with_the_domains_own_words() {
    let world = Filtered::start();
    let mut client = world.client(STRANGER, "client.test");
    client.say("MAIL FROM:<a@strict.test>", "250");
    for recipient in ["b@example.org", "c@example.org"] {
        let refusal = client.say(&format!("RCPT TO:<{recipient}>"), "550 5.7.23 ");
        assert!(refusal.contains("192.0.2.66 does not send for strict.test"), "{refusal}");
    }
    client.say("RSET", "250");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    client.say("RCPT TO:<b@example.org>", "550 5.7.23 ");
    client.say("QUIT", "221");
    world.logged(&["opensmtpd", "strict.test", "recipients=2", "reject", "550 5.7.23"]);
    // The same session may send what is genuine.
    let mut client = world.client(VOUCHED, "client.test");
    client.say("MAIL FROM:<a@strict.test>", "250");
    client.say("RCPT TO:<b@example.org>", "550 5.7.23 ");
    client.say("RSET", "250");
    let taken = client.message("a@vouched.test", "b@example.org", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    world.arrived(1);
    shown(OPENSMTPD_FILTER_RCPT, Proof::Refused);
    shown(OPENSMTPD_FILTER_RCPT, Proof::UnixSocket);
}

#[test]
fn temporary_trouble_with_dns_defers() {
    let world = Filtered::start();
    let mut client = world.client(STRANGER, "client.test");
    client.say("MAIL FROM:<a@broken.test>", "250");
    client.say("RCPT TO:<b@example.org>", "451 4.7.24 ");
    shown(OPENSMTPD_FILTER_RCPT, Proof::Deferred);
}

/// What the header says is known, and answered, when the message is.
#[test]
fn what_the_header_says_is_refused_at_the_end() {
    let world = Filtered::start_with(READS_HEADER, "");
    let from = |author: &str| format!("From: {author}\r\nSubject: x\r\n\r\nbody");
    let mut client = world.client(VOUCHED, "client.test");
    let taken = client.message("a@vouched.test", "b@example.org", &from("a@author.test"));
    assert!(taken.starts_with("250 "), "{taken}");
    let mut client = world.client(VOUCHED_IPV6, "client.test");
    let refused = client.message("a@vouched.test", "b@example.org", &from("a@author.test"));
    assert!(refused.starts_with("550 5.7.1 Caller ID: "), "{refused}");
    assert!(refused.contains("author.test"), "{refused}");
    let deferred = client.message("a@vouched.test", "b@example.org", &from("a@broken.test"));
    assert!(deferred.starts_with("451 4.4.3 Caller ID: "), "{deferred}");
    let taken = client.message("a@vouched.test", "b@example.org", &from("a@vouched.test"));
    assert!(taken.starts_with("250 "), "{taken}");
    world.arrived(2);
    shown(OPENSMTPD_FILTER_END, Proof::Refused);
    shown(OPENSMTPD_FILTER_END, Proof::Deferred);
}

#[test]
fn addresses_and_names_of_clients_arrive() {
    let world = Filtered::start();
    let mut client = world.client(VOUCHED_IPV6, "six.test");
    let taken = client.message("a@vouched.test", "b@example.org", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let logged = world.logged(&["opensmtpd", VOUCHED_IPV6, "six.test", "spf.mailfrom=pass"]);
    assert!(logged.contains("mail_from=\"a@vouched.test\""), "{logged}");
    let mut client = world.client(STRANGER, "four.test");
    client.say("MAIL FROM:<>", "250");
    client.say("RCPT TO:<b@example.org>", "250");
    client.say("RSET", "250");
    world.logged(&["opensmtpd", STRANGER, "four.test", "mail_from=\"\""]);
    for row in [OPENSMTPD_FILTER_RCPT, OPENSMTPD_FILTER_END] {
        shown(row, Proof::Ipv6);
    }
    shown(OPENSMTPD_FILTER_RCPT, Proof::Client);
}

/// Who hands mail on for us is not who sends it.
#[test]
fn the_client_before_our_gateway_counts() {
    let upstreams = format!("[local]\nupstreams = [\"{STRANGER}\"]\n");
    let world = Filtered::start_with(&upstreams, "");
    let handed_on = |client: &str| {
        let received = format!("Received: from x.test (x.test [{client}]) by gateway.test");
        let content = format!("{received}\r\n{MESSAGE}");
        world.client(STRANGER, "gateway.test").message("a@vouched.test", "b@example.org", &content)
    };
    let taken = handed_on(VOUCHED);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let spf = maildir::field(&message, "Received-SPF").expect("a result");
    assert!(spf.starts_with("pass ") && spf.contains("client-ip=192.0.2.25;"), "{message}");
    let refusal = handed_on("192.0.2.99");
    assert!(refusal.starts_with("550 5.7.23 SPF: 192.0.2.99 is not permitted"), "{refusal}");
}

#[test]
fn sessions_are_interleaved() {
    let world = Filtered::start();
    let sent = client::smtp_source(
        world.second(),
        &["-m", "100", "-s", "20", "-l", "20000", "-f", "a@vouched.test", "-t", "b@example.org"],
    );
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    for message in world.arrived(100) {
        let results = maildir::field(&message, "Authentication-Results").expect("a result");
        assert!(
            results.starts_with("mx.example.org;") && results.contains("spf=pass"),
            "{results}"
        );
        assert!(message.len() > 20_000, "{}", message.len());
    }
}

#[test]
fn large_messages_pass_unchanged() {
    let world = Filtered::start();
    let body = "0123456789 | abcdefghijklmnopqrstuvwxyz\r\n".repeat(100_000);
    let mut client = world.client(VOUCHED, "client.test");
    let message = format!("Subject: large\r\n\r\n{body}end");
    let taken = client.message("a@vouched.test", "b@example.org", &message);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let (_, arrived) = message.split_once("\n\n").expect("a body");
    assert!(arrived == format!("{}end\n", body.replace("\r\n", "\n")), "{}", arrived.len());
}

#[test]
fn without_a_daemon_mail_is_deferred_and_goes_on_when_it_is_back() {
    let mut world = Filtered::start();
    let mut open = world.client(VOUCHED, "client.test");
    open.say("MAIL FROM:<a@vouched.test>", "250");
    open.say("RCPT TO:<b@example.org>", "250");
    world.serve().signal("KILL");
    world.serve = None;
    // In the middle of a message.
    open.say("DATA", "354");
    open.say(&format!("{MESSAGE}\r\n."), "451 4.3.0 ");
    // And before one; whoever was sent away comes again.
    open.say("MAIL FROM:<a@vouched.test>", "250");
    open.say("RCPT TO:<b@example.org>", "451 4.3.0 ");
    open.say("RSET", "250");
    assert_eq!(maildir::count(&world.maildir()), 0);
    world.restart();
    let taken = open.message("a@vouched.test", "b@example.org", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    world.arrived(1);
    let log = world.smtpd.log();
    assert!(log.contains("does not judge mail"), "{log}");
}

#[test]
fn without_a_daemon_mail_may_be_taken_but_nothing_forged() {
    let mut world = Filtered::start_with("", "--when-down accept");
    world.client(VOUCHED, "client.test").message("a@vouched.test", "b@example.org", MESSAGE);
    world.arrived(1);
    world.serve = None;
    let mut client = world.client(STRANGER, "client.test");
    let taken = client.message("a@strict.test", "c@example.org", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let messages = world.arrived(2);
    let is_second = |message: &&String| message.contains("<a@strict.test>");
    let second = messages.iter().find(is_second).expect("the second message");
    assert!(!second.contains("castle.test"), "a forged result passed: {second}");
    let results = maildir::field(second, "Authentication-Results").expect("the other's result");
    assert!(results.starts_with("other.test;"), "{second}");
}

#[test]
fn reloads_and_a_restart_lose_nothing() {
    let mut world = Filtered::start();
    let second = world.second();
    let sender = thread::spawn(move || {
        client::smtp_source(
            second,
            &["-A", "-m", "100", "-s", "10", "-f", "a@vouched.test", "-t", "b@example.org"],
        )
    });
    let folder = world.maildir();
    for count in [10, 20, 30] {
        wait::until("some mail", || (maildir::count(&folder) >= count).then_some(()));
        world.serve().signal("HUP");
    }
    wait::until("more mail", || (maildir::count(&folder) >= 40).then_some(()));
    world.serve().signal("TERM");
    if let Some(serve) = &mut world.serve {
        serve.wait();
    }
    world.restart();
    let sent = sender.join().expect("smtp-source runs");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    // Whoever came while the daemon was away for too long was told to come again.
    let log = world.smtpd.log();
    let deferred = log.lines().filter(|line| line.contains("result=\"451 4.3.0 ")).count();
    for message in world.arrived(100 - deferred) {
        let results = maildir::field(&message, "Authentication-Results").expect("a result");
        assert!(results.contains("spf=pass"), "{results}");
    }
}

#[test]
fn silent_clients_and_those_that_go_away_delay_nobody() {
    let console = "[[listen]]\ndoor = \"console\"\naddress = \"127.0.0.1:0\"\n";
    let world = Filtered::start_with(console, "");
    let mut silent: Vec<Dialogue> = Vec::new();
    for index in 0..100 {
        let mut client = Dialogue::open(world.second());
        client.say("EHLO silent.test", "250");
        if index % 2 == 0 {
            client.say("MAIL FROM:<a@vouched.test>", "250");
            client.say("RCPT TO:<b@example.org>", "250");
        }
        silent.push(client);
    }
    let taken = world.client(VOUCHED, "x.test").message("a@vouched.test", "b@example.org", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    drop(silent);
    // Nothing of them is left in the daemon.
    world.logged(&["opensmtpd", "silent.test", "answer=\"\""]);
    wait::until("an end of all talks", || {
        let mut stream = TcpStream::connect(world.serve().address("console")).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut metrics = String::new();
        stream.read_to_string(&mut metrics).ok()?;
        metrics.contains("quivive_sessions_open{door=\"opensmtpd\"} 0\n").then_some(())
    });
}
