use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::argument::{Argument, ipv4, ipv6, plain_ipv4_network};
use crate::domain_spec::DomainSpec;
use crate::macro_string::{self, MacroString};
use crate::packed::{Packed, Packing, Place};
use crate::scope::Scope;
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// The longest record, in octets: what the data of a TXT record can hold (RFC 1035 section 3.2.1).
pub const RECORD_OCTETS_MAX: usize = 65_535;

/// An SPF record (RFC 7208 section 4.5 and 12), whole and without an error of syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Packed);

/// A term of a record, as it is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<'t> {
    /// A directive.
    Directive(Directive<'t>),
    /// `redirect=` (section 6.1).
    Redirect(Modifier<'t>),
    /// `exp=` (section 6.2).
    Explanation(Modifier<'t>),
    /// A modifier of another name, which means nothing.
    Unknown,
}

/// A qualifier and a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directive<'t> {
    /// What a match means.
    pub qualifier: Qualifier,
    /// What is matched.
    pub mechanism: Mechanism<'t>,
    pub(crate) span: (u32, u32),
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

impl Qualifier {
    /// Each at the place of its number.
    pub(crate) const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Softfail, Self::Neutral];
}

/// A mechanism (RFC 7208 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism<'t> {
    /// `all`
    All,
    /// `include`
    Include(DomainSpec<'t>),
    /// `a`; without a domain-spec it is the current domain.
    A(Option<DomainSpec<'t>>, DualPrefix),
    /// `mx`; without a domain-spec it is the current domain.
    Mx(Option<DomainSpec<'t>>, DualPrefix),
    /// `ptr`; without a domain-spec it is the current domain.
    Ptr(Option<DomainSpec<'t>>),
    /// `ip4`
    Ip4(Ipv4Addr, u8),
    /// `ip6`
    Ip6(Ipv6Addr, u8),
    /// `exists`
    Exists(DomainSpec<'t>),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modifier<'t> {
    /// The domain it names.
    pub target: DomainSpec<'t>,
    pub(crate) span: (u32, u32),
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
        if octets.len() > RECORD_OCTETS_MAX {
            return Err(SyntaxErrorKind::TooLong.at(RECORD_OCTETS_MAX..octets.len()));
        }
        let text = printable(octets)?;
        let mut packing = Packing::new(text);
        let (mut redirects, mut explanations) = (0, 0);
        let mut end = term_end(text, 0);
        while let Some(start) = term_start(text, end) {
            if let Some(network) = Directive::plain_network(text, start) {
                end = network.span.1 as usize;
                packing.push(&Term::Directive(network));
                continue;
            }
            end = term_end(text, start);
            let term = Term::parse_at(text, start..end)?;
            let count = match term {
                Term::Redirect(_) => &mut redirects,
                Term::Explanation(_) => &mut explanations,
                Term::Directive(_) | Term::Unknown => &mut 0,
            };
            *count += 1;
            if *count > 1 {
                return Err(SyntaxErrorKind::RepeatedModifier.at(start..end));
            }
            packing.push(&term);
        }
        Ok(Self(packing.finish()))
    }

    /// The record as it was published.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// A directive or modifier of this record as it was written.
    pub fn slice(&self, (start, end): (u32, u32)) -> &str {
        &self.text()[start as usize..end as usize]
    }

    /// The directives, in order.
    pub fn directives(&self) -> impl Iterator<Item = Directive<'_>> {
        self.0.directives().map(Place::directive)
    }

    /// `redirect=` (section 6.1).
    pub fn redirect(&self) -> Option<Modifier<'_>> {
        self.0.redirect()
    }

    /// `exp=` (section 6.2).
    pub fn explanation(&self) -> Option<Modifier<'_>> {
        self.0.explanation()
    }

    pub(crate) fn packed(&self) -> &Packed {
        &self.0
    }
}

impl<'t> Term<'t> {
    /// Parses a term that stands alone.
    ///
    /// # Errors
    /// What is wrong, with its place in octets of `text`.
    pub fn parse(text: &'t str) -> Result<Self, SyntaxError> {
        Self::parse_at(text, 0..text.len())
    }

    /// Parses the term at this place of its record.
    fn parse_at(record: &'t str, place: Range<usize>) -> Result<Self, SyntaxError> {
        let text = &record[place.clone()];
        let (qualifier, unqualified) = split_qualifier(text);
        let end = name_end(unqualified);
        // name "=" value, where name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
        let is_modifier = unqualified.as_bytes().get(end) == Some(&b'=')
            && text.as_bytes()[0].is_ascii_alphabetic();
        if is_modifier {
            return Self::modifier((&text[..end], &text[end + 1..]), place);
        }
        let mechanism = Mechanism::parse(unqualified, end, place.end - unqualified.len())?;
        Ok(Self::Directive(Directive { qualifier, mechanism, span: span(&place) }))
    }

    fn modifier((name, value): (&str, &'t str), place: Range<usize>) -> Result<Self, SyntaxError> {
        let offset = place.end - value.len();
        let modifier = |target| Modifier { target, span: span(&place) };
        if name.eq_ignore_ascii_case("redirect") {
            DomainSpec::parse_at(value, offset).map(|target| Self::Redirect(modifier(target)))
        } else if name.eq_ignore_ascii_case("exp") {
            DomainSpec::parse_at(value, offset).map(|target| Self::Explanation(modifier(target)))
        } else {
            // An unknown modifier is ignored, but its value must be a macro-string.
            MacroString::parse_at(value, offset, macro_string::Place::Record).map(|_| Self::Unknown)
        }
    }
}

fn printable(octets: &[u8]) -> Result<&str, SyntaxError> {
    let is_printable = |octet: &u8| matches!(octet, b' '..=b'~');
    // Without a way out in between, many octets are looked at in one step.
    if octets.iter().fold(true, |all, octet| all & is_printable(octet)) {
        return Ok(str::from_utf8(octets).expect("printable ASCII is UTF-8"));
    }
    let at = octets.iter().position(|octet| !is_printable(octet)).unwrap_or(0);
    Err(SyntaxErrorKind::Octet.at(at..at + 1))
}

impl Directive<'_> {
    /// The `ip4` without a qualifier that begins at this place of its record: what most terms are,
    /// read in one go. None for everything else, whether or not it is a term.
    fn plain_network(record: &str, start: usize) -> Option<Self> {
        let at = start + "ip4:".len();
        let rest = record.as_bytes()[start..].strip_prefix(b"ip4:")?;
        let (network, prefix, length) = plain_ipv4_network(rest)?;
        let mechanism = Mechanism::Ip4(network, prefix);
        let span = span(&(start..at + length));
        Some(Self { qualifier: Qualifier::Pass, mechanism, span })
    }

    /// Where it stands in its record, in octets: start and end.
    pub fn span(&self) -> (u32, u32) {
        self.span
    }
}

impl Modifier<'_> {
    /// Where it stands in its record, in octets: start and end.
    pub fn span(&self) -> (u32, u32) {
        self.span
    }
}

impl<'t> Mechanism<'t> {
    /// Parses a mechanism without its qualifier; it begins at `offset` of its record, and its name
    /// ends at `end`.
    fn parse(text: &'t str, end: usize, offset: usize) -> Result<Self, SyntaxError> {
        let (name, argument) = text.split_at(end);
        let is_argument = matches!(argument.as_bytes(), [] | [b':' | b'/', ..]);
        let argument = Argument { text: argument, offset: offset + end };
        Ok(match Name::of(name).filter(|_| is_argument) {
            Some(Name::All) => argument.none().map(|()| Self::All)?,
            Some(Name::Include) => Self::Include(argument.domain()?),
            Some(Name::Exists) => Self::Exists(argument.domain()?),
            Some(Name::Ptr) if argument.text.is_empty() => Self::Ptr(None),
            Some(Name::Ptr) => Self::Ptr(Some(argument.domain()?)),
            Some(Name::A) => {
                let (domain, prefix) = argument.domain_and_prefix()?;
                Self::A(domain, prefix)
            }
            Some(Name::Mx) => {
                let (domain, prefix) = argument.domain_and_prefix()?;
                Self::Mx(domain, prefix)
            }
            Some(Name::Ip4) => {
                let (address, prefix) = argument.network(32, ipv4)?;
                Self::Ip4(address, prefix)
            }
            Some(Name::Ip6) => {
                let (address, prefix) = argument.network(128, ipv6)?;
                Self::Ip6(address, prefix)
            }
            None => {
                let place = offset..offset + text.len();
                return Err(SyntaxErrorKind::UnknownMechanism.at(place));
            }
        })
    }

    pub(crate) fn name(&self) -> Name {
        match self {
            Self::All => Name::All,
            Self::Include(_) => Name::Include,
            Self::A(..) => Name::A,
            Self::Mx(..) => Name::Mx,
            Self::Ptr(_) => Name::Ptr,
            Self::Ip4(..) => Name::Ip4,
            Self::Ip6(..) => Name::Ip6,
            Self::Exists(_) => Name::Exists,
        }
    }
}

/// The name of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    All,
    Include,
    A,
    Mx,
    Ptr,
    Ip4,
    Ip6,
    Exists,
}

