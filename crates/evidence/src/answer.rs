use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use crate::{Memo, Octets, RecordType, Txt};
use borsh::{BorshDeserialize, BorshSerialize};

/// What DNS said to a question for records that are read as `T`.
#[derive(Debug, BorshDeserialize, BorshSerialize)]
pub struct Answer<T> {
    /// The records, or why there are none.
    #[borsh(bound(deserialize = "T: BorshDeserialize + Clone"))]
    pub outcome: Outcome<T>,
    /// Where and when the answer was obtained.
    pub source: Source,
    #[borsh(skip)]
    memo: Memo,
}

/// The records, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, BorshDeserialize, BorshSerialize)]
pub enum Outcome<T> {
    /// At least one record, in the order of the answer.
    Found(#[borsh(bound(deserialize = "T: BorshDeserialize + Clone"))] Box<[T]>),
    /// The name exists, records of this type do not (NODATA).
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// No usable answer; whether there are records is unknown.
    Failed(Failure),
}

/// Why there is no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, BorshDeserialize, BorshSerialize)]
#[non_exhaustive]
pub enum Failure {
    /// No answer within the time for it.
    Timeout,
    /// SERVFAIL.
    ServerFailure,
    /// REFUSED or another error code.
    Refused,
    /// The answer could not be read.
    Malformed,
    /// The alias chain loops or is longer than a resolver follows.
    AliasLoop,
    /// No name server could be reached.
    Unreachable,
    /// The answer is larger than Quivive takes.
    TooLarge,
}

/// Where and when an answer was obtained.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshDeserialize, BorshSerialize)]
pub struct Source {
    /// The name server that gave it; none for a master file.
    pub server: Option<SocketAddr>,
    /// The server set the AD bit.
    pub authenticated: bool,
    /// It is one whose AD bit is believed, and so is every other that was asked on the way.
    pub trusted: bool,
    /// How long the answer may be kept, in seconds, counted from `noted_at`.
    pub ttl: u32,
    /// When the answer came, in seconds since 1970.
    pub noted_at: u64,
    /// How long it took, in microseconds.
    pub micros: u32,
}

/// A mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshDeserialize, BorshSerialize)]
pub struct Mx {
    /// Lower is preferred.
    pub preference: u16,
    /// The host; empty for a null MX (RFC 7505).
    pub exchange: DomainName,
}

/// A domain name out of a record, in the form of [`crate::DnsQuestion::name`].
///
/// Octets that this form cannot hold (a dot within a label, anything outside printable ASCII) are
/// written `\DDD`. Such a name is no host name: it is shown, and never asked for.
pub type DomainName = Arc<str>;

/// An answer with the type of its records.
#[derive(Debug, Clone, BorshDeserialize, BorshSerialize)]
pub enum DnsAnswer {
    /// To a question for type A.
    A(Arc<Answer<Ipv4Addr>>),
    /// To a question for type AAAA.
    Aaaa(Arc<Answer<Ipv6Addr>>),
    /// To a question for type MX.
    Mx(Arc<Answer<Mx>>),
    /// To a question for type PTR.
    Ptr(Arc<Answer<DomainName>>),
    /// To a question for type TXT.
    Txt(Arc<Answer<Txt>>),
    /// To a question for any other type: raw RDATA.
    Other(u16, Arc<Answer<Octets>>),
}

/// An answer of any kind, as a notebook holds it.
#[derive(Debug, Clone, BorshDeserialize, BorshSerialize)]
pub enum NotedAnswer {
    /// Of DNS.
    Dns(DnsAnswer),
    /// What is stored: an entry is a line of text.
    Stored(Arc<Answer<Octets>>),
}

impl<T> Answer<T> {
    /// An answer obtained as `source` says.
    pub fn new(outcome: Outcome<T>, source: Source) -> Self {
        Self { outcome, source, memo: Memo::default() }
    }

    /// The records: none for NODATA and NXDOMAIN.
    ///
    /// # Errors
    /// The failure, where it is unknown whether there are records.
    pub fn records(&self) -> Result<&[T], Failure> {
        match &self.outcome {
            Outcome::Found(records) => Ok(records),
            Outcome::NoData | Outcome::NoName => Ok(&[]),
            Outcome::Failed(failure) => Err(*failure),
        }
    }

    /// What methods derive from this answer, made once.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }
}

/// What methods have derived from it stays behind.
impl<T: Clone> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self::new(self.outcome.clone(), self.source.clone())
    }
}

impl<T> Outcome<T> {
    /// `Found` of the records, or `NoData` if there are none.
    pub fn of(records: Vec<T>) -> Self {
        if records.is_empty() { Self::NoData } else { Self::Found(records.into()) }
    }

    fn token(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::NoData => "nodata",
            Self::NoName => "nxdomain",
            Self::Failed(failure) => failure.token(),
        }
    }
}

impl Failure {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Timeout,
        Self::ServerFailure,
        Self::Refused,
        Self::Malformed,
        Self::AliasLoop,
        Self::Unreachable,
        Self::TooLarge,
    ];

    /// The failure with this token.
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|failure| failure.token() == token)
    }

    /// A stable word for logs, headers and JSON.
    pub fn token(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ServerFailure => "servfail",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::AliasLoop => "alias-loop",
            Self::Unreachable => "unreachable",
            Self::TooLarge => "too-large",
        }
    }
}

