//! Findings and answers, which many cases have in common.
//!
//! Mail of a domain brings the same answers and the same findings with every message. Each is made
//! once, as long as it is remembered, and shared by the cases that wait to be written.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// How long a part that is remembered may be; a longer one is made anew each time. No answer of DNS
/// is: an octet takes at most five of JSON.
const PART_OCTETS_MAX: usize = 2 * 1024 * 1024;

/// What a part takes in memory beside its texts, and so what remembers one.
const PART_OCTETS: usize = 192;

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
    gauge: Gauge,
}

/// The parts of a case.
#[derive(Debug)]
pub(crate) struct PartsOfCase {
    pub(crate) findings: Vec<Arc<Part>>,
    pub(crate) evidence: Vec<Arc<Part>>,
}

/// How much memory parts take.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge(Arc<Octets>);

#[derive(Debug, Default)]
struct Octets {
    /// All that there are.
    alive: AtomicUsize,
    /// Those that are remembered.
    remembered: AtomicUsize,
}

/// Makes parts, and remembers them.
pub(crate) struct Parts {
    /// Secret: who knew it could make two parts of one name.
    key: [u64; 2],
    remembered: Mutex<Remembered>,
    gauge: Gauge,
}

#[derive(Default)]
struct Remembered {
    parts: HashMap<Name, Arc<Part>, RandomState>,
    /// The last answer to each question.
    answers: HashMap<Question, (AnswerIdentity, Arc<Part>), RandomState>,
    octets: usize,
}

impl Part {
    fn octets(&self) -> usize {
        self.content.len() + PART_OCTETS
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.gauge.0.alive.fetch_sub(self.octets(), Ordering::Relaxed);
    }
}

impl PartsOfCase {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Part>> {
        self.findings.iter().chain(&self.evidence)
    }
}

impl Gauge {
    /// How many octets those take that nothing but waiting cases has. What is remembered has a
    /// bound of its own.
    pub(crate) fn waiting(&self) -> usize {
        let Octets { alive, remembered } = &*self.0;
        alive.load(Ordering::Relaxed).saturating_sub(remembered.load(Ordering::Relaxed))
    }
}

impl Parts {
    /// None yet.
    pub(crate) fn new() -> Self {
        let random = std::hash::RandomState::new();
        let key = [random.hash_one(0), random.hash_one(1)];
        Self { key, remembered: Mutex::default(), gauge: Gauge::default() }
    }

    /// How much memory they take.
    pub(crate) fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// Those of what was judged. As a rule each answer is the very one that was there the last
    /// time: then it is not written out.
    pub(crate) fn of_judgement(&self, findings: &[Finding], notebook: &Notebook) -> PartsOfCase {
        let mut evidence: Vec<Option<Arc<Part>>> = {
            let remembered = self.lock();
            notebook.noted().map(|noted| remembered.answer(&noted)).collect()
        };
        if evidence.iter().any(Option::is_none) {
            let new = evidence.iter_mut().zip(notebook.noted()).filter(|(part, _)| part.is_none());
            new.for_each(|(part, noted)| *part = Some(self.noted(noted)));
        }
        let evidence = evidence.into_iter().flatten().collect();
        PartsOfCase { findings: self.findings(findings), evidence }
    }

    /// Those of a case.
    pub(crate) fn of_case(&self, findings: &[Finding], evidence: &[Recorded]) -> PartsOfCase {
        let evidence = evidence.iter().map(|answer| self.part(answer, None)).collect();
        PartsOfCase { findings: self.findings(findings), evidence }
    }

    /// Those of these findings.
    pub(crate) fn findings(&self, findings: &[Finding]) -> Vec<Arc<Part>> {
        let kind = |finding: &Finding| (finding.method, finding.identity, finding.result);
        findings.iter().map(|finding| self.part(finding, Some(kind(finding)))).collect()
    }

    fn noted(&self, noted: Noted) -> Arc<Part> {
        let part = self.part(&Recorded::of(&noted), None);
        if part.content.len() <= PART_OCTETS_MAX {
            let forgotten = self.lock().remember_answer(noted, part.clone(), &self.gauge);
            drop(forgotten);
        }
        part
    }

    /// The part that says this. It is made while nobody waits.
    fn part<T: Hash + Serialize>(&self, value: &T, finding: Option<FindingKind>) -> Arc<Part> {
        let name = self.name(value, finding.is_some());
        let before = self.lock().parts.get(&name).cloned();
        if let Some(part) = before {
            return part;
        }
        let part = Part { name, content: json(value), finding, gauge: self.gauge.clone() };
        self.gauge.0.alive.fetch_add(part.octets(), Ordering::Relaxed);
        let part = Arc::new(part);
        if part.content.len() <= PART_OCTETS_MAX {
            let forgotten = self.lock().remember(part.clone(), &self.gauge);
            drop(forgotten);
        }
        part
    }

    fn name(&self, value: &impl Hash, is_finding: bool) -> Name {
        thread_local! {
            static OCTETS: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut octets = Hashed(OCTETS.take());
        is_finding.hash(&mut octets);
        value.hash(&mut octets);
        let Hashed(mut octets) = octets;
        let name = SipHasher13::new_with_keys(self.key[0], self.key[1]).hash(&octets).as_u128();
        octets.clear();
        octets.shrink_to(NAMED_OCTETS);
        OCTETS.set(octets);
        name
    }

    /// Nobody panics with the lock held, so that it cannot be poisoned.
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// The part of this very answer.
    fn answer(&self, noted: &Noted) -> Option<Arc<Part>> {
        let (identity, part) = self.answers.get(&noted.question)?;
        identity.is_of(&noted.answer).then(|| part.clone())
    }

    /// Remembers a part; what is forgotten for it is given back, to be freed once nobody waits.
    #[must_use]
    fn remember(&mut self, part: Arc<Part>, gauge: &Gauge) -> Self {
        let octets = part.octets();
        let forgotten = self.make_room(octets, gauge);
        // Another thread may have been quicker.
        match self.parts.insert(part.name, part) {
            Some(_) => self.octets -= octets,
            None => {
                gauge.0.remembered.fetch_add(octets, Ordering::Relaxed);
            }
        }
        forgotten
    }

    /// As [`Remembered::remember`], of an answer that may come again.
    #[must_use]
    fn remember_answer(&mut self, noted: Noted, part: Arc<Part>, gauge: &Gauge) -> Self {
        let Noted { question, answer } = noted;
        // The question stands in the content, too.
        let octets = part.octets();
        let forgotten = self.make_room(octets, gauge);
        if let Some((_, before)) = self.answers.insert(question, (answer.identity(), part)) {
            self.octets -= before.octets();
        }
        forgotten
    }

    fn make_room(&mut self, octets: usize, gauge: &Gauge) -> Self {
        let mut forgotten = Self::default();
        if self.octets + octets > REMEMBERED_OCTETS_MAX {
            forgotten = std::mem::take(self);
            gauge.0.remembered.store(0, Ordering::Relaxed);
        }
        self.octets += octets;
        forgotten
    }
}

#[cfg(test)]
impl Parts {
    /// How much memory those that are remembered take.
    pub(crate) fn octets(&self) -> usize {
        self.lock().octets
    }
}

/// The octets of a value as they are hashed: all of it, and of no two values of a type the same.
struct Hashed(Vec<u8>);

impl Hasher for Hashed {
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
