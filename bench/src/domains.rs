//! Many domains at once: what they take of memory, and how long one of them is looked for.

use std::io::{Error, Result};

use quivive_bench_measure::{Known, Query, octets_in_use, processor_time, read_answers};
use quivive_evidence::{Facts, Identity, Notebook};
use quivive_spf::{Limits, Request, SETTLED_AT, check_host};

use crate::corpus;
use crate::series::Series;
use crate::spf::subject::note;
use crate::table::Table;

/// How many domains there are at most, unless asked otherwise.
pub const DOMAINS: usize = 1_000_000;

/// How many checks are timed, and how often.
const CHECKS: usize = 100_000;
const PASSES: usize = 5;

/// A domain of the corpus with what is known of it.
struct Model {
    domain: String,
    query: Query,
    known: Vec<Known>,
}

/// Measures with a thousandth of the domains, then ten times as many, and so on.
///
/// # Errors
/// No corpus, or one that cannot be read back.
pub fn run(domains: usize) -> Result<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    let corpus = corpus::find()?;
    corpus.write(&folder)?;
    let (models, shared) = models(&corpus.mix, read_answers(&folder.join("answers.tsv"))?);
    let mut table = Table::new(&[
        "domains",
        "answers, octets",
        "parsed, octets",
        "settled, octets",
        "settled, MB",
        "us a check",
        "noise",
    ]);
    let mut count = (domains / 1000).max(1);
    while count <= domains {
        table.row(measure(&models, &shared, count)?);
        count *= 10;
    }
    Ok(format!(
        "Domains known at once, of the corpus' mix ({}); octets a domain, as they were asked for.\n\
         answers: all that DNS said, its names and texts. parsed: the records made ready. settled: \
         what is kept\nso that a check is a search among addresses. {CHECKS} checks of random \
         domains, each of another one.\n\n{table}",
        corpus.origin
    ))
}

/// The domains of the senders, and what is not one's alone: the providers.
fn models(queries: &[Query], answers: Vec<Known>) -> (Vec<Model>, Vec<Known>) {
    let mut models: Vec<Model> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for query in queries {
        let Some((_, domain)) = query.sender.rsplit_once('@') else { continue };
        places.entry(domain.to_owned()).or_insert_with(|| {
            let (domain, query) = (domain.to_owned(), query.clone());
            models.push(Model { domain, query, known: Vec::new() });
            models.len() - 1
        });
    }
    let mut shared = Vec::new();
    for known in answers {
        let names = std::iter::successors(Some(known.name.as_str()), |name| {
            name.split_once('.').map(|(_, parent)| parent)
        });
        match names.filter_map(|name| places.get(name)).next() {
            Some(place) => models[*place].known.push(known),
            None => shared.push(known),
        }
    }
    (models, shared)
}

fn measure(models: &[Model], shared: &[Known], count: usize) -> Result<Vec<String>> {
    let unreadable = || Error::other("the corpus cannot be read back");
    let start = octets_in_use();
    let mut notebook = Notebook::default();
    shared.iter().try_for_each(|known| note(&mut notebook, known)).ok_or_else(unreadable)?;
    for place in 0..count {
        let (model, copy) = (&models[place % models.len()], place / models.len());
        for known in &model.known {
            note(&mut notebook, &model.copied(known, copy)).ok_or_else(unreadable)?;
        }
    }
    let answers = octets_in_use();
    let check_all = |times: u32| {
        for place in 0..count {
            let facts = models[place % models.len()].facts(place / models.len());
            let request = Request::new(&facts, Identity::Mailfrom);
            for _ in 0..times {
                check_host(&request, &notebook, Limits::default()).map_err(|_| unreadable())?;
            }
        }
        Ok::<_, Error>(())
    };
    check_all(1)?;
    let parsed = octets_in_use();
    check_all(SETTLED_AT)?;
    let settled = octets_in_use();
    let cost = look_ups(models, &notebook, count)?;
    let each = |octets: i64| format!("{:.0}", octets as f64 / count as f64);
    Ok(vec![
        count.to_string(),
        each(answers - start),
        each(parsed - answers),
        each(settled - parsed),
        format!("{:.0}", (settled - parsed) as f64 / 1e6),
        format!("{:.2}", cost.median() / 1000.0),
        format!("{:.0} %", cost.noise() * 100.0),
    ])
}

/// Nanoseconds a check, each of another domain than the one before, in no order.
fn look_ups(models: &[Model], notebook: &Notebook, count: usize) -> Result<Series> {
    let mut place = 0;
    let facts: Vec<Facts> = (0..CHECKS)
        .map(|_| {
            // A prime far from any power of two comes by everywhere.
            place = (place + 7_368_787) % count;
            models[place % models.len()].facts(place / models.len())
        })
        .collect();
    let requests: Vec<Request<'_>> =
        facts.iter().map(|facts| Request::new(facts, Identity::Mailfrom)).collect();
    let pass = |_| {
        let start = processor_time();
        for request in &requests {
            let outcome = check_host(request, notebook, Limits::default());
            std::hint::black_box(outcome).map_err(|_| Error::other("an answer is missing"))?;
        }
        Ok((processor_time() - start).as_nanos() as f64 / requests.len() as f64)
    };
    (0..PASSES).map(pass).collect()
}

impl Model {
    /// As it is in a copy: with another domain, which includes the same providers.
    fn copied(&self, known: &Known, copy: usize) -> Known {
        let renamed = |text: &String| text.replace(&self.domain, &self.name(copy));
        let records = known.records.iter().map(renamed).collect();
        Known { name: renamed(&known.name), records, ..known.clone() }
    }

    fn name(&self, copy: usize) -> String {
        match (copy, self.domain.split_once('.')) {
            (1.., Some((label, rest))) => format!("{label}.x{copy}.{rest}"),
            _ => self.domain.clone(),
        }
    }

    fn facts(&self, copy: usize) -> Facts {
        let mut facts = corpus::facts(&self.query);
        facts.reverse_path = facts.reverse_path.replace(&self.domain, &self.name(copy));
        facts.helo = facts.helo.replace(&self.domain, &self.name(copy));
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All checks of the copies come to a result, which is that of the model.
    #[test]
    fn copies_are_domains_of_their_own() {
        let text = run(3000).unwrap();
        assert!(text.lines().filter(|line| line.starts_with("| 3")).count() == 4, "{text}");
    }
}
