//! What mail servers ask, and what becomes of it.

use std::sync::Arc;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_verdict::{Action, Policy, Repair};
use tokio::io::AsyncWriteExt;

use super::world::{Question, World, service};
use crate::check::Checker;
use crate::gateway::tests::world::checker_of_logins;
use crate::milter::tests::binding::bound;
use crate::policy::{PolicyService, Prepend, Settings};

const RESULTS: &str = "PREPEND Authentication-Results: mx.example; spf=pass (case ";
const SPF: &str = "PREPEND Received-SPF: pass ";
const LEFT: &str = "left to the mail server";

#[tokio::test]
async fn a_message_with_fifty_recipients_is_one_case() {
    let world = World::new().await;
    let mut asker = world.connect();
    let first = Question::rcpt("1.2", "pass");
    let mut answers = Vec::new();
    for number in 0..50 {
        let question = first.with("recipient", &format!("b{number}@here.example"));
        // Postfix asks for each list of restrictions that names us.
        for _ in 0..4 {
            answers.push(asker.ask(&question).await);
        }
    }
    for state in ["DATA", "END-OF-MESSAGE"] {
        let question = first.with("recipient", "").with("recipient_count", "50").at(state);
        answers.push(asker.ask(&question).await);
    }
    assert!(answers[0].starts_with(RESULTS), "{}", answers[0]);
    assert!(answers[1].starts_with(SPF) && answers[1].contains("identity=mailfrom"), "{answers:?}");
    assert!(answers[2].contains("Received-SPF: none") && answers[2].contains("identity=helo"));
    assert!(answers[3..].iter().all(|answer| answer == "DUNNO"));
    let [case] = &world.cases().await[..] else { panic!("one case") };
    assert_eq!((case.facts.recipients.len(), case.verdict.recipients.len()), (50, 50));
    assert_eq!(case.facts.recipients[49], "b49@here.example");
    assert_eq!((case.door.as_str(), case.outcome.as_str()), ("policy", LEFT));
    assert!(answers[0].contains(case.id()), "{}", answers[0]);
    assert_eq!(case.facts.client_address.to_string(), "192.0.2.1");
    assert_eq!(
        (case.facts.helo.as_str(), case.facts.receiver.as_str()),
        ("c.example", "mx.example")
    );
    assert_eq!(case.facts.auth_user, None);
}

#[tokio::test]
async fn a_fail_is_refused_to_every_recipient() {
    let world = World::new().await;
    let mut asker = world.connect();
    let question = Question::rcpt("1.2", "fail");
    let refusal = asker.ask(&question).await;
    assert!(refusal.starts_with("550 5.7.23 SPF: 192.0.2.1 is not permitted"), "{refusal}");
    assert_eq!(asker.ask(&question.with("recipient", "c@here.example")).await, refusal);
    assert_eq!(asker.ask(&question.with("recipient", "").at("DATA")).await, refusal);
    let [case] = &world.cases_at_the_end().await[..] else { panic!("one case") };
    assert_eq!(case.outcome, refusal);
    assert_eq!(case.facts.recipients, ["b@here.example", "c@here.example"]);
}

#[tokio::test]
async fn who_logged_in_is_not_judged_by_where_it_is_unless_it_is_wanted() {
    let question = Question::rcpt("1.2", "fail").with("sasl_username", "ann");
    let world = World::new().await;
    let answer = world.connect().ask(&question).await;
    assert_eq!(answer, "PREPEND Authentication-Results: mx.example; none");
    let [case] = &world.cases_at_the_end().await[..] else { panic!("one case") };
    assert_eq!((case.facts.auth_user.as_deref(), case.findings.len()), (Some("ann"), 0));
    let reason = "the client logged in: nothing but binding is checked ([local] check_logins)";
    assert_eq!(case.verdict.reasons, [reason]);
    let world = World::judged_by(checker_of_logins()).await;
    let refusal = world.connect().ask(&question).await;
    assert!(refusal.starts_with("550 5.7.23 SPF: 192.0.2.1 is not permitted"), "{refusal}");
    // A login of no name is none.
    let world = World::new().await;
    let refusal = world.connect().ask(&question.with("sasl_username", "")).await;
    assert!(refusal.starts_with("550 5.7.23 SPF: "), "{refusal}");
}

