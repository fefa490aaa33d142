//! The way of a message through a session, with evidence given by hand.

use std::sync::Arc;

use quivive_evidence::{
    Answer, DnsAnswer, Facts, FindingResult, Identity, Notebook, Outcome, Source, Txt,
};
use quivive_verdict::{Action, Exception, Policy, Session, Stage};

fn facts() -> Facts {
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.helo = "mx.example.net".to_owned();
    facts.reverse_path = "somebody@example.com".to_owned();
    facts.receiver = "mx.example.org".to_owned();
    facts
}

fn note_txt(notebook: &mut Notebook, name: &str, text: &str) {
    let outcome = Outcome::of(vec![Txt::from(text)]);
    let answer = Arc::new(Answer::new(outcome, Source::default()));
    notebook.note(&name.into(), DnsAnswer::Txt(answer));
}

#[test]
fn both_identities_are_asked_for_in_one_round() {
    let (facts, mut notebook) = (facts(), Notebook::default());
    let mut session = Session::new(Arc::new(Policy::new("mx.example.org")));
    session.enter(Stage::Mail, &facts);

    let round = session.advance(&facts, &notebook);
    let questions: Vec<_> = round.needed.iter().map(ToString::to_string).collect();
    assert_eq!(questions, ["mx.example.net TXT", "example.com TXT"]);

    note_txt(&mut notebook, "mx.example.net", "v=spf1 -all");
    note_txt(&mut notebook, "example.com", "v=spf1 ip4:192.0.2.0/24 -all");
    assert!(session.advance(&facts, &notebook).is_empty());
    let results: Vec<_> =
        session.findings().map(|finding| (finding.identity, finding.result)).collect();
    let expected =
        [(Identity::Helo, FindingResult::Fail), (Identity::Mailfrom, FindingResult::Pass)];
    assert_eq!(results, expected);

    let headers = session.headers(&facts);
    assert_eq!(
        quivive_mail::header::unfold(&headers.authentication_results),
        "mx.example.org; spf=pass smtp.mailfrom=example.com; spf=fail smtp.helo=mx.example.net"
    );
    assert_eq!(headers.received_spf.len(), 2);
}

#[test]
fn stages_add_what_can_be_judged() {
    let (facts, notebook) = (facts(), Notebook::default());
    let mut session = Session::new(Arc::new(Policy::new("mx.example.org")));
    session.enter(Stage::Connect, &facts);
    assert!(session.advance(&facts, &notebook).is_empty());
    session.enter(Stage::Helo, &facts);
    assert_eq!(session.advance(&facts, &notebook).needed.len(), 1);
    session.enter(Stage::Mail, &facts);
    assert_eq!(session.advance(&facts, &notebook).needed.len(), 2);
    session.enter(Stage::Message, &facts);
    assert_eq!(session.advance(&facts, &notebook).needed.len(), 2);
}

#[test]
fn a_skipped_client_is_not_checked_and_the_header_says_so() {
    let mut policy = Policy::new("mx.example.org");
    policy.exceptions.push(Exception {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        domains: Vec::new(),
        skip: true,
        actions: Default::default(),
    });
    let facts = facts();
    let mut session = Session::new(Arc::new(policy));
    session.enter(Stage::Message, &facts);
    assert!(session.advance(&facts, &Notebook::default()).is_empty());
    let verdict = session.verdict(&facts);
    assert_eq!(verdict.action, Action::Accept);
    assert_eq!(verdict.reasons, ["nothing is checked ([[exception]] 1, skip)"]);
    assert_eq!(session.headers(&facts).authentication_results, "mx.example.org; none");
}
