//! Domains and senders to check: a zone, queries with their right results, and queries that show
//! how cost grows.

mod generate;

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use quivive_bench_measure::{Query, queries_file, result_number};
use quivive_evidence::{Facts, Identity, Notebook, Question};
use quivive_resolver::Zone;
use quivive_spf::{Limits, Request, check_host};

pub use generate::generated;

/// Where a corpus lies beside the workspace, on machines that have one.
const BESIDE: &str = "../shared/bench";

/// What is measured on.
pub struct Corpus {
    /// Where it came from, for people.
    pub origin: String,
    /// The DNS.
    pub zone: Zone,
    /// Of each kind of domain, as many as there are in the mix.
    pub mix: Vec<Query>,
    /// Queries of one kind and size each.
    pub growth: Vec<Group>,
}

/// Queries of one kind and size.
pub struct Group {
    /// `gnets160`, `gdepth9`.
    pub name: String,
    /// The queries; what the first measured subject says counts as right.
    pub queries: Vec<Query>,
}

impl Corpus {
    /// Reads `bench.zone`, `bench.queries` (lines `KIND ADDRESS HELO SENDER`), `bench.expected` (a
    /// result a line) and `growth.queries` from a folder.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self> {
        let zone = Zone::read(folder.join("bench.zone")).map_err(Error::other)?;
        let expected = fs::read_to_string(folder.join("bench.expected"))?;
        let queries = fs::read_to_string(folder.join("bench.queries"))?;
        if queries.lines().count() != expected.lines().count() {
            return Err(broken("bench.expected has not a line a query"));
        }
        let line = |(line, expected): (&str, &str)| {
            let (_, query) = query(line)?;
            Some(Query { expected: result_number(expected)?, ..query })
        };
        let mix: Option<_> = queries.lines().zip(expected.lines()).map(line).collect();
        let growth = fs::read_to_string(folder.join("growth.queries"))?;
        Ok(Self {
            origin: folder.display().to_string(),
            mix: mix.ok_or_else(|| broken("bench.queries or bench.expected"))?,
            growth: grouped(&growth, &zone).ok_or_else(|| broken("growth.queries"))?,
            zone,
        })
    }

    /// All answers that checks of the corpus ask for, in one notebook.
    pub fn notebook(&self) -> Notebook {
        let mut notebook = Notebook::default();
        for query in self.mix.iter().chain(self.growth.iter().flat_map(|group| &group.queries)) {
            answer_all(query, &self.zone, &mut notebook);
        }
        notebook
    }

    /// Writes what measured programs read: `answers.tsv`, and one file of queries a group, the mix
    /// first. Returns the number of groups.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, folder: &Path) -> Result<usize> {
        let growth = self.growth.iter().map(|group| group.queries.as_slice());
        let groups: Vec<&[Query]> = std::iter::once(self.mix.as_slice()).chain(growth).collect();
        self.write_groups(folder, &groups)
    }

    /// As [`Corpus::write`], with these groups of queries.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_groups(&self, folder: &Path, groups: &[&[Query]]) -> Result<usize> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("answers.tsv"), answers(&self.notebook())?)?;
        for (count, queries) in groups.iter().enumerate() {
            fs::write(queries_file(folder, count), lines(queries))?;
        }
        // What an earlier run left must not be taken for a group of this one.
        let _ = fs::remove_file(queries_file(folder, groups.len()));
        Ok(groups.len())
    }
}

/// The corpus beside the workspace, or else one made here.
///
/// # Errors
/// There is one that cannot be read.
pub fn find() -> Result<Corpus> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(BESIDE);
    if !beside.join("bench.zone").is_file() {
        return Ok(generated());
    }
    Ok(Corpus { origin: BESIDE.to_owned(), ..Corpus::read(&beside)? })
}

/// What a door would know of a query's sender.
///
/// # Panics
/// When the address is none; whoever reads queries has looked.
pub fn facts(query: &Query) -> Facts {
    let mut facts = Facts::new(query.address.parse().expect("an address"));
    facts.helo.clone_from(&query.helo);
    facts.reverse_path.clone_from(&query.sender);
    facts
}

/// Checks a query, answering what it asks from the zone: the word of its result.
pub fn answer_all(query: &Query, zone: &Zone, notebook: &mut Notebook) -> &'static str {
    answer_in_rounds(query, zone, notebook).0
}

/// As [`answer_all`], with the number of rounds of questions.
pub(crate) fn answer_in_rounds(
    query: &Query,
    zone: &Zone,
    notebook: &mut Notebook,
) -> (&'static str, usize) {
    let facts = facts(query);
    let request = Request::new(&facts, Identity::Mailfrom);
    let mut rounds = 0;
    loop {
        match check_host(&request, notebook, Limits::default()) {
            Ok(outcome) => return (outcome.result.word(), rounds),
            Err(missing) => {
                rounds += 1;
                for question in missing.into_questions() {
                    let Question::Dns(dns) = question else { continue };
                    notebook.note(&dns.name, zone.answer(&dns));
                }
            }
        }
    }
}

fn grouped(text: &str, zone: &Zone) -> Option<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut notebook = Notebook::default();
    for line in text.lines() {
        let (kind, mut query) = query(line)?;
        query.expected = result_number(answer_all(&query, zone, &mut notebook))?;
        match groups.iter_mut().find(|group| group.name == kind) {
            Some(group) => group.queries.push(query),
            None => groups.push(Group { name: kind.to_owned(), queries: vec![query] }),
        }
    }
    Some(groups)
}

/// A line `KIND ADDRESS HELO SENDER`, separated by tabs.
fn query(line: &str) -> Option<(&str, Query)> {
    let [kind, address, helo, sender] = line.split('\t').collect::<Vec<_>>()[..] else {
        return None;
    };
    let [address, helo, sender] = [address, helo, sender].map(str::to_owned);
    Some((kind, Query { address, helo, sender, expected: 0 }))
}

fn answers(notebook: &Notebook) -> Result<String> {
    let mut text = String::new();
    for noted in notebook.noted() {
        let Question::Dns(question) = &noted.question else { continue };
        text += &format!("{}\t{}\t{}", question.name, question.record_type, noted.answer.status());
        for record in noted.answer.record_texts() {
            if record.contains(['\t', '\n']) {
                return Err(broken("a record with a tab or a line break"));
            }
            text += "\t";
            text += &record;
        }
        text += "\n";
    }
    Ok(text)
}

fn lines(queries: &[Query]) -> String {
    let line = |query: &Query| {
        let expected = quivive_bench_measure::RESULTS[usize::from(query.expected)];
        format!("{}\t{}\t{}\t{expected}\n", query.address, query.helo, query.sender)
    };
    queries.iter().map(line).collect()
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the corpus cannot be used: {what}"))
}
