//! What the doors answer that mail servers ask.

use std::path::Path;

use crate::Problem;
use crate::problem::quoted;
use crate::value::{Word, choose};

/// A field that a policy listener has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepend {
    /// All results (RFC 8601).
    AuthenticationResults,
    /// The results of SPF, a field for each identity (RFC 7208 section 9.1).
    ReceivedSpf,
}

/// How the name of a field begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPrefix(String);

/// How long the beginning of a field's name may be, in octets.
pub const FIELD_PREFIX_OCTETS_MAX: usize = 64;

/// A map that mail servers look addresses up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// From a sender to the address under which its mail is forwarded.
    Forward,
    /// Back from such an address.
    Reverse,
}

impl Prepend {
    /// All of them.
    pub const ALL: &[Self] = &[Self::AuthenticationResults, Self::ReceivedSpf];

    /// The word used in configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::AuthenticationResults => "authentication-results",
            Self::ReceivedSpf => "received-spf",
        }
    }
}

impl Map {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Forward, Self::Reverse];

    /// The name under which it is asked for.
    pub fn word(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Reverse => "reverse",
        }
    }
}

impl Word for Prepend {
    const KIND: &'static str = "\"authentication-results\" or \"received-spf\"";
    const EXAMPLE: &'static str = "received-spf";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("field", text, Self::ALL.iter().map(|field| (field.word(), *field)))
    }

    fn text(&self) -> String {
        self.word().to_owned()
    }
}

impl FieldPrefix {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Word for FieldPrefix {
    const KIND: &'static str = "letters, digits and hyphens";
    const EXAMPLE: &'static str = "X-Quivive-4f1d9a-";

    /// Of what a field's name may hold (RFC 5322 section 2.2) only what needs no quoting in the
    /// mail server's rules.
    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        let fits = (1..=FIELD_PREFIX_OCTETS_MAX).contains(&text.len());
        if fits && text.bytes().all(is_plain) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::Invalid(format!(
            "`{}` cannot begin the name of a field; write up to {FIELD_PREFIX_OCTETS_MAX} letters, \
             digits and hyphens, such as `X-Quivive-4f1d9a-`",
            quoted(text)
        )))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Word for Map {
    const KIND: &'static str = "\"forward\" or \"reverse\"";
    const EXAMPLE: &'static str = "forward";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("map", text, Self::ALL.iter().map(|map| (map.word(), *map)))
    }

    fn text(&self) -> String {
        self.word().to_owned()
    }
}
