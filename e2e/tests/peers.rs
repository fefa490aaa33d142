//! Each peer starts and answers: what all other tests here stand on.

use quivive_e2e::client::{self, Dialogue};
use quivive_e2e::{dns, dovecot, maildir, nsd, postfix, wait};

const TXT: u16 = 16;
const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;

#[test]
fn nsd_answers() {
    let nsd = nsd::start(
        "example.test. TXT \"v=spf1 -all\"\n*.wild.example.test. TXT \"x\"\n;!servfail broken.test",
    );
    let (code, answer) = dns::ask(nsd.address, "example.test", TXT).expect("an answer");
    assert_eq!(code, 0);
    assert!(String::from_utf8_lossy(&answer).contains("v=spf1 -all"));
    let code = |name| dns::ask(nsd.address, name, TXT).map(|(code, _)| code);
    assert_eq!(code("any.wild.example.test"), Some(0));
    assert_eq!(code("none.example.test"), Some(NXDOMAIN));
    assert_eq!(code("broken.test"), Some(SERVFAIL));
    assert_eq!(code("below.broken.test"), Some(SERVFAIL));
}

#[test]
fn postfix_takes_what_smtp_source_sends() {
    let postfix = postfix::start();
    let sent = client::smtp_source(
        postfix.address,
        &["-m", "10", "-s", "2", "-f", "a@sender.test", "-t", "b@example.test"],
    );
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    wait::until("ten messages", || {
        (maildir::messages(&postfix::maildir(&postfix)).len() == 10).then_some(())
    });
}

#[test]
fn postfix_relays_nothing_and_believes_xclient() {
    let postfix = postfix::start();
    let mut dialogue = Dialogue::open_as(postfix.address, "192.0.2.1", "mx.sender.test");
    dialogue.say("MAIL FROM:<a@sender.test>", "250");
    dialogue.say("RCPT TO:<b@elsewhere.test>", "554 5.7.1");
    dialogue.say("QUIT", "221");
    assert!(postfix.log().contains("RCPT from unknown[192.0.2.1]"), "{}", postfix.log());
}

#[test]
fn dovecot_takes_what_swaks_sends() {
    let dovecot = dovecot::start();
    let sent = client::swaks(
        dovecot.address,
        &["--protocol", "LMTP", "--from", "a@sender.test", "--to", "b@example.test"],
    );
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stdout));
    let folder = dovecot::maildir(&dovecot, "b@example.test");
    let messages = wait::until("a message", || {
        Some(maildir::messages(&folder)).filter(|messages| !messages.is_empty())
    });
    assert_eq!(messages.len(), 1);
    assert_eq!(maildir::field(&messages[0], "Return-Path").as_deref(), Some("<a@sender.test>"));
}

#[test]
fn a_peer_ends_with_its_value() {
    let nsd = nsd::start("");
    let address = nsd.address;
    drop(nsd);
    wait::until("silence", || dns::ask(address, ".", TXT).is_none().then_some(()));
}
