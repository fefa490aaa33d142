//! Whom a message is judged by: gateways of ours before us, and hosts that we trust.

use std::sync::Arc;

use quivive_evidence::{Answer, DnsAnswer, Facts, Header, Notebook, Outcome, Source, Txt};
use quivive_verdict::{Action, Policy, Practice, Session, Stage, Verdict};

const GATEWAY: [u8; 4] = [192, 0, 2, 25];

/// A message that our own gateway hands on, with these fields on top.
fn message(header: Option<&str>) -> Facts {
    let mut facts = Facts::new(GATEWAY.into());
    facts.helo = "gateway.here.example".to_owned();
    facts.reverse_path = "a@example.com".to_owned();
    facts.header = header.map(|header| Header::read(header.as_bytes()));
    facts
}

fn policy() -> Policy {
    use quivive_evidence::{FindingResult, Identity, Method};
    let mut policy = Policy::new("mx.here.example");
    policy.actions.set(Method::Spf, Identity::Mailfrom, FindingResult::Fail, Action::Reject);
    policy.practice = Practice {
        upstreams: vec!["192.0.2.0/24".parse().unwrap(), "127.0.0.0/8".parse().unwrap()],
        relays: vec!["198.51.100.7/32".parse().unwrap()],
        ..Practice::default()
    };
    policy
}

/// What comes of a message in a world where mail of example.com comes from 198.51.100.0/24.
fn judged(facts: &mut Facts) -> (usize, Verdict) {
    let mut notebook = Notebook::default();
    for name in ["example.com", "mx.sender.example", "gateway.here.example", "x"] {
        let outcome = Outcome::of(vec![Txt::from("v=spf1 ip4:198.51.100.0/24 -all")]);
        let answer = Arc::new(Answer::new(outcome, Source::default()));
        notebook.note(&name.into(), DnsAnswer::Txt(answer));
    }
    let mut session = Session::new(Arc::new(policy()));
    session.look_behind(facts);
    session.enter(Stage::Message, facts);
    assert!(session.advance(facts, &notebook).is_empty());
    (session.findings().count(), session.verdict(facts))
}

#[test]
fn the_client_before_our_gateways_counts() {
    let mut facts = message(Some(
        "Received: from localhost (localhost [127.0.0.1])\r\n by gateway.here.example\r\n\
         Received: from mx.sender.example (n.sender.example [198.51.100.9])\r\n by gateway\r\n\
         Received: from forged.example (x [203.0.113.9]) by mx.sender.example\r\n\r\n",
    ));
    let (findings, verdict) = judged(&mut facts);
    assert_eq!((findings, verdict.action), (2, Action::Accept));
    assert_eq!(facts.client_address.to_string(), "198.51.100.9");
    assert_eq!(facts.helo, "mx.sender.example");
    assert_eq!(facts.upstream, Some(GATEWAY.into()));
    assert_eq!(
        verdict.reasons[0],
        "the client is 198.51.100.9, as 192.0.2.25 before us tells ([local] upstreams)"
    );
    // What they say is of no use any more, and is not kept.
    assert!(facts.header.unwrap().received.is_empty());
}

#[test]
fn a_forger_behind_our_gateway_is_refused() {
    let mut facts = message(Some(
        "Received: from [198.51.100.9] (unknown [203.0.113.9]) by gateway\r\n\
         Received: from x (x [198.51.100.9]) by forged\r\n\r\n",
    ));
    let (_, verdict) = judged(&mut facts);
    assert_eq!(verdict.action, Action::Reject);
    assert!(verdict.reply.text.contains("203.0.113.9 is not permitted"), "{}", verdict.reply.text);
}

#[test]
fn nothing_is_judged_before_the_header_tells() {
    let session = Session::new(Arc::new(policy()));
    assert!(session.waits_for_header(&message(None)));
    let mut facts = message(None);
    let (findings, verdict) = judged(&mut facts);
    assert_eq!((findings, verdict.action), (0, Action::Accept));
    assert!(verdict.reasons[0].contains("only the message's header tells"), "{verdict:?}");
}

#[test]
fn a_gateway_that_does_not_tell_leaves_nothing_to_judge() {
    for header in [
        "Subject: none\r\n\r\n",
        "Received: by gateway with local id 1\r\n\r\n",
        "Received: from x (x [127.0.0.1]) by gateway\r\n\r\n",
    ] {
        let mut facts = message(Some(header));
        let (findings, verdict) = judged(&mut facts);
        assert_eq!((findings, verdict.action), (0, Action::Accept), "{header}");
        assert!(verdict.reasons[0].contains("does not tell its client"), "{verdict:?}");
        assert_eq!(facts.client_address, std::net::IpAddr::from(GATEWAY));
    }
}

#[test]
fn a_strangers_word_about_a_client_does_not_count() {
    let mut facts = message(Some("Received: from x (x [198.51.100.9]) by us\r\n\r\n"));
    facts.client_address = [203, 0, 113, 9].into();
    let (_, verdict) = judged(&mut facts);
    assert_eq!(verdict.action, Action::Reject);
    assert_eq!(facts.upstream, None);
}

#[test]
fn a_relay_is_not_checked() {
    let mut facts = message(None);
    facts.client_address = [198, 51, 100, 7].into();
    let (findings, verdict) = judged(&mut facts);
    assert_eq!((findings, verdict.action), (0, Action::Accept));
    assert_eq!(verdict.reasons, ["nothing is checked: 198.51.100.7 is trusted ([local] relays)"]);
}

#[test]
fn a_login_of_a_gateway_is_not_that_of_its_client() {
    let mut facts = message(Some("Received: from x (x [203.0.113.9]) by gateway\r\n\r\n"));
    facts.auth_user = Some("gateway".to_owned());
    let (findings, verdict) = judged(&mut facts);
    assert_eq!((findings, verdict.action), (2, Action::Reject));
    let mut facts = message(None);
    facts.auth_user = Some("gateway".to_owned());
    let (findings, verdict) = judged(&mut facts);
    assert_eq!((findings, verdict.reasons.len()), (0, 1));
    assert!(verdict.reasons[0].contains("[local] upstreams"), "{:?}", verdict.reasons);
}

#[test]
fn a_judged_message_is_judged_the_same_again() {
    let mut facts = message(Some("Received: from x (x [203.0.113.9]) by gateway\r\n\r\n"));
    let (_, first) = judged(&mut facts);
    let json = serde_json::to_string(&facts).unwrap();
    let mut again: Facts = serde_json::from_str(&json).unwrap();
    let (_, second) = judged(&mut again);
    assert_eq!(first, second);
}
