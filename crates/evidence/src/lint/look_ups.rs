//! What a linter asks, within bounds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{LintReport, Linting};
use crate::{Answer, Evidence, Failure, Mx, Octets, Question, RecordType, Txt};

/// How many different questions one subject can bring up: enough for a record with ten includes of
/// ten terms each, and no more than a small load for whoever answers.
pub const LINT_QUESTIONS_MAX: usize = 300;

/// The evidence, with a note of what it lacks.
pub struct LookUps<'e> {
    evidence: &'e dyn Evidence,
    asked: RefCell<BTreeSet<Question>>,
    missing: RefCell<Vec<Question>>,
    gave_up: Cell<bool>,
    /// The shortest time that an answer holds, in seconds.
    ttl: Cell<u32>,
}

impl<'e> LookUps<'e> {
    /// Look-ups in this evidence; nothing was asked yet.
    pub fn new(evidence: &'e dyn Evidence) -> Self {
        Self {
            evidence,
            asked: RefCell::default(),
            missing: RefCell::default(),
            gave_up: Cell::new(false),
            ttl: Cell::new(u32::MAX),
        }
    }

    /// The text records of a name.
    pub fn txt(&self, name: &str) -> Option<&'e Answer<Txt>> {
        self.known(name, RecordType::Txt, self.evidence.txt(name))
    }

    /// The IPv4 addresses of a name.
    pub fn ipv4(&self, name: &str) -> Option<&'e Answer<Ipv4Addr>> {
        self.known(name, RecordType::A, self.evidence.ipv4(name))
    }

    /// The IPv6 addresses of a name.
    pub fn ipv6(&self, name: &str) -> Option<&'e Answer<Ipv6Addr>> {
        self.known(name, RecordType::Aaaa, self.evidence.ipv6(name))
    }

    /// The mail exchangers of a name.
    pub fn mx(&self, name: &str) -> Option<&'e Answer<Mx>> {
        self.known(name, RecordType::Mx, self.evidence.mx(name))
    }

    /// The records of any other type.
    pub fn other(&self, name: &str, record_type: u16) -> Option<&'e Answer<Octets>> {
        let answer = self.evidence.other(name, record_type);
        self.known(name, RecordType::Other(record_type), answer)
    }

    /// The addresses of a host, of both families; none while they are not known.
    pub fn addresses(&self, name: &str) -> Option<Result<Vec<IpAddr>, Failure>> {
        fn of<T: Copy + Into<IpAddr>>(answer: &Answer<T>) -> Result<Vec<IpAddr>, Failure> {
            Ok(answer.records()?.iter().map(|address| (*address).into()).collect())
        }
        let (ipv4, ipv6) = (self.ipv4(name), self.ipv6(name));
        match (of(ipv4?), of(ipv6?)) {
            (Ok(ipv4), Ok(ipv6)) => Some(Ok([ipv4, ipv6].concat())),
            (Err(failure), _) | (_, Err(failure)) => Some(Err(failure)),
        }
    }

    /// The questions whose answers are missing, in the order in which they came up.
    pub fn missing(self) -> Vec<Question> {
        self.missing.into_inner()
    }

    /// The report with the questions whose answers it lacks.
    pub fn finish(self, mut report: LintReport) -> Linting {
        if self.gave_up() {
            report.not_followed();
        }
        Linting { report: report.finished(), missing: self.missing() }
    }

    /// Notes that not everything is followed.
    pub fn give_up(&self) {
        self.gave_up.set(true);
    }

    /// Whether there was more to follow than the bounds allow.
    pub fn gave_up(&self) -> bool {
        self.gave_up.get()
    }

    /// Begins anew to look for the shortest time that an answer holds.
    pub fn forget_ttl(&self) {
        self.ttl.set(u32::MAX);
    }

    /// The shortest time that an answer holds which was used since, in seconds.
    pub fn ttl(&self) -> u32 {
        self.ttl.get()
    }

    /// An answer beyond the bound is not used although it is known, so that the same record always
    /// gets the same report.
    fn known<T>(
        &self,
        name: &str,
        record_type: RecordType,
        answer: Option<&'e Answer<T>>,
    ) -> Option<&'e Answer<T>> {
        if let Some(answer) = answer {
            self.ttl.set(self.ttl.get().min(answer.source.ttl));
        }
        let question = Question::dns(name, record_type);
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&question) {
            if asked.len() >= LINT_QUESTIONS_MAX {
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
