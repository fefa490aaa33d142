//! What hostile records can make a linter do.

use quivive_evidence::{Lint, Notebook, Subject, what_if};

use crate::SpfLint;
use crate::lint::{LINT_QUESTIONS_MAX, LINT_RECORDS_MAX};

#[test]
fn questions_are_bounded() {
    let record: String = (0..1000).map(|index| format!("a:h{index}.example ")).collect();
    let subject = Subject { domain: None, record: Some(format!("v=spf1 {record}-all")) };
    let linting = SpfLint::default().lint(&subject, &Notebook::default());
    assert_eq!(linting.missing.len(), LINT_QUESTIONS_MAX);
}

#[test]
fn records_that_are_followed_are_bounded() {
    // Each record includes the next one twice: without a bound, 2^30 of them.
    let mut notebook = Notebook::default();
    let records: Vec<String> = (0..30)
        .map(|at| {
            format!("{at}.example TXT v=spf1 include:{0}.example include:{0}.example -all", at + 1)
        })
        .collect();
    for answer in what_if(&records, 0).unwrap() {
        answer.note(&mut notebook).unwrap();
    }
    let subject = Subject { domain: Some("0.example".to_owned()), record: None };
    let report = SpfLint::default().lint(&subject, &notebook).report;
    assert!(report.counts[0].used <= 2 * (LINT_RECORDS_MAX + 1));
    assert!(report.remarks.iter().any(|one| one.code == "term-limit"));
}
