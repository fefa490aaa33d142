//! Text of strangers is inert wherever it stands.

use quivive_evidence::Recorded;

use crate::world::{Setting, encoded, form, get, send, token};

/// Markup, quotes, control bytes, marks of direction, four octets of UTF-8.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\u{0}\u{1b}[2J\r\n\u{202e}gro\u{2066}😀&lt;";

/// No markup of theirs, nothing that is not seen.
#[track_caller]
fn is_inert(body: &str, what: &str) {
    let lower = body.to_lowercase();
    for markup in ["<script", "<img", "onerror=alert(2)>\"", "javascript:"] {
        assert!(!lower.contains(markup), "{what}: {markup}");
    }
    // Within an attribute it is the text of a form that was sent, and quotes are escaped there.
    let hidden = |character: &char| {
        (character.is_control() && *character != '\n')
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(body.chars().find(hidden), None, "{what}");
}

#[tokio::test]
async fn in_every_field_of_a_case() {
    let setting = Setting::new("").await;
    let good = setting.judge("192.0.2.1", "h.example", "a@example.com", "good");
    type Set = fn(&mut quivive_verdict::Case, &str);
    let fields: [(&str, Set); 15] = [
        ("helo", |case, text| case.facts.helo = text.to_owned()),
        ("reverse-path", |case, text| case.facts.reverse_path = text.to_owned()),
        ("recipient", |case, text| case.facts.recipients = vec![text.to_owned()]),
        ("login", |case, text| case.facts.auth_user = Some(text.to_owned())),
        ("door", |case, text| case.door = text.to_owned()),
        ("outcome", |case, text| case.outcome = text.to_owned()),
        ("reply", |case, text| case.verdict.reply.text = text.to_owned()),
        ("reason", |case, text| case.verdict.reasons = vec![text.to_owned()]),
        ("rewrite", |case, text| {
            let rewrite = quivive_verdict::Rewrite::of_recipient(text, text, text);
            case.verdict.rewrites = vec![rewrite.to([text.to_owned()])];
        }),
        ("results", |case, text| case.headers.authentication_results = text.to_owned()),
        ("domain", |case, text| case.findings[0].domain = text.to_owned()),
        ("decided by", |case, text| case.findings[0].decided_by = Some(text.to_owned())),
        ("explanation", |case, text| case.findings[0].explanation = Some(text.to_owned())),
        ("term", |case, text| case.findings[0].trace[0].term = text.to_owned()),
        ("record", |case, text| {
            let Recorded { records, status, .. } = &mut case.evidence[0];
            *records = vec![text.to_owned()];
            *status = text.to_owned();
        }),
    ];
    let pages = setting.console();
    for (index, (field, set)) in fields.into_iter().enumerate() {
        let mut case = quivive_verdict::Case::new(good.clone(), "gateway", "250".to_owned());
        case.facts.case_id = format!("h{index}");
        case.verdict.action = quivive_verdict::Action::Reject;
        case.verdict.reasons = vec!["spf mailfrom none: reject (rule)".to_owned()];
        case.facts.public_id = format!("p{index}");
        set(&mut case, HOSTILE);
        setting.store.record_case(&case);
        setting.store.flush().await;
        let page = get(&pages, &format!("/cases/h{index}")).await;
        assert_eq!(page.status.as_u16(), 200, "{field}");
        is_inert(&page.body, field);
        assert!(page.body.contains("\\u{202e}"), "{field} is not shown");
        let public = get(&setting.public(), &format!("/q/why/p{index}")).await;
        assert_eq!(public.status.as_u16(), 200, "{field}");
        is_inert(&public.body, field);
        let replayed = form(
            &format!("/cases/h{index}/replay"),
            &[("token", &token(&page.body)), ("records", "h.example TXT x")],
        );
        is_inert(&send(&pages, replayed).await.body, field);
    }
    for path in ["/", "/cases"] {
        is_inert(&get(&pages, path).await.body, path);
    }
}

#[tokio::test]
async fn in_every_field_of_the_search() {
    let setting = Setting::new("").await;
    let pages = setting.console();
    // A browser's form has no control bytes but these.
    let text = HOSTILE.replace(['\0', '\u{1b}', '\r', '\u{202e}', '\u{2066}'], "");
    for field in [
        "q", "domain", "address", "client", "method", "identity", "result", "action", "since",
        "until", "before",
    ] {
        let answer = get(&pages, &format!("/cases?{field}={}", encoded(&text))).await;
        is_inert(&answer.body, field);
    }
}

#[tokio::test]
async fn in_the_id_of_a_case() {
    let setting = Setting::new("").await;
    let id = "\"'><script>alert(1)</script>/../?x#y %";
    let mut case = quivive_verdict::Case::new(
        setting.judge("192.0.2.1", "h.example", "a@example.com", "good"),
        "gateway",
        "250".to_owned(),
    );
    case.facts.case_id = id.to_owned();
    setting.store.record_case(&case);
    setting.store.flush().await;
    let pages = setting.console();
    let list = get(&pages, "/cases").await.body;
    is_inert(&list, "list");
    let (_, rest) = list.split_once("href=\"/cases/").unwrap();
    let path = format!("/cases/{}", rest.split('"').next().unwrap());
    let page = get(&pages, &path).await;
    assert_eq!(page.status.as_u16(), 200, "{path}");
    is_inert(&page.body, "case");
}
