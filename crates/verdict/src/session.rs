use std::sync::Arc;

use quivive_evidence::{Evidence, Facts, Finding, Inquiry, Progress, Round};

use crate::plan::{self, Stage};
use crate::practice::Standing;
use crate::{Headers, Policy, Verdict, decision, headers};

/// The way of one message from facts to a verdict.
///
/// ```text
/// enter(stage) -> advance(facts, evidence) -> a round of questions: answer, advance again
///              -> verdict(facts), headers(facts)
/// ```
pub struct Session {
    policy: Arc<Policy>,
    stage: Option<Stage>,
    exception: Option<usize>,
    evaluations: Vec<State>,
}

enum State {
    Open(Inquiry),
    Done(Box<Finding>),
}

impl Session {
    /// A message of which nothing is known yet. The session keeps this policy to its end.
    pub fn new(policy: Arc<Policy>) -> Self {
        Self { policy, stage: None, exception: None, evaluations: Vec::new() }
    }

    /// Notes the client before our own gateways, once the header tells it. To be called before
    /// [`Session::enter`], by whoever may still change the facts.
    pub fn look_behind(&self, facts: &mut Facts) {
        self.policy.practice.look_behind(facts);
    }

    /// Whether only the message's header tells the client.
    pub fn waits_for_header(&self, facts: &Facts) -> bool {
        self.policy.practice.standing(facts) == Standing::Waits
    }

    /// Says how far the facts reach now. What can be judged from here on is evaluated by the next
    /// [`Session::advance`].
    pub fn enter(&mut self, stage: Stage, facts: &Facts) {
        // Whom nobody knows yet, or nobody needs to know, nothing is judged of.
        if !self.policy.practice.standing(facts).is_judged() {
            return;
        }
        self.exception = self.policy.exception(facts).map(|(index, _)| index);
        if self.exception.is_some_and(|index| self.policy.exceptions[index].skip) {
            return;
        }
        let evaluations = plan::evaluations(&self.policy, facts, self.stage, stage).into_iter();
        self.evaluations.extend(evaluations.map(|method| State::Open(Inquiry::new(method))));
        self.stage = self.stage.max(Some(stage));
    }

    /// Evaluates with what is known. The round is empty when everything has been judged.
    pub fn advance(&mut self, facts: &Facts, evidence: &dyn Evidence) -> Round {
        let mut round = Round::default();
        for state in &mut self.evaluations {
            let State::Open(inquiry) = state else { continue };
            match inquiry.advance(facts, evidence) {
                Progress::Done(finding) => *state = State::Done(finding),
                Progress::Ask(asked) => round.merge(asked),
            }
        }
        round
    }

    /// The findings so far, in the order in which they are weighed.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.evaluations.iter().filter_map(|state| match state {
            State::Done(finding) => Some(&**finding),
            State::Open(_) => None,
        })
    }

    /// The findings themselves, once nothing else is wanted.
    pub(crate) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.evaluations.into_iter().filter_map(|state| match state {
            State::Done(finding) => Some(*finding),
            State::Open(_) => None,
        })
    }

    /// What follows from the findings.
    pub fn verdict(&self, facts: &Facts) -> Verdict {
        let findings: Vec<&Finding> = self.findings().collect();
        decision::decide(&self.policy, self.exception, &findings, facts)
    }

    /// What is written on top of the message.
    pub fn headers(&self, facts: &Facts) -> Headers {
        headers::write(&self.policy, self.findings(), facts)
    }
}
