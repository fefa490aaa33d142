//! The vectors of the specification sheet, by its sections.

use quivive_caller_id::CallerId;
use quivive_testkit::vectors::{Vector, evaluate, sheet};

#[track_caller]
fn all(section: &str) {
    let sheet = sheet("caller-id");
    let zone = sheet.zone();
    let complaint = |vector: &Vector| {
        let run = evaluate(&zone, &vector.facts(), || Box::new(CallerId));
        vector.complaint(&run.finding)
    };
    let complaints: Vec<String> =
        sheet.section(section).into_iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn section_2_1_records() {
    all("2.1");
}

#[test]
fn section_3_1_outgoing() {
    all("3.1");
}

#[test]
fn section_3_2_purported_responsible_address() {
    all("3.2");
}

#[test]
fn section_3_3_check() {
    all("3.3");
}

#[test]
fn section_5_errors() {
    all("5");
}

#[test]
fn section_7_vectors() {
    all("7");
}
