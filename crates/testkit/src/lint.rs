//! Linters over a master file.

use quivive_evidence::{
    Lint, LintReport, Linting, Notebook, Question, ROUNDS_MAX, Remark, Subject,
};
use quivive_resolver::Zone;

/// What a linter says about a domain of this world, or about a text that it would publish.
///
/// # Panics
/// If the world is no master file, the linter asks for ever, or a remark is not whole.
pub fn lint(lint: &dyn Lint, domain: &str, record: Option<&str>, world: &str) -> LintReport {
    let zone = Zone::parse(world.as_bytes()).expect("a test's world is a master file");
    let record = record.map(str::to_owned);
    let subject = Subject { domain: Some(domain.to_owned()), record };
    let mut notebook = Notebook::default();
    for _ in 0..ROUNDS_MAX {
        let Linting { report, missing } = lint.lint(&subject, &notebook);
        for remark in &report.remarks {
            assert!(report.record.get(remark.span.0..remark.span.1).is_some(), "{remark:?}");
            assert!(!remark.help.is_empty() && !remark.message.ends_with('.'), "{remark:?}");
        }
        if missing.is_empty() {
            return report;
        }
        for question in &missing {
            let Question::Dns(dns) = question else { panic!("only DNS is asked") };
            notebook.note(&dns.name, zone.answer(dns));
        }
    }
    panic!("the linter asks for ever")
}

/// The remarks: code, and what they are about.
pub fn told(report: &LintReport) -> Vec<(&str, &str)> {
    let place = |remark: &Remark| &report.record[remark.span.0..remark.span.1];
    report.remarks.iter().map(|remark| (remark.code, place(remark))).collect()
}
