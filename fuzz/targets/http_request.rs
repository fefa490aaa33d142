//! Bodies of requests, and lines of batches: whatever they hold, there is a query within its bounds
//! or an error that says what is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_contract::{Attached, Request, id_of};
use quivive_evidence::Header;

fuzz_target!(|text: &str| {
    let id = id_of(text).map(|id| id.get());
    assert!(id.is_none_or(|id| text.contains(id)), "an id comes back as it was");
    match Request::parse(text) {
        Ok(Request { query, message }) => {
            if let Some(Attached::Octets(octets)) = message {
                let _ = Header::read(&octets);
            }
            let selection = query.selection.clone();
            let facts = query.facts();
            assert!(facts.client_address.is_ipv4() || facts.client_address.is_ipv6());
            assert!(facts.nonce == Default::default(), "a request chooses none");
            assert!(facts.now == 0 && facts.case_id.is_empty() && facts.public_id.is_empty());
            let _ = selection.check();
        }
        Err(error) => {
            assert!(!error.kind.is_empty() && !error.text.is_empty());
            assert!(!error.text.contains(|c: char| c.is_control()), "{:?}", error.text);
        }
    }
});
