use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Charset, PathError, domain};

/// Octets of a local part as it is written. RFC 5321 section 4.5.3.1.1 makes 64 what everybody must
/// take, not the most that anybody may: tagged and rewritten return paths are longer. A path of the
/// permitted length still has to hold a domain.
pub const LOCAL_PART_MAX: usize = 250;
/// Octets of a domain name or address literal (RFC 5321 section 4.5.3.1.2).
pub const DOMAIN_MAX: usize = 255;

/// A mailbox of RFC 5321 section 4.1.2: a local part at a domain.
///
/// It is written back in one form: the local part as a dot-string where that can be, else as a
/// quoted-string with the fewest escapes. No control character is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    local_part: String,
    domain: MailDomain,
}

/// What stands right of the `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MailDomain {
    /// A name, as it was written.
    Name(String),
    /// An address literal: `[192.0.2.1]` or `[IPv6:2001:db8::1]`. No other tag has been registered.
    Literal(IpAddr),
}

impl Mailbox {
    /// Reads a mailbox without angle brackets.
    ///
    /// # Errors
    /// What the text breaks: the grammar of RFC 5321 section 4.1.2, a length, or the charset.
    pub fn parse(text: &[u8], charset: Charset) -> Result<Self, PathError> {
        Self::with_labels(text, charset, domain::is_label)
    }

    /// As [`Mailbox::parse`], for a sender: names with underscores are met, DNS has them, and what
    /// they are worth is for the checks to find.
    pub(crate) fn parse_sender(text: &[u8], charset: Charset) -> Result<Self, PathError> {
        Self::with_labels(text, charset, domain::is_sender_label)
    }

    fn with_labels(text: &[u8], charset: Charset, is_label: IsLabel) -> Result<Self, PathError> {
        let text = checked(text, charset)?;
        let (written, local_part, rest) = match text.strip_prefix('"') {
            Some(quoted) => quoted_string(text, quoted)?,
            None => dot_string(text)?,
        };
        if written.len() > LOCAL_PART_MAX {
            return Err(PathError::LocalPartTooLong);
        }
        let domain = rest.strip_prefix('@').ok_or(PathError::NoDomain)?;
        Ok(Self { local_part, domain: MailDomain::with_labels(domain, is_label)? })
    }

    /// A local part without quotes and escapes, at the domain of a sender.
    pub(crate) fn of_parts(local_part: String, domain: &str) -> Result<Self, PathError> {
        if local_part.chars().any(char::is_control) {
            return Err(PathError::LocalPart);
        }
        let domain = MailDomain::with_labels(domain, domain::is_sender_label)?;
        let mailbox = Self { local_part, domain };
        let written = mailbox.to_string().len() - mailbox.domain.to_string().len() - 1;
        if written > LOCAL_PART_MAX {
            return Err(PathError::LocalPartTooLong);
        }
        Ok(mailbox)
    }

    /// A local part that has been read before, at another domain.
    pub(crate) fn at(&self, domain: MailDomain) -> Self {
        Self { local_part: self.local_part.clone(), domain }
    }

    /// The mailbox that every domain has (RFC 5321 section 4.5.1).
    pub(crate) fn postmaster(domain: MailDomain) -> Self {
        Self { local_part: "postmaster".to_owned(), domain }
    }

    /// The local part without quotes and escapes. It may hold blanks, quotes, `/` and `..`.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The domain.
    pub fn domain(&self) -> &MailDomain {
        &self.domain
    }

    /// Whether writing it needs SMTPUTF8.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local_part.is_ascii() || !self.domain.is_ascii()
    }
}

