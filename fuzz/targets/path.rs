//! Reverse-paths and forward-paths: what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::{Charset, ForwardPath, ReversePath};

fuzz_target!(|text: &[u8]| {
    for charset in [Charset::Ascii, Charset::Utf8] {
        if let Ok(path) = ReversePath::parse(text, charset) {
            let written = path.to_string();
            assert_eq!(ReversePath::parse(written.as_bytes(), charset), Ok(path), "{written:?}");
        }
        if let Ok(path) = ForwardPath::parse(text, charset) {
            let written = path.to_string();
            assert!(!written.contains(['\r', '\n', '\0']));
            assert_eq!(ForwardPath::parse(written.as_bytes(), charset), Ok(path), "{written:?}");
        }
    }
});
