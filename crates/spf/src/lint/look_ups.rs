//! What the linter asks, within bounds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use quivive_evidence::{Answer, Evidence, Mx, Octets, Question, RecordType, Txt};

/// How many different questions one subject can bring up: enough for a record with ten includes of
/// ten terms each, and no more than a small load for whoever answers.
pub const QUESTIONS_MAX: usize = 300;

/// The evidence, with a note of what it lacks.
pub(super) struct LookUps<'e> {
    evidence: &'e dyn Evidence,
    asked: RefCell<BTreeSet<Question>>,
    missing: RefCell<Vec<Question>>,
    gave_up: Cell<bool>,
}

impl<'e> LookUps<'e> {
    pub(super) fn new(evidence: &'e dyn Evidence) -> Self {
        Self {
            evidence,
            asked: RefCell::default(),
            missing: RefCell::default(),
            gave_up: Cell::new(false),
        }
    }

    pub(super) fn txt(&self, name: &str) -> Option<&'e Answer<Txt>> {
        self.known(name, RecordType::Txt, self.evidence.txt(name))
    }

    pub(super) fn ipv4(&self, name: &str) -> Option<&'e Answer<Ipv4Addr>> {
        self.known(name, RecordType::A, self.evidence.ipv4(name))
    }

    pub(super) fn ipv6(&self, name: &str) -> Option<&'e Answer<Ipv6Addr>> {
        self.known(name, RecordType::Aaaa, self.evidence.ipv6(name))
    }

    pub(super) fn mx(&self, name: &str) -> Option<&'e Answer<Mx>> {
        self.known(name, RecordType::Mx, self.evidence.mx(name))
    }

    pub(super) fn other(&self, name: &str, record_type: u16) -> Option<&'e Answer<Octets>> {
        let answer = self.evidence.other(name, record_type);
        self.known(name, RecordType::Other(record_type), answer)
    }

    /// The questions whose answers are missing, in the order in which they came up.
    pub(super) fn missing(self) -> Vec<Question> {
        self.missing.into_inner()
    }

    /// Notes that not everything is followed.
    pub(super) fn give_up(&self) {
        self.gave_up.set(true);
    }

    /// Whether there was more to follow than the bounds allow.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.get()
    }

    /// An answer beyond the bound is not used although it is known, so that the same record always
    /// gets the same report.
    fn known<T>(
        &self,
        name: &str,
        record_type: RecordType,
        answer: Option<&'e Answer<T>>,
    ) -> Option<&'e Answer<T>> {
        let question = Question::dns(name, record_type);
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&question) {
            if asked.len() >= QUESTIONS_MAX {
                self.give_up();
                return None;
            }
            asked.insert(question.clone());
            if answer.is_none() {
                self.missing.borrow_mut().push(question);
            }
        }
        answer
    }
}
