use quivive_evidence::{Failure, Stop};

/// Why a result is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Match,
    NoMatch,
    NoRecord,
    NoSuchDomain,
    MalformedDomain,
    SyntaxError,
    MultipleRecords,
    IncludeNoRecord,
    RedirectNoRecord,
    TermLimit,
    VoidLookupLimit,
    MxLimit,
    QuestionBudget,
    Dns(Failure),
    /// Something is missing: what is concluded means nothing.
    Missing,
}

impl Cause {
    /// Whether a limit was passed that counts over a whole check.
    pub(crate) fn is_limit_of_walk(self) -> bool {
        matches!(self, Self::TermLimit | Self::VoidLookupLimit | Self::QuestionBudget)
    }

    /// The stable word for it.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no-match",
            Self::NoRecord => "no-record",
            Self::NoSuchDomain => "no-such-domain",
            Self::MalformedDomain => "malformed-domain",
            Self::SyntaxError => "syntax-error",
            Self::MultipleRecords => "multiple-records",
            Self::IncludeNoRecord => "include-no-record",
            Self::RedirectNoRecord => "redirect-no-record",
            Self::TermLimit => "term-limit",
            Self::VoidLookupLimit => "void-lookup-limit",
            Self::MxLimit => "mx-limit",
            Self::QuestionBudget => "question-budget",
            Self::Missing => "missing",
            Self::Dns(failure) => Stop::from(failure).cause,
        }
    }
}
