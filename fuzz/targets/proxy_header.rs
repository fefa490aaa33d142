//! PROXY headers of both versions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_smtp::proxy;

fuzz_target!(|input: &[u8]| {
    let whole = proxy::parse(input);
    if let Ok(Some((said, length))) = whole {
        assert!(length <= input.len());
        assert_eq!(proxy::parse(&input[..length]), Ok(Some((said, length))));
    }
    // A header that is complete is complete whatever follows, and one octet less is not enough.
    if let Ok(Some((_, length))) = whole {
        assert_eq!(proxy::parse(&input[..length - 1]), Ok(None));
    }
});
