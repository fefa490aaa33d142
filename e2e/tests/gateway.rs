//! The full path: a client, `quivive serve`, a real next hop, and DNS from a real name server.

use std::fs;
use std::net::SocketAddr;

use quivive_e2e::client::{self, Dialogue};
use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::{dovecot, kept, maildir, main_job, nsd, postfix, wait};

/// `vouched.test` vouches for loopback, `strict.test` for nobody, `broken.test` cannot be asked.
const DNS: &str = "\
vouched.test. TXT \"v=spf1 ip4:127.0.0.0/8 ip4:192.0.2.25 -all\"
strict.test. TXT \"v=spf1 -all exp=why.strict.test\"
why.strict.test. TXT \"%{i} does not send for %{d}\"
;!servfail broken.test";

/// A client's own message, with a forged result that must not arrive.
const MESSAGE: &str = "From: a@vouched.test\r\nSubject: x\r\n\
    Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=king@castle.test\r\n\r\nbody";

/// A message that does not stay in memory, and a disk that does not hold it.
const LARGE_OCTETS: usize = 2_000_000;
const DISK_OCTETS: usize = 1_000_000;

/// A daemon in front of a Postfix.
struct World {
    serve: Serve,
    postfix: Peer,
    _nsd: Peer,
}

impl World {
    fn start(listener: &str) -> Self {
        let nsd = nsd::start(DNS);
        let postfix = postfix::start();
        let next_hop = format!("smtp:{}", postfix.address);
        let serve = Serve::start(&quivive::gateway(nsd.address, &next_hop, listener));
        Self { serve, postfix, _nsd: nsd }
    }

    fn client(&self, address: &str) -> Dialogue {
        Dialogue::open_as(self.serve.address("gateway"), address, "client.test")
    }

    /// Waits for so many messages in Postfix's Maildir.
    fn arrived(&self, count: usize) -> Vec<String> {
        let folder = postfix::maildir(&self.postfix);
        wait::until("mail in Postfix", || (maildir::count(&folder) >= count).then_some(()));
        let messages = maildir::messages(&folder);
        assert_eq!(messages.len(), count);
        messages
    }
}

#[test]
fn what_swaks_sends_arrives_with_its_result() {
    let world = World::start("");
    let sent = client::swaks(
        world.serve.address("gateway"),
        &["--from", "a@vouched.test", "--to", "b@example.test", "--helo", "client.test"],
    );
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stdout));
    let message = world.arrived(1).remove(0);
    let field =
        |name| maildir::field(&message, name).unwrap_or_else(|| panic!("{name}: {message}"));
    assert_eq!(field("Return-Path"), "<a@vouched.test>");
    assert!(field("Received-SPF").starts_with("pass"), "{message}");
    let results = field("Authentication-Results");
    assert!(results.starts_with("mx.example.test;"), "{message}");
    assert!(results.contains("spf=pass") && results.contains("vouched.test"), "{message}");
    let received: Vec<_> = maildir::fields(&message);
    let by_us = received.iter().any(|(name, value)| {
        name == "Received" && value.contains("by mx.example.test") && value.contains("127.0.0.1")
    });
    assert!(by_us, "{message}");
}

#[test]
fn fail_is_refused_with_the_domains_own_words() {
    let world = World::start("");
    let refusal = world.client("192.0.2.66").message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    assert!(refusal.contains("strict.test"), "{refusal}");
    let refusal = world.client("2001:db8::66").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    assert!(!message.contains("castle.test"), "a forged result passed: {message}");
}

