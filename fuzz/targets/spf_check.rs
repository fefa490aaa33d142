//! A whole SPF check in a hostile world: the first line is the sender, the others are what DNS
//! holds.
#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use quivive_evidence::{
    Answer, DnsAnswer, DnsQuestion, Facts, Failure, Finding, Identity, Inquiry, Mx,
    Notebook, Outcome, Progress, Question, RecordType, Source,
};
use quivive_spf::{EXPLANATION_QUESTIONS_MAX, Limits, QUESTIONS_MAX, Spf, received_spf};

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.reverse_path = lines.next().unwrap_or_default().to_owned();
    facts.helo = "mx.example.net".to_owned();
    let world: Vec<&str> = lines.collect();

    let strict = check(&facts, &world, false);
    let ahead = check(&facts, &world, true);
    assert_eq!(strict, ahead, "asking ahead of need changes nothing");
    assert!(strict.needed.len() <= QUESTIONS_MAX + EXPLANATION_QUESTIONS_MAX);
    let header = received_spf(&strict, &facts);
    assert!(header.split("\r\n").skip(1).all(|line| line.starts_with([' ', '\t'])), "{header:?}");
    let unfolded = header.replace("\r\n", "");
    assert!(!unfolded.contains(|c: char| c.is_control() && c != '\t'), "{header:?}");
});

fn check(facts: &Facts, world: &[&str], ahead: bool) -> Finding {
    let spf = Spf::new(Identity::Mailfrom, Limits::default());
    let mut inquiry = Inquiry::new(Box::new(spf));
    let mut notebook = Notebook::default();
    loop {
        match inquiry.advance(facts, &notebook) {
            Progress::Done(finding) => return *finding,
            Progress::Ask(round) => {
                let questions = if ahead { usize::MAX } else { round.needed.len() };
                for question in round.questions().take(questions) {
                    let Question::Dns(question) = question else { unreachable!("SPF asks DNS") };
                    notebook.note(&question.name, answer(question, world));
                }
            }
        }
    }
}

/// The world's answer: for each question some of its lines, always the same.
fn answer(question: &DnsQuestion, world: &[&str]) -> DnsAnswer {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    let chance = hasher.finish() as usize;
    let line = if world.is_empty() { "" } else { world[chance % world.len()] };
    let failed =
        |outcome| DnsAnswer::without_records(question.record_type, outcome, Source::default());
    match line {
        "" => return failed(Outcome::NoName),
        "-" => return failed(Outcome::NoData),
        "!" => return failed(Outcome::Failed(Failure::Timeout)),
        _ => {}
    }
    let names = line.split(' ').map(|name| Arc::from(name.to_ascii_lowercase()));
    match question.record_type {
        RecordType::Txt => DnsAnswer::Txt(found(vec![line.into()])),
        RecordType::A => DnsAnswer::A(found(vec![[192, 0, 2, chance as u8 % 4].into()])),
        RecordType::Aaaa => DnsAnswer::Aaaa(found(vec![[0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()])),
        RecordType::Ptr => DnsAnswer::Ptr(found(names.collect())),
        RecordType::Mx => {
            let hosts = names.map(|exchange| Mx { preference: 10, exchange });
            DnsAnswer::Mx(found(hosts.collect()))
        }
        RecordType::Other(_) => failed(Outcome::NoData),
    }
}

fn found<T>(records: Vec<T>) -> Arc<Answer<T>> {
    Arc::new(Answer::new(Outcome::of(records), Source::default()))
}
