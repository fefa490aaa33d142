//! Findings and answers, which many cases have in common.
//!
//! Mail of a domain brings the same answers and the same findings with every message. Each is made
//! once, as long as it is remembered: what is packed alike is alike.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::io;
use std::sync::Arc;

use foldhash::fast::RandomState;
use quivive_evidence::{Finding, FindingResult, Identity, Method};
use serde::Serialize;
use siphasher::sip128::SipHasher13;

use crate::body::json;
use crate::packed::{Packed, answer, finding};

/// How much memory the parts that are remembered take at most, in octets. Beyond, all are
/// forgotten: those that matter come again.
pub(crate) const REMEMBERED_OCTETS_MAX: usize = 32 * 1024 * 1024;

/// How long a part that is remembered may be; a longer one is made anew each time. No answer of DNS
/// is: an octet takes at most five of JSON.
const PART_OCTETS_MAX: usize = 2 * 1024 * 1024;

/// What a part takes in memory beside its texts, and so what remembers one.
const PART_OCTETS: usize = 192;

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
    pub(crate) head: Option<Head>,
}

/// What of a finding is counted, and the domain that was asked.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) kind: FindingKind,
    pub(crate) domain: Box<str>,
}

/// The parts of a case.
#[derive(Debug)]
pub(crate) struct PartsOfCase {
    pub(crate) findings: Vec<Arc<Part>>,
    pub(crate) evidence: Vec<Arc<Part>>,
}

/// Makes parts, and remembers them.
pub(crate) struct Parts {
    /// Secret: who knew it could make two parts of one name.
    key: [u64; 2],
    remembered: HashMap<Name, Arc<Part>, RandomState>,
    octets: usize,
}

impl Part {
    fn octets(&self) -> usize {
        let domain = self.head.as_ref().map_or(0, |head| head.domain.len());
        self.content.len() + domain + PART_OCTETS
    }
}

impl PartsOfCase {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Part>> {
        self.findings.iter().chain(&self.evidence)
    }

    /// What is counted and asked of its findings.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Head> + Clone {
        self.findings.iter().filter_map(|part| part.head.as_ref())
    }
}

impl Parts {
    /// None yet.
    pub(crate) fn new() -> Self {
        let random = std::hash::RandomState::new();
        let key = [random.hash_one(0), random.hash_one(1)];
        Self { key, remembered: HashMap::default(), octets: 0 }
    }

    /// Those of a case.
    ///
    /// # Errors
    /// A finding or an answer is none.
    pub(crate) fn of(&mut self, case: &Packed<'_>) -> io::Result<PartsOfCase> {
        let findings = case.findings.iter().map(|octets| self.finding(octets));
        let findings = findings.collect::<io::Result<_>>()?;
        let evidence = case.evidence.iter().map(|octets| self.answer(octets));
        Ok(PartsOfCase { findings, evidence: evidence.collect::<io::Result<_>>()? })
    }

    /// That of a packed finding.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn finding(&mut self, octets: &[u8]) -> io::Result<Arc<Part>> {
        let head = |finding: &Finding| {
            let kind = (finding.method, finding.identity, finding.result);
            Some(Head { kind, domain: finding.domain.as_str().into() })
        };
        self.part((b'f', octets), finding, head)
    }

    fn answer(&mut self, octets: &[u8]) -> io::Result<Arc<Part>> {
        self.part((b'a', octets), answer, |_| None)
    }

    /// The part that says this. What is of another kind has another name.
    fn part<T: Serialize>(
        &mut self,
        (kind, octets): (u8, &[u8]),
        unpack: impl FnOnce(&[u8]) -> io::Result<T>,
        head: impl FnOnce(&T) -> Option<Head>,
    ) -> io::Result<Arc<Part>> {
        let name = self.name(kind, octets);
        if let Some(part) = self.remembered.get(&name) {
            return Ok(part.clone());
        }
        let value = unpack(octets)?;
        let part = Arc::new(Part { name, content: json(&value), head: head(&value) });
        if part.content.len() <= PART_OCTETS_MAX {
            self.remember(part.clone());
        }
        Ok(part)
    }

    pub(crate) fn name(&self, kind: u8, octets: &[u8]) -> Name {
        let [one, other] = self.key;
        SipHasher13::new_with_keys(one ^ u64::from(kind), other).hash(octets).as_u128()
    }

    fn remember(&mut self, part: Arc<Part>) {
        let octets = part.octets();
        if self.octets + octets > REMEMBERED_OCTETS_MAX {
            self.remembered.clear();
            self.octets = 0;
        }
        self.octets += octets;
        self.remembered.insert(part.name, part);
    }
}

#[cfg(test)]
impl Parts {
    /// How much memory those that are remembered take.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }
}
