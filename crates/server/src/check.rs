//! The driver: answers the questions of a [`Session`] until it has its verdict.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use quivive_evidence::{
    DnsQuestion, Facts, Failure, Notebook, NotedAnswer, Question, Round, Source, StoredQuestion,
};
use quivive_resolver::Resolver;
use quivive_verdict::{Asked, Headers, Policy, Session, Stage, Verdict, last_stage};
pub use quivive_verdict::{Cost, Judgement};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::tables::Tables;

/// How long all questions of one message may take together. Postfix waits 30 s for a milter, of
/// which this leaves something for everything else.
pub const DNS_BUDGET: Duration = Duration::from_secs(20);

/// Judges messages by one policy, with one resolver and tables. Cheap to clone.
#[derive(Clone)]
pub struct Checker {
    policy: Arc<Policy>,
    resolver: Resolver,
    tables: Tables,
}

impl Checker {
    /// Judges by `policy`, asking `resolver`.
    pub fn new(policy: Arc<Policy>, resolver: Resolver) -> Self {
        Self { policy, resolver, tables: Tables::default() }
    }

    /// As it is, with these tables to look into.
    #[must_use]
    pub fn with_tables(self, tables: Tables) -> Self {
        Self { tables, ..self }
    }

    /// The policy it judges by.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The one that judges by another policy, asking the same resolver.
    #[must_use]
    pub fn judging_by(&self, policy: Arc<Policy>) -> Self {
        Self { policy, ..self.clone() }
    }

    /// The way of a message of which these facts are known so far.
    pub fn examine(&self, facts: Facts) -> Examination {
        self.examine_with(facts, Notebook::default())
    }

    /// Judges a message by all that is known of it. Always comes to a verdict, within
    /// [`DNS_BUDGET`]: what has no answer by then has failed.
    pub async fn check(&self, facts: Facts) -> Judgement {
        self.check_with(facts, Notebook::default()).await
    }

    /// As [`Checker::check`], with evidence that is known already and not asked for again.
    pub async fn check_with(&self, facts: Facts, known: Notebook) -> Judgement {
        let mut examination = self.examine_with(facts, known);
        examination.enter(Stage::Message).await;
        examination.finish()
    }

    fn examine_with(&self, facts: Facts, known: Notebook) -> Examination {
        Examination {
            last_stage: last_stage(&self.policy),
            session: Session::new(self.policy.clone()),
            inquest: Inquest::new(self, known),
            facts,
            time: Duration::ZERO,
        }
    }
}

/// One message on its way through a door: its facts grow, and at each stage it is judged as far as
/// they reach.
pub struct Examination {
    session: Session,
    inquest: Inquest,
    facts: Facts,
    last_stage: Option<Stage>,
    time: Duration,
}

impl Examination {
    /// What is known of the message.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// To note what became known. What was judged already stays as it is.
    pub fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// Whether the policy's methods need what becomes known at this stage or later.
    pub fn needs(&self, stage: Stage) -> bool {
        let waits = || stage <= Stage::Header && self.session.waits_for_header(&self.facts);
        self.last_stage.is_some_and(|last| last >= stage) || waits()
    }

    /// Judges what can be judged now that the facts of this stage are noted. All stages of a
    /// message together wait for DNS no longer than [`DNS_BUDGET`]: what has no answer by then has
    /// failed.
    pub async fn enter(&mut self, stage: Stage) {
        let started = Instant::now();
        self.session.look_behind(&mut self.facts);
        self.session.enter(stage, &self.facts);
        loop {
            let round = self.session.advance(&self.facts, &self.inquest.notebook);
            if round.is_empty() {
                break;
            }
            self.inquest.answer(&round).await;
        }
        self.time += started.elapsed();
    }

    /// What follows from what was judged so far.
    pub fn verdict(&self) -> Verdict {
        self.session.verdict(&self.facts)
    }

    /// What is written on top of the message, by what was judged so far.
    pub fn headers(&self) -> Headers {
        self.session.headers(&self.facts)
    }

    /// The judgement of the message, as far as it came.
    pub fn finish(self) -> Judgement {
        let micros = u64::try_from(self.time.as_micros()).unwrap_or(u64::MAX);
        let Inquest { notebook, asked, rounds, .. } = self.inquest;
        self.session.judgement(
            self.facts,
            notebook,
            Asked { questions: asked.len(), rounds, micros },
        )
    }
}

/// The questions of one message on their way.
struct Inquest {
    resolver: Resolver,
    tables: Tables,
    /// How long may still be waited for answers.
    patience: Duration,
    notebook: Notebook,
    asked: HashSet<Question>,
    flights: JoinSet<(Question, NotedAnswer)>,
    rounds: usize,
}

impl Inquest {
    fn new(checker: &Checker, notebook: Notebook) -> Self {
        Self {
            resolver: checker.resolver.clone(),
            tables: checker.tables.clone(),
            patience: DNS_BUDGET,
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

    fn ask(&mut self, question: &Question) {
        if !self.asked.insert(question.clone()) {
            return;
        }
        match question {
            Question::Dns(question) => self.ask_dns(question),
            Question::Stored(question) => self.ask_table(question),
            // A kind of question that this driver does not know has no answer.
            question => {
                self.notebook.note_failure(question, Failure::Unreachable, Source::default());
            }
        }
    }

    fn ask_dns(&mut self, question: &DnsQuestion) {
        if let Some(answer) = self.resolver.cached(question) {
            self.notebook.note(&question.name, answer);
            return;
        }
        let (resolver, question) = (self.resolver.clone(), question.clone());
        self.flights.spawn(async move {
            let answer = resolver.answer(&question).await;
            (Question::Dns(question), NotedAnswer::Dns(answer))
        });
    }

    fn ask_table(&mut self, question: &StoredQuestion) {
        match self.tables.ask(question) {
            Ok(entries) => self.notebook.note_stored(question, entries),
            Err(lookup) => {
                let question = Question::Stored(question.clone());
                self.flights.spawn(async move { (question, NotedAnswer::Stored(lookup.await)) });
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
            _ => {}
        }
    }

    fn unanswered(&self, round: &Round) -> Option<Question> {
        round.needed.iter().find(|question| self.notebook.answer(question).is_none()).cloned()
    }
}
