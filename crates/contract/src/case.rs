use quivive_evidence::Facts;
use quivive_verdict::{Case, Judgement};
use serde::Serialize;

use crate::JudgementJson;

/// A case, as `case show --json` writes it: what was said, then what `check` writes.
#[derive(Serialize)]
pub struct CaseJson<'a> {
    id: &'a str,
    door: &'a str,
    outcome: &'a str,
    facts: &'a Facts,
    #[serde(flatten)]
    judgement: JudgementJson<'a>,
    cut: &'a [String],
}

impl<'a> CaseJson<'a> {
    /// The object for a case and its [`Case::judgement`].
    pub fn new(case: &'a Case, judgement: &'a Judgement) -> Self {
        Self {
            id: case.id(),
            door: &case.door,
            outcome: &case.outcome,
            facts: &case.facts,
            judgement: JudgementJson::new(judgement),
            cut: &case.cut,
        }
    }
}