#[tokio::test]
async fn a_temporary_error_defers_what_nothing_else_refuses() {
    let world = World::new().await;
    let deferral = world.connect().ask(&Question::rcpt("1.2", "slow")).await;
    assert!(deferral.starts_with("DEFER_IF_PERMIT 4.7.24 SPF: no answer about"), "{deferral}");
    let [case] = &world.cases_at_the_end().await[..] else { panic!("one case") };
    assert!(case.outcome.starts_with("451 4.7.24 SPF: no answer"), "{}", case.outcome);
}

#[tokio::test]
async fn what_is_no_message_yet_is_nothing_to_us() {
    let world = World::new().await;
    let mut asker = world.connect();
    for state in ["CONNECT", "HELO", "EHLO", "VRFY", "ETRN", "", "SOMETHING"] {
        assert_eq!(asker.ask(&Question::rcpt("1.2", "fail").at(state)).await, "DUNNO", "{state}");
    }
    assert_eq!(world.cases_at_the_end().await.len(), 0);
}

#[tokio::test]
async fn whoever_asks_at_mail_hears_it_there() {
    let world = World::new().await;
    let mut asker = world.connect();
    let question = Question::rcpt("1.2", "fail").with("recipient", "");
    assert!(asker.ask(&question.at("MAIL")).await.starts_with("550 5.7.23 "));
    let question = Question::rcpt("1.3", "pass");
    assert!(asker.ask(&question.with("recipient", "").at("MAIL")).await.starts_with(RESULTS));
    assert!(asker.ask(&question).await.starts_with(SPF));
    let cases = world.cases_at_the_end().await;
    assert_eq!(cases[0].facts.recipients, [""; 0]);
    assert_eq!(cases[1].facts.recipients, ["b@here.example"]);
}

#[tokio::test]
async fn at_the_end_of_the_message_nothing_is_written_on_top() {
    let world = World::new().await;
    let mut asker = world.connect();
    for (domain, answer) in [("pass", "DUNNO"), ("fail", "550 5.7.23 "), ("slow", "DEFER_IF_PE")] {
        let question = Question::rcpt(domain, domain).at("END-OF-MESSAGE");
        let heard = asker.ask(&question).await;
        assert!(heard.starts_with(answer), "{heard}");
    }
    // That was the last question about each: no end is needed.
    let cases = world.cases().await;
    assert_eq!(cases.len(), 3);
    assert!(cases.iter().all(|case| case.facts.recipients == ["b@here.example"]));
}

#[tokio::test]
async fn a_client_without_an_address_is_deferred() {
    let world = World::new().await;
    let mut asker = world.connect();
    let question = Question::rcpt("1.2", "pass").with("client_address", "unknown");
    assert!(asker.ask(&question).await.starts_with("DEFER_IF_PERMIT 4.7.0 The client's address"));
    assert!(asker.ask(&Question::rcpt("1.2", "pass")).await.starts_with(RESULTS));
}

#[tokio::test]
async fn ipv6_clients_and_the_null_sender() {
    let world = World::new().await;
    let question =
        Question::rcpt("1.2", "x").with("client_address", "2001:db8::1").with("sender", "");
    let results = world.connect().ask(&question).await;
    assert!(
        results.contains("spf=none") && results.contains("smtp.mailfrom=c.example"),
        "{results}"
    );
    let [case] = &world.cases_at_the_end().await[..] else { panic!("one case") };
    assert_eq!(case.facts.client_address.to_string(), "2001:db8::1");
    assert_eq!(case.facts.reverse_path, "");
}

