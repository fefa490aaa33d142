//! The milter with a real Postfix, as its page says and over TCP, and DNS from a real name server.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use quivive_e2e::client::Dialogue;
use quivive_e2e::filtered::{Filtered, MESSAGE};
use quivive_e2e::matrix::{POSTFIX_MILTER_END, POSTFIX_MILTER_RCPT, Proof, shown};
use quivive_e2e::milter::{OVER_TCP, by_tcp, inet};
use quivive_e2e::{churn, dovecot, maildir, milter, peer, postfix, quivive, wait};

/// A client that `vouched.test` vouches for, and one that nobody does.
const VOUCHED: &str = "192.0.2.25";
const STRANGER: &str = "192.0.2.66";

fn start(tables: &str) -> Filtered {
    Filtered::start(&format!("{tables}{OVER_TCP}"), by_tcp)
}

/// Names and values of the fields of a message, from the first of ours to the end of the header.
fn fields(message: &str) -> Vec<(String, String)> {
    let fields = maildir::fields(message).into_iter();
    fields.skip_while(|(name, _)| name != "Authentication-Results").collect()
}

#[test]
fn what_passes_is_marked_and_forged_results_go() {
    let world = start("");
    let taken = world.client(VOUCHED).message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let fields = fields(&message);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let ours = ["Authentication-Results", "Received-SPF", "Received-SPF", "Received"];
    let theirs = ["From", "Subject", "X-Between", "Authentication-Results"];
    assert_eq!(names[..8], [ours, theirs].concat(), "{message}");
    let value = |index: usize| fields[index].1.as_str();
    assert!(value(0).starts_with("mx.example.test;") && value(0).contains("spf=pass"), "{message}");
    assert!(value(1).starts_with("pass ") && value(1).contains(VOUCHED), "{message}");
    assert!(value(2).starts_with("none ") && value(2).contains("helo=client.test"), "{message}");
    assert!(value(7).starts_with("other.test;"), "{message}");
    assert!(!message.contains("castle.test"), "a forged result passed: {message}");
    for proof in [Proof::Marked, Proof::Cleaned, Proof::Client] {
        shown(POSTFIX_MILTER_END, proof);
    }
}

/// What the header says is known, and answered, when the message is.
#[test]
fn what_the_header_says_is_refused_at_the_end() {
    let world = Filtered::start_reading_header(OVER_TCP, by_tcp);
    let sent = |client: &str, author: &str| {
        let content = format!("From: {author}\r\nSubject: x\r\n\r\nbody");
        world.client(client).message("a@vouched.test", "b@example.test", &content)
    };
    let taken = sent(VOUCHED, "a@author.test");
    assert!(taken.starts_with("250 "), "{taken}");
    let refusal = sent("2001:db8::25", "a@author.test");
    assert!(refusal.starts_with("550 5.7.1 Caller ID: "), "{refusal}");
    let deferral = sent(VOUCHED, "a@broken.test");
    assert!(deferral.starts_with("451 4.4.3 Caller ID: "), "{deferral}");
    assert!(world.arrived(1)[0].contains("a@author.test"));
    for proof in [Proof::Refused, Proof::Deferred, Proof::Ipv6] {
        shown(POSTFIX_MILTER_END, proof);
    }
}

/// However a name is written, Postfix finds the field that it is told to delete.
#[test]
fn forged_results_go_under_every_name_that_is_passed_on() {
    let world = start("");
    let mut message = String::new();
    for name in [
        "Authentication-Results",
        "AUTHENTICATION-RESULTS",
        "Authentication-Results ",
        "Authentication-Results\t",
        "Authentication-Results",
    ] {
        message += &format!("{name}: mx.example.test;\r\n\tspf=pass (king@castle.test)\r\n");
        message += &format!("X-Kept: {}\r\n", name.len());
    }
    message += "Received-SPF:pass\r\nReceived-SPF:\r\nFrom: a@vouched.test\r\n\r\nbody";
    let taken = world.client(VOUCHED).message("a@vouched.test", "b@example.test", &message);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    assert!(!message.contains("castle.test"), "a forged result passed: {message}");
    let fields = fields(&message);
    let count = |name: &str| fields.iter().filter(|(known, _)| known == name).count();
    assert_eq!((count("X-Kept"), count("Authentication-Results")), (5, 1), "{message}");
    assert_eq!(count("Received-SPF"), 2, "{message}");
}

