//! The driver: answers the questions of a [`Session`] until it has its verdict.

use std::sync::Arc;
use std::time::Duration;

use quivive_evidence::{Facts, Notebook, NotedAnswer, Question};
use quivive_resolver::{Answering, Answers, Inquest, QUESTIONS_TIME_MAX, Resolver};
use quivive_verdict::{Asked, Headers, Policy, Session, Stage, Verdict, last_stage};
pub use quivive_verdict::{Cost, Judgement};
use tokio::time::Instant;

use crate::tables::Tables;

/// How long all questions of one message may take together. Postfix waits 30 s for a milter, of
/// which this leaves something for everything else.
pub const DNS_BUDGET: Duration = QUESTIONS_TIME_MAX;

/// Judges messages by one policy, with one resolver and tables. Cheap to clone.
#[derive(Clone)]
pub struct Checker {
    policy: Arc<Policy>,
    world: World,
}

/// Whoever knows what methods ask.
#[derive(Clone)]
struct World {
    resolver: Resolver,
    tables: Tables,
}

impl Checker {
    /// Judges by `policy`, asking `resolver`.
    pub fn new(policy: Arc<Policy>, resolver: Resolver) -> Self {
        Self { policy, world: World { resolver, tables: Tables::default() } }
    }

    /// As it is, with these tables to look into.
    #[must_use]
    pub fn with_tables(self, tables: Tables) -> Self {
        Self { world: World { tables, ..self.world }, ..self }
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
            inquest: Inquest::new(self.world.clone(), known, DNS_BUDGET),
            facts,
            time: Duration::ZERO,
        }
    }
}

/// One message on its way through a door: its facts grow, and at each stage it is judged as far as
/// they reach.
pub struct Examination {
    session: Session,
    inquest: Inquest<World>,
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
            let round = self.session.advance(&self.facts, self.inquest.notebook());
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
        let asked =
            Asked { questions: self.inquest.questions(), rounds: self.inquest.rounds(), micros };
        self.session.judgement(self.facts, self.inquest.into_notebook(), asked)
    }
}

impl Answers for World {
    fn ask(&self, question: &Question) -> Answering {
        let Question::Stored(question) = question else { return self.resolver.ask(question) };
        match self.tables.ask(question) {
            Ok(entries) => Answering::Known(NotedAnswer::Stored(entries)),
            Err(lookup) => {
                Answering::OnItsWay(Box::pin(async { NotedAnswer::Stored(lookup.await) }))
            }
        }
    }
}
