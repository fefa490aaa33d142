//! `lint`: the JSON of the contract, exit codes, many domains, hostile records.

use std::fs;

use serde_json::{Value, json};

use crate::run::*;

/// What is said about a text without asking anybody.
#[track_caller]
fn lint_record(record: &str, more: &[&str]) -> (Value, i32) {
    lint(&[&["--record", record], more].concat())
}

#[track_caller]
fn lint(arguments: &[&str]) -> (Value, i32) {
    let output = run(&[&["lint", "--json"], arguments].concat());
    let text = stdout(&output);
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}{}", stderr(&output));
    (serde_json::from_str(&text).unwrap(), code(&output))
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn the_json_of_the_contract() {
    let (report, code) = lint_record("v=spf1 ip:192.0.2.1 -all", &[]);
    assert_eq!(code, 1);
    assert_eq!(report["method"], "spf");
    assert_eq!(report["record"], "v=spf1 ip:192.0.2.1 -all");
    assert_eq!(
        report["findings"],
        json!([{
            "code": "unknown-mechanism",
            "severity": "error",
            "span": { "start": 7, "end": 19 },
            "message": "`ip` is no mechanism of SPF; one error makes the whole record unusable",
            "help": "write `ip4:192.0.2.1`",
        }])
    );
    assert_eq!(report["counts"][0], json!({ "what": "look-up terms", "used": 0, "most": 10 }));
}

#[test]
fn only_errors_make_the_exit_code() {
    let (report, code) = lint_record("v=spf1 mx ptr ?all", &[]);
    assert_eq!((codes(&report), code), (vec!["ptr", "all-neutral"], 0));
    let (report, code) = lint_record("v=spf1 -all", &[]);
    assert_eq!((codes(&report), code), (vec![], 0));
}

#[test]
fn a_text_asks_nobody_unless_it_is_said_whom() {
    let record = "v=spf1 include:gone.example -all";
    let (report, code) = lint_record(record, &[]);
    assert_eq!((codes(&report), code), (vec![], 0));
    let (report, code) = lint_record(record, &["--zone", ZONE]);
    assert_eq!((codes(&report), code), (vec!["missing-domain"], 1));
    // As though the domain had published it.
    let (report, _) = lint(&["pass.example", "--record", "v=spf1 mx -all", "--zone", ZONE]);
    assert_eq!(report["tree"][0]["note"], "1 look-up term, permits 1 IPv4 address and IPv6");
}

#[test]
fn domains() {
    let (report, code) = lint(&["pass.example", "--zone", ZONE]);
    assert_eq!((codes(&report), code), (vec![], 0));
    assert_eq!(report["record"], "v=spf1 mx include:_spf.net.example -all");
    let (report, code) = lint(&["twice.example", "--zone", ZONE]);
    assert_eq!((codes(&report), code), (vec!["multiple-records", "all-pass"], 1));
    let (report, code) = lint(&["temp.example", "--zone", ZONE]);
    assert_eq!((codes(&report), code), (vec!["dns-failure"], 1));
    let (report, code) = lint(&["b\u{fc}cher.example", "--zone", ZONE]);
    assert_eq!((report["domain"].as_str(), code), (Some("xn--bcher-kva.example"), 0));
}

#[test]
fn many_domains_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("domains");
    fs::write(&list, "# ours\npass.example\n\n  soft.example\ngone.example\n").unwrap();
    let output = run(&["lint", "--zone", ZONE, "--file", named(&list), "--json"]);
    let text = stdout(&output);
    let reports: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let domains: Vec<_> = reports.iter().map(|report| report["domain"].as_str().unwrap()).collect();
    assert_eq!(domains, ["pass.example", "soft.example", "gone.example"]);
    assert_eq!(code(&output), 1);
    let output = run(&["lint", "--zone", ZONE, "--file", named(&list)]);
    let text = stdout(&output);
    assert!(text.ends_with("3 domains: 1 with errors, 0 with warnings, 2 without\n"), "{text}");
    fs::write(&list, "pass.example\nv=spf1 -all\n").unwrap();
    let output = run(&["lint", "--zone", ZONE, "--file", named(&list)]);
    assert!(stderr(&output).contains("line 2: `v=spf1 -all` is no domain"), "{}", stderr(&output));
}

#[test]
fn what_is_no_domain_is_said_with_the_cure() {
    for (text, cure) in [
        ("v=spf1 -all", "--record"),
        ("a@b.example", "behind the @"),
        ("https://b.example/", "without the rest"),
        ("a..b", "such as"),
        ("", "such as"),
    ] {
        let output = run(&["lint", "--zone", ZONE, text]);
        assert_eq!(code(&output), 1);
        assert!(stderr(&output).contains(cure), "{text}: {}", stderr(&output));
    }
    assert_eq!(code(&run(&["lint"])), 2);
    let output = run(&["lint", "--record", "x", "--method", "challenge"]);
    assert!(stderr(&output).contains("there are: spf"), "{}", stderr(&output));
}

