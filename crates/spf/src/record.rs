use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::domain_spec::DomainSpec;
use crate::macro_string::{MacroString, Place};
use crate::scope::Scope;
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// An SPF record (RFC 7208 section 4.5 and 12), whole and without an error of syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    text: Box<str>,
    /// The directives, in order.
    pub directives: Box<[Directive]>,
    /// `redirect=` (section 6.1).
    pub redirect: Option<Modifier>,
    /// `exp=` (section 6.2).
    pub explanation: Option<Modifier>,
}

/// A qualifier and a mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// What a match means.
    pub qualifier: Qualifier,
    /// What is matched.
    pub mechanism: Mechanism,
    span: (u32, u32),
}

/// What a match means (RFC 7208 section 4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// `+`, or none.
    Pass,
    /// `-`
    Fail,
    /// `~`
    Softfail,
    /// `?`
    Neutral,
}

/// A mechanism (RFC 7208 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// `all`
    All,
    /// `include`
    Include(DomainSpec),
    /// `a`; without a domain-spec it is the current domain.
    A(Option<DomainSpec>, DualPrefix),
    /// `mx`; without a domain-spec it is the current domain.
    Mx(Option<DomainSpec>, DualPrefix),
    /// `ptr`; without a domain-spec it is the current domain.
    Ptr(Option<DomainSpec>),
    /// `ip4`
    Ip4(Ipv4Addr, u8),
    /// `ip6`
    Ip6(Ipv6Addr, u8),
    /// `exists`
    Exists(DomainSpec),
}

/// The prefix lengths of `a` and `mx` (dual-cidr-length).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DualPrefix {
    /// For IPv4, 0 to 32.
    pub ipv4: u8,
    /// For IPv6, 0 to 128.
    pub ipv6: u8,
}

/// A modifier that SPF knows, with its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modifier {
    /// The domain it names.
    pub target: DomainSpec,
    span: (u32, u32),
}

impl Record {
    /// Whether TXT data is an SPF record: `v=spf1`, then a blank or the end (RFC 7208 section 4.5).
    pub fn is_spf(octets: &[u8]) -> bool {
        octets.get(..6).is_some_and(|version| version.eq_ignore_ascii_case(b"v=spf1"))
            && octets.get(6).is_none_or(|octet| *octet == b' ')
    }

    /// Parses a whole record. An error anywhere makes the record unusable (RFC 7208 section 4.6).
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(octets: &[u8]) -> Result<Self, SyntaxError> {
        Self::parse_in(octets, Scope::Spf)
    }

    /// As [`Record::parse`], for a record that [`Scope::is_named_by`] takes for the scope, or one
    /// of SPF: behind the version all have the same terms (RFC 4406 section 3.2).
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse_in(octets: &[u8], scope: Scope) -> Result<Self, SyntaxError> {
        if !Self::is_spf(octets) && !scope.is_named_by(octets) {
            return Err(SyntaxErrorKind::Version.at(0..octets.len().min(6)));
        }
        let text = match octets.iter().position(|octet| !matches!(octet, b' '..=b'~')) {
            Some(at) => return Err(SyntaxErrorKind::Octet.at(at..at + 1)),
            None => str::from_utf8(octets).expect("printable ASCII is UTF-8"),
        };
        let mut directives = Vec::new();
        let (mut redirect, mut explanation) = (None, None);
        for term in terms(text).skip(1) {
            match split_modifier(&text[term.clone()]) {
                Some((name, value)) => {
                    let place = if name.eq_ignore_ascii_case("redirect") {
                        &mut redirect
                    } else if name.eq_ignore_ascii_case("exp") {
                        &mut explanation
                    } else {
                        // An unknown modifier is ignored, but its value must be a macro-string.
                        MacroString::parse_at(value, term.end - value.len(), Place::Record)?;
                        continue;
                    };
                    if place.is_some() {
                        return Err(SyntaxErrorKind::RepeatedModifier.at(term));
                    }
                    let target = DomainSpec::parse_at(value, term.end - value.len())?;
                    *place = Some(Modifier { target, span: span(&term) });
                }
                None => directives.push(Directive::parse(text, term)?),
            }
        }
        Ok(Self { text: text.into(), directives: directives.into(), redirect, explanation })
    }

    /// The record as it was published.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A directive or modifier of this record as it was written.
    pub fn slice(&self, (start, end): (u32, u32)) -> &str {
        &self.text[start as usize..end as usize]
    }
}

