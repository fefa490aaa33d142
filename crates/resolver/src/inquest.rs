use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use foldhash::fast::RandomState;
use quivive_evidence::{Failure, Notebook, NotedAnswer, Question, Round, Source};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Whoever answers questions.
pub trait Answers {
    /// The answer, or how it is had.
    fn ask(&self, question: &Question) -> Answering;
}

/// What comes of a question.
pub enum Answering {
    /// Its answer is at hand.
    Known(NotedAnswer),
    /// Its answer comes; what cannot be had is an answer that says so.
    OnItsWay(Pin<Box<dyn Future<Output = NotedAnswer> + Send>>),
    /// Nobody knows such things: that is a failure.
    Nobody,
}

/// The questions of one message on their way, and what came of them.
pub struct Inquest<W> {
    world: W,
    /// How long may still be waited for answers.
    patience: Duration,
    notebook: Notebook,
    // A quick hash will do: the bounds of an inquiry keep them few.
    asked: HashSet<Question, RandomState>,
    flights: JoinSet<(Question, NotedAnswer)>,
    rounds: usize,
}

impl<W: Answers> Inquest<W> {
    /// One that asks `world`, with what is known already, and waits no longer than `patience` for
    /// all answers together: what has none by then has failed.
    pub fn new(world: W, known: Notebook, patience: Duration) -> Self {
        let (asked, flights) = Default::default();
        Self { world, patience, notebook: known, asked, flights, rounds: 0 }
    }

    /// Asks a round's questions together and waits for the needed ones. Those ahead of need are
    /// noted when they come, and never waited for.
    pub async fn answer(&mut self, round: &Round) {
        for question in round.questions() {
            self.ask(question);
        }
        self.rounds += 1;
        if self.unanswered(round).is_none() {
            return;
        }
        let started = Instant::now();
        let deadline = started + self.patience;
        while let Some(question) = self.unanswered(round) {
            match timeout_at(deadline, self.flights.join_next()).await {
                Ok(Some(Ok((question, answer)))) => self.note(&question, answer),
                // The time is up, or the question's task was lost: no answer is an answer.
                Ok(_) | Err(_) => {
                    self.notebook.note_failure(&question, Failure::Timeout, Source::default());
                }
            }
        }
        self.patience = self.patience.saturating_sub(started.elapsed());
    }

    /// All that is known.
    pub fn notebook(&self) -> &Notebook {
        &self.notebook
    }

    /// All that is known, and nothing more is asked.
    pub fn into_notebook(self) -> Notebook {
        self.notebook
    }

    /// How many questions were asked.
    pub fn questions(&self) -> usize {
        self.asked.len()
    }

    /// How many times questions were asked.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    fn ask(&mut self, question: &Question) {
        if !self.asked.insert(question.clone()) {
            return;
        }
        match self.world.ask(question) {
            Answering::Known(answer) => self.note(question, answer),
            Answering::OnItsWay(answer) => {
                let question = question.clone();
                self.flights.spawn(async move { (question, answer.await) });
            }
            Answering::Nobody => {
                self.notebook.note_failure(question, Failure::Unreachable, Source::default());
            }
        }
    }

    fn note(&mut self, question: &Question, answer: NotedAnswer) {
        match (question, answer) {
            (Question::Dns(question), NotedAnswer::Dns(answer)) => {
                self.notebook.note(&question.name, answer);
            }
            (Question::Stored(question), NotedAnswer::Stored(answer)) => {
                self.notebook.note_stored(question, answer);
            }
            // The answer to another kind of question is none.
            (question, _) => {
                self.notebook.note_failure(question, Failure::Malformed, Source::default());
            }
        }
    }

    fn unanswered(&self, round: &Round) -> Option<Question> {
        round.needed.iter().find(|question| self.notebook.answer(question).is_none()).cloned()
    }
}
