//! Our own ways to a result, as measured programs.

use std::hint::black_box;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use quivive_bench_measure::{Known, Parsing, Query, Status, Subject, read_answers, read_groups};
use quivive_evidence::{
    Answer, DnsAnswer, Evaluate, Evaluation, Facts, FindingResult, Identity, Mx, Notebook, Outcome,
    RecordType, Source,
};
use quivive_resolver::{Resolver, Zone};
use quivive_server::check::Checker;
use quivive_spf::{Limits, Record, Request, SETTLED_AT, Spf, check_host};
use quivive_verdict::Policy;

use crate::corpus::{self, facts};

/// What can be measured.
pub const NAMES: &[&str] = &[
    "check_host, request ready",
    "check_host, from text",
    "finding with trace",
    "driver, zone in memory",
];

/// Parses the records that the answers hold, one a check.
pub const PARSE: &str = "parse";

/// check_host() from text, by several threads.
pub const THREADS: &str = "threads";

/// How often everything is checked until nothing changes any more: records are compiled and
/// policies settled at their twentieth use, and the next finds it so.
pub const WARM_PASSES: usize = SETTLED_AT as usize + 2;

/// Measures one of [`NAMES`], [`PARSE`] or [`THREADS`], as asked on standard input.
///
/// # Errors
/// An unknown name, files that cannot be read, a request that is not understood.
pub fn serve(name: &str, folder: &Path) -> Result<()> {
    let groups = read_groups(folder)?;
    let notebook = || notebook(&read_answers(&folder.join("answers.tsv"))?);
    match NAMES.iter().position(|known| *known == name) {
        Some(0) => {
            let facts: Vec<Vec<Facts>> = each(&groups, facts);
            let mut subject = Ready { requests: requests(&facts), notebook: notebook()? };
            quivive_bench_measure::serve(&mut subject, &groups)
        }
        Some(1) => {
            let mut subject = FromText { queries: groups.clone(), notebook: notebook()? };
            quivive_bench_measure::serve(&mut subject, &groups)
        }
        Some(2) => {
            let spf = Spf::new(Identity::Mailfrom, Limits::default());
            let mut subject = Traced { facts: each(&groups, facts), spf, notebook: notebook()? };
            quivive_bench_measure::serve(&mut subject, &groups)
        }
        Some(3) => {
            let mut subject = Driver::new(each(&groups, facts), corpus::find()?.zone)?;
            quivive_bench_measure::serve(&mut subject, &groups)
        }
        None if name == PARSE => {
            let answers = read_answers(&folder.join("answers.tsv"))?;
            let parses = |record: &str| black_box(Record::parse(record.as_bytes())).is_ok();
            let mut subject = Parsing::of(answers, &groups, parses);
            quivive_bench_measure::serve(&mut subject, &groups)
        }
        None if name == THREADS => {
            let (queries, notebook) = (&groups[0], notebook()?);
            let check = |(): &mut (), place: usize| from_text(&queries[place], &notebook);
            quivive_bench_measure::serve_threads(queries, || (), check)
        }
        _ => Err(Error::new(ErrorKind::InvalidInput, format!("no such program: {name}"))),
    }
}

/// check_host() over requests that stand ready.
struct Ready<'a> {
    requests: Vec<Vec<Request<'a>>>,
    notebook: Notebook,
}

impl Subject for Ready<'_> {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        let request = &self.requests[group][query];
        let outcome = check_host(request, &self.notebook, Limits::default());
        outcome.map_or(UNKNOWN, |outcome| number(outcome.result))
    }
}

/// check_host() from the texts that a peer said.
struct FromText {
    queries: Vec<Vec<Query>>,
    notebook: Notebook,
}

impl Subject for FromText {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        from_text(&self.queries[group][query], &self.notebook)
    }
}

fn from_text(query: &Query, notebook: &Notebook) -> u8 {
    let facts = facts(query);
    let request = Request::new(&facts, Identity::Mailfrom);
    let outcome = check_host(&request, notebook, Limits::default());
    outcome.map_or(UNKNOWN, |outcome| number(outcome.result))
}

/// The whole finding with its trace.
struct Traced {
    facts: Vec<Vec<Facts>>,
    spf: Spf,
    notebook: Notebook,
}

impl Subject for Traced {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        match self.spf.evaluate(&self.facts[group][query], &self.notebook) {
            Evaluation::Done(finding) => number(finding.result),
            Evaluation::Missing(_) => UNKNOWN,
        }
    }
}

