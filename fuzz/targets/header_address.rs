//! Who is responsible for a message: RFC 4407 and Caller ID, of any header. Where RFC 4407 finds
//! somebody, Caller ID finds the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_caller_id::responsible;
use quivive_evidence::Header;
use quivive_sender_id::pra;

fuzz_target!(|octets: &[u8]| {
    let header = Header::read(octets);
    let of_draft = responsible(&header);
    if let Some(of_rfc) = pra(&header) {
        let of_draft = of_draft.expect("what is well-formed has a first mailbox");
        assert_eq!((of_rfc.property, of_rfc.mailbox), (of_draft.property, of_draft.mailbox));
    }
});
