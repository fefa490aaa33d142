//! Conformance suites: the public one of the OpenSPF project, and our own in the same form.

use quivive_evidence::{Facts, Finding, Identity, Inquiry, Notebook, Progress, Question};
use quivive_resolver::Zone;
use quivive_spf::{Limits, Spf};
use quivive_testkit::suite::{self, Case, Scenario};

/// The receiver's own text, which the suites expect where a domain explains nothing.
const DEFAULT_EXPLANATION: &str = "DEFAULT";

fn facts(case: &Case) -> Facts {
    let mut facts = Facts::new(case.ip);
    facts.helo = case.helo.clone();
    facts.reverse_path = case.mail_from.clone();
    facts.receiver = "receiver.example.org".to_owned();
    facts.now = 1_400_000_000;
    facts
}

fn evaluated(zone: &Zone, facts: &Facts) -> Finding {
    let mut inquiry = Inquiry::new(Box::new(Spf::new(Identity::Mailfrom, Limits::default())));
    let mut notebook = Notebook::default();
    loop {
        match inquiry.advance(facts, &notebook) {
            Progress::Done(finding) => return *finding,
            Progress::Ask(round) => {
                for question in round.questions() {
                    let Question::Dns(dns) = question else { panic!("SPF asks DNS alone") };
                    notebook.note(&dns.name, zone.answer(dns));
                }
            }
        }
    }
}

/// Two equal records: an RRset holds each record once (RFC 2181 section 5), so that our zone, like
/// any name server, gives one. The suite takes the result of that, too.
const EQUAL_RECORDS: &str = "multispf1";

/// What is wrong with a case's finding, if anything. The first result that a case lists is the
/// preferred one, and ours.
fn complaint(case: &Case, finding: &Finding) -> Option<String> {
    let expected = &case.expected[usize::from(case.id == EQUAL_RECORDS)];
    if finding.result.word() != expected {
        let Finding { result, cause, .. } = finding;
        return Some(format!("{}: {result} ({cause}) instead of {expected}", case.id));
    }
    let expected = case.explanation.as_ref().filter(|_| expected == "fail")?;
    let explanation = finding.explanation.as_deref().unwrap_or(DEFAULT_EXPLANATION);
    (explanation != expected)
        .then(|| format!("{}: explanation {explanation:?} instead of {expected:?}", case.id))
}

#[track_caller]
fn assert_all(scenarios: &[Scenario], cases: usize) {
    let mut complaints = Vec::new();
    for Scenario { zone, cases, .. } in scenarios {
        let complaint = |case| complaint(case, &evaluated(zone, &facts(case)));
        complaints.extend(cases.iter().filter_map(complaint));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(scenarios.iter().map(|scenario| scenario.cases.len()).sum::<usize>(), cases);
}

#[test]
fn openspf_suite() {
    let Some(path) = suite::find_or_say() else { return };
    assert_all(&suite::load(&path).unwrap(), 203);
}

#[test]
fn our_own_suite() {
    let text = include_str!("suites/quivive-tests.yml");
    assert_all(&suite::parse(text).unwrap(), text.matches("result:").count());
}
