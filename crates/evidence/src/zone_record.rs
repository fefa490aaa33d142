use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::RecordType;

/// How long a character-string of a TXT record is at most, in octets (RFC 1035 section 3.3).
pub const CHARACTER_STRING_MAX: usize = 255;

/// A record as it stands in a zone. [`fmt::Display`] writes a line of a master file that any name
/// server reads (RFC 1035 section 5, RFC 3597).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRecord {
    /// The owner name: A-labels, without a closing dot, without any escaping.
    pub name: String,
    /// What is published there.
    pub data: ZoneData,
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger with its preference; the empty name is a null MX (RFC 7505).
    Mx(u16, String),
    /// Another name for this one.
    Cname(String),
    /// Text; it is written in as many character-strings as it needs.
    Txt(String),
    /// RDATA of a type without a mnemonic.
    Other(u16, Vec<u8>),
}

impl ZoneRecord {
    /// A text record.
    pub fn txt(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), data: ZoneData::Txt(text.into()) }
    }
}

impl ZoneData {
    /// The type of the record; a CNAME is `TYPE5` there.
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Mx(..) => RecordType::Mx,
            Self::Cname(_) => RecordType::Other(5),
            Self::Txt(_) => RecordType::Txt,
            Self::Other(number, _) => RecordType::Other(*number),
        }
    }
}

impl fmt::Display for ZoneRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", Name(&self.name))?;
        match &self.data {
            ZoneData::A(address) => write!(f, "A {address}"),
            ZoneData::Aaaa(address) => write!(f, "AAAA {address}"),
            ZoneData::Mx(preference, exchange) => write!(f, "MX {preference} {}", Name(exchange)),
            ZoneData::Cname(target) => write!(f, "CNAME {}", Name(target)),
            ZoneData::Txt(text) => {
                f.write_str("TXT")?;
                character_strings(text.as_bytes())
                    .try_for_each(|string| write!(f, " {}", Quoted(string)))
            }
            ZoneData::Other(number, octets) => {
                write!(f, "TYPE{number} \\# {}", octets.len())?;
                for (index, octet) in octets.iter().enumerate() {
                    let blank = if index == 0 { " " } else { "" };
                    write!(f, "{blank}{octet:02x}")?;
                }
                Ok(())
            }
        }
    }
}

/// The parts of a text, behind a blank where there is one; an empty text is one empty part.
fn character_strings(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = octets.is_empty().then_some(octets);
    let mut rest = octets;
    let parts = std::iter::from_fn(move || {
        let most = &rest[..rest.len().min(CHARACTER_STRING_MAX)];
        let blank = most.iter().rposition(|octet| *octet == b' ').map(|at| at + 1);
        let end = blank.filter(|_| most.len() < rest.len()).unwrap_or(most.len());
        let (part, left) = rest.split_at(end);
        rest = left;
        (!part.is_empty()).then_some(part)
    });
    empty.into_iter().chain(parts)
}

/// A name with its closing dot; octets that mean something to a master file are escaped.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.0.bytes() {
            match octet {
                b'.' | b'-' | b'_' | b'*' | b'=' => f.write_char(octet.into())?,
                octet if octet.is_ascii_alphanumeric() => f.write_char(octet.into())?,
                octet => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_char('.')
    }
}

struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for octet in self.0 {
            match octet {
                b'"' | b'\\' => write!(f, "\\{}", char::from(*octet))?,
                b' '..=b'~' => f.write_char(char::from(*octet))?,
                octet => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_master_file() {
        let line = |data| ZoneRecord { name: "_a.example".to_owned(), data }.to_string();
        assert_eq!(line(ZoneData::A([192, 0, 2, 1].into())), "_a.example. A 192.0.2.1");
        assert_eq!(line(ZoneData::Aaaa(Ipv6Addr::LOCALHOST)), "_a.example. AAAA ::1");
        assert_eq!(line(ZoneData::Mx(0, String::new())), "_a.example. MX 0 .");
        assert_eq!(line(ZoneData::Mx(10, "m.example".into())), "_a.example. MX 10 m.example.");
        assert_eq!(line(ZoneData::Cname("b.example".into())), "_a.example. CNAME b.example.");
        assert_eq!(line(ZoneData::Other(65280, vec![1, 0xab])), "_a.example. TYPE65280 \\# 2 01ab");
        assert_eq!(line(ZoneData::Other(42, Vec::new())), "_a.example. TYPE42 \\# 0");
        assert_eq!(line(ZoneData::Txt(String::new())), "_a.example. TXT \"\"");
    }

    #[test]
    fn nothing_breaks_out_of_a_line() {
        let record = ZoneRecord::txt("a b;c", "\"quo\\ted\"; é\n");
        assert_eq!(
            record.to_string(),
            "a\\032b\\059c. TXT \"\\\"quo\\\\ted\\\"; \\195\\169\\010\""
        );
    }

    #[test]
    fn long_texts_are_several_strings() {
        let text = ["x".repeat(CHARACTER_STRING_MAX), "y".to_owned()].concat();
        let expected = format!("a. TXT \"{}\" \"y\"", "x".repeat(CHARACTER_STRING_MAX));
        assert_eq!(ZoneRecord::txt("a", text).to_string(), expected);
        let words = format!("{} {}", "x".repeat(200), "y".repeat(100));
        let expected = format!("a. TXT \"{} \" \"{}\"", "x".repeat(200), "y".repeat(100));
        assert_eq!(ZoneRecord::txt("a", words).to_string(), expected);
    }
}
