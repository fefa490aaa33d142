//! Requests of mail servers for a policy: what they mean does not depend on the pieces in which
//! they arrive, and nothing of them breaks out of an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::EnhancedStatus;
use quivive_postfix::policy::{
    ATTRIBUTES_MAX, Action, Attribute, HEADER_OCTETS_MAX, Request, RequestError, Requests,
};

fuzz_target!(|input: &[u8]| {
    let whole = requests(input, input.len().max(1));
    for piece in [1, 7] {
        assert_eq!(whole, requests(input, piece));
    }
    // Whatever a stream begins with, a request without end is not kept.
    let endless = [input, &vec![b'x'; 300_000]].concat();
    assert!(requests(&endless, 10_000).1.is_some());
});

fn requests(input: &[u8], piece: usize) -> (Vec<String>, Option<RequestError>) {
    let mut requests = Requests::default();
    let (mut log, mut rest) = (Vec::new(), input);
    loop {
        match requests.request() {
            Ok(Some(request)) => log.push(look_at(request)),
            Ok(None) if rest.is_empty() => return (log, None),
            Ok(None) => {
                let space = requests.input().space();
                let octets = piece.min(rest.len()).min(space.len());
                assert!(octets > 0, "there is always space");
                space[..octets].copy_from_slice(&rest[..octets]);
                requests.input().filled(octets);
                rest = &rest[octets..];
            }
            Err(error) => {
                assert_eq!(requests.request().unwrap_err(), error);
                return (log, Some(error));
            }
        }
    }
}

fn look_at(request: Request<'_>) -> String {
    let values: Vec<_> = Attribute::ALL.iter().map(|attribute| request.get(*attribute)).collect();
    assert!(values.iter().flatten().count() <= ATTRIBUTES_MAX);
    let values = values.into_iter().flatten();
    assert!(values.clone().all(|value| !value.iter().any(|octet| b"\0\r\n".contains(octet))));
    let header = request.header();
    assert!(header.as_ref().map_or(true, |header| {
        header.as_ref().is_none_or(|header| header.len() <= HEADER_OCTETS_MAX)
    }));
    let sender = request.text(Attribute::Sender);
    let mut answer = Vec::new();
    Action::Refuse { code: 550, enhanced: EnhancedStatus(5, 7, 1), text: &sender }
        .write(&mut answer);
    let line = answer.strip_suffix(b"\n\n").expect("an empty line ends it");
    assert!(!line.iter().any(u8::is_ascii_control));
    let address = request.client_address();
    format!("{:?} {:?} {address:?} {header:?}", request.state(), values.collect::<Vec<_>>())
}
