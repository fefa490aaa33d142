//! A case as it goes into the file.

use std::io;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use quivive_evidence::Nonce;
use quivive_verdict::{Action, Case};
use sha2::Sha256;

use crate::body::Own;
use crate::cut::{self, CASE_OCTETS_MAX};
use crate::packed::{Packed, Packing};
use crate::part::{Part, Parts, PartsOfCase};
use crate::tally::{refused, seconds};
use crate::words::CaseWords;

/// How many octets of a digest are kept. It is keyed, so that nobody outside can look for two
/// contents with the same.
const DIGEST_OCTETS: usize = 16;

/// More than JSON has around a part of a case, or around all of them.
const SEPARATORS: usize = 64;

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
    /// The packed case, within [`CASE_OCTETS_MAX`].
    ///
    /// # Errors
    /// It cannot be unpacked.
    pub(crate) fn of(packed: &[u8], parts: &mut Parts) -> io::Result<Self> {
        let packed = Packed::read(packed)?;
        let of_case = parts.of(&packed)?;
        let encoded = Self::new(packed.own(), of_case);
        if encoded.is_within_bound() {
            return Ok(encoded);
        }
        Self::cut(packed.case()?, encoded.parts.evidence, parts)
    }

    /// The case, within [`CASE_OCTETS_MAX`].
    ///
    /// # Errors
    /// It cannot be unpacked.
    pub(crate) fn of_case(case: &Case, parts: &mut Parts) -> io::Result<Self> {
        Packing::of_case(case).packed(|octets| Self::of(octets, parts))
    }

    /// What stays of a case, and of the parts that are its evidence.
    fn cut(mut case: Case, parts: Vec<Arc<Part>>, all: &mut Parts) -> io::Result<Self> {
        let evidence = std::mem::take(&mut case.evidence);
        let answers = evidence.into_iter().map(|answer| answer.question).zip(&parts);
        let answers = answers.map(|(question, part)| (question, part.content.len()));
        let stay = cut::within_bound(&mut case, &answers.collect::<Vec<_>>());
        let without_evidence = Packing::of_case(&case);
        let findings = without_evidence
            .packed(|octets| Packed::read(octets).and_then(|packed| all.of(&packed)))?
            .findings;
        let evidence = stay.into_iter().map(|place| parts[place].clone()).collect();
        Ok(Self::new(Own::of_case(&case), PartsOfCase { findings, evidence }))
    }

    fn new(own: Own<'_>, parts: PartsOfCase) -> Self {
        let (facts, action) = (own.facts, own.verdict.action);
        let refused = refused(facts, action);
        let findings = parts.heads().map(|head| (head.kind, &*head.domain));
        let public_id = Some(&facts.public_id).filter(|id| refused.is_some() && !id.is_empty());
        Self {
            id: facts.case_id.as_str().into(),
            public_id: public_id.cloned(),
            at: seconds(facts),
            nonce: facts.nonce,
            action,
            refused,
            words: CaseWords::of(facts, findings, own.verdict),
            body: own.json(),
            parts,
        }
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
