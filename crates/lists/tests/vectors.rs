//! What DNS says of addresses: a zone, and what is found by it.

use quivive_evidence::{Evaluate, Method, Property};
use quivive_lists::{DnsList, Iprev, Kind};
use quivive_testkit::vectors::{Vector, evaluate, sheet};

fn method(vector: &Vector) -> Box<dyn Evaluate> {
    let kind = match vector.method {
        Method::Iprev => return Box::new(Iprev),
        Method::Dnsbl => Kind::Block,
        Method::Dnswl => Kind::White,
        method => panic!("{method} is not of this crate"),
    };
    // Each vector has one list, or none.
    Box::new(match vector.settings.split('"').nth(1) {
        Some(list) => DnsList::new(kind, list.parse().unwrap()),
        None => DnsList::unnamed(kind),
    })
}

#[track_caller]
fn all(section: &str) {
    let sheet = sheet("lists");
    let zone = sheet.zone();
    let complaint = |vector: &Vector| {
        let run = evaluate(&zone, &vector.facts(), || method(vector));
        vector.complaint(&run.finding)
    };
    let complaints: Vec<String> =
        sheet.section(section).into_iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn iprev_rfc_8601_section_2_7_3() {
    all("iprev");
}

#[test]
fn dnsbl_rfc_5782() {
    all("dnsbl");
}

#[test]
fn dnswl_rfc_8904() {
    all("dnswl");
}

#[test]
fn reasons_and_codes_go_along() {
    let sheet = sheet("lists");
    let found =
        |vector: &Vector| evaluate(&sheet.zone(), &vector.facts(), || method(vector)).finding;
    let finding = found(sheet.section("dnswl")[0]);
    assert_eq!(finding.explanation.as_deref(), Some("honest.test https://wl.test/s/1"));
    let expected = [
        Property::new("dns.zone", "wl.test"),
        Property::new("policy.ip", "127.0.5.2"),
        Property::new("policy.txt", "honest.test https://wl.test/s/1"),
        Property::new("dns.sec", "no"),
    ];
    assert_eq!(finding.properties, expected);
    let finding = found(sheet.section("iprev")[0]);
    assert_eq!(finding.properties, [Property::new("policy.iprev", "198.18.7.1")]);
}
