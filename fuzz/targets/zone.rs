//! Master files: what is read can be written and read again, and every question has an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_evidence::{DnsQuestion, RecordType};
use quivive_resolver::Zone;

fuzz_target!(|text: &[u8]| {
    let Ok(zone) = Zone::parse(text) else { return };
    let written = zone.to_master_text();
    let again = Zone::parse(written.as_bytes());
    let again = again.unwrap_or_else(|error| panic!("{error}:\n{written}"));
    assert_eq!(again.to_master_text(), written);
    for line in written.lines().take(16) {
        let owner = line.trim_start_matches(";!timeout ").trim_start_matches(";!servfail ");
        let name = owner.split(' ').next().unwrap_or_default().trim_end_matches('.');
        for record_type in [1, 12, 15, 16, 28, 65280].map(RecordType::from_number) {
            let _ = zone.answer(&DnsQuestion { name: name.into(), record_type }).record_texts();
        }
    }
});
