//! The strangers' page.

use std::sync::Arc;

use axum::http::StatusCode;
use quivive_evidence::{
    Answer, Facts, FindingResult, Identity, Method, Notebook, Outcome, Question, Source,
};
use quivive_verdict::{Action, Asked, Case, Mode, Policy, Session, Stage};

use crate::world::{Setting, get, now, text};

const ZONE: &str = "example.com. 300 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
                    broken.example. 300 TXT \"v=spf1 ip4:x -all\"\n";

#[tokio::test]
async fn it_says_why_and_what_can_be_done() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "h.example", "a@example.com", "c1").await;
    let answer = get(&setting.public(), "/q/why/public-c1").await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = text(&answer.body);
    for part in [
        "Why mx.example.test refused this message",
        "550 5.7.23 SPF: 203.0.113.1 is not permitted to send mail for example.com",
        "a@example.com",
        "h.example",
        "v=spf1 ip4:192.0.2.0/24 -all",
        "The part that decided is -all.",
        "as ip4:203.0.113.1",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(answer.body.contains("href=\"/q/style.css\""));
    assert_eq!(get(&setting.public(), "/q/style.css").await.status, StatusCode::OK);
    assert_eq!(answer.headers["x-robots-tag"], "noindex, nofollow");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

/// The sender's postmaster has to find the place, whoever's record it is in.
#[tokio::test]
async fn what_is_wrong_with_a_record_is_said_with_the_cure() {
    let zone = "broken.example. TXT \"v=spf1 ip4:192.0.2.300 -all\"\n\
                two.example. TXT \"v=spf1 -all\"\ntwo.example. TXT \"v=spf1 a -all\"\n\
                two.example. TXT \"something-else=1\"\n\
                outer.example. TXT \"v=spf1 include:gone.example -all\"\n\
                exp.example. TXT \"v=spf1 -all exp=why.example\"\n";
    let setting = Setting::new(zone).await;
    for (id, domain, parts) in [
        (
            "c1",
            "broken.example",
            &[
                "The cause: its SPF record breaks the grammar (syntax-error",
                "The record, at ip4:192.0.2.300:",
                "mend what is said above",
            ][..],
        ),
        (
            "c2",
            "two.example",
            &[
                "has these records: v=spf1 -all v=spf1 a -all",
                "it has more than one SPF record",
                "To mend it:",
            ],
        ),
        ("c3", "outer.example", &["The record, at include:gone.example", "To mend it:"]),
        ("c4", "exp.example", &["right behind v=spf1, as ip4:203.0.113.1"]),
    ] {
        setting.keep("203.0.113.1", "h.example", &format!("a@{domain}"), id).await;
        let page = text(&get(&setting.public(), &format!("/q/why/public-{id}")).await.body);
        for part in parts {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("something-else"), "{page}");
    }
}

#[tokio::test]
async fn it_tells_nothing_that_the_client_does_not_know() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "h.example", "a@broken.example", "c1").await;
    let body = get(&setting.public(), "/q/why/public-c1").await.body;
    for secret in ["secret-recipient", "actions.spf", "no action is set", "gateway"] {
        assert!(!body.contains(secret), "{secret}");
    }
}

/// What was accepted, what never was, and what has no form of an id: one answer for all.
#[tokio::test]
async fn everything_else_is_the_same_404() {
    let setting = Setting::new(ZONE).await;
    setting.keep("192.0.2.1", "h.example", "a@example.com", "c1").await;
    setting.keep("203.0.113.1", "h.example", "a@example.com", "c2").await;
    let pages = setting.public();
    let unknown = get(&pages, "/q/why/0123456789abcdef").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for path in
        ["/q/why/public-c1", "/q/why/c2", "/q/why/%27", "/q/why/", "/why/public-c2", "/", "/cases"]
    {
        let answer = get(&pages, path).await;
        assert_eq!((answer.status, answer.body), (StatusCode::NOT_FOUND, unknown.body.clone()));
    }
    assert_eq!(get(&pages, "/q/why/public-c2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_asks_too_often_waits() {
    let setting = Setting::new("").await;
    let pages = setting.public();
    let mut statuses = Vec::new();
    for index in 0..40 {
        statuses.push(get(&pages, &format!("/q/why/{index:032x}")).await.status);
    }
    assert_eq!(statuses[0], StatusCode::NOT_FOUND);
    assert_eq!(statuses[39], StatusCode::TOO_MANY_REQUESTS);
}

/// The case of a login that used an address of which this is stored.
fn refused_login(id: &str, entries: &[&str]) -> Case {
    let mut policy = Policy::new("mx.example.test");
    policy.methods = [(Method::Binding, Mode::Enforce)].into();
    let (fail, reject) = (FindingResult::Fail, Action::Reject);
    policy.actions.set(Method::Binding, Identity::Mailfrom, fail, reject);
    let mut facts = Facts::new([203, 0, 113, 1].into());
    facts.auth_user = Some("alice".to_owned());
    facts.reverse_path = "bob@e.test".to_owned();
    facts.public_id = format!("public-{id}");
    facts.case_id = id.to_owned();
    facts.now = now();
    let Question::Stored(question) = Question::stored("grants", "bob@e.test alice") else {
        panic!("a stored question")
    };
    let entries = entries.iter().map(|entry| (*entry).into()).collect();
    let mut notebook = Notebook::default();
    let answer = Answer::new(Outcome::of(entries), Source::default());
    notebook.note_stored(&question, Arc::new(answer));
    let mut session = Session::new(Arc::new(policy));
    session.enter(Stage::Mail, &facts);
    assert!(session.advance(&facts, &notebook).is_empty());
    let judgement = session.judgement(facts, notebook, Asked::default());
    Case::new(judgement, "submission", "550 5.7.1 No".to_owned())
}

/// Whoever asks for names by being refused learns nothing from the page either.
#[tokio::test]
async fn whose_an_address_is_is_not_told() {
    let setting = Setting::new("").await;
    setting.store.record_case(&refused_login("c1", &["bob@e.test -"]));
    setting.store.record_case(&refused_login("c2", &[]));
    setting.store.flush().await;
    let pages = setting.public();
    let [others, nobodys] = ["c1", "c2"].map(|id| format!("/q/why/public-{id}"));
    let [others, nobodys] = [get(&pages, &others).await.body, get(&pages, &nobodys).await.body];
    let page = text(&others);
    for part in [
        "You may not send as",
        "the client may not use this address",
        "have it granted to your login",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    // But for the ids of the cases the pages are one.
    let without_time = |body: &str, id: &str| {
        let body = body.replace(id, "ID");
        body.split("<time")
            .map(|part| part.split("</time>").last().unwrap_or_default().to_owned())
            .collect::<String>()
    };
    assert_eq!(without_time(&others, "c1"), without_time(&nobodys, "c2"));
    for secret in ["owned-by-another", "not-granted", "STORED"] {
        assert!(!others.contains(secret) && !nobodys.contains(secret), "{secret}");
    }
}
