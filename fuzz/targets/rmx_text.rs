//! RMX text: entries stand where they say, and come back from their own text and from RDATA.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_lmap::rmx::{Record, address_name};

fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = std::str::from_utf8(octets) {
        if let Some(name) = address_name(text, "example.com") {
            assert!(name.is_ascii() && name.len() <= 253);
        }
    }
    let Some(record) = Record::parse_text(octets) else { return };
    for placed in record.entries() {
        assert!(record.slice(placed.span).contains(':'));
        let text = placed.entry.to_string();
        let again = Record::parse_text(text.as_bytes()).expect("an entry's text is a record");
        assert_eq!(again.entries()[0].entry, placed.entry);
    }
    if let Some(rdata) = record.to_rdata() {
        let again = Record::parse_rdata(&rdata);
        assert_eq!((again.fault(), again.entries().len()), (None, record.entries().len()));
    }
});
