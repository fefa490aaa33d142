//! What follows the name of a mechanism: its domain-spec, its network, its prefix lengths.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain_spec::DomainSpec;
use crate::record::DualPrefix;
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// What follows a mechanism's name.
pub(crate) struct Argument<'a> {
    pub(crate) text: &'a str,
    /// Where it begins in its record.
    pub(crate) offset: usize,
}

impl<'t> Argument<'t> {
    fn error<T>(&self, kind: SyntaxErrorKind) -> Result<T, SyntaxError> {
        Err(kind.at(self.offset..self.offset + self.text.len()))
    }

    /// Whether it can follow a mechanism's name.
    pub(crate) fn is_well_begun(&self) -> bool {
        matches!(self.text.as_bytes(), [] | [b':' | b'/', ..])
    }

    pub(crate) fn none(&self) -> Result<(), SyntaxError> {
        if self.text.is_empty() { Ok(()) } else { self.error(SyntaxErrorKind::UnexpectedArgument) }
    }

    pub(crate) fn domain(&self) -> Result<DomainSpec<'t>, SyntaxError> {
        match self.text.strip_prefix(':') {
            Some(text) if !text.is_empty() => DomainSpec::parse_at(text, self.offset + 1),
            _ => self.error(SyntaxErrorKind::MissingArgument),
        }
    }

    pub(crate) fn domain_and_prefix(
        &self,
    ) -> Result<(Option<DomainSpec<'t>>, DualPrefix), SyntaxError> {
        let (rest, prefix) = match split_prefixes(self.text) {
            Some(split) => split,
            None => return self.error(SyntaxErrorKind::PrefixLength),
        };
        let domain = match rest {
            "" => None,
            rest => Some(Argument { text: rest, offset: self.offset }.domain()?),
        };
        Ok((domain, prefix))
    }

    /// The network, whose address is read by `read`: else the error for it.
    pub(crate) fn network<T>(
        &self,
        longest: u8,
        read: impl FnOnce(&str) -> Result<T, SyntaxErrorKind>,
    ) -> Result<(T, u8), SyntaxError> {
        let Some(text) = self.text.strip_prefix(':').filter(|text| !text.is_empty()) else {
            return self.error(SyntaxErrorKind::MissingArgument);
        };
        let slash = text.bytes().position(|octet| octet == b'/');
        let (address, prefix) = match slash {
            Some(at) => (&text[..at], parse_prefix(&text[at + 1..], longest)),
            None => (text, Some(longest)),
        };
        match (read(address), prefix) {
            (Ok(address), Some(prefix)) => Ok((address, prefix)),
            (Ok(_), None) => self.error(SyntaxErrorKind::PrefixLength),
            (Err(kind), _) => self.error(kind),
        }
    }
}

