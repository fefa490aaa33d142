//! The grammar of records (RFC 7208 section 12), read independently of `quivive-spf`, term by term.

use std::net::IpAddr;

use super::departures::Departure;
use super::expansion::{Part, parts};

/// A result, in the words of RFC 7208.
pub(crate) type Word = &'static str;

/// A term of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Directive(Word, Mechanism),
    /// A modifier and its name.
    Redirect(String),
    Explanation,
    Unknown(String),
}

/// A mechanism; domain-specs as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mechanism {
    All,
    Ip(IpAddr, u8),
    A(Option<String>, Prefixes),
    Mx(Option<String>, Prefixes),
    Ptr(Option<String>),
    Include(String),
    Exists(Option<String>),
    /// Only as [`Departure::RedirectInPlace`] has it.
    Redirect(String),
}

/// The prefix lengths for IPv4 and IPv6.
pub(crate) type Prefixes = (u8, u8);

/// How a reading departs from the grammar.
#[derive(Clone, Copy)]
pub(crate) struct Grammar<'d>(pub(crate) &'d [Departure]);

impl Term {
    /// The domain-spec or macro string that it holds.
    pub(crate) fn spec(&self) -> Option<&str> {
        match self {
            Self::Directive(_, mechanism) => mechanism.spec(),
            Self::Redirect(spec) => Some(spec),
            Self::Explanation | Self::Unknown(_) => None,
        }
    }
}

impl Mechanism {
    fn spec(&self) -> Option<&str> {
        match self {
            Self::All | Self::Ip(..) => None,
            Self::A(spec, _) | Self::Mx(spec, _) | Self::Ptr(spec) | Self::Exists(spec) => {
                spec.as_deref()
            }
            Self::Include(spec) | Self::Redirect(spec) => Some(spec),
        }
    }
}

