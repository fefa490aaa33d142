use std::fmt;

use thiserror::Error;

use crate::mailbox::{DOMAIN_MAX, LOCAL_PART_MAX};
use crate::{Charset, MailDomain, Mailbox};

/// Octets of a path with its angle brackets (RFC 5321 section 4.5.3.1.3).
pub const PATH_MAX: usize = 256;

/// Where a message came from: the argument of MAIL FROM (RFC 5321 section 4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: reports about other mail, to which nobody answers.
    Null,
    /// A mailbox.
    Mailbox(Mailbox),
}

/// Where a message goes: the argument of RCPT TO (RFC 5321 section 4.1.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>`: whoever runs this host.
    Postmaster,
    /// A mailbox.
    Mailbox(Mailbox),
}

/// What is wrong with a path. All of it is the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathError {
    /// Not enclosed in `<` and `>`.
    #[error("the path does not stand between angle brackets")]
    Brackets,
    /// `<>` where a recipient should be.
    #[error("the forward-path is empty")]
    Empty,
    /// `<@relay:user@domain>` (RFC 5321 appendix C).
    #[error("source routes are not taken")]
    SourceRoute,
    /// A control octet, anywhere.
    #[error("the path holds a control octet")]
    Control,
    /// Octets that are no UTF-8.
    #[error("the path is not UTF-8")]
    NotUtf8,
    /// UTF-8 in a transaction without SMTPUTF8.
    #[error("the path needs SMTPUTF8")]
    Utf8NotAllowed,
    /// Neither dot-string nor quoted-string.
    #[error("the local part is not well-formed")]
    LocalPart,
    /// No `@` after the local part.
    #[error("the path has no domain")]
    NoDomain,
    /// Neither domain nor address literal.
    #[error("the domain is not well-formed")]
    Domain,
    /// Longer than [`LOCAL_PART_MAX`].
    #[error("the local part is longer than {LOCAL_PART_MAX} octets")]
    LocalPartTooLong,
    /// Longer than [`DOMAIN_MAX`].
    #[error("the domain is longer than {DOMAIN_MAX} octets")]
    DomainTooLong,
    /// Longer than [`PATH_MAX`].
    #[error("the path is longer than {PATH_MAX} octets")]
    PathTooLong,
}

impl ReversePath {
    /// Reads a reverse-path, angle brackets included.
    ///
    /// # Errors
    /// What the path breaks.
    pub fn parse(text: &[u8], charset: Charset) -> Result<Self, PathError> {
        match enclosed(text)? {
            b"" => Ok(Self::Null),
            content if content.starts_with(b"@") => Err(source_route(content, charset)),
            content => Mailbox::parse_sender(content, charset).map(Self::Mailbox),
        }
    }

    /// The path without angle brackets; empty for the null reverse-path.
    pub fn address(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Mailbox(mailbox) => mailbox.to_string(),
        }
    }
}

impl ForwardPath {
    /// Reads a forward-path, angle brackets included.
    ///
    /// # Errors
    /// What the path breaks.
    pub fn parse(text: &[u8], charset: Charset) -> Result<Self, PathError> {
        match enclosed(text)? {
            b"" => Err(PathError::Empty),
            content if content.eq_ignore_ascii_case(b"postmaster") => Ok(Self::Postmaster),
            content if content.starts_with(b"@") => Err(source_route(content, charset)),
            content => Mailbox::parse(content, charset).map(Self::Mailbox),
        }
    }

    /// The path without angle brackets.
    pub fn address(&self) -> String {
        match self {
            Self::Postmaster => "Postmaster".to_owned(),
            Self::Mailbox(mailbox) => mailbox.to_string(),
        }
    }
}

/// With angle brackets.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// With angle brackets.
impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<Postmaster>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// How many octets at the start of `text` are a path in angle brackets, so that what follows can
/// be read as parameters. A `>` inside a quoted-string does not end the path.
pub fn path_length(text: &[u8]) -> Option<usize> {
    let mut octets = text.strip_prefix(b"<")?.iter().zip(2..);
    let mut quoted = false;
    while let Some((octet, length)) = octets.next() {
        match octet {
            b'>' if !quoted => return Some(length),
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                octets.next();
            }
            _ => {}
        }
    }
    None
}

fn enclosed(text: &[u8]) -> Result<&[u8], PathError> {
    let content = text.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
    match content {
        None => Err(PathError::Brackets),
        Some(_) if text.len() > PATH_MAX => Err(PathError::PathTooLong),
        Some(content) => Ok(content),
    }
}

