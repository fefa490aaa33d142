//! xtext (RFC 3461 section 4): octets in printable ASCII, `+` and two upper-case digits for the
//! rest.

/// The octets as xtext.
pub fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'+' | b'=' => text.push_str(&format!("+{octet:02X}")),
            b'!'..=b'~' => text.push(char::from(*octet)),
            _ => text.push_str(&format!("+{octet:02X}")),
        }
    }
    text
}

/// The octets of an xtext; `None` if it is none. Lower-case digits are taken too.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut input = text.bytes();
    while let Some(octet) = input.next() {
        octets.push(match octet {
            b'+' => hex(input.next()?)? << 4 | hex(input.next()?)?,
            b'!'..=b'~' if octet != b'=' => octet,
            _ => return None,
        });
    }
    Some(octets)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_escapes_decode() {
        assert_eq!(decode("a+2Bb"), Some(b"a+b".to_vec()));
        for wrong in ["+", "+2", "+2G", "a=b", "a b", "\u{e4}"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(octets in prop::collection::vec(any::<u8>(), 0..32)) {
            prop_assert_eq!(decode(&encode(&octets)), Some(octets));
        }
    }
}
