//! Address lists of header fields: what is read is where it says, and reads back by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::{AddressList, Charset};

fuzz_target!(|value: &[u8]| {
    for charset in [Charset::Ascii, Charset::Utf8] {
        let Ok(list) = AddressList::parse(value, charset) else { continue };
        for named in list.mailboxes() {
            let written = named.mailbox.to_string();
            assert!(!written.chars().any(char::is_control));
            let again = AddressList::parse(written.as_bytes(), charset).expect("it was written");
            assert!(again.sole_mailbox().is_some_and(|one| one.plain));
            assert_eq!(again.sole_mailbox().map(|one| &one.mailbox), Some(&named.mailbox));
            // The span is that of the address: put in its place, the plain form is read as well.
            let (start, end) = named.span;
            let spliced = [&value[..start], written.as_bytes(), &value[end..]].concat();
            if spliced.len() <= quivive_mail::header::READ_MAX {
                let spliced = AddressList::parse(&spliced, charset).expect("an address for another");
                assert!(spliced.mailboxes().any(|other| other.mailbox == named.mailbox));
            }
        }
    }
});
