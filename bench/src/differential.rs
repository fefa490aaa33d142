//! The same messages in the same generated worlds, judged by Quivive and by other implementations:
//! every difference is explained by a rule, or it is a fault.

mod peers;
mod random;
mod rules;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{Error, Result};

use quivive_evidence::{Facts, Identity, Notebook, Question};
use quivive_spf::{Limits, Request, check_host};

use peers::Peer;
use random::Random;
use rules::{Difference, RULES};
use world::Case;

/// How many cases are put to a peer before its results are read.
const CASES_AT_ONCE: usize = 50;

/// How many unexplained differences are shown.
const SHOWN_MAX: usize = 20;

/// Compares `cases` cases made from `seed`; a report.
///
/// # Errors
/// No peer can be had, or a difference that no rule explains.
pub fn run(cases: usize, seed: u64) -> Result<String> {
    let (mut peers, skipped) = peers::start();
    if peers.is_empty() {
        return Err(Error::other(format!("no peer to compare with: {}", skipped.join("; "))));
    }
    let mut random = Random(seed);
    let mut tally = Tally::default();
    let mut left = cases;
    while left > 0 {
        let batch: Vec<Case> =
            (0..left.min(CASES_AT_ONCE)).map(|_| Case::generate(&mut random)).collect();
        left -= batch.len();
        let ours: Vec<Ours> = batch.iter().map(judge).collect();
        for peer in &mut peers {
            let theirs = peer.judge(&batch)?;
            for ((case, ours), theirs) in batch.iter().zip(&ours).zip(theirs) {
                tally.compare(peer, case, ours, &theirs);
            }
        }
    }
    let mut report = tally.report(cases, seed, &peers);
    for reason in skipped {
        writeln!(report, "skipped: {reason}").ok();
    }
    match tally.unexplained {
        0 => Ok(report),
        count => Err(Error::other(format!("{report}{count} differences are not explained"))),
    }
}

/// What Quivive says.
pub(crate) struct Ours {
    pub(crate) result: &'static str,
    pub(crate) cause: &'static str,
    /// Every question that was answered on the way, as text.
    pub(crate) asked: Vec<String>,
}

fn judge(case: &Case) -> Ours {
    let mut facts = Facts::new(case.address.parse().expect("an address"));
    facts.helo.clone_from(&case.helo);
    facts.reverse_path.clone_from(&case.sender);
    let request = Request::new(&facts, Identity::Mailfrom);
    let mut notebook = Notebook::default();
    let mut asked = Vec::new();
    loop {
        let missing = match check_host(&request, &notebook, Limits::default()) {
            Ok(outcome) => {
                return Ours { result: outcome.result.word(), cause: outcome.cause, asked };
            }
            Err(missing) => missing,
        };
        // In strict order, so that what was asked is what was needed.
        let Some(Question::Dns(question)) = missing.questions().first() else {
            unreachable!("SPF asks DNS")
        };
        asked.push(question.to_string());
        let question = question.clone();
        notebook.note(&question.name, case.answer(&question));
    }
}

#[derive(Default)]
struct Tally {
    explained: BTreeMap<(&'static str, &'static str), usize>,
    unexplained: usize,
    shown: String,
}

impl Tally {
    fn compare(&mut self, peer: &Peer, case: &Case, ours: &Ours, theirs: &str) {
        if ours.result == theirs {
            return;
        }
        let difference = Difference { peer: peer.name, case, ours, theirs };
        if let Some(rule) = RULES.iter().find(|rule| rule.explains(&difference)) {
            *self.explained.entry((peer.name, rule.name)).or_default() += 1;
            return;
        }
        self.unexplained += 1;
        if self.unexplained <= SHOWN_MAX {
            let Ours { result, cause, asked } = ours;
            writeln!(self.shown, "== {}: {theirs}, and not {result} ({cause})", peer.name).ok();
            let Case { address, helo, sender, .. } = case;
            writeln!(self.shown, "{address} {helo} {sender}; asked: {}", asked.join(", ")).ok();
            for ((name, record_type), known) in &case.answers {
                if asked.contains(&format!("{name} {record_type}")) {
                    writeln!(self.shown, "  {name} {record_type} {known:?}").ok();
                }
            }
        }
    }

    fn report(&self, cases: usize, seed: u64, peers: &[Peer]) -> String {
        let names: Vec<&str> = peers.iter().map(|peer| peer.name).collect();
        let mut report =
            format!("{}{cases} cases, seed {seed}: {}\n", self.shown, names.join(", "));
        for ((peer, rule), count) in &self.explained {
            writeln!(report, "{count:>8}  {peer}: {rule}").ok();
        }
        report
    }
}
