use std::borrow::Cow;

use crate::texts::texts;

/// Octets of an address that are looked at. Twice what four rewritings of the longest legal address
/// (RFC 5321 section 4.5.3.1: 64 and 255) come to.
pub const ADDRESS_OCTETS_MAX: usize = 1024;

/// Octets of a local part that everybody takes (RFC 5321 section 4.5.3.1.1).
pub const LOCAL_PART_OCTETS: usize = 64;

/// Octets of a path with its angle brackets (RFC 5321 section 4.5.3.1.3).
pub const PATH_OCTETS: usize = 256;

/// What is wrong with a text that should be an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The null reverse-path.
    Null,
    /// No `@`.
    NoAt,
    /// An `@` in a local part that is not quoted.
    SecondAt,
    /// Nothing before the `@`.
    NoLocalPart,
    /// A quoted local part that does not end.
    Quotes,
    /// What follows the `@` is no domain.
    Domain,
    /// A control character.
    Control,
    /// Longer than [`ADDRESS_OCTETS_MAX`].
    TooLong,
}

impl Fault {
    /// The fault in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Null => "the null sender is never rewritten",
            Self::NoAt => "the address has no @",
            Self::SecondAt => {
                "the address has more than one @; a local part that holds one is written in quotes"
            }
            Self::NoLocalPart => "the address has no local part",
            Self::Quotes => "the quoted local part does not end before the @",
            Self::Domain => "what follows the @ is no domain",
            Self::Control => "the address holds a control character",
            Self::TooLong => "the address is longer than 1024 octets",
        }
    }
}

texts!(Fault);

/// Whether an address is longer than everybody takes: its local part, as it is written, or the
/// whole of it.
pub fn is_overlong(address: &str) -> bool {
    let local_part = address.rfind('@').unwrap_or(address.len());
    local_part > LOCAL_PART_OCTETS || address.len() + 2 > PATH_OCTETS
}

/// An address in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Without the quotes and escapes of a quoted-string; else as it is.
    pub(crate) local: Cow<'a, str>,
    /// It was a quoted-string.
    pub(crate) quoted: bool,
    pub(crate) domain: &'a str,
}

impl<'a> Address<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Fault> {
        if text.is_empty() || text == "<>" {
            return Err(Fault::Null);
        }
        if text.len() > ADDRESS_OCTETS_MAX {
            return Err(Fault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(Fault::Control);
        }
        let address = match text.strip_prefix('"') {
            Some(rest) => Self::quoted(rest)?,
            None => {
                let (local, domain) = text.rsplit_once('@').ok_or(Fault::NoAt)?;
                if local.contains('@') {
                    return Err(Fault::SecondAt);
                }
                Self { local: local.into(), quoted: false, domain }
            }
        };
        if address.local.is_empty() {
            return Err(Fault::NoLocalPart);
        }
        if !is_domain(address.domain) {
            return Err(Fault::Domain);
        }
        Ok(address)
    }

    /// A quoted-string after its first quote, and a domain.
    fn quoted(text: &'a str) -> Result<Self, Fault> {
        let mut escaped = false;
        let end = text.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        let (content, rest) = text.split_at(end.ok_or(Fault::Quotes)?);
        let fault = if rest == "\"" { Fault::NoAt } else { Fault::Quotes };
        let domain = rest.strip_prefix("\"@").ok_or(fault)?;
        let local = match content.contains('\\') {
            false => content.into(),
            true => unescaped(content).into(),
        };
        Ok(Self { local, quoted: true, domain })
    }
}

fn unescaped(content: &str) -> String {
    let mut characters = content.chars();
    let next = || match characters.next() {
        Some('\\') => characters.next(),
        other => other,
    };
    std::iter::from_fn(next).collect()
}

/// Writes an address whose local part is made of pieces: as it is, or quoted as a whole where
/// `quote` says so.
pub(crate) fn write(local: &[&str], quote: Quote, domain: &str) -> String {
    let octets: usize = local.iter().map(|piece| piece.len()).sum();
    let mut address = String::with_capacity(octets + 1 + domain.len());
    if quote.is_needed(local) {
        address.push('"');
        for character in local.iter().flat_map(|piece| piece.chars()) {
            if matches!(character, '"' | '\\') {
                address.push('\\');
            }
            address.push(character);
        }
        address.push('"');
    } else {
        local.iter().for_each(|piece| address.push_str(piece));
    }
    address.push('@');
    address.push_str(domain);
    address
}

/// When a local part is written as a quoted-string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quote {
    /// Unless it is a dot-string: it was quoted before.
    UnlessDotString,
    /// If it holds a character that may stand in quotes only. Dots at odd places are met, and let
    /// through as they came.
    ForSpecials,
    /// If dots stand at odd places. It comes from an address without quotes, and whatever else it
    /// holds, quotes included, is given back as it went in.
    ForDots,
}