impl Directive {
    /// Where it stands in its record, in octets: start and end.
    pub fn span(&self) -> (u32, u32) {
        self.span
    }

    fn parse(record: &str, term: Range<usize>) -> Result<Self, SyntaxError> {
        let text = &record[term.clone()];
        let (qualifier, mechanism) = match text.as_bytes()[0] {
            b'+' => (Qualifier::Pass, &text[1..]),
            b'-' => (Qualifier::Fail, &text[1..]),
            b'~' => (Qualifier::Softfail, &text[1..]),
            b'?' => (Qualifier::Neutral, &text[1..]),
            _ => (Qualifier::Pass, text),
        };
        let offset = term.end - mechanism.len();
        let mechanism = Mechanism::parse(mechanism, offset)?;
        Ok(Self { qualifier, mechanism, span: span(&term) })
    }
}

impl Modifier {
    /// Where it stands in its record, in octets: start and end.
    pub fn span(&self) -> (u32, u32) {
        self.span
    }
}

impl Mechanism {
    /// Parses a mechanism without its qualifier; it begins at `offset` of its record.
    fn parse(text: &str, offset: usize) -> Result<Self, SyntaxError> {
        let end = text.find([':', '/']).unwrap_or(text.len());
        let (name, argument) = text.split_at(end);
        let argument = Argument { text: argument, offset: offset + end };
        let is = |known| name.eq_ignore_ascii_case(known);
        if is("all") {
            argument.none().map(|()| Self::All)
        } else if is("include") {
            argument.domain().map(Self::Include)
        } else if is("a") {
            argument.domain_and_prefix().map(|(domain, prefix)| Self::A(domain, prefix))
        } else if is("mx") {
            argument.domain_and_prefix().map(|(domain, prefix)| Self::Mx(domain, prefix))
        } else if is("ptr") && argument.text.is_empty() {
            Ok(Self::Ptr(None))
        } else if is("ptr") {
            argument.domain().map(|domain| Self::Ptr(Some(domain)))
        } else if is("ip4") {
            let network = argument.network(32, SyntaxErrorKind::Ipv4Network);
            network.map(|(address, prefix)| Self::Ip4(address, prefix))
        } else if is("ip6") {
            let network = argument.network(128, SyntaxErrorKind::Ipv6Network);
            network.map(|(address, prefix)| Self::Ip6(address, prefix))
        } else if is("exists") {
            argument.domain().map(Self::Exists)
        } else {
            Err(SyntaxErrorKind::UnknownMechanism.at(offset..offset + text.len()))
        }
    }
}

/// What follows a mechanism's name: empty, or begins with a colon or a slash.
struct Argument<'a> {
    text: &'a str,
    offset: usize,
}

impl Argument<'_> {
    fn error<T>(&self, kind: SyntaxErrorKind) -> Result<T, SyntaxError> {
        Err(kind.at(self.offset..self.offset + self.text.len()))
    }

    fn none(&self) -> Result<(), SyntaxError> {
        if self.text.is_empty() { Ok(()) } else { self.error(SyntaxErrorKind::UnexpectedArgument) }
    }

    fn domain(&self) -> Result<DomainSpec, SyntaxError> {
        match self.text.strip_prefix(':') {
            Some(text) if !text.is_empty() => DomainSpec::parse_at(text, self.offset + 1),
            _ => self.error(SyntaxErrorKind::MissingArgument),
        }
    }

    fn domain_and_prefix(&self) -> Result<(Option<DomainSpec>, DualPrefix), SyntaxError> {
        let (rest, prefix) = match split_prefixes(self.text) {
            Some(split) => split,
            None => return self.error(SyntaxErrorKind::PrefixLength),
        };
        let domain = match rest {
            "" => None,
            rest => Some(Argument { text: rest, offset: self.offset }.domain()?),
        };
        Ok((domain, prefix))
    }

    fn network<T: std::str::FromStr>(
        &self,
        longest: u8,
        kind: SyntaxErrorKind,
    ) -> Result<(T, u8), SyntaxError> {
        let Some(text) = self.text.strip_prefix(':').filter(|text| !text.is_empty()) else {
            return self.error(SyntaxErrorKind::MissingArgument);
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, parse_prefix(prefix, longest)),
            None => (text, Some(longest)),
        };
        match (address.parse(), prefix) {
            (Ok(address), Some(prefix)) => Ok((address, prefix)),
            (Ok(_), None) => self.error(SyntaxErrorKind::PrefixLength),
            (Err(_), _) => self.error(kind),
        }
    }
}

