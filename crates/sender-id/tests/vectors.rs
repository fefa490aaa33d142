//! The vectors of the specification sheet, by its sections.

use quivive_evidence::{Evaluate, Facts, FindingResult, Identity};
use quivive_sender_id::{SUBMITTER_PROPERTY, SenderId};
use quivive_spf::Limits;
use quivive_testkit::vectors::{Vector, evaluate, sheet};

fn method(identity: Identity) -> Box<dyn Evaluate> {
    Box::new(match identity {
        Identity::Mailfrom => SenderId::of_reverse_path(Limits::default()),
        _ => SenderId::of_pra(Limits::default()),
    })
}

#[track_caller]
fn all(section: &str) {
    let sheet = sheet("sender-id");
    let zone = sheet.zone();
    let complaint = |vector: &Vector| {
        let run = evaluate(&zone, &vector.facts(), || method(vector.identity));
        vector.complaint(&run.finding)
    };
    let complaints: Vec<String> =
        sheet.section(section).into_iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn section_3_selection() {
    all("3");
}

#[test]
fn section_5_evaluation() {
    all("5");
}

#[test]
fn section_6_submitter() {
    all("6");
}

#[test]
fn section_10_vectors() {
    all("10");
}

#[test]
fn explanations_speak_of_the_responsible_address() {
    let sheet = sheet("sender-id");
    let vector = sheet.section("5")[0];
    let finding = evaluate(&sheet.zone(), &vector.facts(), || method(Identity::Pra)).finding;
    let expected = "x@explain.sid.test is not sent by 192.0.2.1, says explain.sid.test";
    assert_eq!(finding.explanation.as_deref(), Some(expected));
    let [property] = &*finding.properties else { panic!("{:?}", finding.properties) };
    assert_eq!((&*property.name, &*property.value), ("header.from", "x@explain.sid.test"));
}

/// RFC 4405 section 4.2: before the header is known the announced address is judged; then it must
/// be the header's.
#[test]
fn announced_addresses() {
    let sheet = sheet("sender-id");
    let zone = sheet.zone();
    let found = |ip: &str, submitter: &str, header: Option<&str>| {
        let mut facts = Facts::new(ip.parse().unwrap());
        facts.submitter = Some(submitter.to_owned());
        facts.header = header.map(|header| quivive_evidence::Header::read(header.as_bytes()));
        let method: fn(Limits) -> SenderId =
            if header.is_some() { SenderId::of_pra } else { SenderId::of_submitter };
        evaluate(&zone, &facts, || Box::new(method(Limits::default()))).finding
    };
    let bob = "bob@almamater.sid.test";
    let finding = found("192.0.2.13", bob, None);
    assert_eq!(
        (finding.result, &*finding.properties[0].name),
        (FindingResult::Pass, SUBMITTER_PROPERTY)
    );
    assert_eq!(found("192.0.2.14", bob, None).result, FindingResult::Fail);
    for submitter in ["", "bob", "bob@[192.0.2.1]", "a b@c.test"] {
        let finding = found("192.0.2.13", submitter, None);
        assert_eq!((finding.result, &*finding.cause), (FindingResult::Permerror, "bad-submitter"));
    }
    for (header, cause) in [
        ("From: alice@almamater.sid.test\n", "submitter-mismatch"),
        ("From: Bob@almamater.sid.test\n", "submitter-mismatch"),
        ("Subject: x\n", "no-pra-for-submitter"),
    ] {
        assert_eq!(&*found("192.0.2.13", bob, Some(header)).cause, cause, "{header}");
    }
}