/// ip4-network: four numbers without leading zeros (qnum), as the standard library reads them.
pub(crate) fn ipv4(text: &str) -> Result<Ipv4Addr, SyntaxErrorKind> {
    let (mut bits, mut number, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for octet in text.bytes() {
        match octet {
            b'0'..=b'9' if digits == 0 || (number > 0 && digits < 3) => {
                number = 10 * number + u32::from(octet - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && number < 256 && dots < 3 => {
                bits = bits << 8 | number;
                (number, digits, dots) = (0, 0, dots + 1);
            }
            _ => return Err(SyntaxErrorKind::Ipv4Network),
        }
    }
    match (dots, digits, number) {
        (3, 1.., ..256) => Ok(Ipv4Addr::from_bits(bits << 8 | number)),
        _ => Err(SyntaxErrorKind::Ipv4Network),
    }
}

/// An IPv4 network with its prefix length at the begin of a text, behind which a term ends; with
/// its length. None where there is a mistake, or anything else: then a closer look says what it is.
#[inline]
pub(crate) fn plain_ipv4_network(text: &[u8]) -> Option<(Ipv4Addr, u8, usize)> {
    let (mut bits, mut rest) = (0, text);
    for separator in [b'.', b'.', b'.', b'/'] {
        let number;
        (number, rest) = plain_number(rest)?;
        bits = bits << 8 | number;
        match rest {
            _ if number > 255 => return None,
            [octet, behind @ ..] if *octet == separator => rest = behind,
            [] | [b' ', ..] if separator == b'/' => {
                return Some((Ipv4Addr::from_bits(bits), 32, text.len() - rest.len()));
            }
            _ => return None,
        }
    }
    let (prefix, rest) = plain_number(rest)?;
    let is_end = matches!(rest, [] | [b' ', ..]);
    let length = text.len() - rest.len();
    (prefix <= 32 && is_end).then_some((Ipv4Addr::from_bits(bits), prefix as u8, length))
}

/// A number of one to three digits without a leading zero, and what follows it.
#[inline]
fn plain_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digit = |octet: u8| {
        let digit = octet.wrapping_sub(b'0');
        (digit < 10).then_some(u32::from(digit))
    };
    let [first, rest @ ..] = text else { return None };
    let first = digit(*first)?;
    let [second, behind_second @ ..] = rest else { return Some((first, rest)) };
    let Some(second) = digit(*second) else { return Some((first, rest)) };
    if first == 0 {
        return None;
    }
    let two = 10 * first + second;
    match behind_second {
        [third, behind_third @ ..] => match digit(*third) {
            Some(third) => Some((10 * two + third, behind_third)),
            None => Some((two, behind_second)),
        },
        [] => Some((two, behind_second)),
    }
}

pub(crate) fn ipv6(text: &str) -> Result<Ipv6Addr, SyntaxErrorKind> {
    text.parse().map_err(|_| SyntaxErrorKind::Ipv6Network)
}

/// Splits `[ ":" domain-spec ] [ "/" ip4 ] [ "//" ip6 ]` before its prefix lengths. A slash may also
/// be part of the domain-spec, so that they are taken from the end. None: a length out of range.
fn split_prefixes(text: &str) -> Option<(&str, DualPrefix)> {
    let (mut rest, mut prefix) = (text, DualPrefix { ipv4: 32, ipv6: 128 });
    if !text.ends_with(|last: char| last.is_ascii_digit()) {
        return Some((rest, prefix));
    }
    let mut length_of = |separator: &str, longest: u8| -> Option<Option<u8>> {
        let before = rest.trim_end_matches(|c: char| c.is_ascii_digit());
        match before.strip_suffix(separator) {
            Some(left) if before.len() < rest.len() => {
                let length = parse_prefix(&rest[before.len()..], longest)?;
                rest = left;
                Some(Some(length))
            }
            _ => Some(None),
        }
    };
    if let Some(length) = length_of("//", 128)? {
        prefix.ipv6 = length;
    }
    if let Some(length) = length_of("/", 32)? {
        prefix.ipv4 = length;
    }
    Some((rest, prefix))
}

/// `0`, or digits without a leading zero, at most `longest`.
fn parse_prefix(text: &str, longest: u8) -> Option<u8> {
    let digit = |octet: u8| octet.checked_sub(b'0').filter(|digit| *digit < 10);
    let length = match *text.as_bytes() {
        [ones] => u16::from(digit(ones)?),
        [b'1'..=b'9', ..] if text.len() <= 3 => {
            let mut digits = text.bytes().map(digit);
            digits.try_fold(0, |length, digit| Some(10 * length + u16::from(digit?)))?
        }
        _ => return None,
    };
    u8::try_from(length).ok().filter(|length| *length <= longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_prefixes_are_read_as_the_standard_library_does() {
        for text in [
            "0.0.0.0",
            "255.255.255.255",
            "1.2.3.4",
            "10.20.30.40",
            "256.1.1.1",
            "1.1.1.256",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.",
            ".1.2.3",
            "1..2.3",
            "01.2.3.4",
            "1.2.3.00",
            "1.2.3.0004",
            "1.2.3.4 ",
            "+1.2.3.4",
            "1.2.3.4a",
            "",
            ".",
            "...",
            "1234.1.1.1",
            "999.1.1.1",
            "1.2.3.é",
        ] {
            assert_eq!(ipv4(text).ok(), text.parse().ok(), "{text}");
            let plain = plain_ipv4_network(text.trim_end().as_bytes());
            let expected = text.trim_end().parse().ok();
            assert_eq!(plain.map(|(address, _, _)| address), expected, "{text}");
        }
        for (text, expected) in [
            ("192.0.2.0/24", Some((24, 12))),
            ("192.0.2.0/0 -all", Some((0, 11))),
            ("192.0.2.0 -all", Some((32, 9))),
            ("192.0.2.0/33", None),
            ("192.0.2.0/024", None),
            ("192.0.2.0/24x", None),
            ("192.0.2.0/", None),
            ("192.0.2.0/1234", None),
            ("192.0.2/24", None),
            ("192.0.2.0.0/24", None),
        ] {
            let plain = plain_ipv4_network(text.as_bytes());
            let network = expected.map(|(prefix, length)| ([192, 0, 2, 0].into(), prefix, length));
            assert_eq!(plain, network, "{text}");
        }
        for length in 0..=999_u16 {
            let text = length.to_string();
            let expected = u8::try_from(length).ok();
            for longest in [32, 128] {
                let expected = expected.filter(|length| *length <= longest);
                assert_eq!(parse_prefix(&text, longest), expected, "{text}");
                assert_eq!(parse_prefix(&format!("0{text}"), longest), None);
            }
        }
        for text in ["", "-1", "+1", "a", "1a", "a1", "1 ", "0000", "1000", "é"] {
            assert_eq!(parse_prefix(text, 128), None, "{text}");
        }
    }
}