#[test]
fn temporary_trouble_with_dns_defers() {
    let world = World::start("");
    let refusal = world.client("192.0.2.66").message("a@broken.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("451 4.7.24 "), "{refusal}");
    assert_eq!(maildir::count(&postfix::maildir(&world.postfix)), 0);
}

#[test]
fn no_relay_by_us_and_none_by_way_of_the_next_hop() {
    let world = World::start("");
    let mut client = world.client("192.0.2.25");
    let relayed = client.message("a@vouched.test", "b@elsewhere.test", MESSAGE);
    assert!(relayed.starts_with("550 5.7.1 "), "{relayed}");
    client.say("RSET", "250");
    let percent = client.message("a@vouched.test", "b%elsewhere.test@example.test", MESSAGE);
    assert!(percent.starts_with('5'), "{percent}");
    client.say("RSET", "250");
    let routed = client.message("a@vouched.test", "@example.test:b@elsewhere.test", MESSAGE);
    assert!(routed.starts_with('5'), "{routed}");
}

#[test]
fn the_next_hop_refuses_at_rcpt() {
    let settings = "smtpd_recipient_restrictions = check_recipient_access inline:\
        {{b@example.test = 550 5.1.1 No such user here}}\n";
    let nsd = nsd::start(DNS);
    let postfix = postfix::start_with(settings);
    let next_hop = format!("smtp:{}", postfix.address);
    let serve = Serve::start(&quivive::gateway(nsd.address, &next_hop, ""));
    let mut client = Dialogue::open_as(serve.address("gateway"), "192.0.2.25", "client.test");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    let refusal = client.say("RCPT TO:<b@example.test>", "550 5.1.1 ");
    assert!(refusal.contains("No such user here"), "{refusal}");
    client.say("RCPT TO:<c@example.test>", "250");
}

#[test]
fn the_next_hop_hears_who_the_client_is() {
    let world = World::start("xclient_to_next_hop = true");
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    world.arrived(1);
    let log = world.postfix.log();
    assert!(log.contains("[192.0.2.25]"), "{log}");
}

#[test]
fn lmtp_takes_one_recipient_at_a_time() {
    let nsd = nsd::start(DNS);
    let dovecot = dovecot::start();
    let next_hop = format!("lmtp:{}", dovecot.address);
    let serve = Serve::start(&quivive::gateway(nsd.address, &next_hop, ""));
    let mut client = Dialogue::open_as(serve.address("gateway"), "192.0.2.25", "client.test");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    client.say("RCPT TO:<b@example.test>", "250");
    client.say("RCPT TO:<c@example.test>", "452 4.5.3 ");
    client.say("DATA", "354");
    client.say(&format!("{MESSAGE}\r\n."), "250");
    let taken = client.message("a@vouched.test", "c@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    for recipient in ["b@example.test", "c@example.test"] {
        let folder = dovecot::maildir(&dovecot, recipient);
        let messages = wait::until("mail in Dovecot", || {
            Some(maildir::messages(&folder)).filter(|messages| !messages.is_empty())
        });
        assert_eq!(messages.len(), 1);
        let results = maildir::field(&messages[0], "Authentication-Results").expect("a result");
        assert!(results.contains("spf=pass"), "{results}");
    }
}

/// A Postfix that sends everything by way of us, and does not ask DNS who its clients are.
fn upstream(gateway: SocketAddr) -> Peer {
    let (ip, port) = (gateway.ip(), gateway.port());
    postfix::start_with(&format!(
        "virtual_mailbox_domains =\nmynetworks = 127.0.0.0/8\nrelayhost = [{ip}]:{port}\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\n"
    ))
}

#[test]
fn a_mail_server_sends_through_us() {
    let world = World::start("");
    let upstream = upstream(world.serve.address("gateway"));
    for sender in ["a@vouched.test", "a@strict.test", "a@broken.test"] {
        let sent = client::swaks(upstream.address, &["--from", sender, "--to", "b@example.test"]);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stdout));
    }
    let message = world.arrived(1).remove(0);
    assert_eq!(maildir::field(&message, "Return-Path").as_deref(), Some("<a@vouched.test>"));
    // What we refuse is the business of whoever has it.
    for (status, reply) in [("bounced", "550 5.7.23 "), ("deferred", "451 4.7.24 ")] {
        wait::until(status, || {
            let log = upstream.log();
            let told = |line: &str| line.contains(status) && line.contains(reply);
            log.lines().any(told).then_some(())
        });
    }
}