impl MailDomain {
    /// Reads a domain name or an address literal, as it stands in a path or after HELO.
    ///
    /// # Errors
    /// [`PathError::Domain`] and [`PathError::DomainTooLong`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::with_labels(text, domain::is_label)
    }

    fn with_labels(text: &str, is_label: IsLabel) -> Result<Self, PathError> {
        if text.len() > DOMAIN_MAX {
            return Err(PathError::DomainTooLong);
        }
        match text.strip_prefix('[') {
            Some(rest) => literal(rest).map(Self::Literal).ok_or(PathError::Domain),
            None if is_domain(text, is_label) => Ok(Self::Name(text.to_owned())),
            None => Err(PathError::Domain),
        }
    }

    /// The name in the form of [`domain::to_ascii`]; none for an address literal.
    pub fn to_ascii(&self) -> Option<String> {
        match self {
            Self::Name(name) => Some(domain::to_ascii(name)),
            Self::Literal(_) => None,
        }
    }

    fn is_ascii(&self) -> bool {
        match self {
            Self::Name(name) => name.is_ascii(),
            Self::Literal(_) => true,
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local_part) {
            return write!(f, "{}@{}", self.local_part, self.domain);
        }
        f.write_str("\"")?;
        for c in self.local_part.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain)
    }
}

impl fmt::Display for MailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Literal(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Literal(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

fn checked(text: &[u8], charset: Charset) -> Result<&str, PathError> {
    if text.iter().any(u8::is_ascii_control) {
        return Err(PathError::Control);
    }
    let text = std::str::from_utf8(text).map_err(|_| PathError::NotUtf8)?;
    match text.chars().find(|c| !charset.holds(*c)) {
        None => Ok(text),
        Some(c) if c.is_control() => Err(PathError::Control),
        Some(_) => Err(PathError::Utf8NotAllowed),
    }
}

/// The local part as written, without quotes, and what follows it.
type LocalPart<'a> = (&'a str, String, &'a str);

fn dot_string(text: &str) -> Result<LocalPart<'_>, PathError> {
    // An `@` is no part of an atom, so the first one ends the local part.
    let (local_part, rest) = text.split_at(text.find('@').unwrap_or(text.len()));
    if !is_dot_string(local_part) {
        return Err(PathError::LocalPart);
    }
    Ok((local_part, local_part.to_owned(), rest))
}

fn quoted_string<'a>(text: &'a str, quoted: &'a str) -> Result<LocalPart<'a>, PathError> {
    let mut content = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let (written, rest) = text.split_at(at + 2);
                return Ok((written, content, rest));
            }
            // quoted-pairSMTP is ASCII alone, also with SMTPUTF8 (RFC 6531 section 3.3).
            '\\' => match chars.next() {
                Some((_, c)) if c.is_ascii() => content.push(c),
                _ => return Err(PathError::LocalPart),
            },
            c => content.push(c),
        }
    }
    Err(PathError::LocalPart)
}

fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

// RFC 5322 section 3.2.3, and UTF8-non-ascii by RFC 6531 section 3.3.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
}

/// What a label of a domain may be.
type IsLabel = fn(&str) -> bool;

fn is_domain(text: &str, is_label: IsLabel) -> bool {
    if text.is_ascii() {
        return text.split('.').all(is_label);
    }
    // RFC 6531 section 3.3: a sub-domain may be a U-label.
    !text.split('.').any(str::is_empty)
        && idna::domain_to_ascii(text)
            .is_ok_and(|name| name.len() <= DOMAIN_MAX && name.split('.').all(is_label))
}

