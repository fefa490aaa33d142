//! Terms as they stand in a record, each parsed by itself.

use std::borrow::Cow;
use std::ops::Range;

use crate::domain_spec::DomainSpec;
use crate::record::{Mechanism, Qualifier, Record};
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// Before a term, this makes it a record.
pub(super) const VERSION: &str = "v=spf1 ";

/// A term of the record that is looked over.
#[derive(Debug, Clone)]
pub(super) struct Term<'r> {
    /// As it is written, or as it should be.
    pub(super) text: Cow<'r, str>,
    /// Where it stands in the text of the report, in octets.
    pub(super) span: Range<usize>,
    /// A record of its own; the place of an error is within the term.
    alone: Result<Record, SyntaxError>,
}

/// What a term says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning<'t> {
    Directive(Qualifier, Mechanism<'t>),
    Redirect(DomainSpec<'t>),
    Explanation(DomainSpec<'t>),
    /// A modifier that SPF does not know, and so ignores.
    Unknown,
}

/// What is written in place of a term, as terms at its place; none if it has an error again.
pub(super) fn mended(written: &str, place: &Range<usize>) -> Option<Vec<Term<'static>>> {
    let words = written.split(' ').filter(|word| !word.is_empty());
    let term = |word: &str| {
        Some(Term {
            text: word.to_owned().into(),
            span: place.clone(),
            alone: Ok(alone(word).ok()?),
        })
    };
    words.map(term).collect()
}

/// The terms behind the version section of a record that begins at `offset`.
///
/// One error makes a record unusable, and a parser stops there; whoever mends it wants to know all
/// of them. So each term is parsed as a record of its own.
pub(super) fn split(record: &str, offset: usize) -> Vec<Term<'_>> {
    let mut at = offset;
    let mut terms = Vec::new();
    for text in record.split(' ') {
        let span = at..at + text.len();
        at = span.end + 1;
        if !text.is_empty() {
            terms.push(Term { text: text.into(), span, alone: alone(text) });
        }
    }
    // The version section; a record without one has been told of already.
    let is_version = |term: &Term<'_>| term.span.start == offset;
    if terms.first().is_some_and(is_version) {
        terms.remove(0);
    }
    terms
}

fn alone(term: &str) -> Result<Record, SyntaxError> {
    let alone = [VERSION, term].concat();
    Record::parse(alone.as_bytes()).map_err(|error| {
        let place = |at: usize| at.saturating_sub(VERSION.len());
        error.kind.at(place(error.span.start)..place(error.span.end))
    })
}

impl Term<'_> {
    /// What it says.
    ///
    /// # Errors
    /// What is wrong with it; the place is within the term.
    pub(super) fn meaning(&self) -> Result<Meaning<'_>, &SyntaxError> {
        let record = self.alone.as_ref()?;
        if let Some(directive) = record.directives().next() {
            return Ok(Meaning::Directive(directive.qualifier, directive.mechanism));
        }
        Ok(match (record.redirect(), record.explanation()) {
            (Some(redirect), _) => Meaning::Redirect(redirect.target),
            (None, Some(explanation)) => Meaning::Explanation(explanation.target),
            (None, None) => Meaning::Unknown,
        })
    }

    /// The mechanism with its qualifier, if it is one and is well formed.
    pub(super) fn directive(&self) -> Option<(Qualifier, Mechanism<'_>)> {
        match self.meaning() {
            Ok(Meaning::Directive(qualifier, mechanism)) => Some((qualifier, mechanism)),
            _ => None,
        }
    }

    /// What is wrong with it.
    pub(super) fn error(&self) -> Option<SyntaxErrorKind> {
        self.alone.as_ref().err().map(|error| error.kind)
    }

    /// Without its qualifier, if it has one.
    pub(super) fn bare(&self) -> &str {
        self.text.strip_prefix(['+', '-', '~', '?']).unwrap_or(&self.text)
    }

    /// Its qualifier as it is written, or nothing.
    pub(super) fn sign(&self) -> &str {
        &self.text[..self.text.len() - self.bare().len()]
    }

    /// `all`, whatever it means.
    pub(super) fn is_all(&self) -> bool {
        matches!(self.directive(), Some((_, Mechanism::All)))
    }

    /// The domain that it names, if it names one.
    pub(super) fn target(&self) -> Option<DomainSpec<'_>> {
        match self.meaning().ok()? {
            Meaning::Directive(_, mechanism) => mechanism.target(),
            Meaning::Redirect(target) | Meaning::Explanation(target) => Some(target),
            Meaning::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_does_not_hide_the_next() {
        let terms = split("v=spf1  a:b ip4:1.2.3 x=y -all", 10);
        let seen: Vec<_> =
            terms.iter().map(|term| (&*term.text, term.span.clone(), term.error())).collect();
        assert_eq!(
            seen,
            [
                ("a:b", 18..21, Some(SyntaxErrorKind::DomainEnd)),
                ("ip4:1.2.3", 22..31, Some(SyntaxErrorKind::Ipv4Network)),
                ("x=y", 32..35, None),
                ("-all", 36..40, None),
            ]
        );
        let Err(error) = terms[0].meaning() else { panic!() };
        assert_eq!(error.span, 2..3);
    }

    #[test]
    fn a_record_alone_has_no_terms() {
        assert!(split("v=spf1", 0).is_empty());
        assert!(split("", 0).is_empty());
    }
}