impl Quote {
    pub(crate) fn is_needed(self, local: &[&str]) -> bool {
        let special = || local.iter().any(|piece| !piece.bytes().all(is_text));
        match self {
            Self::ForDots => has_odd_dots(local) && !special(),
            Self::ForSpecials => special(),
            Self::UnlessDotString => special() || has_odd_dots(local),
        }
    }
}

/// `atext` of RFC 5322 section 3.2.3 and RFC 6531 section 3.3, or a dot.
fn is_text(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet) || !octet.is_ascii()
}

/// A dot at an end, or two in a row.
fn has_odd_dots(local: &[&str]) -> bool {
    let mut last = b'.';
    for octet in local.iter().flat_map(|piece| piece.bytes()) {
        if octet == b'.' && last == b'.' {
            return true;
        }
        last = octet;
    }
    last == b'.'
}

/// Whether it can pass for a domain or an address literal: no more is asked of it, for what peers
/// write is theirs.
pub(crate) fn is_domain(text: &str) -> bool {
    let part = |octet: u8| {
        octet.is_ascii_alphanumeric() || b"-._[]:".contains(&octet) || !octet.is_ascii()
    };
    !text.is_empty() && text.bytes().all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, bool, &str), Fault> {
        let address = Address::parse(text)?;
        Ok((address.local.into_owned(), address.quoted, address.domain))
    }

    #[test]
    fn the_parts_of_an_address() {
        for (text, local, quoted, domain) in [
            ("a@b", "a", false, "b"),
            ("a=b+c-d@e.f", "a=b+c-d", false, "e.f"),
            ("a..b.@e.f", "a..b.", false, "e.f"),
            ("\"a@b\"@c", "a@b", true, "c"),
            ("\"a\\\"\\\\b\"@c", "a\"\\b", true, "c"),
            ("a@[IPv6:2001:db8::1]", "a", false, "[IPv6:2001:db8::1]"),
            ("jörg@bücher.example", "jörg", false, "bücher.example"),
        ] {
            assert_eq!(parts(text), Ok((local.to_owned(), quoted, domain)), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for (text, fault) in [
            ("", Fault::Null),
            ("<>", Fault::Null),
            ("bla", Fault::NoAt),
            ("a@b@c", Fault::SecondAt),
            ("@c", Fault::NoLocalPart),
            ("\"\"@c", Fault::NoLocalPart),
            ("\"\"", Fault::NoAt),
            ("\"a@c\"", Fault::NoAt),
            ("\"a@c", Fault::Quotes),
            ("\"a\"b@c", Fault::Quotes),
            ("\"a\\\"@c", Fault::Quotes),
            ("a@", Fault::Domain),
            ("a@b c", Fault::Domain),
            ("a@b=c", Fault::Domain),
            ("<a@b>", Fault::Domain),
            ("a\n@b", Fault::Control),
            ("a\u{85}@b", Fault::Control),
        ] {
            assert_eq!(parts(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn the_bound_on_addresses() {
        let address = |octets: usize| "a".repeat(octets - 2) + "@b";
        assert!(Fault::TooLong.text().contains(&ADDRESS_OCTETS_MAX.to_string()));
        assert!(Address::parse(&address(ADDRESS_OCTETS_MAX)).is_ok());
        assert_eq!(Address::parse(&address(ADDRESS_OCTETS_MAX + 1)), Err(Fault::TooLong));
    }

    #[test]
    fn the_lengths_that_everybody_takes() {
        let address = |local: usize, domain: usize| "a".repeat(local) + "@" + &"b".repeat(domain);
        assert!(!is_overlong(&address(64, 1)));
        assert!(is_overlong(&address(65, 1)));
        assert!(!is_overlong(&address(53, 200)));
        assert!(is_overlong(&address(54, 200)));
    }

    #[test]
    fn quotes_stand_where_they_must() {
        let written = |local: &str, quote| write(&[local], quote, "d");
        assert_eq!(written("a=b", Quote::UnlessDotString), "a=b@d");
        assert_eq!(written("a b", Quote::UnlessDotString), "\"a b\"@d");
        assert_eq!(written("a\"\\", Quote::UnlessDotString), "\"a\\\"\\\\\"@d");
        for odd in [".a", "a.", "a..b", ""] {
            assert_eq!(written(odd, Quote::UnlessDotString), format!("\"{odd}\"@d"));
            assert_eq!(written(odd, Quote::ForSpecials), format!("{odd}@d"));
        }
        assert_eq!(written("a b", Quote::ForSpecials), "\"a b\"@d");
        assert_eq!(written("\"a..b\"", Quote::ForDots), "\"a..b\"@d");
        assert_eq!(written("a..b", Quote::ForDots), "\"a..b\"@d");
        assert_eq!(written("a b", Quote::ForDots), "a b@d");
        assert_eq!(write(&["a.", ".b"], Quote::UnlessDotString, "d"), "\"a..b\"@d");
    }
}
