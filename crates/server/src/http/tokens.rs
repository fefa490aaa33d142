//! The tokens of the HTTP door. They are long and random; a file keeps their hashes, one a line:
//!
//! ```text
//! NAME      SCOPES       EXPIRES               HASH
//! frontend  check        never                 sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad6...
//! helpdesk  check,cases  2027-01-31T12:00:00Z  sha256:dbc1b4c900ffe48d575b5da5c638040125f65db0...
//! ```

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(super) use self::file::Tokens;
pub use self::file::{FILE_OCTETS_MAX, TokensError, change, read};

/// How many tokens there may be.
pub const TOKENS_MAX: usize = 1_000;

/// How long a token's name may be, in octets.
pub const NAME_OCTETS_MAX: usize = 64;

/// How many random octets a token has.
const SECRET_OCTETS: usize = 32;

/// Every token begins so, and whoever looks for leaked secrets knows it.
const PREFIX: &str = "quivive_";

/// Before the hash in the file.
const HASHED_BY: &str = "sha256:";

/// The word for a token that does not expire.
const NEVER: &str = "never";

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Asking about messages.
    Check,
    /// Looking at cases.
    Cases,
    /// Having a check ask others than DNS: probes, fetches.
    Probe,
    /// Having addresses rewritten and found again.
    Srs,
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is, for the log and for people.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// Until when, in seconds since 1970.
    pub expires: Option<u64>,
    /// SHA-256 of its text. Nobody guesses 256 random bits, so that it need not be slow.
    hash: [u8; 32],
}

/// All tokens, as their file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenList(Vec<Line>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Token(Token),
    /// Nothing, or behind a `#`.
    Remark(String),
}

/// A token that cannot be in the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its name is not one.
    #[error("a token's name has letters, digits, `.`, `-` and `_`, at most {NAME_OCTETS_MAX}")]
    Name,
    /// There is one of this name.
    #[error("there is a token `{0}` already; revoke it first, or choose another name")]
    Taken(String),
    /// There is none of this name.
    #[error("there is no token `{0}`; `quivive token list` shows those there are")]
    Unknown(String),
    /// It could not be used for anything.
    #[error("a token needs a scope: check, cases, probe or srs")]
    NoScope,
    /// There are too many.
    #[error("there are {TOKENS_MAX} tokens already; revoke those that nobody uses")]
    TooMany,
}

impl Scope {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Check, Self::Cases, Self::Probe, Self::Srs];

    /// The word used on the command line and in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Cases => "cases",
            Self::Probe => "probe",
            Self::Srs => "srs",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().copied().find(|scope| scope.word() == text);
        known.ok_or_else(|| {
            let text = text.escape_debug();
            format!("`{text}` is no scope; there are: check, cases, probe, srs")
        })
    }
}

impl Token {
    /// A new token, and its text, which is kept nowhere. `expires` is in seconds since 1970.
    ///
    /// # Errors
    /// The name cannot be one, or there is no scope.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub fn new(
        name: &str,
        scopes: impl IntoIterator<Item = Scope>,
        expires: Option<u64>,
    ) -> Result<(Self, String), TokenError> {
        if !is_name(name) {
            return Err(TokenError::Name);
        }
        let scopes: BTreeSet<Scope> = scopes.into_iter().collect();
        if scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        let mut secret = [0; SECRET_OCTETS];
        getrandom::fill(&mut secret).expect("the system has random numbers");
        let text = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&secret));
        Ok((Self { name: name.to_owned(), scopes, expires, hash: hash(&text) }, text))
    }

    /// Whether it can still be used at a time, in seconds since 1970.
    pub fn is_valid(&self, now: u64) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    fn parse(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, scopes, expires, hash] = words[..] else {
            return Err("a line has a name, scopes, when it expires or `never`, a hash".to_owned());
        };
        if !is_name(name) {
            return Err(TokenError::Name.to_string());
        }
        let scopes = scopes.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let hash =
            hash.strip_prefix(HASHED_BY).and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
        let hash = hash.and_then(|octets| octets.try_into().ok());
        let hash = hash.ok_or("the hash is not `sha256:` and 64 digits; make the token anew")?;
        Ok(Self { name: name.to_owned(), scopes, expires: moment(expires)?, hash })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.word()).collect();
        let (name, scopes) = (&self.name, scopes.join(","));
        write!(f, "{name} {scopes} {} {HASHED_BY}", expiry(self.expires))?;
        f.write_str(&HEXLOWER.encode(&self.hash))
    }
}

impl TokenList {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The number of the first line that cannot be used, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut list = Self::default();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                list.0.push(Line::Remark(line.to_owned()));
                continue;
            }
            let token = Token::parse(line).map_err(|problem| (index + 1, problem))?;
            list.add(token).map_err(|error| (index + 1, error.to_string()))?;
        }
        Ok(list)
    }

    /// The tokens, in the order of the file.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.0.iter().filter_map(|line| match line {
            Line::Token(token) => Some(token),
            Line::Remark(_) => None,
        })
    }

    /// The token with this text, if it is valid at this time. However it ends, each token is
    /// compared, and all of it: how long that takes tells nothing of any.
    pub fn find(&self, text: &str, now: u64) -> Option<&Token> {
        let hash = hash(text);
        let mut found = None;
        for token in self.tokens() {
            if bool::from(token.hash.ct_eq(&hash)) {
                found = Some(token);
            }
        }
        found.filter(|token| token.is_valid(now))
    }

    /// Adds a token.
    ///
    /// # Errors
    /// There is one of this name, or there are too many.
    pub fn add(&mut self, token: Token) -> Result<(), TokenError> {
        if self.tokens().any(|known| known.name == token.name) {
            return Err(TokenError::Taken(token.name));
        }
        if self.tokens().count() >= TOKENS_MAX {
            return Err(TokenError::TooMany);
        }
        self.0.push(Line::Token(token));
        Ok(())
    }

    /// Takes a token out.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn revoke(&mut self, name: &str) -> Result<(), TokenError> {
        let before = self.0.len();
        self.0.retain(|line| !matches!(line, Line::Token(token) if token.name == name));
        match self.0.len() < before {
            true => Ok(()),
            false => Err(TokenError::Unknown(name.escape_debug().to_string())),
        }
    }
}

/// As it stands in the file.
impl fmt::Display for TokenList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| match line {
            Line::Token(token) => writeln!(f, "{token}"),
            Line::Remark(remark) => writeln!(f, "{remark}"),
        })
    }
}

/// A time in seconds since 1970 as the file and people have it: `2027-01-31T12:00:00Z`, `never`.
pub fn expiry(expires: Option<u64>) -> String {
    let Some(expires) = expires else { return NEVER.to_owned() };
    let second = i64::try_from(expires).unwrap_or(i64::MAX);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).to_string()
}

fn moment(text: &str) -> Result<Option<u64>, String> {
    if text == NEVER {
        return Ok(None);
    }
    let second = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let second = second.and_then(|second| u64::try_from(second).ok());
    second.map(Some).ok_or_else(|| {
        let text = text.escape_debug();
        format!("`{text}` is no time; write 2027-01-31T12:00:00Z or {NEVER}")
    })
}

fn is_name(name: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    (1..=NAME_OCTETS_MAX).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
