//! Message headers, and the fields in them that claim to be ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::{forged, header};

fuzz_target!(|message: &[u8]| {
    let mut fields = header::fields(message);
    let mut octets = 0;
    for field in fields.by_ref() {
        octets += field.raw().len();
        assert!(!field.raw().is_empty());
        assert!(field.value().len() <= field.raw().len());
        let _ = forged(field.raw(), &["mx.example.test"]);
    }
    assert_eq!(&message[octets..], fields.rest());
});
