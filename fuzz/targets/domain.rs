//! Domain names as peers write them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(read) = quivive_mail::domain::read(text) {
        assert_eq!(quivive_mail::domain::read(&read), Ok(read));
    }
    let ascii = quivive_mail::domain::to_ascii(text);
    // Two dots at the end are no name: one stays.
    if !ascii.ends_with('.') {
        assert_eq!(quivive_mail::domain::to_ascii(&ascii), ascii, "once is enough");
        assert!(quivive_mail::domain::is_within(&ascii, &ascii));
    }
});
