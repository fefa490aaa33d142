//! What would come of a domain's traffic by another record: today's result beside tomorrow's.

mod instead;
mod traffic;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use quivive_evidence::{
    Facts, Finding, FindingResult, Identity, Method, Notebook, NotedAnswer, Question, Recorded,
};

use crate::plan::Stage;
use crate::{Mode, Policy, Practice, Session};

pub use instead::{instead, named};
pub use traffic::{SENDERS_MAX, Sender, Traffic, TrafficError};

/// Senders on their way to two findings each: by what is published, and by what would be.
///
/// ```text
/// new -> missing -> note(answers) -> missing ... -> forecasts
/// ```
pub struct Simulation {
    pairs: Vec<Pair>,
    today: Notebook,
    tomorrow: Notebook,
    /// What would be another answer tomorrow.
    instead: Vec<Question>,
}

struct Pair {
    sender: Sender,
    facts: Facts,
    today: Session,
    tomorrow: Session,
}

/// What comes of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Who sends, and how much.
    pub sender: Sender,
    /// By what is published.
    pub today: Told,
    /// By what would be.
    pub tomorrow: Told,
}

/// A finding, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The result.
    pub result: FindingResult,
    /// Why.
    pub cause: String,
    /// What decided, if anything did.
    pub decided_by: Option<String>,
}

/// How many messages have each result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By what is published.
    pub today: BTreeMap<FindingResult, u64>,
    /// By what would be.
    pub tomorrow: BTreeMap<FindingResult, u64>,
    /// Messages that pass today and would not.
    pub broken: u64,
    /// Messages that do not pass today and would.
    pub mended: u64,
    /// Messages that neither pass nor fail today and would fail: what receivers refuse.
    pub hardened: u64,
    /// All messages.
    pub messages: u64,
}

impl Simulation {
    /// SPF for the reverse-path of these senders' mail. `instead` is what would be published.
    ///
    /// # Errors
    /// What of it cannot be read, in words.
    pub fn new(
        policy: &Policy,
        domain: &str,
        senders: &[Sender],
        instead: &[Recorded],
    ) -> Result<Self, String> {
        let mut tomorrow = Notebook::default();
        instead.iter().try_for_each(|answer| answer.note(&mut tomorrow))?;
        let policy = Arc::new(Policy {
            methods: BTreeMap::from([(Method::Spf, Mode::Report)]),
            identities: vec![Identity::Mailfrom],
            // The mail is judged by others, who know nothing of ours.
            exceptions: Vec::new(),
            practice: Practice::default(),
            spf_best_guess: None,
            ..policy.clone()
        });
        let pair = |sender: &Sender| {
            let facts = sender.facts(domain);
            let mut pair = Pair {
                sender: sender.clone(),
                today: Session::new(policy.clone()),
                tomorrow: Session::new(policy.clone()),
                facts,
            };
            pair.today.enter(Stage::Mail, &pair.facts);
            pair.tomorrow.enter(Stage::Mail, &pair.facts);
            pair
        };
        let pairs = senders.iter().map(pair).collect();
        let instead = instead.iter().map(|answer| answer.question.clone()).collect();
        Ok(Self { pairs, today: Notebook::default(), tomorrow, instead })
    }

    /// Evaluates with what is known; gives the questions that need answers, each once.
    pub fn missing(&mut self) -> Vec<Question> {
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        for pair in &mut self.pairs {
            let today = pair.today.advance(&pair.facts, &self.today);
            let tomorrow = pair.tomorrow.advance(&pair.facts, &self.tomorrow);
            for question in today.questions().chain(tomorrow.questions()) {
                if seen.insert(question.clone()) {
                    missing.push(question.clone());
                }
            }
        }
        missing
    }

    /// Notes answers for both days. What would be published stands for tomorrow.
    pub fn note(&mut self, answers: &Notebook) {
        for noted in answers.noted() {
            if let (Question::Dns(question), NotedAnswer::Dns(answer)) =
                (&noted.question, &noted.answer)
            {
                self.today.note(&question.name, answer.clone());
                self.tomorrow.note(&question.name, answer.clone());
            }
        }
    }

    /// Which of the names that would change no sender's result rests on, once nothing is missing:
    /// nothing that the domain would publish leads there, or no sender comes so far.
    pub fn idle(&self) -> Vec<Question> {
        let used: HashSet<&Question> = self
            .pairs
            .iter()
            .flat_map(|pair| pair.tomorrow.findings().flat_map(|finding| &finding.needed))
            .collect();
        self.instead.iter().filter(|question| !used.contains(question)).cloned().collect()
    }

    /// What is known of tomorrow.
    pub fn tomorrow(&self) -> &Notebook {
        &self.tomorrow
    }

    /// What comes of each sender, in their order, once nothing is missing.
    pub fn forecasts(self) -> Vec<Forecast> {
        let pairs = self.pairs.into_iter();
        pairs
            .filter_map(|pair| {
                Some(Forecast {
                    today: Told::of(pair.today.findings().next()?),
                    tomorrow: Told::of(pair.tomorrow.findings().next()?),
                    sender: pair.sender,
                })
            })
            .collect()
    }
}

