//! What follows where a client uses an address that is not its own.

use std::sync::Arc;

use quivive_evidence::{
    Answer, Facts, Failure, FindingResult, Header, Identity, Method, Notebook, Outcome, Question,
    Source,
};
use quivive_verdict::{Action, Headers, Mode, Policy, Repair, Session, Stage, Verdict};

/// A policy under which binding is enforced with these rows for every identity.
fn policy() -> Policy {
    let mut policy = Policy::new("mx.e.test");
    policy.methods = [(Method::Binding, Mode::Enforce)].into();
    for identity in [Identity::Mailfrom, Identity::From, Identity::Sender, Identity::Resent] {
        for (result, action) in [
            (FindingResult::Fail, Action::Reject),
            (FindingResult::Permerror, Action::Reject),
            (FindingResult::Temperror, Action::Defer),
            (FindingResult::Policy, Action::Defer),
        ] {
            policy.actions.set(Method::Binding, identity, result, action);
        }
    }
    policy
}

/// Judges a message of alice, who may use alice@e.test, and not bob@e.test.
fn judge(policy: Policy, mail_from: &str, header: &str) -> (Verdict, Headers) {
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.auth_user = Some("alice".to_owned());
    facts.reverse_path = mail_from.to_owned();
    facts.header = Some(Header::read(header.as_bytes()));
    let mut notebook = Notebook::default();
    for (address, entry) in [
        ("alice@e.test", Some("alice@e.test alice")),
        ("bob@e.test", Some("bob@e.test -")),
        ("nobody@e.test", None),
        ("<>", None),
    ] {
        let Question::Stored(question) = Question::stored("grants", &format!("{address} alice"))
        else {
            panic!("a stored question")
        };
        let outcome = Outcome::of(entry.into_iter().map(Into::into).collect());
        notebook.note_stored(&question, Arc::new(Answer::new(outcome, Source::default())));
    }
    let down = Question::stored("grants", "down@e.test alice");
    notebook.note_failure(&down, Failure::Timeout, Source::default());
    let mut session = Session::new(Arc::new(policy));
    session.enter(Stage::Message, &facts);
    assert!(session.advance(&facts, &notebook).is_empty());
    (session.verdict(&facts), session.headers(&facts))
}

fn reply(mail_from: &str, header: &str) -> String {
    let reply = judge(policy(), mail_from, header).0.reply;
    format!("{} {} {}", reply.code, reply.enhanced, reply.text)
}

const OWN: &str = "From: alice@e.test\r\n";

