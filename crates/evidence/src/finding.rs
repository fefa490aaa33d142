use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::Question;

/// One method's result for one identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct Finding {
    /// The method.
    pub method: Method,
    /// The identity that was judged.
    pub identity: Identity,
    /// The domain that was asked, as A-labels where it can be written so.
    pub domain: String,
    /// The result, in the words of RFC 8601.
    pub result: FindingResult,
    /// Why: a stable token of the method, such as `matched-all` or `void-lookup-limit`.
    pub cause: Cow<'static, str>,
    /// What decided, in the method's own words (`include:_spf.example.net`), if anything did.
    pub decided_by: Option<String>,
    /// The domain's own expanded explanation. Third-party text: quote and clean it before use.
    pub explanation: Option<String>,
    /// What of the message was judged, where method and identity do not say it all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
    /// What was evaluated: the domain's record, with its terms as children; a term's children are
    /// the records that were evaluated for it.
    pub trace: Vec<TraceNode>,
    /// The distinct questions that the result depends on, in the order of evaluation.
    pub needed: Vec<Question>,
}

/// `ptype.property=value` (RFC 8601 section 2.2), such as `header.sender=example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct Property {
    /// Where it comes from and which part of it: `header.sender`.
    pub name: Cow<'static, str>,
    /// The value, as it came. Third-party text: escape it before use.
    pub value: String,
}

/// A record or a term that was evaluated. Records and terms alternate from level to level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize)]
pub struct TraceNode {
    /// The term as it was written, or a record as a whole.
    pub term: String,
    /// Where it stands in its record: start and end, in octets.
    pub span: (u32, u32),
    /// What came of it.
    pub result: TermResult,
    /// The questions whose answers it used.
    pub questions: Vec<Question>,
    /// What was evaluated for it: the terms of a record, the record that a term includes.
    pub children: Vec<TraceNode>,
}

/// What came of a term.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    BorshDeserialize,
    BorshSerialize,
)]
#[serde(try_from = "String", into = "&'static str")]
pub enum TermResult {
    /// It matched, and so decided the record it stands in.
    Match,
    /// It did not match.
    NoMatch,
    /// Its target's result became the result (redirect, or a record as a whole).
    Result(FindingResult),
    /// It gave the explanation of a fail.
    Explains,
}

macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident, $what:literal:
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+
    ) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            BorshDeserialize, BorshSerialize,
        )]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them, in the order of the command-line contract.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word used on the command line, in configuration and in JSON.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl From<$name> for &'static str {
            fn from(item: $name) -> Self {
                item.word()
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|item| item.word() == text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|item| item.word()).collect();
                    format!(
                        concat!("`{}` is no ", $what, "; there are: {}"),
                        text.escape_debug(),
                        all.join(", "),
                    )
                })
            }
        }
    };
}

words! {
    /// A way of telling whether a sender is who it says it is.
    Method, "method":
    /// Sender Policy Framework, RFC 7208.
    Spf = "spf",
    /// Sender ID, RFC 4406.
    SenderId = "sender-id",
    /// Microsoft Caller ID.
    CallerId = "caller-id",
    /// MAIL-FROM MX.
    MailFromMx = "mail-from-mx",
    /// Reverse MX.
    Rmx = "rmx",
    /// Designated Mailers Protocol.
    Dmp = "dmp",
    /// Designated Relays Inquiry Protocol.
    Drip = "drip",
    /// RMX++ / SCAF.
    Rmxpp = "rmxpp",
    /// Call-back verification.
    Callback = "callback",
    /// Challenge/response.
    Challenge = "challenge",
    /// Submission binding.
    Binding = "binding",
    /// DomainKeys Identified Mail, RFC 6376.
    Dkim = "dkim",
    /// DMARC, RFC 9989.
    Dmarc = "dmarc",
    /// Authenticated Received Chain, RFC 8617.
    Arc = "arc",
    /// Reverse name with forward confirmation, RFC 8601 section 3.
    Iprev = "iprev",
    /// DNS block lists, RFC 5782.
    Dnsbl = "dnsbl",
    /// DNS white lists, RFC 8904.
    Dnswl = "dnswl",
}

words! {
    /// What a method judges.
    Identity, "identity":
    /// The argument of HELO or EHLO.
    Helo = "helo",
    /// The reverse-path.
    Mailfrom = "mailfrom",
    /// The purported responsible address.
    Pra = "pra",
    /// The author in the From field.
    From = "from",
    /// The Sender field.
    Sender = "sender",
    /// The Resent fields.
    Resent = "resent",
    /// A signature.
    Signature = "signature",
    /// A chain of seals.
    Chain = "chain",
    /// The client's address.
    Ip = "ip",
}

words! {
    /// The result of a method, in the words of RFC 8601 section 2.7.
    FindingResult, "result":
    /// Authorised.
    Pass = "pass",
    /// Explicitly not authorised.
    Fail = "fail",
    /// Probably not authorised.
    Softfail = "softfail",
    /// No statement.
    Neutral = "neutral",
    /// Nothing published, or nothing to judge.
    None = "none",
    /// No answer at this time.
    Temperror = "temperror",
    /// What is published cannot be used.
    Permerror = "permerror",
    /// Would be a pass, but local policy does not take it.
    Policy = "policy",
}

impl Method {
    /// The name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spf => "SPF",
            Self::SenderId => "Sender ID",
            Self::CallerId => "Caller ID",
            Self::MailFromMx => "MAIL-FROM MX",
            Self::Rmx => "RMX",
            Self::Dmp => "DMP",
            Self::Drip => "DRIP",
            Self::Rmxpp => "RMX++",
            Self::Callback => "Call-back",
            Self::Challenge => "Challenge",
            Self::Binding => "Binding",
            Self::Dkim => "DKIM",
            Self::Dmarc => "DMARC",
            Self::Arc => "ARC",
            Self::Iprev => "Reverse name",
            Self::Dnsbl => "DNS block list",
            Self::Dnswl => "DNS white list",
        }
    }
}

/// How deep the terms of a trace can stand in each other. An evaluation never comes as far.
const DEPTH_MAX: usize = 128;

impl BorshDeserialize for TraceNode {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        Self::read(reader, 0)
    }
}

impl TraceNode {
    /// As deep in others. Octets that say more than there is room for on the stack are an error.
    fn read<R: Read>(reader: &mut R, depth: usize) -> io::Result<Self> {
        if depth > DEPTH_MAX {
            return Err(io::Error::other("a trace goes too deep"));
        }
        let (term, span, result, questions) = BorshDeserialize::deserialize_reader(reader)?;
        let count = u32::deserialize_reader(reader)?;
        let children = (0..count).map(|_| Self::read(reader, depth + 1));
        let children = children.collect::<io::Result<_>>()?;
        Ok(Self { term, span, result, questions, children })
    }
}

impl Property {
    /// `name`, such as `header.sender`, with its value.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl TermResult {
    /// A stable word: `match`, `no-match`, `explains`, or that of the result.
    pub fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no-match",
            Self::Explains => "explains",
            Self::Result(result) => result.word(),
        }
    }
}

impl From<TermResult> for &'static str {
    fn from(result: TermResult) -> Self {
        result.word()
    }
}

impl TryFrom<String> for TermResult {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match &*text {
            "match" => Ok(Self::Match),
            "no-match" => Ok(Self::NoMatch),
            "explains" => Ok(Self::Explains),
            text => text.parse().map(Self::Result),
        }
    }
}