fn literal(rest: &str) -> Option<IpAddr> {
    let content = rest.strip_suffix(']')?;
    match content.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => {
            address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => content.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mailbox, PathError> {
        Mailbox::parse(text.as_bytes(), Charset::Ascii)
    }

    #[test]
    fn local_parts_lose_quotes_and_get_them_back_where_needed() {
        for (text, local_part, written) in [
            ("user@example.com", "user", "user@example.com"),
            ("\"user\"@example.com", "user", "user@example.com"),
            ("\"a b\"@d", "a b", "\"a b\"@d"),
            ("\"\\a\\\"\\\\\"@d", "a\"\\", "\"a\\\"\\\\\"@d"),
            ("\"\"@d", "", "\"\"@d"),
            ("\"a@b\"@d", "a@b", "\"a@b\"@d"),
            ("\"../x\"@d", "../x", "\"../x\"@d"),
            ("a%b@d", "a%b", "a%b@d"),
            ("a/b=c{}@d", "a/b=c{}", "a/b=c{}@d"),
        ] {
            let mailbox = parse(text).unwrap();
            assert_eq!(mailbox.local_part(), local_part);
            assert_eq!(mailbox.to_string(), written);
            assert_eq!(parse(written).unwrap(), mailbox);
        }
    }

    #[test]
    fn the_grammar_refuses() {
        for (text, error) in [
            ("", PathError::LocalPart),
            ("@d", PathError::LocalPart),
            ("user", PathError::NoDomain),
            ("user@", PathError::Domain),
            ("../../x@d", PathError::LocalPart),
            (".a@d", PathError::LocalPart),
            ("a.@d", PathError::LocalPart),
            ("a..b@d", PathError::LocalPart),
            ("a b@d", PathError::LocalPart),
            ("a\"b\"@d", PathError::LocalPart),
            ("\"a\"b@d", PathError::NoDomain),
            ("\"a@d", PathError::LocalPart),
            ("\"a\\", PathError::LocalPart),
            ("a@b@c", PathError::Domain),
            ("a@-b", PathError::Domain),
            ("a@b-", PathError::Domain),
            ("a@b..c", PathError::Domain),
            ("a@b.", PathError::Domain),
            ("a@b_c", PathError::Domain),
            ("a@b c", PathError::Domain),
            ("a@[]", PathError::Domain),
            ("a@[1.2.3]", PathError::Domain),
            ("a@[1.2.3.256]", PathError::Domain),
            ("a@[1.2.3.4", PathError::Domain),
            ("a@[1.2.3.4]x", PathError::Domain),
            ("a@[IPv6:fe80::1%eth0]", PathError::Domain),
            ("a@[2001:db8::1]", PathError::Domain),
            ("a@[x-tag:data]", PathError::Domain),
            ("a\0@d", PathError::Control),
            ("\"a\r\nb\"@d", PathError::Control),
            ("\"\\\u{7f}\"@d", PathError::Control),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn address_literals() {
        let v4 = parse("a@[192.0.2.1]").unwrap();
        assert_eq!(*v4.domain(), MailDomain::Literal([192, 0, 2, 1].into()));
        let v6 = parse("a@[ipv6:2001:DB8::1]").unwrap();
        assert_eq!(v6.to_string(), "a@[IPv6:2001:db8::1]");
        assert_eq!(v6.domain().to_ascii(), None);
    }

    #[test]
    fn utf8_only_where_it_is_allowed() {
        let text = "jörg@bücher.example";
        assert_eq!(parse(text), Err(PathError::Utf8NotAllowed));
        let mailbox = Mailbox::parse(text.as_bytes(), Charset::Utf8).unwrap();
        assert_eq!(mailbox.to_string(), text);
        assert_eq!(mailbox.domain().to_ascii().unwrap(), "xn--bcher-kva.example");
        assert!(mailbox.needs_smtputf8());
        for (text, error) in [
            (&b"j\xf6rg@d"[..], PathError::NotUtf8),
            ("a@\u{fffd}.example".as_bytes(), PathError::Domain),
            ("a\u{85}@d".as_bytes(), PathError::Control),
            ("\"\\ö\"@d".as_bytes(), PathError::LocalPart),
        ] {
            assert_eq!(Mailbox::parse(text, Charset::Utf8), Err(error));
        }
    }

    #[test]
    fn lengths() {
        let local_part = "a".repeat(LOCAL_PART_MAX);
        assert!(parse(&format!("{local_part}@d")).is_ok());
        assert_eq!(parse(&format!("{local_part}a@d")), Err(PathError::LocalPartTooLong));
        // The quotes count: the limit is on what is written.
        assert_eq!(parse(&format!("\"{local_part}\"@d")), Err(PathError::LocalPartTooLong));
        let domain = ["d"; 128].join(".");
        assert_eq!(domain.len(), DOMAIN_MAX);
        assert!(parse(&format!("a@{domain}")).is_ok());
        assert_eq!(parse(&format!("a@{domain}d")), Err(PathError::DomainTooLong));
    }
}
