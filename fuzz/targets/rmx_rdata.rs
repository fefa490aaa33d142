//! RMX RDATA: whatever can be read is written and read again, also as text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_lmap::rmx::{Record, read_apl};

fuzz_target!(|octets: &[u8]| {
    let record = Record::parse_rdata(octets);
    for placed in record.entries() {
        let written = record.slice(placed.span);
        assert_eq!(written, placed.entry.to_string());
    }
    if let Some(fault) = record.fault() {
        assert!(record.slice(fault.span).starts_with("\\#"));
    }
    if let Some(rdata) = record.to_rdata() {
        let again = Record::parse_rdata(&rdata);
        assert_eq!(again.fault(), None);
        assert_eq!(again.to_rdata(), Some(rdata));
    }
    let _ = read_apl(octets);
});
