//! What each page shows.

use axum::http::StatusCode;

use crate::world::{Setting, get, text};

const ZONE: &str = "example.com. 300 TXT \"v=spf1 include:_spf.example.com -all\"\n\
                    _spf.example.com. 300 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n";

#[tokio::test]
async fn nothing_has_been_judged_yet() {
    let setting = Setting::new("").await;
    let pages = setting.console();
    for path in ["/", "/cases", "/health"] {
        let answer = get(&pages, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    }
    assert!(get(&pages, "/").await.body.contains("No message has been judged yet"));
}

#[tokio::test]
async fn the_overview_counts() {
    let setting = Setting::new(ZONE).await;
    setting.keep("192.0.2.1", "mail.example.com", "a@example.com", "c1").await;
    setting.keep("192.0.2.2", "mail.example.com", "a@example.com", "c2").await;
    setting.keep("203.0.113.1", "mail.example.com", "a@example.com", "c3").await;
    let answer = get(&setting.console(), "/").await;
    let page = text(&answer.body);
    assert!(page.contains("messages 3 from 0"), "{page}");
    assert!(page.contains("accepted 2 from 0"), "{page}");
    assert!(page.contains("refused 1 from 0"), "{page}");
    assert!(page.contains("pass 2 66.7 % new fail 1 33.3 % new"), "{page}");
    assert!(answer.body.contains("<desc id=\"days-text\">2 accepted, 1 refused in all."));
    assert!(answer.body.contains("domain=example.com\">"), "{}", answer.body);
}

/// An explanation that cannot be used (RFC 7208 section 6.2) is no term that does not match.
#[tokio::test]
async fn an_explanation_is_used_or_not() {
    let zone =
        "example.com. TXT \"v=spf1 -all exp=why.example\"\nwhy.example. TXT \"\\195\\188\"\n";
    let setting = Setting::new(zone).await;
    setting.keep("192.0.2.1", "mail.example.com", "a@example.com", "c1").await;
    let page = text(&get(&setting.console(), "/cases/c1").await.body);
    assert!(page.contains("exp=why.example not used"), "{page}");
}

/// A message that was not checked has nothing in the place of findings but that.
#[tokio::test]
async fn what_was_not_checked_is_called_so() {
    let setting = Setting::new(ZONE).await;
    let mut judged = setting.judge("192.0.2.1", "mail.example.com", "a@example.com", "c1");
    judged.findings.clear();
    setting.store.record(&judged, "gateway", "250");
    setting.store.flush().await;
    let body = get(&setting.console(), "/cases").await.body;
    assert!(text(&body).contains("not checked"), "{body}");
}

#[tokio::test]
async fn the_list_is_searched_and_paged() {
    let setting = Setting::new(ZONE).await;
    for index in 0..60 {
        let from = format!("user{index}@example.com");
        let id = format!("c{index}");
        let judged = setting.judge("192.0.2.1", "mail.example.com", &from, &id);
        setting.store.record(&judged, "gateway", "250");
    }
    setting.keep("203.0.113.1", "other.example", "x@example.com", "last").await;
    let pages = setting.console();
    let first = get(&pages, "/cases").await.body;
    assert_eq!(first.matches("href=\"/cases/").count(), 50);
    let (_, rest) = first.split_once("href=\"/cases?before=").unwrap();
    let next = format!("/cases?before={}", rest.split('"').next().unwrap());
    let second = get(&pages, &next).await.body;
    assert_eq!(second.matches("href=\"/cases/").count(), 11);
    for (query, count) in [
        ("q=user7", 1),
        ("action=reject", 1),
        ("client=203.0.113.0/24", 1),
        ("result=pass&method=spf&identity=mailfrom&q=user12", 1),
        ("address=x@example.com", 1),
        ("q=%25", 0),
        ("q=%27+OR+1=1+--", 0),
        ("since=2001-01-01&until=2001-01-02", 0),
    ] {
        let answer = get(&pages, &format!("/cases?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(answer.body.matches("href=\"/cases/").count(), count, "{query}");
    }
    let wrong = get(&pages, "/cases?client=nobody").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"nobody\""));
}

#[tokio::test]
async fn a_case_shows_how_it_came_about() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "mail.example.com", "a@example.com", "c1").await;
    let answer = get(&setting.console(), "/cases/c1").await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = text(&answer.body);
    for part in [
        "Mail from a@example.com, refused",
        "550 5.7.23 SPF: 203.0.113.1 is not permitted to send mail for example.com (its record \
         says `-all`) (case c1); see https://q.example.test/why/",
        "spf mailfrom fail: reject ([actions.spf.mailfrom])",
        "include:_spf.example.com no match",
        "-all match decides",
        "_spf.example.com TXT v=spf1 ip4:192.0.2.0/24 -all master file 300 s",
        "Authentication-Results: mx.example.test; spf=fail (case c1)",
        "2 rounds, 4.3 ms",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert_eq!(answer.body.matches("term decides").count(), 1, "the one that decided is marked");
}

#[tokio::test]
async fn what_there_is_not() {
    let setting = Setting::new("").await;
    let pages = setting.console();
    let long = format!("/cases/{}", "x".repeat(500));
    for path in ["/cases/none", "/cases/%2e%2e%2fetc", "/cases/%00", &long, "/nothing"] {
        assert_eq!(get(&pages, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let without = quivive_console::World { store: None, ..setting.world.clone() };
    let console = quivive_console::Console::new(without, quivive_console::Settings::default());
    let pages = quivive_console::console_router(console);
    for (path, status) in [("/", 404), ("/cases", 404), ("/cases/c1", 404), ("/health", 200)] {
        assert_eq!(get(&pages, path).await.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn health_says_how_the_parts_do() {
    let setting = Setting::new("").await;
    setting.keep("192.0.2.1", "h.example", "a@example.com", "c1").await;
    let _session = setting.world.metrics.session("gateway");
    let page = text(&get(&setting.console(), "/health").await.body);
    assert!(page.contains("Store working"), "{page}");
    assert!(page.contains("Written 1 Dropped 0"), "{page}");
    assert!(page.contains("gateway 1 1"), "{page}");
    assert!(page.contains("Answers come from a master file"), "{page}");
}
