//! Caller ID documents, alone and in records: bounded, and each part stands where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_caller_id::{Document, Published, Servers};

fuzz_target!(|octets: &[u8]| {
    if let Ok(document) = Document::parse(octets)
        && let Some(outgoing) = &document.outgoing
        && let Servers::Sets(sets) = &outgoing.servers
    {
        for place in sets.iter().flat_map(|set| &set.parts) {
            let written = document.slice(place.span);
            assert!(written.starts_with('<') && written.ends_with('>'), "{written}");
        }
    }
    let records: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').collect();
    let _ = Published::read(&records);
});
