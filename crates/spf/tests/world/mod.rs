//! A small DNS in memory, and drivers that answer an evaluation from it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use quivive_evidence::{
    Answer, DnsAnswer, DnsQuestion, Evaluate, Facts, Failure, Finding, Inquiry, Notebook, Outcome,
    Progress, Question, RecordType, Round, Source,
};
use quivive_evidence::{Mx, Txt};

/// What every name has. A name that is not in it does not exist.
#[derive(Debug, Clone, Default)]
pub(crate) struct World(HashMap<DnsQuestion, DnsAnswer>);

/// How an evaluation went.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) finding: Finding,
    pub(crate) rounds: Vec<Round>,
    pub(crate) asked: HashSet<Question>,
}

impl World {
    pub(crate) fn txt(&mut self, name: &str, texts: &[&str]) {
        let records = texts.iter().map(|text| Txt::from(*text)).collect();
        self.put(name, RecordType::Txt, DnsAnswer::Txt(found(records)));
    }

    pub(crate) fn ipv4(&mut self, name: &str, addresses: &[[u8; 4]]) {
        let records = addresses.iter().map(|address| (*address).into()).collect();
        self.put(name, RecordType::A, DnsAnswer::A(found(records)));
    }

    pub(crate) fn mx(&mut self, name: &str, hosts: &[&str]) {
        let mx = |host: &&str| Mx { preference: 10, exchange: (*host).into() };
        let records = hosts.iter().map(mx).collect();
        self.put(name, RecordType::Mx, DnsAnswer::Mx(found(records)));
    }

    pub(crate) fn ptr(&mut self, name: &str, hosts: &[&str]) {
        let records = hosts.iter().map(|host| (*host).into()).collect();
        self.put(name, RecordType::Ptr, DnsAnswer::Ptr(found(records)));
    }

    pub(crate) fn fail(&mut self, name: &str, record_type: RecordType) {
        let outcome = Outcome::Failed(Failure::ServerFailure);
        let answer = DnsAnswer::without_records(record_type, outcome, Source::default());
        self.put(name, record_type, answer);
    }

    fn put(&mut self, name: &str, record_type: RecordType, answer: DnsAnswer) {
        let Question::Dns(question) = Question::dns(name, record_type) else { unreachable!() };
        self.0.insert(question, answer);
    }

    fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        self.0.get(question).cloned().unwrap_or_else(|| {
            let outcome = Outcome::NoName;
            DnsAnswer::without_records(question.record_type, outcome, Source::default())
        })
    }

    /// Evaluates; `choose` says which questions of a round are answered before the next.
    pub(crate) fn run(
        &self,
        method: impl Evaluate + 'static,
        facts: &Facts,
        mut choose: impl FnMut(&Round) -> Vec<Question>,
    ) -> Run {
        let mut notebook = Notebook::default();
        let mut inquiry = Inquiry::new(Box::new(method));
        let (mut rounds, mut asked) = (Vec::new(), HashSet::new());
        loop {
            match inquiry.advance(facts, &notebook) {
                Progress::Done(finding) => return Run { finding: *finding, rounds, asked },
                Progress::Ask(round) => {
                    for question in choose(&round) {
                        let Question::Dns(dns) = &question else { unreachable!() };
                        notebook.note(&dns.name, self.answer(dns));
                        asked.insert(question);
                    }
                    rounds.push(round);
                }
            }
        }
    }
}

/// Answers the needed question alone: strict order.
pub(crate) fn strictly(round: &Round) -> Vec<Question> {
    round.needed.clone()
}

/// Answers everything that is asked.
pub(crate) fn all(round: &Round) -> Vec<Question> {
    round.questions().cloned().collect()
}

fn found<T>(records: Vec<T>) -> Arc<Answer<T>> {
    Arc::new(Answer::new(Outcome::of(records), Source::default()))
}
