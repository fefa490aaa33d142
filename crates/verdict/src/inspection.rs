//! What a domain publishes for several schemes, looked over together: each by its linter, and all
//! against each other.

mod comparison;

use std::sync::Arc;

use quivive_evidence::{Evidence, Lint, LintReport, Linting, Method, Question, Subject};

use crate::{Policy, linter};

pub use comparison::{NETWORKS_MAX, SAMPLES_MAX};

/// The linters of some methods.
///
/// Like a linter, it says what it can with what is known: a driver answers the missing questions
/// and inspects again from the start.
pub struct Inspector {
    linters: Vec<Box<dyn Lint>>,
    policy: Arc<Policy>,
}

/// What came of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// One of each linter, in their order.
    pub reports: Vec<LintReport>,
    /// What would be worth knowing, each once; empty when the reports are whole.
    pub missing: Vec<Question>,
}

impl Inspector {
    /// With the linters of these methods; those without one are left out. They count against the
    /// limits of the policy.
    pub fn new(methods: &[Method], policy: &Policy) -> Self {
        let linters = methods.iter().filter_map(|method| linter(*method, policy)).collect();
        Self { linters, policy: Arc::new(comparison::policy(policy)) }
    }

    /// Looks a subject over. What a domain publishes for several schemes is compared: where one
    /// lets an address send for the domain that another refuses, the later report says so.
    pub fn inspect(&self, subject: &Subject, evidence: &dyn Evidence) -> Inspection {
        let mut inspection = Inspection { reports: Vec::new(), missing: Vec::new() };
        for linter in &self.linters {
            let Linting { report, missing } = linter.lint(subject, evidence);
            inspection.reports.push(report);
            inspection.add_missing(missing);
        }
        let (None, Some(domain)) = (&subject.record, &subject.domain) else { return inspection };
        // Which addresses are worth comparing is only known once everything else is.
        if inspection.missing.is_empty() {
            let Inspection { reports, missing } = &mut inspection;
            *missing = comparison::compare(&self.policy, domain, reports, evidence);
        }
        inspection
    }
}

impl Inspection {
    fn add_missing(&mut self, questions: Vec<Question>) {
        for question in questions {
            if !self.missing.contains(&question) {
                self.missing.push(question);
            }
        }
    }
}

#[cfg(test)]
mod tests;