#[tokio::test]
async fn what_is_no_question_defers_and_is_left() {
    for octets in ["sender\n", "request=x\n\n", "a=b\0\n", "GET / HTTP/1.1\r\n\r\n"] {
        let world = World::new().await;
        let mut asker = world.connect();
        asker.stream.write_all(octets.as_bytes()).await.unwrap();
        let answer = asker.answer().await;
        assert!(answer.starts_with("DEFER_IF_PERMIT 4.3.5 The sender could not"), "{answer}");
        asker.hears_the_end().await;
    }
}

#[tokio::test]
async fn another_message_on_the_connection_ends_the_one_before() {
    let world = World::new().await;
    let mut asker = world.connect();
    for instance in ["1", "2", "3"] {
        assert!(asker.ask(&Question::rcpt(instance, "pass")).await.starts_with(RESULTS));
    }
    assert_eq!(world.cases().await.len(), 2);
    assert_eq!(world.cases_at_the_end().await.len(), 3);
}

/// Postfix comes back on another connection when ours was closed.
#[tokio::test]
async fn a_message_is_one_over_several_connections() {
    let world = World::new().await;
    let question = Question::rcpt("1.2", "pass");
    assert!(world.connect().ask(&question).await.starts_with(RESULTS));
    let other = question.with("recipient", "c@here.example");
    assert!(world.connect().ask(&other).await.starts_with(SPF));
    let [case] = &world.cases_at_the_end().await[..] else { panic!("one case") };
    assert_eq!(case.facts.recipients.len(), 2);
}

#[tokio::test]
async fn an_instance_is_of_one_client_and_sender() {
    let world = World::new().await;
    let mut asker = world.connect();
    assert!(asker.ask(&Question::rcpt("1.2", "fail")).await.starts_with("550 "));
    assert!(asker.ask(&Question::rcpt("1.2", "pass")).await.starts_with(RESULTS));
    let elsewhere = Question::rcpt("1.2", "pass").with("client_address", "192.0.2.2");
    assert!(asker.ask(&elsewhere).await.starts_with(RESULTS));
    assert_eq!(world.cases_at_the_end().await.len(), 3);
}

#[tokio::test]
async fn without_an_instance_each_question_is_a_message() {
    let world = World::new().await;
    let mut asker = world.connect();
    for instance in [String::new(), "x".repeat(257)] {
        for _ in 0..2 {
            assert!(asker.ask(&Question::rcpt(&instance, "pass")).await.starts_with(RESULTS));
        }
    }
    assert_eq!(world.cases().await.len(), 4);
}

/// Exim asks on a connection of its own each time and ends its side of it at once. What it writes
/// on top comes when the header is known.
#[tokio::test]
async fn exim_sends_the_header_at_the_end() {
    let world = World::new().await;
    let announced = Question::rcpt("1.2", "pass").with("header_base64", "");
    for recipient in ["b@here.example", "c@here.example"] {
        let mut asker = world.connect();
        let question = announced.with("recipient", recipient);
        asker.stream.write_all((question.0 + "\n").as_bytes()).await.unwrap();
        asker.stream.shutdown().await.unwrap();
        assert_eq!(asker.answer().await, "DUNNO");
        asker.hears_the_end().await;
    }
    let header = data(b"From: a@pass.example\nReceived: x\n\n");
    let question = announced.with("recipient", "").at("DATA").with("header_base64", &header);
    assert!(world.connect().ask(&question).await.starts_with(RESULTS));
    let [case] = &world.cases().await[..] else { panic!("one case, written at once") };
    assert_eq!(case.facts.recipients, ["b@here.example", "c@here.example"]);
}

fn data(octets: &[u8]) -> String {
    data_encoding::BASE64.encode(octets)
}

