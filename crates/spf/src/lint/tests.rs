mod bounds;
mod properties;
mod reach;
mod record;
mod slips;
mod worlds;

use quivive_evidence::{
    DnsAnswer, DnsQuestion, Notebook, Outcome, Question, Source as Answerer, what_if,
};

use super::*;

/// Everything that is said about a text without asking anybody: code, place, cure.
fn told(record: &str) -> Vec<(&'static str, String, String)> {
    let subject = Subject { record: Some(record.to_owned()), domain: None };
    let report = SpfLint::default().lint(&subject, &Notebook::default()).report;
    let place = |remark: &Remark| report.record[remark.span.0..remark.span.1].to_owned();
    report.remarks.iter().map(|one| (one.code, place(one), one.help.clone())).collect()
}

/// As [`told`], without the cures.
fn codes(record: &str) -> Vec<(&'static str, String)> {
    told(record).into_iter().map(|(code, place, _)| (code, place)).collect()
}

fn one(code: &'static str, place: &str) -> Vec<(&'static str, String)> {
    vec![(code, place.to_owned())]
}

/// That one thing is said about a term between good ones, and which cure is offered.
#[track_caller]
fn slip(term: &str, code: &str, help: &str) {
    let told = told(&format!("v=spf1 a {term} -all"));
    let [(said, _, cure)] = &*told else { panic!("{term}: {told:?}") };
    assert_eq!((*said, &**cure), (code, help), "{term}");
}

/// As [`slip`], where the cure is all that counts.
#[track_caller]
fn cure(term: &str, written: &str) {
    let told = told(&format!("v=spf1 a {term} -all"));
    let [(_, _, help)] = &*told else { panic!("{term}: {told:?}") };
    assert_eq!(help, &format!("write `{written}`"), "{term}");
    let mended = self::told(&format!("v=spf1 a {written} -all"));
    assert!(mended.iter().all(|(code, ..)| !is_error(code)), "{written}: {mended:?}");
}

fn is_error(code: &str) -> bool {
    ["unknown-mechanism", "missing-argument", "domain-end", "ipv4-network"].contains(&code)
}

/// A world of records as `what_if` reads them; every other name does not exist.
struct World(Vec<&'static str>);

impl World {
    fn lint(&self, domain: &str) -> LintReport {
        let mut notebook = Notebook::default();
        for answer in what_if(&self.0, 0).unwrap() {
            answer.note(&mut notebook).unwrap();
        }
        let subject = Subject { domain: Some(domain.to_owned()), record: None };
        loop {
            let Linting { report, missing } = SpfLint::default().lint(&subject, &notebook);
            if missing.is_empty() {
                return report;
            }
            for question in missing.into_iter().filter_map(dns) {
                let known =
                    self.0.iter().any(|record| record.split(' ').next() == Some(&question.name));
                let outcome = if known { Outcome::NoData } else { Outcome::NoName };
                let answer =
                    DnsAnswer::without_records(question.record_type, outcome, Answerer::default());
                notebook.note(&question.name, answer);
            }
        }
    }

    fn codes(&self, domain: &str) -> Vec<(&'static str, String)> {
        let report = self.lint(domain);
        let place = |remark: &Remark| report.record[remark.span.0..remark.span.1].to_owned();
        report.remarks.iter().map(|one| (one.code, place(one))).collect()
    }
}

fn dns(question: Question) -> Option<DnsQuestion> {
    match question {
        Question::Dns(question) => Some(question),
        _ => None,
    }
}