/// The daemon's driver: a session with its rounds, verdict and headers; answers from a zone. One
/// identity, as the peers.
struct Driver {
    runtime: tokio::runtime::Runtime,
    checker: Checker,
    facts: Vec<Vec<Facts>>,
}

impl Driver {
    fn new(facts: Vec<Vec<Facts>>, zone: Zone) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut policy = Policy::new("bench.test");
        policy.identities = vec![Identity::Mailfrom];
        let checker = Checker::new(Arc::new(policy), Resolver::from_zone(zone));
        Ok(Self { runtime, checker, facts })
    }
}

impl Subject for Driver {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        let facts = self.facts[group][query].clone();
        let judgement = self.runtime.block_on(self.checker.check(facts));
        let finding = judgement.findings.iter().find(|f| f.identity == Identity::Mailfrom);
        finding.map_or(UNKNOWN, |finding| number(finding.result))
    }
}

/// No result: something was missing. Right for no query.
pub(crate) const UNKNOWN: u8 = u8::MAX;

/// The number of a result, told as quickly as the peers tell it: it is measured, too.
pub(crate) fn number(result: FindingResult) -> u8 {
    match result {
        FindingResult::Pass => 0,
        FindingResult::Fail => 1,
        FindingResult::Softfail => 2,
        FindingResult::Neutral => 3,
        FindingResult::None => 4,
        FindingResult::Temperror => 5,
        FindingResult::Permerror => 6,
        FindingResult::Policy => UNKNOWN,
    }
}

fn each<T>(groups: &[Vec<Query>], make: impl Fn(&Query) -> T) -> Vec<Vec<T>> {
    groups.iter().map(|group| group.iter().map(&make).collect()).collect()
}

fn requests(facts: &[Vec<Facts>]) -> Vec<Vec<Request<'_>>> {
    let request = |facts| Request::new(facts, Identity::Mailfrom);
    facts.iter().map(|group| group.iter().map(request).collect()).collect()
}

/// A notebook that holds all these answers.
fn notebook(answers: &[Known]) -> Result<Notebook> {
    let mut notebook = Notebook::default();
    for known in answers {
        note(&mut notebook, known).ok_or_else(|| {
            let what = format!("{} {} cannot be read", known.name, known.record_type);
            Error::new(ErrorKind::InvalidData, what)
        })?;
    }
    Ok(notebook)
}

/// Notes an answer; none if it cannot be read.
pub(crate) fn note(notebook: &mut Notebook, known: &Known) -> Option<()> {
    notebook.note(&known.name.as_str().into(), answer(known)?);
    Some(())
}

fn answer(known: &Known) -> Option<DnsAnswer> {
    fn found<T>(known: &Known, read: impl Fn(&str) -> Option<T>) -> Option<Arc<Answer<T>>> {
        let records: Option<Vec<T>> = known.records.iter().map(|record| read(record)).collect();
        Some(Arc::new(Answer::new(Outcome::of(records?), Source::default())))
    }
    let record_type: RecordType = known.record_type.parse().ok()?;
    if known.status != Status::Found {
        let outcome =
            if known.status == Status::NoName { Outcome::NoName } else { Outcome::NoData };
        return Some(DnsAnswer::without_records(record_type, outcome, Source::default()));
    }
    match record_type {
        RecordType::A => found(known, |text| text.parse::<Ipv4Addr>().ok()).map(DnsAnswer::A),
        RecordType::Aaaa => found(known, |text| text.parse::<Ipv6Addr>().ok()).map(DnsAnswer::Aaaa),
        RecordType::Mx => found(known, |text| {
            let (preference, exchange) = text.split_once(' ')?;
            let exchange = if exchange == "." { "" } else { exchange };
            Some(Mx { preference: preference.parse().ok()?, exchange: exchange.into() })
        })
        .map(DnsAnswer::Mx),
        RecordType::Ptr => found(known, |text| Some(text.into())).map(DnsAnswer::Ptr),
        RecordType::Txt => found(known, |text| Some(text.into())).map(DnsAnswer::Txt),
        RecordType::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use quivive_bench_measure::RESULTS;

    use super::*;

    #[test]
    fn results_have_the_numbers_of_their_words() {
        for (expected, word) in (0..).zip(RESULTS) {
            let result = FindingResult::ALL.iter().find(|result| result.word() == word);
            assert_eq!(result.map(|result| number(*result)), Some(expected));
        }
    }
}
