//! A case as it stands in the file, and back.

use std::collections::{BTreeSet, HashMap};

use hmac::{Hmac, KeyInit, Mac};
use quivive_evidence::{Facts, Finding, Nonce, Recorded};
use quivive_verdict::{Action, Case, Cost, Headers, Verdict};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::cut::{self, CASE_OCTETS_MAX};
use crate::tally::Counted;
use crate::words::{self, Words};

/// How many octets of a digest are kept. It is keyed, so that nobody outside can look for two
/// contents with the same.
const DIGEST_OCTETS: usize = 16;

/// More than JSON has around a part of a case, or around all of them.
const SEPARATORS: usize = 64;

/// What most parts fit into as JSON.
const PART_OCTETS: usize = 512;

/// The secret of a file: digests of parts and of addresses are made with it.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) [u8; 32]);

/// A part's digest.
pub(crate) type Digest = [u8; DIGEST_OCTETS];

/// A case ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) id: String,
    pub(crate) public_id: Option<String>,
    pub(crate) at: i64,
    pub(crate) nonce: [u8; 16],
    pub(crate) body: String,
    pub(crate) findings: Vec<Part>,
    pub(crate) evidence: Vec<Part>,
    pub(crate) words: Words,
    pub(crate) counted: Counted,
}

/// What may be equal in many cases.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) digest: Digest,
    pub(crate) content: String,
}

/// What a case has to itself.
#[derive(Serialize)]
struct BodyRef<'a> {
    facts: &'a Facts,
    door: &'a str,
    verdict: &'a Verdict,
    headers: &'a Headers,
    cost: Cost,
    outcome: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cut: &'a [String],
}

#[derive(Deserialize)]
struct Body {
    facts: Facts,
    door: String,
    verdict: Verdict,
    headers: Headers,
    cost: Cost,
    outcome: String,
    #[serde(default)]
    cut: Vec<String>,
}

/// A row of the file, with the parts of several.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) findings: String,
    pub(crate) evidence: String,
    pub(crate) body: String,
}

/// The contents of parts by their ids.
pub(crate) type Parts = HashMap<i64, String>;

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
    /// The case, within [`CASE_OCTETS_MAX`].
    pub(crate) fn new(case: Case, key: &Key) -> Self {
        let encoded = Self::whole(&case, key);
        let octets = encoded.body.len()
            + encoded.parts().map(|part| part.content.len() + SEPARATORS).sum::<usize>();
        if octets + SEPARATORS <= CASE_OCTETS_MAX {
            return encoded;
        }
        Self::whole(&cut::within_bound(case), key)
    }

    fn whole(case: &Case, key: &Key) -> Self {
        let refused = matches!(case.verdict.action, Action::Reject | Action::Defer);
        let public_id = Some(&case.facts.public_id).filter(|id| refused && !id.is_empty());
        Self {
            id: case.facts.case_id.clone(),
            public_id: public_id.cloned(),
            at: i64::try_from(case.facts.now).unwrap_or(i64::MAX),
            nonce: case.facts.nonce.0,
            body: body(case),
            findings: case.findings.iter().map(|finding| Part::new(finding, key)).collect(),
            evidence: case.evidence.iter().map(|answer| Part::new(answer, key)).collect(),
            words: Words::of(case),
            counted: Counted::of(case),
        }
    }

    /// All its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.findings.iter().chain(&self.evidence)
    }
}

impl Part {
    fn new(value: &impl Serialize, key: &Key) -> Self {
        let content = json(value);
        Self { digest: key.digest(b'p', content.as_bytes()), content }
    }
}

impl Row {
    /// The ids of all its parts.
    pub(crate) fn part_ids(&self) -> impl Iterator<Item = i64> {
        ids(&self.findings).chain(ids(&self.evidence))
    }

    /// The words of it that are found by their beginnings.
    pub(crate) fn plain_words(&self) -> BTreeSet<String> {
        #[derive(Deserialize)]
        struct OnlyAddresses {
            facts: Facts,
            verdict: Verdict,
        }
        let body = serde_json::from_str::<OnlyAddresses>(&self.body);
        body.map_or_else(
            |_| BTreeSet::new(),
            |body| words::plain_words_of(&body.facts, &body.verdict),
        )
    }

    /// The case, with its nonce.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(crate) fn case(&self, parts: &Parts) -> Result<Case, String> {
        let body: Body = serde_json::from_str(&self.body).map_err(|error| error.to_string())?;
        let mut facts = body.facts;
        facts.nonce = Nonce(
            self.nonce
                .as_slice()
                .try_into()
                .map_err(|_| "its nonce is not 16 octets".to_owned())?,
        );
        Ok(Case {
            facts,
            door: body.door,
            findings: self.findings(parts)?,
            verdict: body.verdict,
            headers: body.headers,
            evidence: read_all::<Recorded>(&self.evidence, parts)?,
            cost: body.cost,
            outcome: body.outcome,
            cut: body.cut,
        })
    }

    fn findings(&self, parts: &Parts) -> Result<Vec<Finding>, String> {
        read_all(&self.findings, parts)
    }
}

/// The ids in a column.
pub(crate) fn ids(column: &str) -> impl Iterator<Item = i64> {
    column.split_ascii_whitespace().filter_map(|id| id.parse().ok())
}

/// Reads each part of a column.
pub(crate) fn read_all<'p, T: Deserialize<'p>>(
    column: &str,
    parts: &'p Parts,
) -> Result<Vec<T>, String> {
    ids(column)
        .map(|id| {
            let content = parts.get(&id).ok_or_else(|| format!("its part {id} is not there"))?;
            serde_json::from_str(content).map_err(|error| error.to_string())
        })
        .collect()
}

fn body(case: &Case) -> String {
    json(&BodyRef {
        facts: &case.facts,
        door: &case.door,
        verdict: &case.verdict,
        headers: &case.headers,
        cost: case.cost,
        outcome: &case.outcome,
        cut: &case.cut,
    })
}

/// As JSON.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(PART_OCTETS);
    serde_json::to_writer(&mut text, value).expect("strings, numbers and lists are JSON");
    String::from_utf8(text).expect("JSON is text")
}