impl DnsAnswer {
    /// The answer without records for a question of this type.
    ///
    /// `outcome` must not be [`Outcome::Found`]: its records have no type here, so that there can
    /// be none.
    pub fn without_records(
        record_type: RecordType,
        outcome: Outcome<std::convert::Infallible>,
        source: Source,
    ) -> Self {
        fn empty<T>(outcome: &Outcome<std::convert::Infallible>, source: Source) -> Arc<Answer<T>> {
            let outcome = match outcome {
                Outcome::Found(_) | Outcome::NoData => Outcome::NoData,
                Outcome::NoName => Outcome::NoName,
                Outcome::Failed(failure) => Outcome::Failed(*failure),
            };
            Arc::new(Answer::new(outcome, source))
        }
        match record_type {
            RecordType::A => Self::A(empty(&outcome, source)),
            RecordType::Aaaa => Self::Aaaa(empty(&outcome, source)),
            RecordType::Mx => Self::Mx(empty(&outcome, source)),
            RecordType::Ptr => Self::Ptr(empty(&outcome, source)),
            RecordType::Txt => Self::Txt(empty(&outcome, source)),
            RecordType::Other(number) => Self::Other(number, empty(&outcome, source)),
        }
    }

    /// The type of question this answers.
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Mx(_) => RecordType::Mx,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Txt(_) => RecordType::Txt,
            Self::Other(number, _) => RecordType::Other(*number),
        }
    }

    /// Where and when it was obtained.
    pub fn source(&self) -> &Source {
        match self {
            Self::A(answer) => &answer.source,
            Self::Aaaa(answer) => &answer.source,
            Self::Mx(answer) => &answer.source,
            Self::Ptr(answer) => &answer.source,
            Self::Txt(answer) => &answer.source,
            Self::Other(_, answer) => &answer.source,
        }
    }

    /// A stable word: `found`, `nodata`, `nxdomain`, or that of the failure.
    pub fn status(&self) -> &'static str {
        match self {
            Self::A(answer) => answer.outcome.token(),
            Self::Aaaa(answer) => answer.outcome.token(),
            Self::Mx(answer) => answer.outcome.token(),
            Self::Ptr(answer) => answer.outcome.token(),
            Self::Txt(answer) => answer.outcome.token(),
            Self::Other(_, answer) => answer.outcome.token(),
        }
    }

    /// Whether it is this very answer, and not merely one that says the same.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::A(this), Self::A(other)) => Arc::ptr_eq(this, other),
            (Self::Aaaa(this), Self::Aaaa(other)) => Arc::ptr_eq(this, other),
            (Self::Mx(this), Self::Mx(other)) => Arc::ptr_eq(this, other),
            (Self::Ptr(this), Self::Ptr(other)) => Arc::ptr_eq(this, other),
            (Self::Txt(this), Self::Txt(other)) => Arc::ptr_eq(this, other),
            (Self::Other(_, this), Self::Other(_, other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }

    /// The failure, if there was no usable answer.
    pub fn failure(&self) -> Option<Failure> {
        fn of<T>(answer: &Answer<T>) -> Option<Failure> {
            answer.records().err()
        }
        match self {
            Self::A(answer) => of(answer),
            Self::Aaaa(answer) => of(answer),
            Self::Mx(answer) => of(answer),
            Self::Ptr(answer) => of(answer),
            Self::Txt(answer) => of(answer),
            Self::Other(_, answer) => of(answer),
        }
    }

    /// The records as text for people, one string each: addresses, `10 mail.example`, names, TXT as
    /// its octets (lossy UTF-8), RDATA in hexadecimal digits.
    pub fn record_texts(&self) -> Vec<String> {
        fn texts<T>(answer: &Answer<T>, text: impl Fn(&T) -> String) -> Vec<String> {
            answer.records().unwrap_or_default().iter().map(text).collect()
        }
        match self {
            Self::A(answer) => texts(answer, Ipv4Addr::to_string),
            Self::Aaaa(answer) => texts(answer, Ipv6Addr::to_string),
            Self::Mx(answer) => texts(answer, Mx::to_string),
            Self::Ptr(answer) => texts(answer, |name| name.to_string()),
            Self::Txt(answer) => {
                texts(answer, |octets| String::from_utf8_lossy(&octets.0).into_owned())
            }
            Self::Other(_, answer) => texts(answer, |octets| {
                octets.0.iter().map(|octet| format!("{octet:02x}")).collect()
            }),
        }
    }
}

impl Source {
    /// Whether the answer is known to be signed: the AD bit of a server means nothing unless the
    /// operator trusts it, and the way to it (RFC 6840 section 5.8).
    pub fn is_secure(&self) -> bool {
        self.authenticated && self.trusted
    }
}

impl NotedAnswer {
    /// Where and when it was obtained.
    pub fn source(&self) -> &Source {
        match self {
            Self::Dns(answer) => answer.source(),
            Self::Stored(answer) => &answer.source,
        }
    }

    /// A stable word, as [`DnsAnswer::status`].
    pub fn status(&self) -> &'static str {
        match self {
            Self::Dns(answer) => answer.status(),
            Self::Stored(answer) => answer.outcome.token(),
        }
    }

    /// The records or entries as text for people, as [`DnsAnswer::record_texts`].
    pub fn record_texts(&self) -> Vec<String> {
        match self {
            Self::Dns(answer) => answer.record_texts(),
            Self::Stored(answer) => {
                let entries = answer.records().unwrap_or_default().iter();
                entries.map(|entry| String::from_utf8_lossy(&entry.0).into_owned()).collect()
            }
        }
    }

    /// Whether it is text that somebody wrote, and is shown in quotes.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Dns(DnsAnswer::Txt(_)) | Self::Stored(_))
    }
}

impl fmt::Display for Mx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exchange = if self.exchange.is_empty() { "." } else { &self.exchange };
        write!(f, "{} {exchange}", self.preference)
    }
}