#[test]
fn starttls_and_the_protocol_in_received() {
    let folder = peer::open_folder();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let made = rcgen::generate_simple_self_signed(["mx.example.test".to_owned()]).expect("a key");
    fs::write(&certificate, made.cert.pem()).expect("the folder is ours");
    fs::write(&key, made.signing_key.serialize_pem()).expect("the folder is ours");
    let tls = format!(
        "tls = {{ certificate = \"{}\", key = \"{}\" }}",
        certificate.display(),
        key.display()
    );
    let world = World::start(&tls);
    let sent = client::swaks(
        world.serve.address("gateway"),
        &["--tls", "--from", "a@vouched.test", "--to", "b@example.test", "--helo", "client.test"],
    );
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stdout));
    let message = world.arrived(1).remove(0);
    let fields = maildir::fields(&message);
    let by_tls = fields.iter().any(|(_, value)| value.contains("with ESMTPS"));
    assert!(by_tls, "{message}");
}

#[test]
fn large_messages_pass_unchanged() {
    let world = World::start("");
    let size = LARGE_OCTETS.to_string();
    let sent = client::smtp_source(
        world.serve.address("gateway"),
        &["-m", "4", "-s", "4", "-l", &size, "-f", "a@vouched.test", "-t", "b@example.test"],
    );
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    for message in world.arrived(4) {
        // The Maildir's lines end with LF alone.
        let octets = message.len() + message.lines().count();
        assert!((LARGE_OCTETS..LARGE_OCTETS + 4096).contains(&octets), "{octets}");
        assert!(maildir::field(&message, "Authentication-Results").is_some());
    }
}

#[test]
fn internationalised_addresses_go_where_they_are_taken() {
    let dns = format!("{DNS}\nxn--bcher-kva.test. TXT \"v=spf1 ip4:192.0.2.25 -all\"");
    let nsd = nsd::start(&dns);
    let postfix = postfix::start_with("smtputf8_enable = yes\n");
    let next_hop = format!("smtp:{}", postfix.address);
    let serve = Serve::start(&quivive::gateway(nsd.address, &next_hop, ""));
    let mut client = Dialogue::open_as(serve.address("gateway"), "192.0.2.25", "client.test");
    assert!(client.ask("EHLO client.test").contains("SMTPUTF8"));
    client.say("MAIL FROM:<käfer@bücher.test> SMTPUTF8", "250");
    client.say("RCPT TO:<b@example.test>", "250");
    client.say("DATA", "354");
    client.say("Subject: Grüße\r\n\r\n.", "250");
    let folder = postfix::maildir(&postfix);
    wait::until("mail in Postfix", || (maildir::count(&folder) == 1).then_some(()));
    let message = maildir::messages(&folder).remove(0);
    let results = maildir::field(&message, "Authentication-Results").expect("a result");
    assert!(results.contains("spf=pass"), "{results}");
}

#[test]
fn a_next_hop_that_dies_defers() {
    let World { serve, postfix, _nsd } = World::start("");
    let mut client = Dialogue::open_as(serve.address("gateway"), "192.0.2.25", "client.test");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    client.say("RCPT TO:<b@example.test>", "250");
    drop(postfix);
    client.say("DATA", "354");
    let lost = client.ask(&format!("{MESSAGE}\r\n."));
    assert!(lost.starts_with("451 4."), "{lost}");
    let down = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(down.starts_with("451 4.4.1 "), "{down}");
    client.say("QUIT", "221");
}

#[test]
fn a_full_disk_defers_and_leaves_nothing() {
    let nsd = nsd::start(DNS);
    let configuration = quivive::gateway(nsd.address, "maildir:disk/box", "");
    let serve = Serve::start_on_small_disk(DISK_OCTETS, &configuration);
    let mut client = Dialogue::open_as(serve.address("gateway"), "192.0.2.25", "client.test");
    let large = format!("Subject: x\r\n\r\n{}", "0123456789\r\n".repeat(LARGE_OCTETS / 12));
    let full = client.message("a@vouched.test", "b@example.test", &large);
    assert!(full.starts_with("45"), "{full}");
    let maildir = serve.disk().join("box");
    assert_eq!(maildir::count(&maildir), 0);
    let taken = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    assert_eq!(maildir::count(&maildir), 1);
}

#[test]
fn the_main_job_at_a_hundredth() {
    main_job::run(main_job::MESSAGES / 100);
}

#[test]
fn every_message_is_a_case_that_comes_out_as_it_was() {
    kept::run(kept::MESSAGES / 100);
}