impl Grammar<'_> {
    fn departs(self, departure: Departure) -> bool {
        self.0.contains(&departure)
    }

    /// A term; none where it is an error.
    pub(crate) fn term(self, text: &str) -> Option<Term> {
        if let Some((name, value)) = text.split_once('=')
            && is_name(name)
        {
            return self.modifier(name, value);
        }
        let (result, mechanism) = match text.split_at_checked(1)? {
            ("+", rest) => ("pass", rest),
            ("-", rest) => ("fail", rest),
            ("~", rest) => ("softfail", rest),
            ("?", rest) => ("neutral", rest),
            _ => ("pass", text),
        };
        let is_signed = mechanism.len() < text.len();
        Some(Term::Directive(result, self.mechanism(mechanism, is_signed)?))
    }

    fn modifier(self, name: &str, value: &str) -> Option<Term> {
        if name.contains('.') && self.departs(Departure::DottedModifierRefused) {
            return None;
        }
        match &*name.to_ascii_lowercase() {
            "redirect" if self.departs(Departure::RedirectInPlace) => {
                Some(Term::Directive("", Mechanism::Redirect(self.spec(value)?)))
            }
            "redirect" => Some(Term::Redirect(self.spec(value)?)),
            "exp" => self.spec(value).map(|_| Term::Explanation),
            name => self.macro_string(value).map(|_| Term::Unknown(name.to_owned())),
        }
    }

    fn mechanism(self, text: &str, is_signed: bool) -> Option<Mechanism> {
        let end = text.find([':', '/']).unwrap_or(text.len());
        let (name, argument) = text.split_at(end);
        let spec = || self.spec(argument.strip_prefix(':')?);
        Some(match &*name.to_ascii_lowercase() {
            "all" if argument.is_empty() => Mechanism::All,
            "include" => Mechanism::Include(spec()?),
            "exists" if argument.is_empty() && is_signed => {
                self.departs(Departure::ExistsWithoutDomain).then_some(Mechanism::Exists(None))?
            }
            "exists" => Mechanism::Exists(Some(spec()?)),
            "ptr" => Mechanism::Ptr(self.optional_spec(argument)?),
            "a" => {
                let (argument, prefixes) = self.prefixes(argument)?;
                Mechanism::A(self.optional_spec(argument)?, prefixes)
            }
            "mx" => {
                let (argument, prefixes) = self.prefixes(argument)?;
                Mechanism::Mx(self.optional_spec(argument)?, prefixes)
            }
            "ip4" => self.network(argument, 32, |text| text.parse().ok().map(IpAddr::V4))?,
            "ip6" => self.network(argument, 128, |text| text.parse().ok().map(IpAddr::V6))?,
            "redirect" if self.departs(Departure::RedirectInPlace) => Mechanism::Redirect(spec()?),
            _ => return None,
        })
    }

    fn optional_spec(self, argument: &str) -> Option<Option<String>> {
        match argument {
            "" => Some(None),
            ":" if self.departs(Departure::DomainEndUnchecked) => Some(None),
            argument => self.spec(argument.strip_prefix(':')?).map(Some),
        }
    }

    fn network(
        self,
        argument: &str,
        longest: u8,
        address: impl Fn(&str) -> Option<IpAddr>,
    ) -> Option<Mechanism> {
        let argument = argument.strip_prefix(':')?;
        let (text, prefix) = argument
            .split_once('/')
            .map_or((argument, None), |(text, prefix)| (text, Some(prefix)));
        let prefix = prefix.map_or(Some(longest), |prefix| self.prefix(prefix, longest))?;
        Some(Mechanism::Ip(address(text)?, prefix))
    }

    /// Takes the prefix lengths from the end of an argument.
    fn prefixes(self, argument: &str) -> Option<(&str, Prefixes)> {
        let cut = |text: &'_ str, separator: &str, longest| -> Option<(usize, u8)> {
            let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let before = &text[..text.len() - digits];
            match before.strip_suffix(separator) {
                Some(left) if digits > 0 => {
                    Some((left.len(), self.prefix(&text[before.len()..], longest)?))
                }
                _ => Some((text.len(), longest)),
            }
        };
        let (end, six) = cut(argument, "//", 128)?;
        let (end, four) = cut(&argument[..end], "/", 32)?;
        Some((&argument[..end], (four, six)))
    }

    fn prefix(self, digits: &str, longest: u8) -> Option<u8> {
        let is_padded = digits.len() > 1 && digits.starts_with('0');
        if is_padded && !self.departs(Departure::LeadingZerosTaken)
            || !digits.bytes().all(|octet| octet.is_ascii_digit())
        {
            return None;
        }
        let length = digits.parse().ok().filter(|length| *length <= longest)?;
        let is_refused = length == 0 && self.departs(Departure::ZeroPrefixRefused);
        (!is_refused).then_some(length)
    }

    fn spec(self, text: &str) -> Option<String> {
        let parts = self.macro_string(text)?;
        let ends_well = match parts.last() {
            _ if self.departs(Departure::DomainEndUnchecked) => true,
            None => false,
            Some(Part::Macro(_) | Part::Text(_, true)) => true,
            Some(Part::Text(tail, false)) => {
                let tail = tail.strip_suffix('.').unwrap_or(tail);
                tail.rsplit_once('.').is_some_and(|(_, label)| self.is_top_label(label))
            }
        };
        ends_well.then(|| text.to_owned())
    }

    fn macro_string(self, text: &str) -> Option<Vec<Part>> {
        let may_stand = |c: char| {
            c.is_ascii_graphic()
                || self.departs(Departure::AnyOctetTaken)
                || self.departs(Departure::LettersOfAnyScript) && c.is_alphabetic()
        };
        if !text.chars().all(may_stand) {
            return None;
        }
        let parts = parts(text, self.0)?;
        let is_long = |part: &Part| matches!(part, Part::Text(text, _) if text.len() > 255);
        if self.departs(Departure::LongTextRefused) && parts.iter().any(is_long) {
            return None;
        }
        Some(parts)
    }

    fn is_top_label(self, label: &str) -> bool {
        let is_letter = |c: char| {
            c.is_ascii_alphabetic()
                || self.departs(Departure::LettersOfAnyScript) && c.is_alphabetic()
        };
        label.chars().all(|c| is_letter(c) || c.is_ascii_digit() || c == '-')
            && label.chars().any(|c| is_letter(c) || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    }
}

/// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