impl Name {
    /// Each at the place of its number.
    pub(crate) const ALL: [Self; 8] = [
        Self::All,
        Self::Include,
        Self::A,
        Self::Mx,
        Self::Ptr,
        Self::Ip4,
        Self::Ip6,
        Self::Exists,
    ];

    fn of(name: &str) -> Option<Self> {
        const A: u64 = word("a");
        const MX: u64 = word("mx");
        const IP4: u64 = word("ip4");
        const IP6: u64 = word("ip6");
        const ALL: u64 = word("all");
        const PTR: u64 = word("ptr");
        const EXISTS: u64 = word("exists");
        const INCLUDE: u64 = word("include");
        Some(match word(name) {
            A => Self::A,
            MX => Self::Mx,
            IP4 => Self::Ip4,
            IP6 => Self::Ip6,
            ALL => Self::All,
            PTR => Self::Ptr,
            EXISTS => Self::Exists,
            INCLUDE => Self::Include,
            _ => return None,
        })
    }
}

/// A name of at most eight octets as a number, the same in upper and lower case; zero for others.
const fn word(name: &str) -> u64 {
    let (octets, mut word, mut at) = (name.as_bytes(), 0, 0);
    if octets.len() > 8 {
        return 0;
    }
    while at < octets.len() {
        word = word << 8 | octets[at].to_ascii_lowercase() as u64;
        at += 1;
    }
    word
}

