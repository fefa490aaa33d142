use std::sync::Arc;

use quivive_evidence::{Facts, Notebook, Question};

use crate::{Asked, Judgement, Policy, Session, Stage};

/// What comes of judging a message again.
#[derive(Debug)]
pub struct Replay {
    /// The judgement. An evaluation whose evidence does not suffice has no finding in it.
    pub judgement: Judgement,
    /// Questions that would need answers and have none in the evidence: nothing is invented for
    /// them.
    pub lacking: Vec<Question>,
}

/// Judges a message again by its recorded evidence alone. The same policy and evidence give the
/// same findings and verdict, always.
pub fn replay(policy: Arc<Policy>, facts: Facts, evidence: Notebook) -> Replay {
    let mut session = Session::new(policy);
    session.enter(Stage::Message, &facts);
    let round = session.advance(&facts, &evidence);
    let judgement = session.judgement(facts, evidence, Asked::default());
    Replay { judgement, lacking: round.needed }
}
