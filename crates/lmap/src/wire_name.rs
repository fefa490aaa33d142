//! Domain names inside RDATA: uncompressed (RFC 1035 section 3.1).

use quivive_evidence::Octets;

/// The most octets of a name, the root label among them (RFC 1035 section 2.3.4).
const NAME_OCTETS_MAX: usize = 255;

/// The name at the start of these octets, in the form of
/// [`DomainName`](quivive_evidence::DomainName), and what follows it. None for a pointer: whoever
/// hands on RDATA of a type unknown to it cannot have resolved one (RFC 3597 section 4).
pub(crate) fn read(octets: &[u8]) -> Option<(String, &[u8])> {
    let mut name = String::new();
    let mut rest = octets;
    loop {
        let (&length, tail) = rest.split_first()?;
        if length == 0 {
            return (octets.len() - tail.len() <= NAME_OCTETS_MAX).then_some((name, tail));
        }
        if length > 63 {
            return None;
        }
        let (label, tail) = tail.split_at_checked(length.into())?;
        if !name.is_empty() {
            name.push('.');
        }
        label.iter().for_each(|octet| push(&mut name, *octet));
        rest = tail;
    }
}

/// Writes a name in the form of [`DomainName`](quivive_evidence::DomainName); false, and nothing
/// written, if it is none.
pub(crate) fn write(name: &str, octets: &mut Vec<u8>) -> bool {
    let start = octets.len();
    let labels = name.split('.').filter(|_| !name.is_empty());
    let written = labels.map(Octets::from_escaped).all(|label| match label {
        Some(Octets(label)) if matches!(label.len(), 1..=63) => {
            octets.push(label.len() as u8);
            octets.extend_from_slice(&label);
            true
        }
        _ => false,
    });
    octets.push(0);
    let fits = written && octets.len() - start <= NAME_OCTETS_MAX;
    if !fits {
        octets.truncate(start);
    }
    fits
}

fn push(name: &mut String, octet: u8) {
    match octet {
        b'.' | b'\\' | 0..=b' ' | 0x7f.. => name.push_str(&format!("\\{octet:03}")),
        octet => name.push(octet.to_ascii_lowercase().into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let wire = b"\x05Relay\x03a.b\x02de\x00rest";
        let (name, rest) = read(wire).unwrap();
        assert_eq!((&*name, rest), (r"relay.a\046b.de", &b"rest"[..]));
        let mut written = Vec::new();
        assert!(write(&name, &mut written));
        assert_eq!(written, b"\x05relay\x03a.b\x02de\x00");
        assert_eq!(read(b"\x00"), Some((String::new(), &b""[..])));
    }

    #[test]
    fn what_is_no_name() {
        let long = [b"\x3f".as_slice(), &[b'a'; 63]].concat();
        let longest = [long.repeat(3), vec![61], vec![b'a'; 61], vec![0]].concat();
        assert_eq!(longest.len(), NAME_OCTETS_MAX);
        assert!(read(&longest).is_some());
        let over = [long.repeat(3), vec![62], vec![b'a'; 62], vec![0]].concat();
        for octets in [&b""[..], b"\x01", b"\x01a", b"\x02a\x00", b"\xc0\x0c", b"\x40a\x00", &over]
        {
            assert_eq!(read(octets), None, "{octets:?}");
        }
        for name in [".", "a..b", "a.", r"a\1", &"a".repeat(64), &"a.".repeat(200)] {
            let mut octets = vec![7];
            assert!(!write(name, &mut octets), "{name}");
            assert_eq!(octets, [7]);
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some((name, rest)) = read(&octets) {
                let mut written = Vec::new();
                prop_assert!(write(&name, &mut written));
                let consumed = &octets[..octets.len() - rest.len()];
                prop_assert_eq!(written, consumed.to_ascii_lowercase());
            }
        }
    }
}
