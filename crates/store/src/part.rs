//! Findings and answers, which many cases have in common.
//!
//! Mail of a domain brings the same answers and the same findings with every message. Each is made
//! once, as long as it is remembered, and shared by the cases that wait to be written.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use quivive_evidence::{
    AnswerIdentity, Finding, FindingResult, Identity, Method, Notebook, Noted, Question, Recorded,
};
use serde::Serialize;
use siphasher::sip128::SipHasher13;

use crate::body::json;

/// How much memory the parts that are remembered take at most, in octets. Beyond, all are
/// forgotten: those that matter come again.
pub(crate) const REMEMBERED_OCTETS_MAX: usize = 32 * 1024 * 1024;

/// How long a part that is remembered may be; a longer one is made anew each time.
const PART_OCTETS_MAX: usize = 256 * 1024;

/// What remembering a part takes beside its texts.
pub(crate) const PART_OCTETS: usize = 192;

/// What most parts fit into, octet by octet.
const NAMED_OCTETS: usize = 2048;

/// What tells a part from all others, as long as the process runs: a digest under a secret key.
pub(crate) type Name = u128;

/// What of a finding is counted.
pub(crate) type FindingKind = (Method, Identity, FindingResult);

/// What may be equal in many cases.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: Name,
    /// As JSON.
    pub(crate) content: Arc<str>,
    /// None of an answer.
    pub(crate) finding: Option<FindingKind>,
}

/// The parts of a case.
#[derive(Debug)]
pub(crate) struct PartsOfCase {
    pub(crate) findings: Vec<Arc<Part>>,
    pub(crate) evidence: Vec<Arc<Part>>,
    /// How many octets of memory they take that no earlier case counts.
    pub(crate) new_octets: usize,
}

/// Makes parts, and remembers them.
pub(crate) struct Parts {
    /// Secret: who knew it could make two parts of one name.
    key: [u64; 2],
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    parts: HashMap<Name, Arc<Part>, RandomState>,
    /// The last answer to each question.
    answers: HashMap<Question, (AnswerIdentity, Arc<Part>), RandomState>,
    octets: usize,
    /// How many octets of memory were taken for what was not there.
    new_octets: usize,
}

impl Parts {
    /// None yet.
    pub(crate) fn new() -> Self {
        let random = std::hash::RandomState::new();
        let key = [random.hash_one(0), random.hash_one(1)];
        Self { key, remembered: Mutex::default() }
    }

    /// Those of what was judged.
    pub(crate) fn of_judgement(&self, findings: &[Finding], notebook: &Notebook) -> PartsOfCase {
        self.all(findings, |remembered| {
            notebook.noted().map(|noted| self.noted(remembered, noted)).collect()
        })
    }

    /// Those of a case.
    pub(crate) fn of_case(&self, findings: &[Finding], evidence: &[Recorded]) -> PartsOfCase {
        self.all(findings, |remembered| {
            evidence.iter().map(|answer| self.answer(remembered, answer)).collect()
        })
    }

    fn all(
        &self,
        findings: &[Finding],
        evidence: impl FnOnce(&mut Remembered) -> Vec<Arc<Part>>,
    ) -> PartsOfCase {
        let names: Vec<Name> = findings.iter().map(|finding| self.name(finding)).collect();
        let mut remembered = self.lock();
        remembered.new_octets = 0;
        let findings = names.into_iter().zip(findings).map(|(name, finding)| {
            let kind = (finding.method, finding.identity, finding.result);
            remembered.part(name, finding, Some(kind))
        });
        let findings = findings.collect();
        let evidence = evidence(&mut remembered);
        PartsOfCase { findings, evidence, new_octets: remembered.new_octets }
    }

    /// As a rule the very answer that was there the last time: then nothing is written out.
    fn noted(&self, remembered: &mut Remembered, noted: Noted) -> Arc<Part> {
        if let Some((identity, part)) = remembered.answers.get(&noted.question)
            && identity.is_of(&noted.answer)
        {
            return part.clone();
        }
        let part = self.answer(remembered, &Recorded::of(&noted));
        remembered.remember_answer(noted, part.clone());
        part
    }

    fn answer(&self, remembered: &mut Remembered, answer: &Recorded) -> Arc<Part> {
        remembered.part(self.name(answer), answer, None)
    }

    fn name(&self, value: &impl Hash) -> Name {
        let mut octets = Octets(Vec::with_capacity(NAMED_OCTETS));
        value.hash(&mut octets);
        SipHasher13::new_with_keys(self.key[0], self.key[1]).hash(&octets.0).as_u128()
    }

    /// Nobody panics with the lock held, so that it cannot be poisoned.
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn part(
        &mut self,
        name: Name,
        value: &impl Serialize,
        finding: Option<FindingKind>,
    ) -> Arc<Part> {
        if let Some(part) = self.parts.get(&name) {
            return part.clone();
        }
        let part = Arc::new(Part { name, content: json(value), finding });
        let octets = part.content.len() + PART_OCTETS;
        self.new_octets += octets;
        if part.content.len() <= PART_OCTETS_MAX {
            self.make_room(octets);
            self.parts.insert(name, part.clone());
        }
        part
    }

    fn remember_answer(&mut self, Noted { question, answer }: Noted, part: Arc<Part>) {
        if part.content.len() <= PART_OCTETS_MAX {
            // The question stands in the content, too.
            self.make_room(PART_OCTETS + part.content.len());
            self.answers.insert(question, (answer.identity(), part));
        }
    }

    fn make_room(&mut self, octets: usize) {
        if self.octets + octets > REMEMBERED_OCTETS_MAX {
            self.parts.clear();
            self.answers.clear();
            self.octets = 0;
        }
        self.octets += octets;
    }
}

#[cfg(test)]
impl Parts {
    /// How much memory those that are remembered take.
    pub(crate) fn octets(&self) -> usize {
        self.lock().octets
    }
}

/// The octets of a value as they are hashed: all of it, and of no two values the same.
struct Octets(Vec<u8>);

impl Hasher for Octets {
    #[inline]
    fn write(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }

    #[inline]
    fn write_u8(&mut self, octet: u8) {
        self.0.push(octet);
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    /// Seven bits an octet, from the lowest; the last is the first below 128. Almost all numbers in
    /// a part are small.
    #[inline]
    fn write_u64(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    /// What was written is the result.
    fn finish(&self) -> u64 {
        0
    }
}
