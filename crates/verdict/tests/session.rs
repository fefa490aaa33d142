//! The way of a message through a session, with evidence given by hand.

use std::sync::Arc;

use quivive_evidence::{
    Answer, DnsAnswer, Facts, FindingResult, Identity, Method, Notebook, Outcome, Source, Txt,
};
use quivive_verdict::{Action, Exception, Headers, Mode, Policy, Session, Stage};

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

/// What is written of every result of a policy with these methods, in the world of the notebook.
fn headers_of(methods: &[Method], legacy: bool, notebook: &Notebook) -> Headers {
    let mut policy = Policy::new("mx.example.org");
    policy.methods = methods.iter().map(|method| (*method, Mode::Report)).collect();
    policy.legacy_headers = legacy;
    let facts = facts();
    let mut session = Session::new(Arc::new(policy));
    session.enter(Stage::Message, &facts);
    let round = session.advance(&facts, notebook);
    assert!(round.is_empty(), "{round:?}");
    session.headers(&facts)
}

#[test]
fn private_results_are_written_where_they_are_wanted() {
    let mut notebook = Notebook::default();
    note_txt(&mut notebook, "_rmx.example.com", "!ipv4:192.0.2.0/24");
    note_txt(&mut notebook, "1.2.0.192.in-addr._smtp-client.example.com", "dmp=allow");
    let methods = [Method::Rmx, Method::Dmp];
    let headers = headers_of(&methods, false, &notebook);
    assert_eq!(headers.authentication_results, "mx.example.org; none");
    assert_eq!(headers.fields().count(), 1);
    let headers = headers_of(&methods, true, &notebook);
    assert_eq!(
        quivive_mail::header::unfold(&headers.authentication_results),
        "mx.example.org; x-rmx=fail reason=denied smtp.mailfrom=example.com; \
         x-dmp=pass smtp.mailfrom=example.com"
    );
    assert_eq!(
        quivive_mail::header::unfold(&headers.x_rmx.unwrap()),
        "Denied addr 192.0.2.1 by mx.example.org on Thu, 1 Jan 1970 00:00:00 +0000 mechanism ipv4"
    );
}
