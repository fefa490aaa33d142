//! What Quivive says of a case.

use quivive_evidence::{DnsQuestion, Facts, Identity, Missing, Notebook, Question};
use quivive_spf::{Limits, Request, check_host};

use super::world::{Case, Known};

/// What Quivive says.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    pub(crate) result: &'static str,
    pub(crate) cause: &'static str,
    decided_by: Option<String>,
    terms: usize,
    void_lookups: usize,
    /// Every question that was answered on the way, as text.
    pub(crate) asked: Vec<String>,
}

/// When answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// One after the other: what is asked ahead of need is left alone.
    InTurn,
    /// All that is asked is answered; late answers a round later, and what is never answered only
    /// given up once it is needed.
    AsTheyCome,
}

impl Ours {
    /// Whether another walk over the same case came to the same.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        let told = |ours: &Self| {
            let Self { result, cause, decided_by, terms, void_lookups, .. } = ours;
            (*result, *cause, decided_by.clone(), *terms, *void_lookups)
        };
        told(self) == told(other)
    }
}

/// Judges a case.
pub(crate) fn judge(case: &Case, answers: Answers) -> Ours {
    let mut facts = Facts::new(case.address.parse().expect("an address"));
    facts.helo.clone_from(&case.helo);
    facts.reverse_path.clone_from(&case.sender);
    let request = Request::new(&facts, Identity::Mailfrom);
    let mut world =
        Asked { case, notebook: Notebook::default(), late: Vec::new(), asked: Vec::new() };
    loop {
        let missing = match check_host(&request, &world.notebook, Limits::default()) {
            Err(missing) => missing,
            Ok(outcome) => {
                return Ours {
                    result: outcome.result.word(),
                    cause: outcome.cause,
                    decided_by: outcome.decided_by().map(str::to_owned),
                    terms: outcome.terms,
                    void_lookups: outcome.void_lookups,
                    asked: world.asked,
                };
            }
        };
        world.answer(&missing, answers);
    }
}

/// What has been asked of a world.
struct Asked<'c> {
    case: &'c Case,
    notebook: Notebook,
    /// Asked in the round before, and answered now.
    late: Vec<DnsQuestion>,
    asked: Vec<String>,
}

impl Asked<'_> {
    fn answer(&mut self, missing: &Missing, answers: Answers) {
        for question in std::mem::take(&mut self.late) {
            self.note(&question);
        }
        let mut questions = missing.questions().iter().map(|question| match question {
            Question::Dns(question) => question,
            _ => unreachable!("SPF asks DNS"),
        });
        self.note(questions.next().expect("something is missing"));
        if answers == Answers::InTurn {
            return;
        }
        for question in questions {
            match self.case.known(question) {
                Some(Known::Late(_)) => self.late.push(question.clone()),
                Some(Known::Never) => {}
                _ => self.note(question),
            }
        }
    }

    fn note(&mut self, question: &DnsQuestion) {
        self.asked.push(question.to_string());
        self.notebook.note(&question.name, self.case.answer(question));
    }
}