/// A well-formed source route is told from a path that merely lacks its local part.
fn source_route(content: &[u8], charset: Charset) -> PathError {
    let Some(colon) = content.iter().position(|octet| *octet == b':') else {
        return PathError::LocalPart;
    };
    let (route, mailbox) = (&content[..colon], &content[colon + 1..]);
    let Ok(route) = std::str::from_utf8(route) else { return PathError::NotUtf8 };
    let is_host = |hop: &str| {
        hop.strip_prefix('@').is_some_and(|name| {
            matches!(MailDomain::parse(name), Ok(MailDomain::Name(_)))
                && name.chars().all(|c| charset.holds(c))
        })
    };
    if !route.split(',').all(is_host) {
        return PathError::LocalPart;
    }
    match Mailbox::parse(mailbox, charset) {
        Ok(_) => PathError::SourceRoute,
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn forward(text: &str) -> Result<ForwardPath, PathError> {
        ForwardPath::parse(text.as_bytes(), Charset::Ascii)
    }

    #[test]
    fn null_and_postmaster() {
        assert_eq!(ReversePath::parse(b"<>", Charset::Ascii), Ok(ReversePath::Null));
        assert_eq!(forward("<>"), Err(PathError::Empty));
        assert_eq!(forward("<postMASTER>"), Ok(ForwardPath::Postmaster));
        let reverse = ReversePath::parse(b"<postmaster>", Charset::Ascii);
        assert_eq!(reverse, Err(PathError::NoDomain));
    }

    #[test]
    fn brackets_stand_once_and_close() {
        for text in ["", "<", ">", "a@b", "<a@b", "a@b>", " <a@b>", "<a@b> "] {
            assert_eq!(forward(text), Err(PathError::Brackets), "{text}");
        }
        assert_eq!(forward("<<a@b>>"), Err(PathError::LocalPart));
        assert_eq!(forward("<a@b>>"), Err(PathError::Domain));
    }

    #[test]
    fn senders_may_have_underscores() {
        for path in ["<a@b_c.example>", "<a@_b.example>", "<a@b\u{fc}_c.example>"] {
            let (text, charset) = (path.as_bytes(), Charset::Utf8);
            assert_eq!(ReversePath::parse(text, charset).unwrap().to_string(), path);
            assert_eq!(ForwardPath::parse(text, charset), Err(PathError::Domain), "{path}");
        }
        let hyphen = ReversePath::parse(b"<a@-b_c.example>", Charset::Ascii);
        assert_eq!(hyphen, Err(PathError::Domain));
    }

    #[test]
    fn source_routes_are_told_apart() {
        assert_eq!(forward("<@relay:victim@d>"), Err(PathError::SourceRoute));
        assert_eq!(forward("<@a,@b.example:user@d>"), Err(PathError::SourceRoute));
        assert_eq!(forward("<@d>"), Err(PathError::LocalPart));
        assert_eq!(forward("<@a,b:user@d>"), Err(PathError::LocalPart));
        assert_eq!(forward("<@[192.0.2.1]:user@d>"), Err(PathError::LocalPart));
        assert_eq!(forward("<@a:user>"), Err(PathError::NoDomain));
        assert_eq!(forward("<a:b@d>"), Err(PathError::LocalPart));
    }

    #[test]
    fn the_whole_path_is_bounded() {
        let local_part = "a".repeat(64);
        let path = |domain: usize| format!("<{local_part}@{}>", "d".repeat(domain));
        assert_eq!(path(189).len(), PATH_MAX);
        assert!(forward(&path(189)).is_ok());
        assert_eq!(forward(&path(190)), Err(PathError::PathTooLong));
    }

    #[test]
    fn a_path_ends_outside_of_quotes() {
        assert_eq!(path_length(b"<a@b> SIZE=1"), Some(5));
        assert_eq!(path_length(b"<\"a> \\\"\"@b> SIZE=1"), Some(11));
        assert_eq!(path_length(b"<a@b"), None);
        assert_eq!(path_length(b"a@b>"), None);
    }

    fn roundtrip(text: &[u8], charset: Charset) {
        if let Ok(path) = ReversePath::parse(text, charset) {
            let written = path.to_string();
            assert!(!written.chars().any(char::is_control));
            assert_eq!(ReversePath::parse(written.as_bytes(), charset), Ok(path));
            assert_eq!(path_length(written.as_bytes()), Some(written.len()));
        }
        let _ = ForwardPath::parse(text, charset);
        let _ = path_length(text);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            roundtrip(&text, Charset::Ascii);
            roundtrip(&text, Charset::Utf8);
        }

        #[test]
        fn what_is_written_reads_back(
            local_part in r#""[ -~ö]{0,8}"|[a-z.%/ö\\]{1,6}"#,
            domain in r"\[[Ipv6:.0-9]{1,12}\]|[a-zö.-]{1,9}",
        ) {
            let text = format!("<{local_part}@{domain}>");
            roundtrip(text.as_bytes(), Charset::Ascii);
            roundtrip(text.as_bytes(), Charset::Utf8);
        }
    }
}
