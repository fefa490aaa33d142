//! What somebody wishes were published, and who sends: as forms, files and options bring them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_evidence::{Notebook, what_if};
use quivive_verdict::simulation::{SENDERS_MAX, Traffic, named};

fuzz_target!(|text: &str| {
    if let Ok(traffic) = Traffic::parse(text) {
        assert!(traffic.senders.len() <= SENDERS_MAX);
        let again: String =
            traffic.senders.iter().map(|one| format!("{} {}\n", one.address, one.count)).collect();
        assert_eq!(Traffic::parse(&again), Ok(traffic), "what is written is read again");
    }
    let lines: Vec<&str> = text.lines().collect();
    if let Ok(answers) = what_if(&named("a.example", &lines), 0) {
        let mut notebook = Notebook::default();
        assert!(answers.iter().all(|answer| answer.note(&mut notebook).is_ok()));
        assert!(answers.len() <= lines.len());
    }
});
