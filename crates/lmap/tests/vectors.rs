//! The vectors of the specification sheets, by their sections.

use quivive_evidence::{Evaluate, Identity, Method};
use quivive_lmap::{Dmp, Drip, MailFromMx, Rmx, dmp, drip, mail_from_mx, rmx};
use quivive_testkit::vectors::{Vector, evaluate, sheet};

/// The method with the settings of a vector.
fn method(vector: &Vector) -> Box<dyn Evaluate> {
    let mut of_mx = mail_from_mx::Settings::default();
    let mut of_rmx =
        rmx::Settings { type_number: Some(rmx::PRIVATE_TYPE), ..rmx::Settings::default() };
    let mut of_dmp = dmp::Settings::default();
    let mut of_drip = drip::Settings::default();
    for (key, value) in vector.settings() {
        let place = match (vector.method, key) {
            (Method::MailFromMx, "helo_for_null_sender") => &mut of_mx.helo_for_null_sender,
            (Method::Rmx, "mx_entry_type") => &mut of_rmx.mx_entry_type,
            (Method::Dmp, "helo_alternative") => &mut of_dmp.helo_alternative,
            (Method::Dmp, "accept_non_dmp") => &mut of_dmp.accept_non_dmp,
            (Method::Dmp, "strict") => &mut of_dmp.strict,
            (Method::Dmp, "extensions") => &mut of_dmp.extensions,
            (Method::Drip, "parents") => &mut of_drip.parents,
            (Method::Drip, "strict") => &mut of_drip.strict,
            (method, key) => panic!("{method} has no setting {key}"),
        };
        *place = value.parse().unwrap();
    }
    let about_helo = vector.identity == Identity::Helo && !vector.mail_from.is_empty();
    match vector.method {
        Method::MailFromMx => Box::new(MailFromMx::new(of_mx)),
        Method::Rmx => Box::new(Rmx::new(of_rmx)),
        Method::Dmp if about_helo => Box::new(Dmp::helo_alternative(of_dmp)),
        Method::Dmp => Box::new(Dmp::new(of_dmp)),
        Method::Drip => Box::new(Drip::new(of_drip)),
        method => panic!("{method} is not of this crate"),
    }
}

#[track_caller]
fn all(name: &str, section: &str) {
    let sheet = sheet(name);
    let zone = sheet.zone();
    let complaint = |vector: &Vector| {
        let facts = vector.facts();
        let run = evaluate(&zone, &facts, || method(vector));
        vector.complaint(&run.finding)
    };
    let complaints: Vec<String> =
        sheet.section(section).into_iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn mail_from_mx_section_3_algorithm() {
    all("mail-from-mx", "3");
}

#[test]
fn mail_from_mx_section_5_wildcards() {
    all("mail-from-mx", "5");
}

#[test]
fn mail_from_mx_section_7_vectors() {
    all("mail-from-mx", "7");
}

#[test]
fn rmx_section_2_names() {
    all("rmx", "2");
}

#[test]
fn rmx_section_4_wire_format() {
    all("rmx", "4");
}

#[test]
fn rmx_section_5_evaluation() {
    all("rmx", "5");
}

#[test]
fn rmx_section_9_vectors() {
    all("rmx", "9");
}

#[test]
fn dmp_part_a_section_4_algorithm() {
    all("dmp", "A4");
}

#[test]
fn dmp_part_a_section_7_wildcards() {
    all("dmp", "A7");
}

#[test]
fn dmp_part_a_section_9_vectors() {
    all("dmp", "A9");
}

#[test]
fn dmp_part_b_drip() {
    all("dmp", "B");
}
