//! What the doors answer that mail servers ask.

use std::path::Path;

use crate::Problem;
use crate::value::{Word, choose};

/// A field that a policy listener has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepend {
    /// All results (RFC 8601).
    AuthenticationResults,
    /// The results of SPF, a field for each identity (RFC 7208 section 9.1).
    ReceivedSpf,
}

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
