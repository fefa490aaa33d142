use std::time::Duration;

use quivive_evidence::{DnsAnswer, DnsQuestion, Failure, Notebook, Question, Source};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::Resolver;

impl Resolver {
    /// Asks these questions together and notes their answers, in the order of the questions. What
    /// has no answer within `patience` has failed; so has what is no question for DNS.
    pub async fn note_answers(
        &self,
        questions: &[Question],
        notebook: &mut Notebook,
        patience: Duration,
    ) {
        let deadline = Instant::now() + patience;
        let mut flights = JoinSet::new();
        for (index, question) in questions.iter().enumerate() {
            if let Question::Dns(question) = question {
                let (resolver, question) = (self.clone(), question.clone());
                flights.spawn(async move { (index, resolver.answer(&question).await) });
            }
        }
        let mut answers: Vec<Option<DnsAnswer>> = vec![None; questions.len()];
        while let Ok(Some(flight)) = timeout_at(deadline, flights.join_next()).await {
            if let Ok((index, answer)) = flight {
                answers[index] = Some(answer);
            }
        }
        for (question, answer) in questions.iter().zip(answers) {
            match (question, answer) {
                (Question::Dns(DnsQuestion { name, .. }), Some(answer)) => {
                    notebook.note(name, answer);
                }
                (Question::Dns(_), None) => {
                    notebook.note_failure(question, Failure::Timeout, Source::default());
                }
                (question, _) => {
                    notebook.note_failure(question, Failure::Unreachable, Source::default());
                }
            }
        }
    }
}
