//! The strangers' page.

use axum::http::StatusCode;

use crate::world::{Setting, get, text};

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
