use quivive_evidence::LintReport;
use quivive_testkit::lint::{lint, told};

use super::SenderIdLint;

fn of(zone: &str) -> LintReport {
    lint(&SenderIdLint::default(), "a.test", None, zone)
}

#[track_caller]
fn says(record: &str, expected: &[(&str, &str)]) {
    let report = lint(&SenderIdLint::default(), "a.test", Some(record), "");
    assert_eq!(told(&report), expected, "{record}");
}

#[test]
fn version_sections() {
    says("spf2.0/mfrom,pra ip4:192.0.2.1 -all", &[]);
    says("SPF2.1/pra ?all", &[("all-neutral", "?all")]);
    says("spf2.0/mfrom,other -all", &[("unknown-scope", "spf2.0/mfrom,other")]);
    for record in ["spf2.0 -all", "spf2.x/pra -all", "spf2.0/ -all", "spf2.0/prattle -all"] {
        let section = record.split(' ').next().unwrap();
        says(record, &[("version", section)]);
    }
    says("v=spf1 -all", &[("version", "v=spf1")]);
}

#[test]
fn terms_are_those_of_spf_at_their_places() {
    says("spf2.0/mfrom,pra ip:192.0.2.1 -all", &[("unknown-mechanism", "ip:192.0.2.1")]);
    says("spf2.0/pra ip4:192.0.2.1", &[("no-all", "")]);
    says(
        "spf2.0/pra ip4:10.1.2.3 -all mx",
        &[("no-public-address", "ip4:10.1.2.3"), ("after-all", "mx")],
    );
    let long = format!("spf2.0/pra {}-all", "ip4:192.0.2.1 ".repeat(40));
    let report = lint(&SenderIdLint::default(), "a.test", Some(&long), "");
    assert!(told(&report).iter().all(|(code, _)| *code != "several-strings"));
}

#[test]
fn records_of_a_domain() {
    assert_eq!(told(&of("")), [("no-record", "")]);
    assert_eq!(told(&of("a.test. TXT \"v=spf1 -all\"")), [("no-record", "")]);
    assert_eq!(told(&of(";!servfail a.test")), [("dns-failure", "")]);
    let both = "a.test. TXT \"v=spf1 -all\"\na.test. TXT \"spf2.0/pra -all\"\n";
    let report = of(both);
    assert_eq!((told(&report), report.published), (vec![], true));
    assert_eq!(told(&of("a.test. TXT \"spf2.0/pra -all\"")), [("no-spf-record", "")]);
    let twice = format!("{both}a.test. TXT \"spf2.0/mfrom,pra -all\"\n");
    assert_eq!(told(&of(&twice)), [("multiple-records", "")]);
    let apart = format!("{both}a.test. TXT \"spf2.0/mfrom mx:gone.test -all\"\n");
    assert_eq!(told(&of(&apart)), [("no-mx", "mx:gone.test")]);
}

/// What others say is read in the scope of the record (RFC 4406 section 4.4).
#[test]
fn includes_have_scopes() {
    let zone = "a.test. TXT \"v=spf1 -all\"\na.test. TXT \"spf2.0/pra include:b.test -all\"\n\
                b.test. TXT \"spf2.0/pra ip4:192.0.2.0/24 -all\"\n";
    let report = of(zone);
    assert_eq!(told(&report), []);
    assert_eq!(report.networks, ["192.0.2.0/24".parse().unwrap()]);
}
