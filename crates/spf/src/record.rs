use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain_spec::DomainSpec;
use crate::scope::Scope;
use crate::step::Place;
use crate::syntax::{SyntaxError, SyntaxErrorKind};
use crate::terms::Terms;

/// The longest record, in octets: what the data of a TXT record can hold (RFC 1035 section 3.2.1).
pub const RECORD_OCTETS_MAX: usize = 65_535;

/// An SPF record (RFC 7208 section 4.5 and 12), whole and without an error of syntax.
///
/// It is its text: terms are read anew wherever they are needed, so that they take no memory beside
/// it. What is evaluated often is made ready for that (`step.rs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    text: Box<str>,
    /// Where the modifiers start; zero, where the version stands, for one that is missing.
    redirect: u16,
    explanation: u16,
}

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
        // Whatever is not printable ASCII is an error of the term that it stands in. It is told of
        // before all others.
        let not_printable = |octet: &u8| !matches!(octet, b' '..=b'~');
        Self::read(octets).map_err(|error| match octets.iter().position(not_printable) {
            Some(at) => SyntaxErrorKind::Octet.at(at..at + 1),
            None => error,
        })
    }

    fn read(octets: &[u8]) -> Result<Self, SyntaxError> {
        let whole = 0..octets.len();
        let text = str::from_utf8(octets).map_err(|_| SyntaxErrorKind::Octet.at(whole))?;
        let (mut redirect, mut explanation) = (0, 0);
        for term in Terms::of(text) {
            match term? {
                Term::Directive(_) | Term::Unknown => {}
                Term::Redirect(modifier) => note_once(&mut redirect, &modifier)?,
                Term::Explanation(modifier) => note_once(&mut explanation, &modifier)?,
            }
        }
        Ok(Self { text: text.into(), redirect, explanation })
    }

    /// The record as it was published.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A directive or modifier of this record as it was written.
    pub fn slice(&self, (start, end): (u32, u32)) -> &str {
        &self.text[start as usize..end as usize]
    }

    /// The directives, in order.
    pub fn directives(&self) -> impl Iterator<Item = Directive<'_>> {
        Terms::of(&self.text).filter_map(|term| match term {
            Ok(Term::Directive(directive)) => Some(directive),
            _ => None,
        })
    }

    /// The directives, in order, as they are evaluated.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.directives().map(|directive| Place::of(&directive, self))
    }

    /// `redirect=` (section 6.1).
    pub fn redirect(&self) -> Option<Modifier<'_>> {
        self.modifier(self.redirect)
    }

    /// `exp=` (section 6.2).
    pub fn explanation(&self) -> Option<Modifier<'_>> {
        self.modifier(self.explanation)
    }

    fn modifier(&self, start: u16) -> Option<Modifier<'_>> {
        if start == 0 {
            return None;
        }
        match Terms::from(&self.text, start.into()).next() {
            Some(Ok(Term::Redirect(modifier) | Term::Explanation(modifier))) => Some(modifier),
            _ => None,
        }
    }
}

/// Notes where a modifier starts that may stand only once (RFC 7208 section 6).
fn note_once(start: &mut u16, modifier: &Modifier<'_>) -> Result<(), SyntaxError> {
    let span = modifier.span.0 as usize..modifier.span.1 as usize;
    if *start != 0 {
        return Err(SyntaxErrorKind::RepeatedModifier.at(span));
    }
    *start = u16::try_from(span.start).map_err(|_| SyntaxErrorKind::TooLong.at(span))?;
    Ok(())
}

impl Directive<'_> {
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

    /// The domain that it names, if it names one.
    pub(crate) fn target(self) -> Option<DomainSpec<'t>> {
        match self {
            Self::Include(target) | Self::Exists(target) => Some(target),
            Self::A(target, _) | Self::Mx(target, _) | Self::Ptr(target) => target,
            Self::All | Self::Ip4(..) | Self::Ip6(..) => None,
        }
    }

    /// Its prefix lengths; those of single addresses where it has none.
    pub(crate) fn prefixes(self) -> DualPrefix {
        match self {
            Self::A(_, prefixes) | Self::Mx(_, prefixes) => prefixes,
            Self::Ip4(_, ipv4) => DualPrefix { ipv4, ..DualPrefix::SINGLE },
            Self::Ip6(_, ipv6) => DualPrefix { ipv6, ..DualPrefix::SINGLE },
            _ => DualPrefix::SINGLE,
        }
    }
}

impl DualPrefix {
    /// Of single addresses.
    pub(crate) const SINGLE: Self = Self { ipv4: 32, ipv6: 128 };
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
        assert_eq!(error("v=spf1 ip:a.b x=\t%"), (Octet, "\t"));
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
