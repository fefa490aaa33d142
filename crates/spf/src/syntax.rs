use std::ops::Range;

/// Why a record, or a part of one, is not what RFC 7208 section 12 describes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (octets {}..{} of the record)", span.start, span.end)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// Where, in octets of the record.
    pub span: Range<usize>,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// Not the version section of SPF: the text is no SPF record at all.
    #[error("the text does not begin with `v=spf1` and a blank")]
    Version,
    /// Longer than the data of a TXT record can be.
    #[error("a record longer than a TXT record can be")]
    TooLong,
    /// An octet outside ASCII, or a control octet.
    #[error("an octet that is not printable ASCII")]
    Octet,
    /// Neither a mechanism nor a modifier.
    #[error("a term that is neither a known mechanism nor a modifier")]
    UnknownMechanism,
    /// A mechanism with an argument that it does not take.
    #[error("an argument that this mechanism does not take")]
    UnexpectedArgument,
    /// A mechanism without the argument that it needs.
    #[error("the argument that this mechanism needs is missing")]
    MissingArgument,
    /// Not an IPv4 network.
    #[error("not an IPv4 network such as 192.0.2.0/24")]
    Ipv4Network,
    /// Not an IPv6 network.
    #[error("not an IPv6 network such as 2001:db8::/32")]
    Ipv6Network,
    /// A prefix length that is out of range or has leading zeros.
    #[error("a prefix length that is out of range or has leading zeros")]
    PrefixLength,
    /// Does not end in a label that could be a top-level domain, or in a macro.
    #[error("a domain that does not end in a top-level label or a macro")]
    DomainEnd,
    /// A `%` that begins no macro, or a macro that is not well formed.
    #[error("a `%` that begins no well-formed macro (a literal percent sign is `%%`)")]
    Macro,
    /// A macro that only explanation texts may use.
    #[error("a macro letter that only explanation texts may use")]
    ExplanationMacro,
    /// A second `redirect=` or `exp=`.
    #[error("a modifier that may stand only once")]
    RepeatedModifier,
}

impl SyntaxErrorKind {
    pub(crate) fn at(self, span: Range<usize>) -> SyntaxError {
        SyntaxError { kind: self, span }
    }
}
