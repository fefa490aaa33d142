//! The linter of SPF records: what is wrong or doubtful, why, and how it is mended.
//!
//! ```text
//! source   which texts are SPF records, or were meant to be
//! term     each term by itself, so that one error does not hide the next
//!   slips      what somebody meant by a term that breaks the grammar
//!   structure  what one record says as a whole: its end, its modifiers, its repetitions
//!   network    networks alone and against each other
//!   look_alike names that can be taken for others
//! tree     the record with all that it includes: look-ups, void ones, addresses
//!   grow       how it is made, term by term
//!   name       the names that terms are about
//!   shown      how it is told
//!   reach      what of the tree cannot be had, costs too much, or adds nothing
//! owner    what else stands at the name
//! ```

mod addresses;
mod look_alike;
mod network;
mod owner;
mod reach;
mod slips;
mod source;
mod structure;
mod term;
mod tree;

use quivive_evidence::{
    Count, Evidence, Lint, LintReport, Linting, LookUps, Method, Remark, Subject,
};

use crate::{Limits, Scope};
use source::Source;
use term::Term;

pub(crate) use tree::{Branch, State, Trouble, grow_text};

pub use quivive_evidence::LINT_QUESTIONS_MAX;
pub use tree::RECORDS_MAX as LINT_RECORDS_MAX;

/// Looks SPF records over.
///
/// ```
/// use quivive_evidence::{Lint, Notebook, Subject};
/// use quivive_spf::SpfLint;
///
/// let subject = Subject { record: Some("v=spf1 ip:192.0.2.1 -all".to_owned()), domain: None };
/// let report = SpfLint::default().lint(&subject, &Notebook::default()).report;
/// assert_eq!(report.remarks[0].code, "unknown-mechanism");
/// assert_eq!(report.remarks[0].help, "write `ip4:192.0.2.1`");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SpfLint {
    limits: Limits,
    scope: Scope,
}

impl SpfLint {
    /// A linter that counts against these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, scope: Scope::Spf }
    }

    /// As [`SpfLint::new`], for terms that another scope reads: of what they include, the records
    /// of that scope are followed.
    pub fn in_scope(limits: Limits, scope: Scope) -> Self {
        Self { limits, scope }
    }
}

impl Lint for SpfLint {
    fn method(&self) -> Method {
        Method::Spf
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let source = source::read(subject, &look_ups);
        let mut report = LintReport::new(Method::Spf, &source.text);
        report.published = !source.records.is_empty();
        report.remarks.extend(source.remarks.iter().cloned());
        for record in &source.records {
            let terms = term::split(&source.text[record.clone()], record.start);
            // The rest is looked over as if the slips were mended.
            let (remarks, terms) = slips::mend(terms);
            report.remarks.extend(remarks);
            report.remarks.extend(term_remarks(&terms, record.clone()));
            if source.records.len() == 1 {
                self.follow(subject, &terms, &look_ups, &mut report);
            }
        }
        self.look_at_owner(subject, &source, &look_ups, &mut report);
        Linting { report: report.finished(), missing: look_ups.missing() }
    }
}

impl SpfLint {
    /// What only those know who follow the record through DNS.
    fn follow(
        &self,
        subject: &Subject,
        terms: &[Term<'_>],
        look_ups: &LookUps<'_>,
        report: &mut LintReport,
    ) {
        let domain = subject.domain.as_deref();
        let tree = tree::grow(domain, terms, self.scope, look_ups);
        report.remarks.extend(reach::remarks(&tree, terms, self.limits));
        report.remarks.extend(owner::explanation(domain, terms, look_ups));
        if look_ups.gave_up() {
            report.not_followed();
        }
        report.counts = vec![
            Count { what: "look-up terms", used: tree.terms(), most: self.limits.terms_max },
            Count {
                what: "void look-ups",
                used: tree.void().worst(),
                most: self.limits.void_lookups_max,
            },
        ];
        report.networks = tree.permits().networks();
        report.tree = vec![tree.shown(domain, &report.record)];
    }

    /// Only a domain that is asked has neighbours of its record; a text that is tried has none.
    fn look_at_owner(
        &self,
        subject: &Subject,
        source: &Source,
        look_ups: &LookUps<'_>,
        report: &mut LintReport,
    ) {
        if let (Some(domain), None) = (&subject.domain, &subject.record) {
            report.remarks.extend(owner::remarks(domain, source, look_ups));
        }
    }
}

/// What can be said of a record's terms without asking anybody.
fn term_remarks(terms: &[Term<'_>], record: std::ops::Range<usize>) -> Vec<Remark> {
    let mut remarks = structure::remarks(terms, record);
    remarks.extend(network::remarks(terms));
    remarks.extend(look_alike::remarks(terms));
    remarks
}

#[cfg(test)]
mod tests;
