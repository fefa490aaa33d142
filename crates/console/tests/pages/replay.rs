//! What-if.

use axum::http::StatusCode;

use crate::world::{Answer, Setting, form, get, send, text, token};

const ZONE: &str = "example.com. 300 TXT \"v=spf1 a -all\"\nexample.com. A 192.0.2.1\n";

async fn replay(setting: &Setting, id: &str, records: &str) -> Answer {
    let pages = setting.console();
    let token = token(&get(&pages, &format!("/cases/{id}")).await.body);
    let path = format!("/cases/{id}/replay");
    send(&pages, form(&path, &[("token", &token), ("records", records)])).await
}

#[tokio::test]
async fn the_same_evidence_gives_the_same() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "h.example", "a@example.com", "c1").await;
    let answer = replay(&setting, "c1", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("Nothing differs"), "{}", text(&answer.body));
}

#[tokio::test]
async fn another_record_differs_term_by_term() {
    let setting = Setting::new(ZONE).await;
    let case = setting.keep("203.0.113.1", "h.example", "a@example.com", "c1").await;
    let answer = replay(&setting, "c1", "example.com TXT v=spf1 ip4:203.0.113.0/24 -all").await;
    let page = text(&answer.body);
    assert!(page.contains("As it was refused"), "{page}");
    assert!(page.contains("As it would be accepted 250 2.0.0 accepted"), "{page}");
    assert!(page.contains("a no match ip4:203.0.113.0/24 match"), "{page}");
    assert!(page.contains("-all match not there, or not reached"), "{page}");
    assert_eq!(setting.store.case("c1").await.unwrap().unwrap(), case, "nothing has changed");
}

#[tokio::test]
async fn what_the_evidence_lacks_is_said() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "h.example", "a@example.com", "c1").await;
    let answer = replay(&setting, "c1", "example.com TXT v=spf1 include:other.example -all").await;
    let page = text(&answer.body);
    assert!(page.contains("What the evidence lacks"), "{page}");
    assert!(page.contains("other.example TXT"), "{page}");
    assert!(page.contains("As it would be not known Nobody knows"), "{page}");
    assert!(!page.contains("accepted"), "no verdict is invented: {page}");
}

#[tokio::test]
async fn a_record_alone_is_the_senders_and_its_faults_are_said() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "h.example", "a@example.com", "c1").await;
    let answer = replay(&setting, "c1", "v=spf1 ip4:203.0.113.0/24\n  -all").await;
    assert!(text(&answer.body).contains("As it would be accepted"), "{}", text(&answer.body));
    let answer = replay(&setting, "c1", "v=spf1 ip4:203.0.113.300 -all").await;
    let page = text(&answer.body);
    assert!(page.contains("The record, at ip4:203.0.113.300"), "{page}");
    assert!(page.contains("To mend it:"), "{page}");
}

#[tokio::test]
async fn what_is_no_record_is_said() {
    let setting = Setting::new(ZONE).await;
    setting.keep("203.0.113.1", "h.example", "a@example.com", "c1").await;
    let answer = replay(&setting, "c1", "<script>alert(1)</script>").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("Not replayed"));
    assert!(!answer.body.contains("<script"), "{}", answer.body);
    let many = "a.example A 192.0.2.1\n".repeat(quivive_console::RECORDS_MAX + 1);
    let answer = replay(&setting, "c1", &many).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("21 records"));
    let large = "x".repeat(quivive_console::FORM_OCTETS_MAX);
    assert_eq!(replay(&setting, "c1", &large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}