#[test]
fn refusals_say_what_the_client_said_and_nothing_else() {
    assert_eq!(reply("alice@e.test", OWN), "250 2.0.0 accepted");
    // The same for what is somebody else's and for what is nobody's.
    for address in ["bob@e.test", "nobody@e.test"] {
        let refusal = format!("550 5.7.1 You may not send as <{address}>");
        assert_eq!(reply(address, OWN), refusal);
        let refusal = format!("550 5.7.1 You may not use <{address}> in the From field");
        assert_eq!(reply("alice@e.test", &format!("From: {address}\r\n")), refusal);
    }
    for (mail_from, header, expected) in [
        ("", OWN, "550 5.7.1 You may not send without a return address"),
        ("alice", OWN, "550 5.1.7 The reverse-path is not an address"),
        ("alice@e.test", "", "550 5.7.1 The message has no From field"),
        ("alice@e.test", "From: a\r\n", "554 5.6.0 The From field cannot be read: an address has"),
        (
            "alice@e.test",
            "From: alice@e.test\r\nFrom: alice@e.test\r\n",
            "550 5.7.1 There may be only one From field",
        ),
        (
            "alice@e.test",
            "From: alice @e.test\r\n",
            "550 5.7.1 The From field is not written as one that everybody reads alike",
        ),
        (
            "alice@e.test",
            "From: \"bob@e.test\" <alice@e.test>\r\n",
            "550 5.7.1 A name or comment in From shows <bob@e.test>, which is not yours",
        ),
        (
            "alice@e.test",
            "From: alice@e.test\r\nSender: bob@e.test\r\n",
            "550 5.7.1 You may not use <bob@e.test> in the Sender field",
        ),
        ("down@e.test", OWN, "451 4.3.0 Whether you may use <down@e.test> cannot be found out now"),
    ] {
        let said = reply(mail_from, header);
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn results_are_written_for_readers() {
    let (_, headers) = judge(policy(), "alice@e.test", OWN);
    assert_eq!(
        headers.authentication_results.replace("\r\n", ""),
        "mx.e.test; auth=pass smtp.auth=alice"
    );
    let private = Policy { legacy_headers: true, ..policy() };
    let (_, headers) = judge(private, "alice@e.test", OWN);
    assert_eq!(
        headers.authentication_results.replace("\r\n", ""),
        "mx.e.test; auth=pass smtp.auth=alice; x-binding=pass smtp.mailfrom=alice@e.test; \
         x-binding=pass header.from=alice@e.test"
    );
    let off = Policy { methods: [].into(), ..policy() };
    let (_, headers) = judge(off, "alice@e.test", OWN);
    assert_eq!(headers.authentication_results, "mx.e.test; none");
}

#[test]
fn what_is_mended_is_not_refused() {
    let mend = |repair, mail_from: &str, header: &str| {
        let (verdict, headers) = judge(Policy { repair, ..policy() }, mail_from, header);
        let edits = headers.edits.iter().map(|edit| format!("{}:{}", edit.name, edit.value));
        (verdict.action, edits.collect::<Vec<_>>())
    };
    let rewrite = |header: &str| mend(Repair::RewriteFrom, "alice@e.test", header);
    for (header, value) in [
        ("From: bob@e.test\r\n", "From: <alice@e.test>"),
        ("From: Bob\r\n <bob@e.test>\r\n", "From: Bob\r\n <alice@e.test>"),
        ("From: \"bob@e.test\" <bob@e.test>\r\n", "From: <alice@e.test>"),
        ("From: Bob <bob@e.test> (x@y)\r\n", "From: <alice@e.test>"),
        ("From: bob@e.test, alice@e.test\r\n", "From: <alice@e.test>"),
        ("Subject: x\r\n", "From: <alice@e.test>"),
    ] {
        assert_eq!(rewrite(header), (Action::Accept, vec![value.to_owned()]), "{header}");
    }
    let sender = |header: &str| mend(Repair::AddSender, "alice@e.test", header);
    let added = (Action::Accept, vec!["Sender: <alice@e.test>".to_owned()]);
    assert_eq!(sender("From: bob@e.test\r\n"), added);
    assert_eq!(sender("Subject: x\r\n"), (Action::Reject, vec![]));
    // What cannot be read, or comes in a foreign envelope, is refused all the same.
    for repair in [Repair::RewriteFrom, Repair::AddSender] {
        for (mail_from, header) in [
            ("alice@e.test", "From: bob@e.test\r\nFrom: alice@e.test\r\n"),
            ("alice@e.test", "From: bob\r\n"),
            ("alice@e.test", "From: bob @e.test\r\n"),
            ("bob@e.test", "From: bob@e.test\r\n"),
            ("", "From: bob@e.test\r\n"),
            ("alice@e.test", "From: bob@e.test\r\nResent-From: bob@e.test\r\n"),
        ] {
            assert_eq!(mend(repair, mail_from, header).0, Action::Reject, "{mail_from} {header}");
        }
        assert_eq!(mend(repair, "alice@e.test", OWN), (Action::Accept, vec![]));
    }
    let (verdict, _) = judge(
        Policy { repair: Repair::RewriteFrom, ..policy() },
        "alice@e.test",
        "From: bob@e.test\r\n",
    );
    let reason = "binding from fail: mark ([binding] repair)";
    assert!(verdict.reasons.iter().any(|given| given == reason), "{:?}", verdict.reasons);
}

#[test]
fn whoever_logged_in_is_judged_by_binding_alone() {
    let mut policy = policy();
    policy.methods.insert(Method::Spf, Mode::Enforce);
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.reverse_path = "alice@e.test".to_owned();
    let questions = |policy: &Policy, facts: &Facts| {
        let mut session = Session::new(Arc::new(policy.clone()));
        session.enter(Stage::Mail, facts);
        let round = session.advance(facts, &Notebook::default());
        (round.needed.len(), session.verdict(facts).reasons)
    };
    // SPF of HELO is done at once; that of the reverse-path asks, as binding does.
    let (asked, reasons) = questions(&policy, &facts);
    assert_eq!((asked, reasons.len()), (2, 1));
    facts.auth_user = Some("alice".to_owned());
    let (asked, reasons) = questions(&policy, &facts);
    assert_eq!(
        (asked, &*reasons),
        (
            1,
            &["the client logged in: nothing but binding is checked ([local] check_logins)"
                .to_owned()][..]
        )
    );
    // Without binding there is nothing to ask.
    policy.methods.remove(&Method::Binding);
    assert_eq!(questions(&policy, &facts).0, 0);
    policy.practice.check_logins = true;
    assert_eq!(questions(&policy, &facts).0, 1);
}
