//! Values of Authentication-Results: what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::{AuthenticationResults, Charset};

fuzz_target!(|value: &[u8]| {
    let Ok(read) = AuthenticationResults::parse(value) else { return };
    for charset in [Charset::Ascii, Charset::Utf8] {
        let written = read.value(charset);
        assert!(written.split("\r\n").skip(1).all(|line| line.starts_with([' ', '\t'])));
        assert!(!written.replace("\r\n", "").contains(['\r', '\n', '\0']), "{written:?}");
        let again = reread(&written);
        assert_eq!(again.results.len(), read.results.len(), "{written:?}");
        // What was cleaned once stays as it is. (An authserv-id that is no name may become one.)
        assert_eq!(reread(&again.value(charset)).results, again.results);
    }
});

fn reread(written: &str) -> AuthenticationResults {
    let read = AuthenticationResults::parse(written.as_bytes());
    read.unwrap_or_else(|error| panic!("{error}: {written:?}"))
}