/// Where the next term begins, from a place on; the version section is the first. Only blanks
/// separate terms.
fn term_start(text: &str, from: usize) -> Option<usize> {
    let rest = &text.as_bytes()[from..];
    // Between terms there is one blank, as a rule.
    match rest {
        [b' ', next, ..] if *next != b' ' => Some(from + 1),
        _ => rest.iter().position(|octet| *octet != b' ').map(|at| from + at),
    }
}

/// Where the term ends that begins there.
fn term_end(text: &str, start: usize) -> usize {
    let length = text.as_bytes()[start..].iter().position(|octet| *octet == b' ');
    length.map_or(text.len(), |length| start + length)
}

fn split_qualifier(term: &str) -> (Qualifier, &str) {
    match term.as_bytes() {
        [b'+', ..] => (Qualifier::Pass, &term[1..]),
        [b'-', ..] => (Qualifier::Fail, &term[1..]),
        [b'~', ..] => (Qualifier::Softfail, &term[1..]),
        [b'?', ..] => (Qualifier::Neutral, &term[1..]),
        _ => (Qualifier::Pass, term),
    }
}

/// Where the name ends with which a term begins.
fn name_end(term: &str) -> usize {
    let may_stand =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    term.bytes().position(|octet| !may_stand(octet)).unwrap_or(term.len())
}

fn span(range: &Range<usize>) -> (u32, u32) {
    // Only a term that stands alone can be longer than that, in theory.
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
            record.directives().map(|directive| record.slice(directive.span())).collect();
        assert_eq!(directives, ["ip4:192.0.2.0/24", "-all"]);
        assert_eq!(record.slice(record.explanation().unwrap().span()), "exp=e.%{d}");
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
        let directives: Vec<_> = record.directives().map(|known| known.mechanism).collect();
        let name = DomainSpec::Literal(Some("a/b.example"));
        assert_eq!(directives[0], Mechanism::A(Some(name), DualPrefix { ipv4: 24, ipv6: 64 }));
        assert_eq!(directives[1], Mechanism::Mx(None, DualPrefix { ipv4: 32, ipv6: 0 }));
    }

    #[test]
    fn records_are_bounded() {
        let mut record = "v=spf1 a:".to_owned() + &"a".repeat(RECORD_OCTETS_MAX - 9);
        assert_eq!(error(&record).0, SyntaxErrorKind::DomainEnd);
        record.push('a');
        assert_eq!(error(&record), (SyntaxErrorKind::TooLong, "a"));
    }
}
