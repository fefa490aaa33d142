//! What if a domain published another record?

use axum::http::StatusCode;

use crate::world::{Answer, Setting, form, get, send, text, token};

const ZONE: &str = "example.com. 300 TXT \"v=spf1 a include:more.example -all\"\n\
                    example.com. A 192.0.2.1\n\
                    more.example. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n";

async fn simulate(setting: &Setting, domain: &str, records: &str, traffic: &str) -> Answer {
    let pages = setting.console();
    let token = token(&get(&pages, "/simulate").await.body);
    let fields =
        [("token", &*token), ("domain", domain), ("records", records), ("traffic", traffic)];
    send(&pages, form("/simulate", &fields)).await
}

#[tokio::test]
async fn senders_out_of_recorded_messages() {
    let setting = Setting::new(ZONE).await;
    setting.keep("192.0.2.1", "h.example", "a@example.com", "c1").await;
    setting.keep("192.0.2.1", "h.example", "b@example.com", "c2").await;
    setting.keep("203.0.113.9", "h.example", "x@example.com", "c3").await;
    let answer = simulate(&setting, "Example.COM", "v=spf1 ip4:203.0.113.9 -all", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = text(&answer.body);
    assert!(page.contains("2 messages would break: they pass today."), "{page}");
    assert!(page.contains("1 message would pass that does not today."), "{page}");
    assert!(page.contains("3 recorded messages of this domain."), "{page}");
    assert!(page.contains("192.0.2.1 2 pass a fail would break -all"), "{page}");
    assert!(answer.body.contains("aria-label=\"Today: pass 2 (66.7 %), fail 1 (33.3 %)\""));
}

#[tokio::test]
async fn senders_that_are_named() {
    let setting = Setting::new(ZONE).await;
    let traffic = "192.0.2.1 100\n198.51.100.7,20";
    let answer = simulate(&setting, "example.com", "v=spf1 a include:more.example ~all", traffic);
    let page = text(&answer.await.body);
    assert!(page.contains("Nothing breaks"), "{page}");
    assert!(page.contains("120 messages, 2 senders"), "{page}");
    assert!(page.contains("Whose result stays"), "{page}");
}

#[tokio::test]
async fn what_cannot_be_used_is_said_and_nothing_is_lost() {
    let setting = Setting::new(ZONE).await;
    for (domain, records, traffic, said) in [
        ("", "v=spf1 -all", "192.0.2.1", "Name a domain"),
        ("a b", "v=spf1 -all", "192.0.2.1", "`a b` is no domain; write one such as `example.com`."),
        ("a@example.com", "v=spf1 -all", "192.0.2.1", "write what stands behind the @"),
        ("<script>\u{202e}", "v=spf1 -all", "192.0.2.1", "\\u{202e} ` is no domain"),
        ("example.com", "example.com A x", "192.0.2.1", "write an IPv4 address"),
        ("example.com", " ", "192.0.2.1", "Write the record"),
        ("example.com", "example.com SPF <script>", "192.0.2.1", "is no record"),
        ("example.com", "v=spf1 -all", "nobody", "Senders, line 1"),
        ("example.com", "v=spf1 -all", "# nobody", "Name senders"),
        ("nobody.example", "v=spf1 -all", "", "no recorded message of nobody.example"),
    ] {
        let answer = simulate(&setting, domain, records, traffic).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(text(&answer.body).contains(said), "{said}: {}", text(&answer.body));
        assert!(!answer.body.contains("<script"), "{}", answer.body);
    }
    let many = "example.com A 192.0.2.1\n".repeat(quivive_console::RECORDS_MAX + 1);
    let answer = simulate(&setting, "example.com", &many, "192.0.2.1").await;
    assert!(text(&answer.body).contains("There are 21 records"));
}

#[tokio::test]
async fn a_broken_record_is_called_so() {
    let setting = Setting::new(ZONE).await;
    let answer = simulate(&setting, "example.com", "v=spf1 ip:192.0.2.1 -all", "192.0.2.1").await;
    let page = text(&answer.body);
    let said = "The record, at ip:192.0.2.1: `ip` is no mechanism of SPF; one error makes the \
                whole record unusable. To mend it: write `ip4:192.0.2.1`.";
    assert!(page.contains(said), "{page}");
    assert!(page.contains("1 message, 1 sender "), "{page}");
    let fine = simulate(&setting, "example.com", "v=spf1 -all", "192.0.2.1").await;
    assert!(!text(&fine.body).contains("To mend it"), "{}", fine.body);
}

#[tokio::test]
async fn only_the_largest_of_many_senders_count() {
    let setting = Setting::new(ZONE).await;
    let most = u32::try_from(quivive_console::SENDERS_MAX).unwrap();
    let traffic: String = (0..=most)
        .map(|index| format!("{} {}\n", std::net::Ipv4Addr::from_bits(index), index + 1))
        .collect();
    let answer = simulate(&setting, "example.com", "v=spf1 -all", &traffic).await;
    let page = text(&answer.body);
    assert!(page.contains("Of 501 senders the 500 with the most mail."), "{page}");
    assert!(page.contains("500 senders"), "{page}");
}

/// The cure is that of the record where the fault stands, which DNS has to be asked for.
#[tokio::test]
async fn a_fault_elsewhere_is_called_so() {
    let setting = Setting::new(ZONE).await;
    let record = "v=spf1 include:nothing.example -all";
    let answer = simulate(&setting, "example.com", record, "192.0.2.1").await;
    let page = text(&answer.body);
    assert!(page.contains("The record, at include:nothing.example"), "{page}");
    assert!(page.contains("To mend it:"), "{page}");
    let hidden = "v=spf1 \u{202e}ip4:192.0.2.1 -all";
    let page = text(&simulate(&setting, "example.com", hidden, "192.0.2.1").await.body);
    assert!(page.contains("at \\u{202e} ip4:192.0.2.1"), "the place is seen: {page}");
}

#[tokio::test]
async fn what_changes_nothing_and_what_is_refused_then_is_said() {
    let setting = Setting::new("example.com. 300 TXT \"v=spf1 ip4:192.0.2.1 ~all\"\n").await;
    let records = "v=spf1 ip4:192.0.2.1\n  -all\nother.example. 300 IN TXT \"v=spf1 -all\"";
    let answer = simulate(&setting, "example.com", records, "192.0.2.1\n192.0.2.2").await;
    let page = text(&answer.body);
    assert!(page.contains("No sender's result rests on other.example TXT"), "{page}");
    assert!(page.contains("1 message would fail that neither passes nor fails today"), "{page}");
    assert!(page.contains("Nothing breaks"), "{page}");
}

#[tokio::test]
async fn counts_beyond_all_bounds_are_drawn() {
    let setting = Setting::new(ZONE).await;
    let traffic = format!("192.0.2.1 {0}\n203.0.113.9 {0}", u64::MAX);
    let answer = simulate(&setting, "example.com", "v=spf1 -all", &traffic).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("x=\"300\" y=\"0\" width=\"300\""), "{}", answer.body);
}