/// Splits `[ ":" domain-spec ] [ "/" ip4 ] [ "//" ip6 ]` before its prefix lengths. A slash may also
/// be part of the domain-spec, so that they are taken from the end. None: a length out of range.
fn split_prefixes(text: &str) -> Option<(&str, DualPrefix)> {
    let (mut rest, mut prefix) = (text, DualPrefix { ipv4: 32, ipv6: 128 });
    let mut length_of = |separator: &str, longest: u8| -> Option<Option<u8>> {
        let before = rest.trim_end_matches(|c: char| c.is_ascii_digit());
        match before.strip_suffix(separator) {
            Some(left) if before.len() < rest.len() => {
                let length = parse_prefix(&rest[before.len()..], longest)?;
                rest = left;
                Some(Some(length))
            }
            _ => Some(None),
        }
    };
    if let Some(length) = length_of("//", 128)? {
        prefix.ipv6 = length;
    }
    if let Some(length) = length_of("/", 32)? {
        prefix.ipv4 = length;
    }
    Some((rest, prefix))
}

/// `0`, or digits without a leading zero, at most `longest`.
fn parse_prefix(text: &str, longest: u8) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|length| canonical && *length <= longest)
}

/// The terms of a record, its version section first. Only blanks separate terms.
fn terms(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    text.split(' ').filter_map(move |term| {
        let start = at;
        at += term.len() + 1;
        (!term.is_empty()).then_some(start..start + term.len())
    })
}

/// name "=" value, where name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
fn split_modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let letters =
        name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
    (letters && name.starts_with(|c: char| c.is_ascii_alphabetic())).then_some((name, value))
}

fn span(range: &Range<usize>) -> (u32, u32) {
    // A TXT record is at most 65,535 octets on the wire; a file's cannot reach past u32 either.
    let octet = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (octet(range.start), octet(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(record: &str) -> (SyntaxErrorKind, &str) {
        let error = Record::parse(record.as_bytes()).unwrap_err();
        (error.kind, &record[error.span])
    }

    #[test]
    fn terms_keep_their_places() {
        let record = Record::parse(b"V=SPF1  ip4:192.0.2.0/24 -all exp=e.%{d}").unwrap();
        let directives: Vec<_> =
            record.directives.iter().map(|term| record.slice(term.span())).collect();
        assert_eq!(directives, ["ip4:192.0.2.0/24", "-all"]);
        assert_eq!(record.slice(record.explanation.as_ref().unwrap().span()), "exp=e.%{d}");
    }

    #[test]
    fn errors_name_the_term() {
        use SyntaxErrorKind::*;
        assert_eq!(error("v=spf1 ip:192.0.2.1"), (UnknownMechanism, "ip:192.0.2.1"));
        assert_eq!(error("v=spf1 -a11"), (UnknownMechanism, "a11"));
        assert_eq!(error("v=spf1 all:x.example"), (UnexpectedArgument, ":x.example"));
        assert_eq!(error("v=spf1 include"), (MissingArgument, ""));
        assert_eq!(error("v=spf1 ip4:1.2.3/24"), (Ipv4Network, ":1.2.3/24"));
        assert_eq!(error("v=spf1 ip4:1.2.3.4/33"), (PrefixLength, ":1.2.3.4/33"));
        assert_eq!(error("v=spf1 a/032"), (PrefixLength, "/032"));
        assert_eq!(error("v=spf1 a:example.com//129"), (PrefixLength, ":example.com//129"));
        assert_eq!(error("v=spf1 redirect=a.b redirect=a.b"), (RepeatedModifier, "redirect=a.b"));
        assert_eq!(error("v=spf1 moo.cow-far_out=%"), (Macro, "%"));
        assert_eq!(error("v=spf2"), (Version, "v=spf2"));
    }

    #[test]
    fn slashes_belong_to_names_unless_digits_follow_at_the_end() {
        let record = Record::parse(b"v=spf1 a:a/b.example/24//64 mx//0").unwrap();
        let Mechanism::A(Some(DomainSpec::Literal(Some(name))), prefix) =
            &record.directives[0].mechanism
        else {
            panic!("{record:?}")
        };
        assert_eq!((&**name, prefix.ipv4, prefix.ipv6), ("a/b.example", 24, 64));
        let Mechanism::Mx(None, prefix) = record.directives[1].mechanism else {
            panic!("{record:?}")
        };
        assert_eq!((prefix.ipv4, prefix.ipv6), (32, 0));
    }
}
