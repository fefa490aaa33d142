//! What a walk comes to.

use quivive_evidence::{Failure, FindingResult};

use crate::cause::Cause;
use crate::step::Place;

/// What check_host() concludes for a domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conclusion<'a> {
    pub(crate) result: FindingResult,
    pub(crate) cause: Cause,
    pub(crate) decided_by: Option<Decider<'a>>,
}

/// The directive that decided.
#[derive(Clone, Copy)]
pub(crate) enum Decider<'a> {
    /// As it stands in its record.
    Directive(Place<'a>),
    /// Its text alone, out of those of a settled policy.
    Kept { texts: &'a str, start: u16, length: u16 },
}

/// An error that ends the whole check (RFC 7208 sections 2.6.6, 2.6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) result: FindingResult,
    pub(crate) cause: Cause,
}

impl<'a> Decider<'a> {
    /// The directive as it was written.
    pub(crate) fn text(self) -> &'a str {
        match self {
            Self::Directive(place) => place.text(),
            Self::Kept { texts, start, length } => {
                &texts[usize::from(start)..][..usize::from(length)]
            }
        }
    }
}

impl std::fmt::Debug for Decider<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().fmt(f)
    }
}

impl Conclusion<'_> {
    /// Without a directive that decided.
    pub(crate) fn of(result: FindingResult, cause: Cause) -> Self {
        Self { result, cause, decided_by: None }
    }
}

impl Stop {
    pub(crate) fn permanent(cause: Cause) -> Self {
        Self { result: FindingResult::Permerror, cause }
    }

    /// RFC 7208 section 5: any answer but NOERROR and NXDOMAIN, and none at all, is a temperror.
    pub(crate) fn dns(failure: Failure) -> Self {
        Self { result: FindingResult::Temperror, cause: Cause::Dns(failure) }
    }
}
