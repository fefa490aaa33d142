use quivive_evidence::{Facts, Finding, Identity, Notebook, Recorded};
use serde::{Deserialize, Serialize};

use crate::{Cost, Headers, Judgement, Verdict};

/// A message's judgement with all that it rests on, in the form in which it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What the peer said and did; among it the case's id and the time.
    pub facts: Facts,
    /// Which door it came in by.
    pub door: String,
    /// One finding per method and identity, in the order in which they were weighed.
    pub findings: Vec<Finding>,
    /// What was to be done.
    pub verdict: Verdict,
    /// What was written on top of the message.
    pub headers: Headers,
    /// Every question that was answered, with its answer.
    pub evidence: Vec<Recorded>,
    /// What it took.
    pub cost: Cost,
    /// What became of the message: the reply that its client heard last.
    pub outcome: String,
    /// What was cut so that the case keeps its bound where it is stored; empty: nothing. A replay
    /// of what was cut can differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
}

impl Case {
    /// The case of a judgement. Where its verdict names no recipients, it is that for each of them.
    pub fn new(judgement: Judgement, door: &str, outcome: String) -> Self {
        let Judgement { facts, findings, mut verdict, headers, notebook, cost } = judgement;
        if verdict.recipients.is_empty() {
            verdict.recipients = verdict.for_each(&facts.recipients);
        }
        Self {
            facts,
            door: door.to_owned(),
            findings,
            verdict,
            headers,
            evidence: notebook.noted().map(|noted| Recorded::of(&noted)).collect(),
            cost,
            outcome,
            cut: Vec::new(),
        }
    }

    /// The judgement that it keeps.
    ///
    /// # Errors
    /// The first answer that cannot be read, in words.
    pub fn judgement(&self) -> Result<Judgement, String> {
        Ok(Judgement {
            facts: self.facts.clone(),
            findings: self.findings.clone(),
            verdict: self.verdict.clone(),
            headers: self.headers.clone(),
            notebook: self.notebook(&[])?,
            cost: self.cost,
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.facts.case_id
    }

    /// The domain that a record without a name is of: that of the reverse-path, or of HELO where
    /// there is none.
    pub fn domain(&self) -> &str {
        let of_sender = |finding: &&Finding| finding.identity == Identity::Mailfrom;
        let finding = self.findings.iter().find(of_sender).or_else(|| self.findings.first());
        finding.map_or("", |finding| &finding.domain)
    }

    /// Its evidence as a notebook. What stands in `instead` replaces the answer to the same
    /// question.
    ///
    /// # Errors
    /// The first answer that cannot be read, in words.
    pub fn notebook(&self, instead: &[Recorded]) -> Result<Notebook, String> {
        let mut notebook = Notebook::default();
        // The first answer to a question stands.
        instead.iter().chain(&self.evidence).try_for_each(|answer| answer.note(&mut notebook))?;
        Ok(notebook)
    }
}
