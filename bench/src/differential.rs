//! The same messages in the same generated worlds, judged by Quivive and by other implementations:
//! every difference is explained by what is known of the other, recomputed from the case, or it is
//! a fault.

mod departures;
mod expansion;
mod explain;
mod grammar;
mod judge;
mod peers;
mod random;
mod reading;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{Error, Result};

use crate::progress;
use explain::{Explanation, explain};
use judge::{Answers, Ours, judge};
use peers::Peer;
use random::Random;
use world::Case;

/// How many cases are put to a peer before its results are read.
const CASES_AT_ONCE: usize = 50;

/// How many unexplained differences are shown.
const SHOWN_MAX: usize = 20;

/// Compares `cases` cases made from `seed`; a report.
///
/// # Errors
/// No peer can be had, or a difference that nothing explains.
pub fn run(cases: usize, seed: u64) -> Result<String> {
    let (mut peers, skipped) = peers::start();
    if peers.is_empty() {
        return Err(Error::other(format!("no peer to compare with: {}", skipped.join("; "))));
    }
    let mut random = Random(seed);
    let mut tally = Tally::default();
    let progress = progress::bar(cases, "cases");
    let mut left = cases;
    while left > 0 {
        let batch: Vec<Case> =
            (0..left.min(CASES_AT_ONCE)).map(|_| Case::generate(&mut random)).collect();
        left -= batch.len();
        let ours: Vec<Ours> = batch.iter().map(|case| judge(case, Answers::InTurn)).collect();
        for (case, ours) in batch.iter().zip(&ours) {
            tally.compare_with_ourselves(case, ours);
        }
        for peer in &mut peers {
            let theirs = peer.judge(&batch)?;
            for ((case, ours), theirs) in batch.iter().zip(&ours).zip(theirs) {
                tally.compare(peer.name, case, ours, &theirs);
            }
        }
        progress.inc(batch.len() as u64);
    }
    progress.finish_and_clear();
    let mut report = tally.report(cases, seed, &peers);
    for reason in skipped {
        writeln!(report, "skipped: {reason}").ok();
    }
    match tally.unexplained {
        0 => Ok(report),
        count => Err(Error::other(format!("{report}{count} differences are not explained"))),
    }
}

#[derive(Default)]
struct Tally {
    differences: BTreeMap<&'static str, usize>,
    /// By peer and departure; a difference may need several.
    departures: BTreeMap<(&'static str, &'static str), usize>,
    unexplained: usize,
    shown: String,
}

impl Tally {
    /// Whatever is asked ahead of need, and whenever its answers come.
    fn compare_with_ourselves(&mut self, case: &Case, ours: &Ours) {
        let ahead = judge(case, Answers::AsTheyCome);
        if !ahead.is_as(ours) {
            self.show("Quivive, asking ahead", &format!("{ahead:?}"), case, ours);
        }
    }

    fn compare(&mut self, peer: &'static str, case: &Case, ours: &Ours, theirs: &str) {
        match explain(case, ours, peer, theirs) {
            Explanation::Agreement => {}
            Explanation::Departures(departures) => {
                *self.differences.entry(peer).or_default() += 1;
                for departure in departures {
                    let name = departures::name(departure);
                    *self.departures.entry((peer, name)).or_default() += 1;
                }
            }
            Explanation::OursIsOdd(plain) => self.show("RFC 7208, read plainly", plain, case, ours),
            Explanation::TheirsIsOdd(expected) => {
                self.show(peer, &format!("{theirs} (and {expected} was expected)"), case, ours);
            }
        }
    }

    fn show(&mut self, whose: &str, theirs: &str, case: &Case, ours: &Ours) {
        self.unexplained += 1;
        if self.unexplained > SHOWN_MAX {
            return;
        }
        let Ours { result, cause, asked, .. } = ours;
        writeln!(self.shown, "== {whose}: {theirs}, and not {result} ({cause})").ok();
        let Case { address, helo, sender, .. } = case;
        writeln!(self.shown, "{address} {helo} {sender}; asked: {}", asked.join(", ")).ok();
        for ((name, record_type), known) in &case.answers {
            if asked.contains(&format!("{name} {record_type}")) {
                writeln!(self.shown, "  {name} {record_type} {known:?}").ok();
            }
        }
    }

    fn report(&self, cases: usize, seed: u64, peers: &[Peer]) -> String {
        let names: Vec<&str> = peers.iter().map(|peer| peer.name).collect();
        let mut report =
            format!("{}{cases} cases, seed {seed}: {}\n", self.shown, names.join(", "));
        for peer in peers {
            let count = self.differences.get(peer.name).unwrap_or(&0);
            writeln!(report, "{count:>8}  {} says something else, by", peer.name).ok();
            for departure in departures::of(peer.name) {
                let name = departures::name(departure);
                let count = self.departures.get(&(peer.name, name)).unwrap_or(&0);
                writeln!(report, "{count:>16}  {name}").ok();
            }
        }
        report
    }
}