#[tokio::test]
async fn a_header_that_cannot_be_read_defers() {
    let world = World::new().await;
    let mut asker = world.connect();
    let question = Question::rcpt("1.2", "pass").at("DATA");
    for header in ["###", &data(&[b'x'; 65_537])] {
        let answer = asker.ask(&question.with("header_base64", header)).await;
        assert!(answer.starts_with("DEFER_IF_PERMIT 4.3.5 "), "{answer}");
    }
    assert!(asker.ask(&question).await.starts_with(RESULTS));
}

#[test]
fn a_header_that_fills_its_attribute_may_be_cut() {
    let mut octets = b"From: a@b.example\n".repeat(65_536 / 18);
    let whole = crate::policy::read(&octets);
    assert!(!whole.cut);
    octets.resize(65_536, b'x');
    let cut = crate::policy::read(&octets);
    assert!(cut.cut);
    assert_eq!(cut.fields, whole.fields);
}

#[tokio::test]
async fn a_kept_connection_sees_a_reload_with_the_next_message() {
    let world = World::new().await;
    let mut asker = world.connect();
    let before = Question::rcpt("1", "fail");
    assert!(asker.ask(&before).await.starts_with("550 "));
    let mut lenient = Policy::new("new.example");
    let row = (Method::Spf, Identity::Mailfrom, FindingResult::Fail, Action::Mark);
    lenient.actions.set(row.0, row.1, row.2, row.3);
    let zone = Zone::parse(b"fail.example. TXT \"v=spf1 -all\"").unwrap();
    let checker = Checker::new(Arc::new(lenient), Resolver::from_zone(zone));
    let reloaded = service(checker).with_ledger(world.ledger.clone());
    let reloaded = reloaded.in_place_of(&world.current.load());
    world.current.store(Arc::new(reloaded));
    assert!(asker.ask(&before.with("recipient", "c@here.example")).await.starts_with("550 "));
    let after = asker.ask(&Question::rcpt("2", "fail")).await;
    assert!(after.starts_with("PREPEND Authentication-Results: new.example; spf=fail"), "{after}");
    assert_eq!(world.cases_at_the_end().await.len(), 2);
}

#[tokio::test]
async fn names_have_the_prefix_that_the_mail_server_knows() {
    let world = World::new().await;
    let settings = Settings {
        prefix: "X-Secret-".into(),
        prepend: [Prepend::ReceivedSpf].into(),
        ..Settings::new("mx.example")
    };
    let service = PolicyService::new(settings, crate::gateway::tests::world::checker());
    world.current.store(Arc::new(service));
    let answer = world.connect().ask(&Question::rcpt("1", "pass")).await;
    assert!(answer.starts_with("PREPEND X-Secret-Received-SPF: pass "), "{answer}");
}

#[tokio::test]
async fn a_client_is_known_by_its_certificate_or_its_fingerprint() {
    let world = World::judged_by(bound(Repair::Nothing)).await;
    let mut asker = world.connect();
    let from = |instance: &str, sender: &str| Question::rcpt(instance, "x").with("sender", sender);
    let named = |question: Question| question.with("ccert_subject", "mailer.e.test");
    let printed = |question: Question| {
        question.with("ccert_subject", "").with("ccert_fingerprint", "AB:CD:EF")
    };
    assert!(!refuses(&asker.ask(&named(from("1", "c@e.test"))).await));
    assert!(refuses(&asker.ask(&named(from("2", "alice@e.test"))).await));
    assert!(!refuses(&asker.ask(&printed(from("3", "printer@e.test"))).await));
    assert!(refuses(&asker.ask(&printed(from("4", "c@e.test"))).await));
    assert!(refuses(&asker.ask(&from("5", "c@e.test")).await));
    // The name is xtext.
    let odd = from("6", "odd@e.test").with("ccert_subject", "O+3DE+20Ltd");
    assert!(!refuses(&asker.ask(&odd).await));
}

fn refuses(answer: &str) -> bool {
    answer.starts_with("550 5.7.1 ")
}
