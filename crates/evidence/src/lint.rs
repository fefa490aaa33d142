//! The contract of linters: what is doubtful about what a domain publishes, and how it is mended.

mod look_ups;
mod networks;

use std::fmt;
use std::ops::Range;

use ipnet::IpNet;
use serde::Serialize;

use crate::{Evidence, Failure, Method, Question};

pub use look_ups::{LINT_QUESTIONS_MAX, LookUps};
pub use networks::{
    grouped, is_not_public, not_public_network, permitted_host, permitted_network, wide_network,
};

/// How many remarks a report has at most; [`LintReport::omitted`] counts the rest.
pub const REMARKS_MAX: usize = 100;

/// A linter: reads what a domain publishes for one method, as a pure function of the evidence.
///
/// It says what it can with what is known. A driver answers the missing questions and lints again
/// from the start; one that may not ask shows the report as it is.
pub trait Lint: Send + Sync {
    /// The method whose records are read.
    fn method(&self) -> Method;

    /// Looks the subject over with what is known.
    ///
    /// How many questions a subject can bring up is bounded, whatever it publishes.
    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting;
}

/// What is looked over. One of the two must be there; both: what if the domain published that?
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The domain: A-labels in lower case, without a closing dot.
    pub domain: Option<String>,
    /// A text that is looked over instead of what the domain publishes.
    pub record: Option<String>,
}

/// What came of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linting {
    /// What can be said with what is known.
    pub report: LintReport,
    /// What would be worth knowing, each once; empty when the report is whole.
    pub missing: Vec<Question>,
}

/// What a linter says about a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintReport {
    /// The method.
    pub method: Method,
    /// Whether the domain publishes anything for the method, usable or not.
    pub published: bool,
    /// What was read, to which the spans refer: a record, or several with a line feed between them.
    /// Octets that are no UTF-8 are written as U+FFFD.
    pub record: String,
    /// What is doubtful, in the order of the record.
    pub remarks: Vec<Remark>,
    /// How many remarks more there would be.
    pub omitted: usize,
    /// What is used of what is limited.
    pub counts: Vec<Count>,
    /// What the record consists of, with what stands elsewhere and belongs to it.
    pub tree: Vec<LintNode>,
    /// The networks that are named, as far as they are known: where somebody's right to send may
    /// begin or end.
    pub networks: Vec<IpNet>,
}

/// Something doubtful about a record, and its cure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// A stable word, such as `term-limit`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Which part of [`LintReport::record`] is meant, in octets; empty at its start for the whole.
    pub span: (usize, usize),
    /// What is wrong and why, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// How bad a remark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document says MUST, or receivers can make nothing of the record.
    Error,
    /// The document says SHOULD, or practice says so.
    Warning,
    /// Could be better.
    Advice,
}

/// How much is used of something that is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// What is counted, such as `look-up terms`.
    pub what: &'static str,
    /// How many there are.
    pub used: usize,
    /// How many there may be.
    pub most: usize,
}

/// A part of a record, with what belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintNode {
    /// The part as it is published: a stranger's text.
    pub text: String,
    /// What is to be said about it, such as `3 look-ups`; empty: nothing.
    pub note: String,
    /// What belongs to it.
    pub children: Vec<LintNode>,
}

impl LintReport {
    /// A report about a record, without any remark.
    pub fn new(method: Method, record: &str) -> Self {
        Self {
            method,
            published: false,
            record: record.to_owned(),
            remarks: Vec::new(),
            omitted: 0,
            counts: Vec::new(),
            tree: Vec::new(),
            networks: Vec::new(),
        }
    }

    /// Adds a line to what was read, and gives its place. A line feed in it is written as a blank,
    /// so that places hold.
    pub fn add_line(&mut self, text: &str) -> Range<usize> {
        if !self.record.is_empty() {
            self.record.push('\n');
        }
        let start = self.record.len();
        self.record.push_str(&text.replace('\n', " "));
        start..self.record.len()
    }

    /// Adds an error.
    pub fn error(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.remarks.push(Remark::new(Severity::Error, code, span.clone(), message, help));
    }

    /// Adds a warning.
    pub fn warn(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.remarks.push(Remark::new(Severity::Warning, code, span.clone(), message, help));
    }

    /// Adds a piece of advice.
    pub fn advise(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.remarks.push(Remark::new(Severity::Advice, code, span.clone(), message, help));
    }

    /// Says that there is nothing to read.
    pub fn nothing(&mut self, domain: &str) {
        let (name, word) = (self.method.name(), self.method.word());
        self.advise(
            "no-record",
            &(0..0),
            format!("{domain} publishes nothing for {name}, so that receivers learn nothing by it"),
            format!("`quivive publish {domain} --method {word}` writes what belongs there"),
        );
    }

    /// Says that DNS gives no answer about a name that belongs to the domain.
    pub fn no_answer(&mut self, name: &str, failure: Failure) {
        self.error(
            "dns-failure",
            &(0..0),
            format!("DNS gives no answer about {name}: {}", failure.token()),
            "see to the name servers of the domain; receivers put mail off, or learn nothing, as \
             long as this lasts",
        );
    }

    /// Says that there was more to follow than the bounds of a linter allow.
    pub fn not_followed(&mut self) {
        self.advise(
            "not-followed",
            &(0..0),
            "the record leads to more than is looked up here, so that this report is not whole",
            "shorten the record first",
        );
    }

    /// How many remarks are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.remarks.iter().filter(|remark| remark.severity == severity).count()
    }

    /// Puts the remarks in the order of the record, each once, and keeps [`REMARKS_MAX`]: errors
    /// before warnings before advice.
    #[must_use]
    pub fn finished(mut self) -> Self {
        self.remarks.sort_by(|one, other| (one.severity, one).cmp(&(other.severity, other)));
        self.remarks.dedup();
        self.omitted += self.remarks.len().saturating_sub(REMARKS_MAX);
        self.remarks.truncate(REMARKS_MAX);
        self.remarks.sort_by_key(|remark| (remark.span, remark.severity));
        self
    }
}

impl Remark {
    /// A remark about a part of the record.
    pub fn new(
        severity: Severity,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { code, severity, span: (span.start, span.end), message, help }
    }
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: &[Self] = &[Self::Error, Self::Warning, Self::Advice];

    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remark(severity: Severity, at: usize) -> Remark {
        Remark::new(severity, "code", at..at + 1, "message", "help")
    }

    #[test]
    fn remarks_stand_in_the_order_of_the_record() {
        use Severity::{Advice, Error, Warning};
        let mut report = LintReport::new(Method::Spf, "abc");
        report.remarks = vec![
            remark(Advice, 2),
            remark(Warning, 0),
            remark(Error, 1),
            remark(Error, 0),
            remark(Error, 1),
        ];
        let report = report.finished();
        let order: Vec<_> = report.remarks.iter().map(|one| (one.severity, one.span.0)).collect();
        assert_eq!(order, [(Error, 0), (Warning, 0), (Error, 1), (Advice, 2)]);
        assert_eq!((report.count(Error), report.omitted), (2, 0));
    }

    #[test]
    fn too_many_remarks_are_counted_and_errors_stay() {
        let mut report = LintReport::new(Method::Spf, "");
        report.remarks = (0..REMARKS_MAX).map(|at| remark(Severity::Advice, at)).collect();
        report.remarks.push(remark(Severity::Error, REMARKS_MAX));
        let report = report.finished();
        assert_eq!((report.remarks.len(), report.omitted), (REMARKS_MAX, 1));
        assert_eq!(report.remarks.last(), Some(&remark(Severity::Error, REMARKS_MAX)));
    }
}
