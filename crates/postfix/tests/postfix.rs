//! What a real Postfix sends: the requests of seven sessions of Postfix 3.7.11, octet by octet,
//! with the service named in every list of restrictions and in every stage.

use quivive_postfix::policy::{Attribute, ProtocolState, Requests};

const REQUESTS: &str = include_str!("postfix-3.7.requests");

#[test]
fn all_is_read_in_any_pieces() {
    let texts: Vec<&str> = REQUESTS.split_inclusive("\n\n").collect();
    assert_eq!(texts.len(), 23);
    for piece in [1, 7, 1000, REQUESTS.len()] {
        let mut requests = Requests::default();
        let (mut rest, mut expected) = (REQUESTS.as_bytes(), texts.iter());
        loop {
            if let Some(request) = requests.request().unwrap() {
                let text = expected.next().unwrap();
                for line in text.lines().filter(|line| !line.is_empty()) {
                    let (name, value) = line.split_once('=').unwrap();
                    let known = Attribute::ALL.iter().find(|known| known.name() == name);
                    let attribute = known.unwrap_or_else(|| panic!("{name} is not in the table"));
                    assert_eq!(request.text(*attribute), value);
                }
                assert!(request.client_address().is_some());
                assert_ne!(request.state(), ProtocolState::Other);
                assert_eq!(request.header(), Ok(None));
                continue;
            }
            if rest.is_empty() {
                break;
            }
            let space = requests.input().space();
            let length = piece.min(rest.len()).min(space.len());
            space[..length].copy_from_slice(&rest[..length]);
            requests.input().filled(length);
            rest = &rest[length..];
        }
        assert_eq!(expected.len(), 0);
        assert!(requests.input().is_empty());
    }
}