#[test]
fn fail_is_refused_at_rcpt_with_the_domains_own_words() {
    let world = start("");
    let mut client = world.client(STRANGER);
    let refusal = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 SPF: 192.0.2.66 is not permitted"), "{refusal}");
    assert!(refusal.contains("192.0.2.66 does not send for strict.test"), "{refusal}");
    // The same client's next message is judged for itself.
    client.say("RSET", "250");
    let deferral = client.message("a@broken.test", "b@example.test", MESSAGE);
    assert!(deferral.starts_with("451 4.7.24 "), "{deferral}");
    client.say("RSET", "250");
    let taken = client.message("a@nothing.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    assert!(world.arrived(1)[0].contains("spf=none"));
    world.logged(&["mail_from=\"a@strict.test\"", "verdict=\"reject\"", "5.7.23"]);
    world.logged(&["mail_from=\"a@broken.test\"", "verdict=\"defer\"", "4.7.24"]);
    shown(POSTFIX_MILTER_RCPT, Proof::Refused);
    shown(POSTFIX_MILTER_RCPT, Proof::Deferred);
}

#[test]
fn what_swaks_sends_is_judged_by_its_address_and_helo() {
    let world = start("");
    let sent = world.swaks(&[
        "--from",
        "a@vouched.test",
        "--to",
        "b@example.test,c@example.test",
        "--helo",
        "swaks.test",
    ]);
    assert!(sent.contains("250 2.0.0 Ok: queued"), "{sent}");
    for message in world.arrived(2) {
        let spf = maildir::field(&message, "Received-SPF").expect("a result");
        assert!(spf.contains("client-ip=127.") && spf.contains("helo=swaks.test"), "{message}");
    }
    let line = world.logged(&["helo=\"swaks.test\"", "recipients=2", "verdict=\"accept\""]);
    assert!(line.contains("spf.mailfrom=pass") && !line.contains("queue_id=\"\""), "{line}");
    let refused = world.swaks(&["--from", "a@strict.test", "--to", "b@example.test"]);
    assert!(refused.contains("<** 550 5.7.23 "), "{refused}");
    shown(POSTFIX_MILTER_RCPT, Proof::Client);
}

#[test]
fn a_client_of_ipv6_is_known_by_its_address() {
    let world = start("");
    let taken = world.client("2001:db8::25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let spf = maildir::field(&message, "Received-SPF").expect("a result");
    assert!(spf.starts_with("pass ") && spf.contains("2001:db8::25"), "{message}");
    let refusal = world.client("2001:db8::66").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 SPF: 2001:db8::66 "), "{refusal}");
    shown(POSTFIX_MILTER_RCPT, Proof::Ipv6);
}

/// From loopback, for which `strict.test` does not vouch.
#[test]
fn who_logged_in_is_known_by_name_and_not_judged_by_where_it_is() {
    let dovecot = dovecot::start_authentication();
    let sasl = format!(
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n",
        inet(dovecot.address)
    );
    let world = Filtered::start(OVER_TCP, |serve| by_tcp(serve) + &sasl);
    let login = ["--auth", "PLAIN", "--auth-user", "ann", "--auth-password", dovecot::PASSWORD];
    let envelope = ["--from", "a@strict.test", "--to", "b@example.test"];
    let sent = world.swaks(&[&login[..], &envelope].concat());
    assert!(sent.contains("235 2.7.0 ") && sent.contains("250 2.0.0 Ok: queued"), "{sent}");
    let line = world.logged(&["login=Some(\"ann\")", "verdict=\"accept\""]);
    assert!(!line.contains("spf."), "{line}");
    let message = world.arrived(1).remove(0);
    let results = maildir::field(&message, "Authentication-Results");
    assert_eq!(results.as_deref(), Some("mx.example.test; none"), "{message}");
    let refused = world.swaks(&envelope);
    assert!(refused.contains("<** 550 5.7.23 "), "{refused}");
    for row in [POSTFIX_MILTER_RCPT, POSTFIX_MILTER_END] {
        shown(row, Proof::Login);
    }
}

#[test]
fn what_is_held_lies_in_postfixs_hold_queue() {
    let world = start("none = \"hold\"\n");
    let taken = world.client(STRANGER).message("a@nothing.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let hold = world.postfix.folder().join("spool/hold");
    let held = || fs::read_dir(&hold).ok()?.next()?.ok();
    let file = wait::until("a message in the hold queue", held);
    let queued = fs::read(file.path()).expect("tests run as root");
    let queued = String::from_utf8_lossy(&queued);
    assert!(queued.contains("spf=none (case "), "{queued}");
    // Later versions than 3.7 write the reason, too.
    wait::until("a line of the log", || world.postfix.log().contains("milter-hold").then_some(()));
    assert_eq!(maildir::count(&postfix::maildir(&world.postfix)), 0);
    shown(POSTFIX_MILTER_END, Proof::Held);
}

#[test]
fn what_is_thrown_away_is_taken_and_does_not_arrive() {
    let world = start("none = \"discard\"\n");
    let mut client = world.client(VOUCHED);
    let taken = client.message("a@nothing.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let taken = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    // The second has arrived, and the first not.
    assert!(world.arrived(1)[0].contains("spf=pass"));
    world.logged(&["mail_from=\"a@nothing.test\"", "answer=\"discarded\""]);
    shown(POSTFIX_MILTER_END, Proof::Discarded);
}

#[test]
fn over_a_unix_socket_as_the_page_says() {
    let folder = peer::open_folder();
    let world = milter::world(folder.path());
    let data = fs::metadata(folder.path().join("milter.sock")).expect("it is there");
    assert_eq!((data.mode() & 0o777, data.gid()), (0o660, peer::OWNER));
    let taken = world.client(VOUCHED).message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    assert!(world.arrived(1)[0].contains("spf=pass"));
    let refusal = world.client(STRANGER).message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    shown(POSTFIX_MILTER_END, Proof::UnixSocket);
    shown(POSTFIX_MILTER_RCPT, Proof::UnixSocket);
}

/// Text that an MTA could take for a format, a line end, or the end of a string.
#[test]
fn a_domains_own_words_arrive_as_they_are() {
    let dns = "percent.test. TXT \"v=spf1 -all exp=why.percent.test\"\n\
        why.percent.test. TXT \"100%% of %{d} %%n%%s\"";
    let world = Filtered::start_with(dns, OVER_TCP, by_tcp);
    let refusal = world.client(STRANGER).message("a@percent.test", "b@example.test", MESSAGE);
    assert!(refusal.contains("100% of percent.test %n%s"), "{refusal}");
}

/// A name server that says nothing holds a check up for longer than Postfix waits without a word. A
/// machine under load may be late with one, but not three times.
#[test]
fn postfix_waits_for_a_check_as_long_as_it_hears_that_it_runs() {
    let patience = Duration::from_secs(3);
    let silent = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let name_server = silent.local_addr().expect("it is bound");
    let tables = format!("{OVER_TCP}progress_seconds = 1\n");
    let world = Filtered::start_as(
        |_| quivive::doors(name_server, &tables),
        |serve| by_tcp(serve) + &format!("milter_command_timeout = {}s\n", patience.as_secs()),
    );
    let mut heard = Vec::new();
    let is_ours = (0..3).any(|number| {
        let sender = format!("a@unheard{number}.test");
        let started = Instant::now();
        let reply = world.client(VOUCHED).message(&sender, "b@example.test", MESSAGE);
        assert!(started.elapsed() > patience, "nothing was waited for: {reply}");
        let is_ours = reply.starts_with("451 4.7.24 SPF: no answer about unheard");
        heard.push(reply);
        is_ours
    });
    assert!(is_ours, "{heard:?}");
}

#[test]
fn without_us_mail_is_deferred_as_postfix_is_told() {
    let Filtered { postfix, serve, nsd: _nsd } = start("");
    drop(serve);
    let mut client = Dialogue::open_as(postfix.address, VOUCHED, "client.test");
    let deferral = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(deferral.starts_with("451 4.7.1 "), "{deferral}");
}

/// At a hundredth; `cargo xtask soak milter` runs it whole.
#[test]
fn over_reloads_and_restarts_nothing_is_lost_doubled_or_unmarked() {
    let folder = peer::open_folder();
    let seen = churn::run(&mut milter::world(folder.path()), churn::MESSAGES / 100);
    assert_eq!(seen.taken, churn::MESSAGES / 100);
}
