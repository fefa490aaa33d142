use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Something that an evaluation wants to know of the world.
///
/// Today the world is DNS and what is stored; HTTPS replies and SMTP probes become variants.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    BorshDeserialize,
    BorshSerialize,
)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Question {
    /// A record set in DNS.
    Dns(DnsQuestion),
    /// Entries that are kept somewhere: in a file, in a database, by somebody whom we ask.
    Stored(StoredQuestion),
}

/// A question for a record set: a name and a type, class IN.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, BorshDeserialize, BorshSerialize)]
pub struct DnsQuestion {
    /// The owner name: labels joined by dots, ASCII lower case, without a closing dot, without any
    /// escaping. The root is the empty string.
    pub name: Arc<str>,
    /// The type of the records.
    pub record_type: RecordType,
}

/// A question for the entries under a key of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, BorshDeserialize, BorshSerialize)]
pub struct StoredQuestion {
    /// The table: a word without colon and blank, such as `grants`.
    pub table: Arc<str>,
    /// The key, in the form that the table's own crate gives it.
    pub key: Arc<str>,
}

/// The record types that methods ask for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, BorshDeserialize, BorshSerialize,
)]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Mail exchangers.
    Mx,
    /// Reverse names.
    Ptr,
    /// Text.
    Txt,
    /// Any other type by its number, answered as raw RDATA.
    Other(u16),
}

impl Question {
    /// A DNS question; `name` is brought to the form of [`DnsQuestion::name`].
    pub fn dns(name: &str, record_type: RecordType) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name);
        let name = if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
            name.to_ascii_lowercase().into()
        } else {
            name.into()
        };
        Self::Dns(DnsQuestion { name, record_type })
    }

    /// A question for what is stored.
    pub fn stored(table: &str, key: &str) -> Self {
        Self::Stored(StoredQuestion { table: table.into(), key: key.into() })
    }
}

/// What a question for stored entries ends with, where one for DNS has a record type.
const STORED: &str = "STORED";

impl RecordType {
    /// The type's number in the DNS registry.
    pub fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Other(number) => number,
        }
    }

    /// The type with this number.
    pub fn from_number(number: u16) -> Self {
        match number {
            1 => Self::A,
            12 => Self::Ptr,
            15 => Self::Mx,
            16 => Self::Txt,
            28 => Self::Aaaa,
            number => Self::Other(number),
        }
    }
}

/// The mnemonic, or `TYPE65280` for a type without one (RFC 3597 section 5).
impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A => f.write_str("A"),
            Self::Aaaa => f.write_str("AAAA"),
            Self::Mx => f.write_str("MX"),
            Self::Ptr => f.write_str("PTR"),
            Self::Txt => f.write_str("TXT"),
            Self::Other(number) => write!(f, "TYPE{number}"),
        }
    }
}

impl FromStr for RecordType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let known = [Self::A, Self::Aaaa, Self::Mx, Self::Ptr, Self::Txt];
        if let Some(known) = known.iter().find(|known| known.to_string().eq_ignore_ascii_case(text))
        {
            return Ok(*known);
        }
        let number = text.get(..4).filter(|word| word.eq_ignore_ascii_case("TYPE"));
        number.and_then(|_| text[4..].parse().ok()).map(Self::from_number).ok_or(())
    }
}

/// `example.com TXT`; the root is written as a dot.
impl fmt::Display for DnsQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "." } else { &self.name };
        write!(f, "{name} {}", self.record_type)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(question) => question.fmt(f),
            Self::Stored(question) => question.fmt(f),
        }
    }
}

/// `grants:user@example.com STORED`.
impl fmt::Display for StoredQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {STORED}", self.table, self.key)
    }
}

impl From<Question> for String {
    fn from(question: Question) -> Self {
        question.to_string()
    }
}

/// Reads `example.com TXT` or `grants:user@example.com STORED`: what [`Question`] is written as.
impl TryFrom<String> for Question {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.rsplit_once(' ');
        let question = parts.and_then(|(name, record_type)| {
            if record_type.eq_ignore_ascii_case(STORED) {
                let (table, key) = name.split_once(':')?;
                return Some(Self::stored(table, key));
            }
            Some(Self::dns(if name == "." { "" } else { name }, record_type.parse().ok()?))
        });
        question.ok_or_else(|| format!("`{text}` is no question: a name and a record type"))
    }
}

/// The name under which an address has its PTR records (RFC 1035 section 3.5, RFC 3596 section
/// 2.5).
pub fn reverse_name(address: IpAddr) -> String {
    let mut name = String::with_capacity(72);
    write_reverse_name(address, &mut name).expect("a String takes all text");
    name
}

/// Writes [`reverse_name`].
///
/// # Errors
/// Those of `name`, which needs room for 72 octets.
pub fn write_reverse_name(address: IpAddr, name: &mut impl fmt::Write) -> fmt::Result {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            write!(name, "{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            for octet in address.octets().iter().rev() {
                write!(name, "{:x}.{:x}.", octet & 15, octet >> 4)?;
            }
            name.write_str("ip6.arpa")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_one_form() {
        assert_eq!(Question::dns("Example.COM.", RecordType::Txt).to_string(), "example.com TXT");
        assert_eq!(Question::dns(".", RecordType::Mx).to_string(), ". MX");
    }

    #[test]
    fn types_by_mnemonic_and_number() {
        assert_eq!("aaaa".parse(), Ok(RecordType::Aaaa));
        assert_eq!("TYPE65280".parse(), Ok(RecordType::Other(65280)));
        assert_eq!("type16".parse(), Ok(RecordType::Txt));
        assert_eq!("TYPE".parse::<RecordType>(), Err(()));
        assert_eq!("SPF".parse::<RecordType>(), Err(()));
    }

    #[test]
    fn reverse_names() {
        assert_eq!(reverse_name([192, 0, 2, 3].into()), "3.2.0.192.in-addr.arpa");
        let address: IpAddr = "2001:db8::cb01".parse().unwrap();
        let expected = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(reverse_name(address), expected);
    }
}
