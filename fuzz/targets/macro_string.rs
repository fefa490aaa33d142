//! Macro-strings of records and explanations.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_spf::MacroString;

fuzz_target!(|text: &str| {
    for parsed in [MacroString::parse(text), MacroString::parse_explanation(text)] {
        if let Err(error) = parsed {
            assert!(error.span.start <= error.span.end && error.span.end <= text.len());
        }
    }
    // What may stand in a record may stand in an explanation.
    if MacroString::parse(text).is_ok() {
        assert!(MacroString::parse_explanation(text).is_ok());
    }
});
