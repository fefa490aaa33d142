//! The terms of a record, read one by one out of its text.

use std::ops::Range;

use crate::argument::{Argument, ipv4, ipv6, plain_ipv4_network};
use crate::domain_spec::DomainSpec;
use crate::macro_string::{self, MacroString};
use crate::record::{Directive, Mechanism, Modifier, Name, Qualifier, Term};
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// Reads the terms behind the version of a record, and what is wrong with them.
pub(crate) struct Terms<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Terms<'t> {
    /// All of them.
    pub(crate) fn of(text: &'t str) -> Self {
        Self::from(text, term_end(text, 0))
    }

    /// Those from a place on.
    pub(crate) fn from(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }
}

impl<'t> Iterator for Terms<'t> {
    type Item = Result<Term<'t>, SyntaxError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = term_start(self.text, self.at)?;
        if let Some(network) = Directive::plain_network(self.text, start) {
            self.at = network.span.1 as usize;
            return Some(Ok(Term::Directive(network)));
        }
        self.at = term_end(self.text, start);
        Some(Term::parse_at(self.text, start..self.at))
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
        let (name, length) = mechanism_name(unqualified);
        let (before, behind) = unqualified.split_at(length);
        // name "=" value, where name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
        if let Some(value) = behind.strip_prefix('=')
            && text.as_bytes()[0].is_ascii_alphabetic()
        {
            return Self::modifier((before, value), place);
        }
        let argument = Argument { text: behind, offset: place.end - behind.len() };
        let mechanism = match name.filter(|_| argument.is_well_begun()) {
            Some(name) => Mechanism::parse(name, &argument)?,
            None => {
                let unqualified = place.end - unqualified.len()..place.end;
                return Err(SyntaxErrorKind::UnknownMechanism.at(unqualified));
            }
        };
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
}

impl<'t> Mechanism<'t> {
    fn parse(name: Name, argument: &Argument<'t>) -> Result<Self, SyntaxError> {
        Ok(match name {
            Name::All => argument.none().map(|()| Self::All)?,
            Name::Include => Self::Include(argument.domain()?),
            Name::Exists => Self::Exists(argument.domain()?),
            Name::Ptr if argument.text.is_empty() => Self::Ptr(None),
            Name::Ptr => Self::Ptr(Some(argument.domain()?)),
            Name::A => {
                let (domain, prefix) = argument.domain_and_prefix()?;
                Self::A(domain, prefix)
            }
            Name::Mx => {
                let (domain, prefix) = argument.domain_and_prefix()?;
                Self::Mx(domain, prefix)
            }
            Name::Ip4 => {
                let (address, prefix) = argument.network(32, ipv4)?;
                Self::Ip4(address, prefix)
            }
            Name::Ip6 => {
                let (address, prefix) = argument.network(128, ipv6)?;
                Self::Ip6(address, prefix)
            }
        })
    }
}

/// The mechanism's name with which a term begins, if it is one, and where the name ends.
fn mechanism_name(term: &str) -> (Option<Name>, usize) {
    let (mut word, mut length) = (0, 0);
    for octet in term.bytes() {
        let folded = NAME_OCTETS[usize::from(octet)];
        if folded == 0 {
            break;
        }
        // What is shifted out of a longer name does not make it one of these: they are shorter.
        word = word << 8 | u64::from(folded);
        length += 1;
    }
    let known = Name::ALL.into_iter().find(|name| WORDS[*name as usize] == word);
    (known, length)
}

/// What may stand in a name, in lower case; zero for all other octets.
const NAME_OCTETS: [u8; 256] = {
    let mut octets = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        if matches!(octet as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.') {
            octets[octet] = (octet as u8).to_ascii_lowercase();
        }
        octet += 1;
    }
    octets
};

/// The names of the mechanisms as numbers, each at the place of its own.
const WORDS: [u64; 8] = [
    word("all"),
    word("include"),
    word("a"),
    word("mx"),
    word("ptr"),
    word("ip4"),
    word("ip6"),
    word("exists"),
];

/// A name of fewer than eight octets as a number.
const fn word(name: &str) -> u64 {
    let (octets, mut word, mut at) = (name.as_bytes(), 0, 0);
    assert!(octets.len() < 8);
    while at < octets.len() {
        word = word << 8 | octets[at] as u64;
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

#[inline]
fn split_qualifier(term: &str) -> (Qualifier, &str) {
    match term.as_bytes() {
        [b'+', ..] => (Qualifier::Pass, &term[1..]),
        [b'-', ..] => (Qualifier::Fail, &term[1..]),
        [b'~', ..] => (Qualifier::Softfail, &term[1..]),
        [b'?', ..] => (Qualifier::Neutral, &term[1..]),
        _ => (Qualifier::Pass, term),
    }
}

fn span(range: &Range<usize>) -> (u32, u32) {
    // Only a term that stands alone can be longer than that, in theory.
    let octet = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (octet(range.start), octet(range.end))
}