impl Forecast {
    /// Whether mail that passes today would not pass.
    pub fn breaks(&self) -> bool {
        self.today.result == FindingResult::Pass && self.tomorrow.result != FindingResult::Pass
    }

    /// Whether mail that does not pass today would.
    pub fn mends(&self) -> bool {
        self.today.result != FindingResult::Pass && self.tomorrow.result == FindingResult::Pass
    }

    /// Whether mail that neither passes nor fails today would fail.
    pub fn hardens(&self) -> bool {
        !matches!(self.today.result, FindingResult::Pass | FindingResult::Fail)
            && self.tomorrow.result == FindingResult::Fail
    }

    /// Whether the result is another one.
    pub fn changes(&self) -> bool {
        self.today.result != self.tomorrow.result
    }
}

impl Told {
    fn of(finding: &Finding) -> Self {
        Self {
            result: finding.result,
            cause: finding.cause.to_string(),
            decided_by: finding.decided_by.clone(),
        }
    }
}

impl Tally {
    /// Counts the messages of these senders.
    pub fn of(forecasts: &[Forecast]) -> Self {
        let mut tally = Self::default();
        for forecast in forecasts {
            let count = forecast.sender.count;
            let add = |sum: &mut u64| *sum = sum.saturating_add(count);
            add(tally.today.entry(forecast.today.result).or_default());
            add(tally.tomorrow.entry(forecast.tomorrow.result).or_default());
            add(&mut tally.messages);
            if forecast.breaks() {
                add(&mut tally.broken);
            }
            if forecast.mends() {
                add(&mut tally.mended);
            }
            if forecast.hardens() {
                add(&mut tally.hardened);
            }
        }
        tally
    }
}

/// Puts what breaks first, then what changes otherwise, then the rest; each by its messages.
pub fn by_urgency(forecasts: &mut [Forecast]) {
    forecasts.sort_by_key(|forecast| {
        let urgency = match (forecast.breaks(), forecast.changes()) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        (urgency, std::cmp::Reverse(forecast.sender.count), forecast.sender.address)
    });
}

#[cfg(test)]
mod tests {
    use quivive_evidence::what_if;

    use super::*;

    #[test]
    fn another_record_breaks_and_mends() {
        let senders = Traffic::parse("192.0.2.1 10\n198.51.100.1 5\n203.0.113.1").unwrap().senders;
        let instead =
            what_if(&["a.example TXT v=spf1 ip4:198.51.100.0/24 include:b.example ~all"], 0);
        // Whom we trust ourselves is told as any other sender.
        let ours = ["192.0.2.0/24".parse().unwrap()];
        let practice =
            Practice { upstreams: ours.to_vec(), relays: ours.to_vec(), ..Practice::default() };
        let policy = Policy { practice, ..Policy::new("mx.example") };
        let mut simulation =
            Simulation::new(&policy, "a.example", &senders, &instead.unwrap()).unwrap();
        let today = [
            "a.example TXT v=spf1 ip4:192.0.2.0/24 -all",
            "b.example TXT v=spf1 ip4:203.0.113.9 ?all",
        ];
        let mut answers = Notebook::default();
        for answer in what_if(&today, 0).unwrap() {
            answer.note(&mut answers).unwrap();
        }
        let missing = simulation.missing();
        let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        assert_eq!(missing, ["a.example TXT", "b.example TXT"]);
        simulation.note(&answers);
        assert_eq!(simulation.missing(), []);
        let mut forecasts = simulation.forecasts();
        by_urgency(&mut forecasts);
        let told: Vec<_> = forecasts
            .iter()
            .map(|one| (one.sender.count, one.today.result.word(), one.tomorrow.result.word()))
            .collect();
        assert_eq!(told, [(10, "pass", "softfail"), (5, "fail", "pass"), (1, "fail", "softfail")]);
        let tally = Tally::of(&forecasts);
        assert_eq!((tally.messages, tally.broken, tally.mended, tally.hardened), (16, 10, 5, 0));
        assert_eq!(tally.today[&FindingResult::Fail], 6);
    }

    #[test]
    fn what_nothing_leads_to_is_told_and_what_turns_to_fail_is_counted() {
        let senders = Traffic::parse("192.0.2.1 10\n198.51.100.1 5").unwrap().senders;
        let instead = what_if(
            &[
                "a.example TXT v=spf1 ip4:192.0.2.0/24 -all",
                "b.example TXT v=spf1 -all",
                "a.example A 192.0.2.1",
            ],
            0,
        );
        let policy = Policy::new("mx.example");
        let mut simulation =
            Simulation::new(&policy, "a.example", &senders, &instead.unwrap()).unwrap();
        let mut answers = Notebook::default();
        for answer in what_if(&["a.example TXT v=spf1 ip4:192.0.2.0/24 ~all"], 0).unwrap() {
            answer.note(&mut answers).unwrap();
        }
        assert_eq!(simulation.missing().len(), 1);
        simulation.note(&answers);
        assert_eq!(simulation.missing(), []);
        let idle: Vec<_> = simulation.idle().iter().map(ToString::to_string).collect();
        assert_eq!(idle, ["b.example TXT", "a.example A"]);
        let tally = Tally::of(&simulation.forecasts());
        assert_eq!((tally.broken, tally.mended, tally.hardened), (0, 0, 5));
    }
}
