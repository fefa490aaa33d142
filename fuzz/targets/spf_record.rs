//! SPF records as domains publish them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_spf::Record;

fuzz_target!(|octets: &[u8]| match Record::parse(octets) {
    Ok(record) => {
        assert!(Record::is_spf(octets));
        assert_eq!(record.text().as_bytes(), octets);
        for directive in record.directives() {
            assert!(!record.slice(directive.span()).contains(' '));
        }
        for modifier in record.redirect().iter().chain(&record.explanation()) {
            assert!(record.slice(modifier.span()).contains('='));
        }
    }
    Err(error) => assert!(error.span.start <= error.span.end && error.span.end <= octets.len()),
});