#[test]
fn nothing_breaks_it() {
    let long = format!("v=spf1 {}-all", "ip4:192.0.2.1 ".repeat(8_000));
    let odd = "v=spf1 \u{1b}[31m \u{202e}lla- a:\u{0444}.example ip4:\u{feff} \u{7}";
    let deep = format!("v=spf1 {}", "%{".repeat(1000));
    for record in ["", " ", "=", "v=spf1", &long, odd, &deep, "\u{fffd}", "v=spf1 \n\n -all"] {
        for form in [&["--json"][..], &[]] {
            let output = run(&[&["lint", "--record", record], form].concat());
            assert!(code(&output) < 2, "{}", stderr(&output));
            let text = stdout(&output);
            assert!(
                !text.contains(['\u{1b}', '\u{202e}', '\u{7}']) || form == ["--json"],
                "{text}"
            );
            assert!(text.len() < 400_000, "{} octets", text.len());
        }
    }
}

/// A world in which a domain publishes for several schemes.
fn relatives(folder: &std::path::Path) -> String {
    let zone = folder.join("relatives.zone");
    let text = "both.example. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
                _rmx.both.example. TXT \"!ipv4:192.0.2.0/25 ipv4:192.0.2.0/24\"\n\
                alone.example. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
                broken.example. TXT \"v=spf1 -all\"\n\
                _ep.broken.example. TXT \"<ep>\"\n";
    fs::write(&zone, text).unwrap();
    named(&zone).to_owned()
}

#[track_caller]
fn reports(arguments: &[&str]) -> (Vec<Value>, i32) {
    let output = run(&[&["lint", "--json"], arguments].concat());
    let text = stdout(&output);
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), code(&output))
}

fn methods(reports: &[Value]) -> Vec<&str> {
    reports.iter().map(|report| report["method"].as_str().unwrap()).collect()
}

#[test]
fn whatever_a_domain_publishes_is_looked_over_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let zone = relatives(folder.path());
    let (told, code) = reports(&["both.example", "--zone", &zone]);
    assert_eq!((methods(&told), code), (vec!["spf", "rmx"], 0));
    assert_eq!((codes(&told[0]), codes(&told[1])), (vec![], vec!["contradiction"]));
    let contradiction = &told[1]["findings"][0];
    assert_eq!(
        contradiction["message"],
        "by SPF 192.0.2.0/25 may send for the domain, and by RMX not"
    );
    assert_eq!(contradiction["span"], json!({ "start": 0, "end": 18 }));
    assert_eq!(methods(&reports(&["alone.example", "--zone", &zone]).0), ["spf"]);
    let (told, code) = reports(&["broken.example", "--zone", &zone]);
    assert_eq!((methods(&told), code), (vec!["spf", "caller-id"], 1));
    // Those that are named have their say, whatever is published.
    let (told, _) = reports(&["alone.example", "--zone", &zone, "--methods", "rmx,dmp"]);
    assert_eq!(methods(&told), ["rmx", "dmp"]);
    assert_eq!((codes(&told[0]), codes(&told[1])), (vec!["no-record"], vec!["no-record"]));
    let (told, _) = reports(&["both.example", "--zone", &zone, "--method", "rmx"]);
    assert_eq!((methods(&told), codes(&told[0])), (vec!["rmx"], vec![]));
    let output = run(&["lint", "both.example", "--zone", &zone]);
    let text = stdout(&output);
    assert!(text.contains("warning[rmx/contradiction]"), "{text}");
    assert!(text.starts_with("SPF\n") && text.contains("\nRMX\n_rmx.both.example"), "{text}");
}

#[test]
fn texts_of_every_method() {
    for (method, text, code) in [
        ("sender-id", "spf2.0/prattle -all", "version"),
        ("caller-id", "<ep/>", "wrong-root"),
        ("mail-from-mx", "out.example.com", "mx-record"),
        ("rmx", "ipv4:192.0.2.0/33", "bad-prefix"),
        ("dmp", "dmp=alow", "unknown-value"),
        ("drip", "localhost", "bad-address"),
    ] {
        let (told, exit) = reports(&["--record", text, "--method", method]);
        assert_eq!((codes(&told[0]), exit), (vec![code], 1), "{method}");
        assert_eq!(told[0]["record"], text);
    }
}
