//! A case as it goes into the file, made ready where its message was judged: there everything is at
//! hand, and what waits to be written is small.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use quivive_evidence::{Finding, Nonce, Notebook, Question};
use quivive_verdict::{Action, Case, Judgement};
use sha2::Sha256;

use crate::body::Own;
use crate::cut::{self, CASE_OCTETS_MAX};
use crate::part::{FindingKind, Part, Parts, PartsOfCase};
use crate::tally::{seconds, sender_domain};
use crate::words::CaseWords;

/// How many octets of a digest are kept. It is keyed, so that nobody outside can look for two
/// contents with the same.
const DIGEST_OCTETS: usize = 16;

/// More than JSON has around a part of a case, or around all of them.
const SEPARATORS: usize = 64;

/// What a case takes in memory beside its texts.
const CASE_OCTETS: usize = 512;

/// The secret of a file: digests of parts and of addresses are made with it.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) [u8; 32]);

/// A part's digest.
pub(crate) type Digest = [u8; DIGEST_OCTETS];

/// A case ready to be written.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) id: Arc<str>,
    /// The id under which the explanation of a refusal is public.
    pub(crate) public_id: Option<String>,
    /// When the message came, in seconds since 1970.
    pub(crate) at: i64,
    pub(crate) nonce: Nonce,
    pub(crate) action: Action,
    /// The domain that the message claims to come from, if it was refused.
    pub(crate) refused: Option<String>,
    pub(crate) words: CaseWords,
    /// What it has to itself.
    pub(crate) body: Arc<str>,
    pub(crate) parts: PartsOfCase,
}

impl Key {
    /// A digest under this key. `purpose` keeps digests of different kinds apart.
    pub(crate) fn digest(&self, purpose: u8, content: &[u8]) -> Digest {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&[purpose]);
        mac.update(content);
        let full = mac.finalize().into_bytes();
        let mut digest = [0; DIGEST_OCTETS];
        digest.copy_from_slice(&full[..DIGEST_OCTETS]);
        digest
    }
}

impl Encoded {
    /// What was judged, within [`CASE_OCTETS_MAX`].
    pub(crate) fn of_judgement(
        judgement: &Judgement,
        door: &str,
        outcome: &str,
        parts: &Parts,
    ) -> Self {
        let Judgement { facts, findings, verdict, headers, notebook, cost } = judgement;
        let own = Own::of_judgement(judgement, door, outcome);
        let encoded = Self::new(own, findings, parts.of_judgement(findings, notebook));
        if encoded.is_within_bound() {
            return encoded;
        }
        let without_evidence = Judgement {
            facts: facts.clone(),
            findings: findings.clone(),
            verdict: verdict.clone(),
            headers: headers.clone(),
            notebook: Notebook::default(),
            cost: *cost,
        };
        let case = Case::new(without_evidence, door, outcome.to_owned());
        let questions = notebook.noted().map(|noted| noted.question).collect();
        Self::cut(case, questions, encoded.parts.evidence, parts)
    }

    /// The case, within [`CASE_OCTETS_MAX`].
    pub(crate) fn of_case(case: &Case, parts: &Parts) -> Self {
        let of_case = parts.of_case(&case.findings, &case.evidence);
        let encoded = Self::new(Own::of_case(case), &case.findings, of_case);
        if encoded.is_within_bound() {
            return encoded;
        }
        let mut case = case.clone();
        let evidence = std::mem::take(&mut case.evidence);
        let questions = evidence.into_iter().map(|answer| answer.question).collect();
        Self::cut(case, questions, encoded.parts.evidence, parts)
    }

    /// What stays of a case with these questions and their answers.
    fn cut(
        mut case: Case,
        questions: Vec<Question>,
        evidence: Vec<Arc<Part>>,
        parts: &Parts,
    ) -> Self {
        let answers = questions.into_iter().zip(&evidence);
        let answers = answers.map(|(question, part)| (question, part.content.len()));
        let stay = cut::within_bound(&mut case, &answers.collect::<Vec<_>>());
        let evidence = stay.into_iter().map(|place| evidence[place].clone()).collect();
        let findings = parts.findings(&case.findings);
        Self::new(Own::of_case(&case), &case.findings, PartsOfCase { findings, evidence })
    }

    fn new(own: Own<'_>, findings: &[Finding], parts: PartsOfCase) -> Self {
        let (facts, action) = (own.facts, own.verdict.action);
        let is_refused = matches!(action, Action::Reject | Action::Defer);
        let public_id = Some(&facts.public_id).filter(|id| is_refused && !id.is_empty());
        Self {
            id: facts.case_id.as_str().into(),
            public_id: public_id.cloned(),
            at: seconds(facts),
            nonce: facts.nonce,
            action,
            refused: is_refused.then(|| sender_domain(facts)),
            words: CaseWords::of(facts, findings, own.verdict),
            body: own.json(),
            parts,
        }
    }

    /// What of its findings is counted.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = FindingKind> {
        self.parts.findings.iter().filter_map(|part| part.finding)
    }

    /// How many octets of memory it takes, beside its parts.
    pub(crate) fn octets(&self) -> usize {
        let texts = [&self.public_id, &self.refused].into_iter().flatten();
        CASE_OCTETS
            + self.id.len()
            + texts.map(String::len).sum::<usize>()
            + self.words.octets()
            + self.body.len()
            + self.parts.all().count() * size_of::<Arc<Part>>()
    }

    /// How many octets it has in a file that has none of its parts.
    pub(crate) fn octets_in_file(&self) -> usize {
        let of_parts: usize = self.parts.all().map(|part| part.content.len() + SEPARATORS).sum();
        self.body.len() + of_parts + SEPARATORS
    }

    fn is_within_bound(&self) -> bool {
        self.octets_in_file() <= CASE_OCTETS_MAX
    }
}
