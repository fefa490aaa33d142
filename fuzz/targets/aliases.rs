//! Alias tables: what an address stands for is found or refused, in bounded time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::aliases::{Aliases, TARGETS_MAX};
use quivive_mail::{Charset, Mailbox};

fuzz_target!(|input: &[u8]| {
    let Ok(table) = std::str::from_utf8(input) else { return };
    let Ok(aliases) = Aliases::parse(table) else { return };
    for (alias, targets) in aliases.samples() {
        assert!(!targets.is_empty() && targets.len() <= TARGETS_MAX, "{alias}");
        for target in targets {
            let written = target.to_string();
            assert_eq!(Mailbox::parse(written.as_bytes(), Charset::Utf8), Ok(target));
        }
    }
});
