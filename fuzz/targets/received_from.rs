//! `Received` fields as other servers write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::ReceivedFrom;

fuzz_target!(|octets: &[u8]| {
    if let Some(read) = ReceivedFrom::parse(octets) {
        assert!(!read.helo.contains(char::is_whitespace));
        assert_eq!(read.address, read.address.to_canonical());
        // Written in the manner of Postfix it is read as the same.
        let written = format!("from {} (unknown [{}])", read.helo, read.address);
        let is_plain = !read.helo.is_empty() && !read.helo.contains('\u{fffd}');
        if is_plain && written.len() < quivive_mail::RECEIVED_READ_MAX {
            assert_eq!(ReceivedFrom::parse(written.as_bytes()), Some(read));
        }
    }
});
