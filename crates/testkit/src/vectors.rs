//! The vectors of the specification sheets: a zone, and what is found by it.

use std::collections::HashSet;
use std::net::IpAddr;

use quivive_evidence::{
    AHEAD_QUESTIONS_MAX, Evaluate, Facts, Finding, FindingResult, Header, Identity, Inquiry,
    Method, Nonce, Notebook, Progress, Question,
};
use quivive_resolver::Zone;
use serde::Deserialize;

/// A sheet's vectors.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The DNS that they see, as a master file.
    pub zone: &'static str,
    /// In the order of the file.
    pub vectors: Vec<Vector>,
}

/// One check, and what is found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// The section of the sheet.
    pub section: String,
    /// The method that is meant.
    pub method: Method,
    /// The client's address.
    pub ip: IpAddr,
    /// The argument of HELO.
    #[serde(default = "some_helo")]
    pub helo: String,
    /// The reverse-path.
    #[serde(default)]
    pub mail_from: String,
    /// The message, or its header alone.
    pub message: Option<String>,
    /// The submitter that the client stated.
    pub submitter: Option<String>,
    /// Settings of the method that differ from the default, as lines of TOML.
    #[serde(default)]
    pub settings: String,
    /// The identity that is judged.
    #[serde(default = "mailfrom")]
    pub identity: Identity,
    /// The result.
    pub expect: FindingResult,
    /// The cause, where it matters.
    pub cause: Option<String>,
    /// What decided, where it matters.
    pub decided_by: Option<String>,
    /// The domain that was asked, where it matters.
    pub domain: Option<String>,
    /// How many questions are needed, where it matters.
    pub needed: Option<usize>,
}

/// How an evaluation went in strict order.
#[derive(Debug)]
pub struct Run {
    /// What was found.
    pub finding: Finding,
    /// In how many rounds, each of one question.
    pub rounds: usize,
    /// In how many rounds, when all was asked that could be known.
    pub rounds_ahead: usize,
}

fn some_helo() -> String {
    "client.example".to_owned()
}

fn mailfrom() -> Identity {
    Identity::Mailfrom
}

/// The vectors of a sheet, by the name of its file.
///
/// # Panics
/// If there is no such sheet, or its vectors are not in their form.
pub fn sheet(name: &str) -> Sheet {
    macro_rules! sheets {
        ($($sheet:literal),+) => {
            match name {
                $($sheet => (
                    include_str!(concat!("../vectors/", $sheet, ".zone")),
                    include_str!(concat!("../vectors/", $sheet, ".yml")),
                ),)+
                name => panic!("there is no sheet {name}"),
            }
        };
    }
    let (zone, vectors) = sheets!("mail-from-mx", "rmx", "dmp", "caller-id", "sender-id", "lists");
    Sheet { zone, vectors: serde_norway::from_str(vectors).expect("vectors are in their form") }
}

impl Sheet {
    /// The vectors of one section. None is forgotten: a section without any is a slip.
    ///
    /// # Panics
    /// If there are none.
    pub fn section(&self, section: &str) -> Vec<&Vector> {
        let vectors: Vec<_> =
            self.vectors.iter().filter(|vector| vector.section == section).collect();
        assert!(!vectors.is_empty(), "no vectors in section {section}");
        vectors
    }

    /// Its DNS.
    ///
    /// # Panics
    /// If it is no master file.
    pub fn zone(&self) -> Zone {
        Zone::parse(self.zone.as_bytes()).expect("a sheet's zone is a master file")
    }
}

impl Vector {
    /// The facts of the message.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::new(self.ip);
        facts.helo.clone_from(&self.helo);
        facts.reverse_path.clone_from(&self.mail_from);
        facts.receiver = "receiver.example".to_owned();
        facts.now = 1_700_000_000;
        facts.nonce = Nonce([7; 16]);
        facts.submitter.clone_from(&self.submitter);
        facts.header = self.message.as_ref().map(|message| Header::read(message.as_bytes()));
        facts
    }

    /// The settings, as keys and values.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.settings.lines();
        lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
    }

    /// What is wrong with a finding, if anything.
    pub fn complaint(&self, finding: &Finding) -> Option<String> {
        let differs = |what: &str, expected: &dyn ToString, found: &dyn ToString| {
            (expected.to_string() != found.to_string()).then(|| {
                let (expected, found) = (expected.to_string(), found.to_string());
                format!("{what} is {found} instead of {expected}")
            })
        };
        let optional = |what: &str, expected: &Option<String>, found: Option<&str>| {
            expected
                .as_ref()
                .and_then(|expected| differs(what, expected, &found.unwrap_or("nothing")))
        };
        let needed =
            self.needed.and_then(|needed| differs("needed", &needed, &finding.needed.len()));
        let complaints: Vec<String> = [
            differs("method", &self.method, &finding.method),
            differs("identity", &self.identity, &finding.identity),
            differs("result", &self.expect, &finding.result),
            optional("cause", &self.cause, Some(&finding.cause)),
            optional("decided_by", &self.decided_by, finding.decided_by.as_deref()),
            optional("domain", &self.domain, Some(&finding.domain)),
            needed,
        ]
        .into_iter()
        .flatten()
        .collect();
        (!complaints.is_empty()).then(|| {
            let Self { section, ip, helo, mail_from, settings, message, .. } = self;
            let message = message.as_deref().unwrap_or_default();
            format!(
                "section {section}: {ip} {helo} <{mail_from}> {settings} {message:?}: {} ({})",
                complaints.join(", "),
                finding.cause
            )
        })
    }
}

/// Evaluates a method in strict order and with everything that is asked ahead of need, and sees to
/// it that both find the same.
///
/// # Panics
/// If they do not; if in strict order other questions are asked than are needed; if too many are
/// asked ahead.
pub fn evaluate(zone: &Zone, facts: &Facts, method: impl Fn() -> Box<dyn Evaluate>) -> Run {
    let (finding, asked, rounds) = drive(zone, facts, method(), false);
    let (eager, eagerly, rounds_ahead) = drive(zone, facts, method(), true);
    assert_eq!(finding, eager, "asking ahead of need changes nothing");
    assert!(rounds_ahead <= rounds, "asking ahead of need takes no more rounds");
    let needed: HashSet<Question> = finding.needed.iter().cloned().collect();
    assert_eq!(needed, asked, "in strict order exactly the needed questions are asked");
    assert!(eagerly.is_superset(&needed));
    assert!(eagerly.len() <= needed.len() + AHEAD_QUESTIONS_MAX);
    Run { finding, rounds, rounds_ahead }
}

fn drive(
    zone: &Zone,
    facts: &Facts,
    method: Box<dyn Evaluate>,
    ahead: bool,
) -> (Finding, HashSet<Question>, usize) {
    let mut inquiry = Inquiry::new(method);
    let (mut notebook, mut asked) = (Notebook::default(), HashSet::new());
    loop {
        match inquiry.advance(facts, &notebook) {
            Progress::Done(finding) => return (*finding, asked, inquiry.rounds()),
            Progress::Ask(round) => {
                let most = if ahead { usize::MAX } else { round.needed.len() };
                for question in round.questions().take(most) {
                    let Question::Dns(dns) = question else { panic!("only DNS is asked") };
                    notebook.note(&dns.name, zone.answer(dns));
                    asked.insert(question.clone());
                }
            }
        }
    }
}
