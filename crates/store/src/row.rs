//! A case as it is read from the file.

use std::collections::{BTreeSet, HashMap};

use quivive_evidence::{Finding, Nonce, Recorded};
use quivive_verdict::Case;
use serde::Deserialize;

use crate::body::Body;
use crate::words;

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
pub(crate) type Contents = HashMap<i64, String>;

impl Row {
    /// The ids of all its parts.
    pub(crate) fn part_ids(&self) -> impl Iterator<Item = i64> {
        ids(&self.findings).chain(ids(&self.evidence))
    }

    /// The words of it that are found by their beginnings.
    pub(crate) fn plain_words(&self) -> BTreeSet<String> {
        let body = Body::read(&self.body);
        body.map_or_else(
            |_| BTreeSet::new(),
            |body| words::plain_words_of(&body.facts, &body.verdict),
        )
    }

    /// The case, with its nonce.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(crate) fn case(&self, parts: &Contents) -> Result<Case, String> {
        let Body { mut facts, door, verdict, headers, cost, outcome, cut, alike: _ } =
            Body::read(&self.body)?;
        facts.case_id.clone_from(&self.id);
        let nonce = self.nonce.as_slice().try_into();
        facts.nonce = Nonce(nonce.map_err(|_| "its nonce is not 16 octets".to_owned())?);
        let findings = read_all::<Finding>(&self.findings, parts)?;
        let evidence = read_all::<Recorded>(&self.evidence, parts)?;
        Ok(Case { facts, door, findings, verdict, headers, evidence, cost, outcome, cut })
    }
}

/// The ids in a column.
pub(crate) fn ids(column: &str) -> impl Iterator<Item = i64> {
    column.split_ascii_whitespace().filter_map(|id| id.parse().ok())
}

/// Reads each part of a column.
pub(crate) fn read_all<'p, T: Deserialize<'p>>(
    column: &str,
    parts: &'p Contents,
) -> Result<Vec<T>, String> {
    ids(column)
        .map(|id| {
            let content = parts.get(&id).ok_or_else(|| format!("its part {id} is not there"))?;
            serde_json::from_str(content).map_err(|error| error.to_string())
        })
        .collect()
}
