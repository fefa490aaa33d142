use std::collections::HashSet;

use borsh::{BorshDeserialize, BorshSerialize};
use foldhash::fast::RandomState;
use quivive_evidence::{Facts, Finding, Notebook, Question};
use serde::{Deserialize, Serialize};

use crate::{Headers, Session, Verdict};

/// What was found out about a message, and what follows.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// What the peer said and did.
    pub facts: Facts,
    /// One finding per method and identity, in the order in which they were weighed.
    pub findings: Vec<Finding>,
    /// What is to be done.
    pub verdict: Verdict,
    /// What is written on top of the message.
    pub headers: Headers,
    /// Every question that was answered, with its answer.
    pub notebook: Notebook,
    /// What it took.
    pub cost: Cost,
}

impl Judgement {
    /// Names the recipients that a client named after it had been judged. The verdict is the same
    /// for each of them, and names none from now on; [`crate::Case::new`] has it for each again.
    pub fn name_recipients(&mut self, recipients: Vec<String>) {
        self.verdict.recipients.clear();
        self.facts.recipients = recipients;
    }
}

/// What a judgement took.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    BorshDeserialize,
    BorshSerialize,
)]
pub struct Cost {
    /// Questions that the findings depend on.
    pub questions_needed: usize,
    /// Questions that were asked ahead of need and then not needed.
    pub questions_ahead: usize,
    /// How many times questions had to be waited for, one after the other.
    pub rounds: usize,
    /// Time from the first to the last evaluation, in microseconds.
    pub micros: u64,
}

/// What a driver asked on behalf of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// How many different questions.
    pub questions: usize,
    /// In how many rounds.
    pub rounds: usize,
    /// How long everything took, in microseconds.
    pub micros: u64,
}

impl Session {
    /// The judgement of a message that has been evaluated with the evidence of this notebook.
    pub fn judgement(self, facts: Facts, notebook: Notebook, asked: Asked) -> Judgement {
        let needed: HashSet<&Question, RandomState> =
            self.findings().flat_map(|finding| &finding.needed).collect();
        let cost = Cost {
            questions_needed: needed.len(),
            questions_ahead: asked.questions.saturating_sub(needed.len()),
            rounds: asked.rounds,
            micros: asked.micros,
        };
        Judgement {
            verdict: self.verdict(&facts),
            headers: self.headers(&facts),
            findings: self.into_findings().collect(),
            notebook,
            cost,
            facts,
        }
    }
}
