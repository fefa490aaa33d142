//! Texts that somebody wants to publish as SPF records, looked over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_evidence::{Lint, Notebook, Subject};
use quivive_spf::{LINT_QUESTIONS_MAX, SpfLint};

fuzz_target!(|octets: &[u8]| {
    let record = String::from_utf8_lossy(octets).into_owned();
    let subject = Subject { domain: Some("example.com".to_owned()), record: Some(record) };
    let linting = SpfLint::default().lint(&subject, &Notebook::default());
    assert!(linting.missing.len() <= LINT_QUESTIONS_MAX);
    for remark in &linting.report.remarks {
        let (start, end) = remark.span;
        assert!(linting.report.record.get(start..end).is_some(), "{remark:?}");
        assert!(!remark.help.is_empty());
    }
});
