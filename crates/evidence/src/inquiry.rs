use crate::{Evaluate, Evaluation, Evidence, Facts, Finding, Question};

/// How many rounds of questions an evaluation may take; one more is given up with the cause
/// `round-budget`. In strict order the worst SPF record takes 112.
pub const ROUNDS_MAX: usize = 128;

/// How many questions an evaluation may put ahead of need over all its rounds.
pub const AHEAD_QUESTIONS_MAX: usize = 20;

/// One evaluation on its way to its finding: the bounds that every driver shares.
pub struct Inquiry {
    method: Box<dyn Evaluate>,
    rounds: usize,
    ahead: usize,
}

/// Where an inquiry stands.
#[derive(Debug)]
pub enum Progress {
    /// The finding.
    Done(Box<Finding>),
    /// Answer at least the first of these and advance again.
    Ask(Vec<Question>),
}

impl Inquiry {
    /// An inquiry that has not begun.
    pub fn new(method: Box<dyn Evaluate>) -> Self {
        Self { method, rounds: 0, ahead: 0 }
    }

    /// Evaluates with what is known now.
    pub fn advance(&mut self, facts: &Facts, evidence: &dyn Evidence) -> Progress {
        match self.method.evaluate(facts, evidence) {
            Evaluation::Done(finding) => Progress::Done(finding),
            Evaluation::Missing(_) if self.rounds == ROUNDS_MAX => {
                Progress::Done(Box::new(self.method.give_up(facts, "round-budget")))
            }
            Evaluation::Missing(missing) => {
                self.rounds += 1;
                let mut questions = missing.into_questions();
                debug_assert!(!questions.is_empty(), "Missing without a question never ends");
                questions.truncate(1 + AHEAD_QUESTIONS_MAX - self.ahead);
                self.ahead += questions.len() - 1;
                Progress::Ask(questions)
            }
        }
    }

    /// As [`Inquiry::advance`], but asks for the needed question alone: strict order.
    pub fn advance_strictly(&mut self, facts: &Facts, evidence: &dyn Evidence) -> Progress {
        self.ahead = AHEAD_QUESTIONS_MAX;
        self.advance(facts, evidence)
    }

    /// How many times questions were asked.
    pub fn rounds(&self) -> usize {
        self.rounds
    }
}
