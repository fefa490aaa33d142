use crate::{Evaluate, Evaluation, Evidence, Facts, Finding, Missing, Question};

/// How many rounds of questions an evaluation may take; one more is given up with the cause
/// `round-budget`. In strict order the worst SPF record takes 112.
pub const ROUNDS_MAX: usize = 128;

/// How many questions an evaluation may put ahead of need over all its rounds.
pub const AHEAD_QUESTIONS_MAX: usize = 20;

/// One evaluation on its way to its finding, within the bounds that every driver shares.
pub struct Inquiry {
    method: Box<dyn Evaluate>,
    rounds: Rounds,
}

/// The bounds that every driver shares: how often an evaluation may ask, and how much ahead of
/// need.
#[derive(Debug, Default)]
pub struct Rounds {
    count: usize,
    ahead: Vec<Question>,
}

/// Where an inquiry stands.
#[derive(Debug)]
pub enum Progress {
    /// The finding.
    Done(Box<Finding>),
    /// Answer at least the needed question and advance again.
    Ask(Round),
}

/// The questions of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Without their answers there is no next round: one for each evaluation that is not done.
    pub needed: Vec<Question>,
    /// May be asked at the same time, and need not be waited for. None of them is among the needed.
    pub ahead: Vec<Question>,
}

impl Round {
    /// Adds the questions of another evaluation's round; equal questions are asked once.
    pub fn merge(&mut self, other: Self) {
        for question in other.needed {
            self.ahead.retain(|ahead| *ahead != question);
            if !self.needed.contains(&question) {
                self.needed.push(question);
            }
        }
        for question in other.ahead {
            if !self.needed.contains(&question) && !self.ahead.contains(&question) {
                self.ahead.push(question);
            }
        }
    }

    /// Nothing is asked: every evaluation is done.
    pub fn is_empty(&self) -> bool {
        self.needed.is_empty()
    }

    /// The needed questions, then those ahead of need.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.needed.iter().chain(&self.ahead)
    }
}

impl Rounds {
    /// The next round of questions; none once there were [`ROUNDS_MAX`].
    ///
    /// # Panics
    /// If nothing is missing.
    pub fn next(&mut self, missing: Missing) -> Option<Round> {
        if self.count == ROUNDS_MAX {
            return None;
        }
        self.count += 1;
        let mut questions = missing.into_questions().into_iter();
        let needed = questions.next().expect("an evaluation without a gap is done");
        let ahead = questions.filter(|question| self.admit_ahead(question)).collect();
        Some(Round { needed: vec![needed], ahead })
    }

    /// Whether a question is within the number that may be put ahead of need. One that was admitted
    /// before is still on its way and costs nothing more.
    fn admit_ahead(&mut self, question: &Question) -> bool {
        if self.ahead.contains(question) {
            return true;
        }
        let admitted = self.ahead.len() < AHEAD_QUESTIONS_MAX;
        if admitted {
            self.ahead.push(question.clone());
        }
        admitted
    }
}

impl Inquiry {
    /// An inquiry that has not begun.
    pub fn new(method: Box<dyn Evaluate>) -> Self {
        Self { method, rounds: Rounds::default() }
    }

    /// Evaluates with what is known now.
    pub fn advance(&mut self, facts: &Facts, evidence: &dyn Evidence) -> Progress {
        match self.method.evaluate(facts, evidence) {
            Evaluation::Done(finding) => Progress::Done(finding),
            Evaluation::Missing(missing) => match self.rounds.next(missing) {
                Some(round) => Progress::Ask(round),
                None => Progress::Done(Box::new(self.method.give_up(facts, "round-budget"))),
            },
        }
    }

    /// How many times questions were asked.
    pub fn rounds(&self) -> usize {
        self.rounds.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ahead, FindingResult, Identity, Method, Notebook, RecordType};

    /// Never has enough: asks for another needed question and three ahead each time.
    struct Insatiable(std::sync::atomic::AtomicUsize);

    impl Evaluate for Insatiable {
        fn evaluate(&self, _: &Facts, _: &dyn Evidence) -> Evaluation {
            let round = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut missing = Missing::default();
            for index in 0..4 {
                let name = format!("{index}.{round}.example");
                missing.note(Question::dns(&name, RecordType::A), Ahead::Allowed);
            }
            Evaluation::Missing(missing)
        }

        fn give_up(&self, _: &Facts, cause: &'static str) -> Finding {
            Finding {
                method: Method::Spf,
                identity: Identity::Helo,
                domain: String::new(),
                result: FindingResult::Temperror,
                cause: cause.into(),
                decided_by: None,
                explanation: None,
                properties: Vec::new(),
                trace: Vec::new(),
                needed: Vec::new(),
            }
        }
    }

    #[test]
    fn rounds_and_questions_ahead_are_bounded() {
        let facts = Facts::new([192, 0, 2, 1].into());
        let mut inquiry = Inquiry::new(Box::new(Insatiable(0.into())));
        let (mut rounds, mut ahead) = (0, 0);
        let finding = loop {
            match inquiry.advance(&facts, &Notebook::default()) {
                Progress::Done(finding) => break finding,
                Progress::Ask(round) => {
                    rounds += 1;
                    ahead += round.ahead.len();
                }
            }
        };
        assert_eq!((rounds, ahead), (ROUNDS_MAX, AHEAD_QUESTIONS_MAX));
        assert_eq!(finding.cause, "round-budget");
    }

    #[test]
    fn a_needed_question_is_not_also_ahead() {
        let question = |name: &str| Question::dns(name, RecordType::A);
        let round = |needed: &str, ahead: &[&str]| Round {
            needed: vec![question(needed)],
            ahead: ahead.iter().map(|name| question(name)).collect(),
        };
        let mut merged = round("a", &["b", "c"]);
        merged.merge(round("b", &["a", "c", "d"]));
        assert_eq!(merged.needed, [question("a"), question("b")]);
        assert_eq!(merged.ahead, [question("c"), question("d")]);
    }
}
