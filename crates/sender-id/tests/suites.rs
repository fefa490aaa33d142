//! Conformance suites: the public one of RFC 4406, where it is at hand, and our own.

use std::path::Path;

use quivive_evidence::{Facts, Finding, Header, Identity};
use quivive_resolver::Zone;
use quivive_sender_id::{SenderId, pra};
use quivive_spf::Limits;
use quivive_testkit::suite;
use quivive_testkit::vectors::evaluate;
use serde_json::Value;

fn found(zone: &Zone, facts: &Facts, identity: Identity) -> Finding {
    evaluate(zone, facts, || {
        Box::new(match identity {
            Identity::Mailfrom => SenderId::of_reverse_path(Limits::default()),
            _ => SenderId::of_pra(Limits::default()),
        })
    })
    .finding
}

/// RFC 4406's own cases: checks of the scope `mfrom`.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn rfc_4406_suite() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/suites/senderid/rfc4406-tests.yml");
    if !path.is_file() {
        eprintln!("skipped: {} is not there, and in no package", path.display());
        return;
    }
    let scenarios = suite::load(&path).unwrap();
    let mut count = 0;
    for case in scenarios.iter().flat_map(|scenario| &scenario.cases) {
        let mut facts = Facts::new(case.ip);
        facts.helo.clone_from(&case.helo);
        facts.reverse_path.clone_from(&case.mail_from);
        let finding = found(&scenarios[0].zone, &facts, Identity::Mailfrom);
        assert_eq!(finding.result.word(), case.expected[0], "{}", case.id);
        count += 1;
    }
    assert_eq!(count, 2);
}

fn own() -> Value {
    serde_json::from_str(include_str!("suites/sender-id.json")).unwrap()
}

#[test]
fn our_own_selection() {
    let suite = own();
    let cases = suite["selection"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let mut zone = Zone::new();
        for (name, types) in case["zone"].as_object().unwrap() {
            for text in types["TXT"].as_array().unwrap() {
                zone.add_txt_strings(name, &[text.as_str().unwrap()]).unwrap();
            }
        }
        let text = |key: &str| case[key].as_str().unwrap();
        let mut facts = Facts::new(text("ip").parse().unwrap());
        let header = format!("From: {}\n", text("identity"));
        facts.reverse_path = text("identity").to_owned();
        facts.header = Some(Header::read(header.as_bytes()));
        let identity = if text("scope") == "pra" { Identity::Pra } else { Identity::Mailfrom };
        let finding = found(&zone, &facts, identity);
        assert_eq!(finding.result.word(), text("expect"), "{}: {}", text("id"), finding.cause);
    }
}

#[test]
fn our_own_pra() {
    let suite = own();
    let cases = suite["pra"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let lines = case["headers"].as_array().unwrap().iter();
        let header: String = lines.map(|line| format!("{}\r\n", line.as_str().unwrap())).collect();
        let found = pra(&Header::read(header.as_bytes())).map(|pra| pra.mailbox.to_string());
        assert_eq!(found.as_deref(), case["expect"].as_str(), "{}", case["id"]);
    }
}
