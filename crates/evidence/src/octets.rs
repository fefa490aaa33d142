use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// A TXT record: its character-strings joined without a separator (RFC 7208 section 3.3).
pub type Txt = Octets;

/// Octets of a record or a header field.
///
/// As text every octet that is not printable ASCII, and every backslash, is `\\DDD`: three decimal
/// digits, as in master files (RFC 1035 section 5.1).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
#[serde(try_from = "String", into = "String")]
pub struct Octets(pub Box<[u8]>);

impl Octets {
    /// The text form.
    pub fn escaped(&self) -> String {
        use fmt::Write;
        let is_plain = |octet: &u8| matches!(octet, b' '..=b'~') && *octet != b'\\';
        if let (true, Ok(text)) = (self.0.iter().all(is_plain), str::from_utf8(&self.0)) {
            return text.to_owned();
        }
        let mut text = String::with_capacity(self.0.len());
        for octet in &self.0 {
            match octet {
                b'\\' => text.push_str("\\092"),
                b' '..=b'~' => text.push(char::from(*octet)),
                octet => write!(text, "\\{octet:03}").expect("a String takes all text"),
            }
        }
        text
    }

    /// Reads the text form; none if a backslash is not followed by the number of an octet.
    pub fn from_escaped(text: &str) -> Option<Self> {
        let mut octets = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [octet, tail @ ..] = rest {
            rest = tail;
            if *octet != b'\\' {
                octets.push(*octet);
                continue;
            }
            let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
            octets.push(str::from_utf8(digits).ok()?.parse().ok()?);
            rest = &rest[3..];
        }
        Some(Self(octets.into()))
    }
}

impl From<Octets> for String {
    fn from(octets: Octets) -> Self {
        octets.escaped()
    }
}

impl TryFrom<String> for Octets {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::from_escaped(&text)
            .ok_or_else(|| format!("`{text}` has a backslash without a number"))
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Self {
        Self(octets.into())
    }
}

impl From<&str> for Octets {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}
