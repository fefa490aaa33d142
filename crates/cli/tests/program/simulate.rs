//! `simulate`: today's results beside tomorrow's, from a file of senders and from recorded cases.

use serde_json::{Value, json};

use crate::run::*;

/// `simulate` in the world of these tests, with these lines as the traffic.
#[track_caller]
fn simulate(domain: &str, record: &str, traffic: &str, more: &[&str]) -> (String, String, i32) {
    let arguments = ["simulate", domain, "--zone", ZONE, "--with-record", record, "--traffic", "-"];
    let output = run_with_input(&[&arguments, more].concat(), traffic.as_bytes());
    (stdout(&output), stderr(&output), code(&output))
}

#[test]
fn today_beside_tomorrow() {
    let traffic = "192.0.2.3 100\n198.51.100.7,20\n203.0.113.9;3\n";
    let record = "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.9 ~all";
    let (text, said, code) = simulate("pass.example", record, traffic, &["--json"]);
    assert_eq!((&*said, code), ("", 0));
    let simulation: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(simulation["messages"], 123);
    assert_eq!((&simulation["broken"], &simulation["mended"]), (&json!(100), &json!(3)));
    assert_eq!(simulation["today"], json!({ "pass": 120, "fail": 3 }));
    assert_eq!(simulation["tomorrow"], json!({ "pass": 23, "softfail": 100 }));
    assert_eq!(
        simulation["senders"][0],
        json!({
            "sender": "192.0.2.3",
            "count": 100,
            "breaks": true,
            "today": { "result": "pass", "cause": "match", "decided_by": "mx" },
            "tomorrow": { "result": "softfail", "cause": "match", "decided_by": "~all" },
        })
    );
}

#[test]
fn what_would_break_can_stop_a_pipeline() {
    let (text, _, code) = simulate("pass.example", "v=spf1 -all", "192.0.2.3 7", &["--strict"]);
    assert!(text.contains("7 messages would break: 100 % of all"), "{text}");
    assert_eq!(code, 1);
    let (text, _, code) = simulate("pass.example", "v=spf1 mx -all", "192.0.2.3 7", &["--strict"]);
    assert!(text.contains("nothing breaks"), "{text}");
    assert_eq!(code, 0);
    // A record elsewhere, and one that is gone.
    let record = "_spf.net.example TXT";
    let (text, ..) = simulate("pass.example", record, "198.51.100.7", &[]);
    assert!(text.contains("permerror"), "{text}");
}

#[test]
fn what_changes_nothing_and_what_is_refused_then_is_said() {
    let record = "v=spf1 include:nothing.example -all";
    let (_, said, _) = simulate("pass.example", record, "192.0.2.3", &[]);
    assert!(said.contains("nothing.example"), "the fault needs DNS: {said}");
    let record = "elsewhere.example TXT v=spf1 -all";
    let (text, said, _) = simulate("pass.example", record, "192.0.2.3", &[]);
    assert!(said.contains("no sender's result rests on elsewhere.example TXT"), "{said}");
    assert!(!text.contains("would fail"), "{text}");
    let (text, ..) = simulate("none.example", "v=spf1 -all", "192.0.2.3", &[]);
    assert!(text.contains("1 message would fail"), "{text}");
}

#[test]
fn a_broken_record_is_said_before_its_results() {
    let (_, said, code) = simulate("pass.example", "v=spf1 ip:192.0.2.3", "192.0.2.3", &[]);
    assert!(said.contains("`ip` is no mechanism") && said.contains("ip4:192.0.2.3"), "{said}");
    assert_eq!(code, 0);
}

#[test]
fn what_is_no_traffic_is_said() {
    let (text, said, code) = simulate("pass.example", "v=spf1 -all", "192.0.2.3 1\nnobody\n", &[]);
    assert_eq!((&*text, code), ("", 1));
    assert!(said.contains("standard input, line 2: `nobody` is no sender"), "{said}");
    let (_, said, code) = simulate("pass.example", "v=spf1 -all", "# nobody\n", &[]);
    assert!(said.contains("names no sender"), "{said}");
    assert_eq!(code, 1);
    let (_, said, code) = simulate("pass.example", "pass.example SPF x", "192.0.2.3", &[]);
    assert!(said.contains("is no record"), "{said}");
    assert_eq!(code, 1);
    assert_eq!(code_of(&["simulate", "a.example", "--with-record", "v=spf1"]), 2);
    assert_eq!(code_of(&["simulate", "a.example", "--cases"]), 2);
}

fn code_of(arguments: &[&str]) -> i32 {
    code(&run(arguments))
}

#[test]
fn many_senders() {
    let traffic: String = (0..2000_u32)
        .map(|index| format!("{} {index}\n", std::net::Ipv4Addr::from_bits(0xc633_6400 + index)))
        .collect();
    let (text, _, code) = simulate("pass.example", "v=spf1 ip4:192.0.2.0/24 -all", &traffic, &[]);
    assert_eq!(code, 0);
    assert!(text.contains("2,000 senders"), "{text}");
    assert!(text.contains("whose result changes") || text.contains("whose result stays"), "{text}");
    assert!(text.lines().count() < 300, "{}", text.lines().count());
}

#[test]
fn senders_out_of_recorded_cases() {
    let kept = crate::case::Kept::new();
    let store = kept.folder.path().join("cases.db");
    let arguments = ["simulate", "pass.example", "--zone", ZONE, "--with-record", "v=spf1 -all"];
    let output = run(&[&arguments[..], &["--cases", "--store", named(&store), "--json"]].concat());
    let simulation: Value = serde_json::from_str(&stdout(&output))
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    assert_eq!((&simulation["messages"], &simulation["broken"]), (&json!(1), &json!(1)));
    assert_eq!(simulation["senders"][0]["sender"], "192.0.2.3");
    let other = ["simulate", "nobody.example", "--zone", ZONE, "--with-record", "v=spf1 -all"];
    let output = run(&[&other[..], &["--cases", "--store", named(&store)]].concat());
    assert!(stderr(&output).contains("no recorded message of nobody.example"));
    assert_eq!(code(&output), 1);
}