#[tokio::test]
async fn much_is_taken_and_too_much_is_said() {
    let setting = Setting::new(ZONE).await;
    let line = |index: u32| format!("{} 5\n", std::net::Ipv4Addr::from_bits(index));
    let traffic: String = (0..4_000).map(line).collect();
    let answer = simulate(&setting, "example.com", "v=spf1 -all", &traffic).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(text(&answer.body).contains("Of 4,000 senders"), "{}", text(&answer.body));
    let traffic = "x".repeat(quivive_console::SIMULATION_OCTETS_MAX);
    let answer = simulate(&setting, "example.com", "v=spf1 -all", &traffic).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let page = text(&answer.body);
    assert!(page.contains("Too much") && page.contains("1024 KiB on the page What if"), "{page}");
    let answer = get(&setting.console(), "/simulate?domain=a&domain=b").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(text(&answer.body).contains("Not understood"), "{}", answer.body);
}

#[tokio::test]
async fn a_report_of_dmarc_names_senders() {
    let setting = Setting::new(ZONE).await;
    let report = "<feedback><record><row><source_ip>192.0.2.1</source_ip><count>7</count></row>\
                  </record></feedback>";
    let answer = simulate(&setting, "example.com", "v=spf1 -all", report).await;
    assert!(text(&answer.body).contains("7 messages would break"), "{}", text(&answer.body));
}

#[tokio::test]
async fn a_form_needs_its_token() {
    let setting = Setting::new(ZONE).await;
    let pages = setting.console();
    let fields = [("token", "x"), ("domain", "example.com"), ("records", "v=spf1 -all")];
    let answer = send(&pages, form("/simulate", &fields)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_link_fills_in_the_form() {
    let setting = Setting::new(ZONE).await;
    let path = "/simulate?domain=example.com&records=%22%3E%3Cscript%3E";
    let answer = get(&setting.console(), path).await;
    assert!(answer.body.contains("value=\"example.com\""), "{}", answer.body);
    assert!(!answer.body.contains("<script"), "{}", answer.body);
}
