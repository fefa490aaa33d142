//! The tree of terms, with the questions each asked and the one that decided.

use askama::Template;
use quivive_evidence::{FindingResult, Question, Recorded, TermResult, TraceNode};

use crate::shown::Shown;
use crate::words::milliseconds;

/// A record or a term, with what was evaluated for it.
#[derive(Template)]
#[template(path = "term.html")]
pub(crate) struct Term {
    term: Shown,
    /// What stands in place of a record that there is not.
    without: &'static str,
    result: &'static str,
    /// The class of its badge; empty for one without.
    class: &'static str,
    decides: bool,
    asked: Vec<Asked>,
    children: Vec<Term>,
}

/// A question with its answer in brief.
pub(crate) struct Asked {
    question: Shown,
    answer: Shown,
    /// The place of the full answer on the page, counted from 1; 0: there is none.
    place: usize,
}

impl Term {
    /// The trees of a finding.
    pub(crate) fn trees(trace: &[TraceNode], evidence: &[Recorded]) -> Vec<Self> {
        trace.iter().map(|node| Self::new(node, evidence, 0, true)).collect()
    }

    /// `decides` says whether what the node stands in decided the result.
    fn new(node: &TraceNode, evidence: &[Recorded], depth: usize, decides: bool) -> Self {
        let decides = decides && !matches!(node.result, TermResult::NoMatch | TermResult::Explains);
        let children = node.children.iter();
        Self {
            term: Shown::new(&node.term),
            without: if node.term.is_empty() { without_record(node.result) } else { "" },
            result: if node.result == TermResult::NoMatch && is_explanation(&node.term) {
                "not used"
            } else {
                result(node.result)
            },
            class: match node.result {
                TermResult::Result(result) => result.word(),
                TermResult::Match => "match",
                TermResult::NoMatch | TermResult::Explains => "",
            },
            decides: decides && depth > 0,
            asked: node
                .questions
                .iter()
                .map(|question| {
                    let place = evidence.iter().position(|answer| answer.question == *question);
                    Asked {
                        question: Shown::new(&question.to_string()),
                        answer: place.map_or_else(
                            || Shown::new("not in the evidence"),
                            |place| brief(&evidence[place], &node.term),
                        ),
                        place: place.map_or(0, |place| place + 1),
                    }
                })
                .collect(),
            children: children
                .map(|child| Self::new(child, evidence, depth + 1, decides))
                .collect(),
        }
    }
}

/// The records, or why there are none. The record that is the term itself is not said again.
fn brief(answer: &Recorded, term: &str) -> Shown {
    match answer.records.as_slice() {
        [] => Shown::new(&answer.status),
        [record] if record == term => Shown::new("this record"),
        records => Shown::new(&records.join(", ")),
    }
}

/// What came of a term, in words.
pub(crate) fn result(result: TermResult) -> &'static str {
    match result {
        TermResult::Match => "match",
        TermResult::NoMatch => "no match",
        TermResult::Explains => "explains",
        TermResult::Result(result) => result.word(),
    }
}

/// Whether a term would explain a refusal (RFC 7208 section 6.2): it matches nothing.
fn is_explanation(term: &str) -> bool {
    term.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("exp="))
}

fn without_record(result: TermResult) -> &'static str {
    match result {
        TermResult::Result(FindingResult::Temperror) => "no answer",
        TermResult::Result(FindingResult::Permerror) => "several records",
        _ => "no record",
    }
}

/// A question with its whole answer.
pub(crate) struct Answer {
    pub(crate) place: usize,
    pub(crate) question: Shown,
    pub(crate) status: String,
    pub(crate) is_good: bool,
    pub(crate) records: Vec<Shown>,
    pub(crate) ttl: u32,
    pub(crate) server: String,
    pub(crate) at: crate::words::Moment,
    pub(crate) took: String,
    /// What the AD bit says, if it is set.
    pub(crate) authenticated: &'static str,
}

/// Every question with its answer.
pub(crate) fn answers(evidence: &[Recorded]) -> Vec<Answer> {
    let answer = |(place, answer): (usize, &Recorded)| Answer {
        place,
        question: Shown::new(&answer.question.to_string()),
        status: answer.status.clone(),
        is_good: matches!(&*answer.status, "found" | "nodata" | "nxdomain"),
        records: answer.records.iter().map(|record| Shown::new(record)).collect(),
        ttl: answer.ttl,
        server: match (answer.server, &answer.question) {
            (Some(server), _) => server.to_string(),
            (None, Question::Stored(stored)) => format!("table {}", stored.table),
            (None, _) => "master file".to_owned(),
        },
        at: crate::words::Moment(answer.noted_at),
        took: milliseconds(answer.micros.into()),
        authenticated: match (answer.authenticated, answer.trusted) {
            (true, true) => "authenticated (AD)",
            (true, false) => "AD bit, not believed",
            (false, _) => "",
        },
    };
    (1..).zip(evidence).map(answer).collect()
}
