//! All linters in a hostile world: each line is what DNS holds somewhere. What they say together
//! about a domain, and each of them about the first line as a text.
#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use quivive_evidence::{
    Answer, DnsAnswer, DnsQuestion, Failure, LINT_QUESTIONS_MAX, LintReport, Method, Mx, Notebook,
    Octets, Outcome, Question, REMARKS_MAX, ROUNDS_MAX, RecordType, Source, Subject,
};
use quivive_verdict::{Inspection, Inspector, Policy, linted_methods, linter};

fuzz_target!(|octets: &[u8]| {
    let world: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').collect();
    let policy = Policy::new("mx.example.net");
    let methods: Vec<Method> = linted_methods().collect();
    let inspector = Inspector::new(&methods, &policy);
    let subject = Subject { domain: Some("example.com".to_owned()), record: None };
    let mut notebook = Notebook::default();
    let mut rounds = 0;
    loop {
        let Inspection { reports, missing } = inspector.inspect(&subject, &notebook);
        reports.iter().for_each(look_at);
        if missing.is_empty() {
            break;
        }
        rounds += 1;
        assert!(rounds <= ROUNDS_MAX, "{missing:?}");
        for question in &missing {
            let Question::Dns(question) = question else { unreachable!("linters ask DNS") };
            notebook.note(&question.name, answer(question, &world));
        }
    }
    let record = Some(String::from_utf8_lossy(world[0]).into_owned());
    for linter in methods.iter().filter_map(|method| linter(*method, &policy)) {
        for domain in [Some("example.com".to_owned()), None] {
            let subject = Subject { domain, record: record.clone() };
            let linting = linter.lint(&subject, &notebook);
            assert!(linting.missing.len() <= LINT_QUESTIONS_MAX);
            look_at(&linting.report);
        }
    }
});

fn look_at(report: &LintReport) {
    // Contradictions are told beside what a linter says.
    assert!(report.remarks.len() <= 2 * REMARKS_MAX);
    for remark in &report.remarks {
        let (start, end) = remark.span;
        assert!(report.record.get(start..end).is_some(), "{remark:?}");
        assert!(!remark.help.is_empty() && !remark.message.ends_with('.'), "{remark:?}");
    }
}

/// The world's answer: for each question one of its lines, always the same.
fn answer(question: &DnsQuestion, world: &[&[u8]]) -> DnsAnswer {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    let chance = hasher.finish() as usize;
    let line = world[chance % world.len()];
    let failed =
        |outcome| DnsAnswer::without_records(question.record_type, outcome, Source::default());
    match line {
        b"" => return failed(Outcome::NoName),
        b"-" => return failed(Outcome::NoData),
        b"!" => return failed(Outcome::Failed(Failure::Timeout)),
        _ => {}
    }
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    // As a resolver gives names: the root is empty.
    let names = text.split(' ').map(|name| Arc::from(name.trim_end_matches('.')));
    match question.record_type {
        RecordType::Txt => DnsAnswer::Txt(found(vec![Octets::from(line)])),
        RecordType::A => DnsAnswer::A(found(vec![[192, 0, 2, chance as u8 % 4].into()])),
        RecordType::Aaaa => DnsAnswer::Aaaa(found(vec![[0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()])),
        RecordType::Ptr => DnsAnswer::Ptr(found(names.collect())),
        RecordType::Mx => {
            let hosts = names.map(|exchange| Mx { preference: chance as u16 % 3, exchange });
            DnsAnswer::Mx(found(hosts.collect()))
        }
        RecordType::Other(number) => DnsAnswer::Other(number, found(vec![Octets::from(line)])),
    }
}

fn found<T>(records: Vec<T>) -> Arc<Answer<T>> {
    Arc::new(Answer::new(Outcome::of(records), Source::default()))
}
