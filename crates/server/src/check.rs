//! The driver: answers the questions of a [`Session`] until it has its verdict.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use quivive_evidence::{
    DnsAnswer, DnsQuestion, Facts, Failure, Notebook, Outcome, Question, Round, Source,
};
use quivive_resolver::Resolver;
use quivive_verdict::{Asked, Policy, Session, Stage};
pub use quivive_verdict::{Cost, Judgement};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// How long all DNS questions of one message may take together. Postfix waits 30 s for a milter, of
/// which this leaves something for everything else.
pub const DNS_BUDGET: Duration = Duration::from_secs(20);

/// Judges messages by one policy, with one resolver. Cheap to clone.
#[derive(Clone)]
pub struct Checker {
    policy: Arc<Policy>,
    resolver: Resolver,
}

impl Checker {
    /// Judges by `policy`, asking `resolver`.
    pub fn new(policy: Arc<Policy>, resolver: Resolver) -> Self {
        Self { policy, resolver }
    }

    /// The policy it judges by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Judges a message by all that is known of it. Always comes to a verdict, within
    /// [`DNS_BUDGET`]: what has no answer by then has failed.
    pub async fn check(&self, facts: Facts) -> Judgement {
        self.check_with(facts, Notebook::default()).await
    }

    /// As [`Checker::check`], with evidence that is known already and not asked for again.
    pub async fn check_with(&self, facts: Facts, known: Notebook) -> Judgement {
        let started = Instant::now();
        let mut session = Session::new(self.policy.clone());
        let mut inquest = Inquest::new(self.resolver.clone(), started + DNS_BUDGET, known);
        session.enter(Stage::Message, &facts);
        loop {
            let round = session.advance(&facts, &inquest.notebook);
            if round.is_empty() {
                break;
            }
            inquest.answer(&round).await;
        }
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let asked = Asked { questions: inquest.asked.len(), rounds: inquest.rounds, micros };
        session.judgement(facts, inquest.notebook, asked)
    }
}

/// The questions of one message on their way.
struct Inquest {
    resolver: Resolver,
    deadline: Instant,
    notebook: Notebook,
    asked: HashSet<Question>,
    flights: JoinSet<(DnsQuestion, DnsAnswer)>,
    rounds: usize,
}

impl Inquest {
    fn new(resolver: Resolver, deadline: Instant, notebook: Notebook) -> Self {
        Self {
            resolver,
            deadline,
            notebook,
            asked: HashSet::new(),
            flights: JoinSet::new(),
            rounds: 0,
        }
    }

    /// Asks a round's questions together and waits for the needed ones. Those ahead of need are
    /// noted when they come, and never waited for.
    async fn answer(&mut self, round: &Round) {
        for question in round.questions() {
            self.ask(question);
        }
        self.rounds += 1;
        while let Some(question) = self.unanswered(round) {
            match timeout_at(self.deadline, self.flights.join_next()).await {
                Ok(Some(Ok((question, answer)))) => self.notebook.note(&question.name, answer),
                // The time is up, or the question's task was lost: no answer is an answer.
                Ok(_) | Err(_) => self.note_timeout(&question),
            }
        }
    }

    fn ask(&mut self, question: &Question) {
        let Question::Dns(dns) = question else { return };
        if !self.asked.insert(question.clone()) {
            return;
        }
        if let Some(answer) = self.resolver.cached(dns) {
            self.notebook.note(&dns.name, answer);
            return;
        }
        let (resolver, dns) = (self.resolver.clone(), dns.clone());
        self.flights.spawn(async move {
            let answer = resolver.answer(&dns).await;
            (dns, answer)
        });
    }

    fn unanswered(&self, round: &Round) -> Option<DnsQuestion> {
        round.needed.iter().find_map(|question| match question {
            Question::Dns(dns) if self.notebook.answer(question).is_none() => Some(dns.clone()),
            _ => None,
        })
    }

    fn note_timeout(&mut self, question: &DnsQuestion) {
        let outcome = Outcome::Failed(Failure::Timeout);
        let answer = DnsAnswer::without_records(question.record_type, outcome, Source::default());
        self.notebook.note(&question.name, answer);
    }
}
