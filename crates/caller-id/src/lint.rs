//! The linter of documents: whether there is one that can be used (here), and what it says of
//! servers (`servers.rs`).

mod servers;

use std::collections::BTreeMap;
use std::ops::Range;

use quivive_evidence::{
    Evidence, Lint, LintReport, Linting, LookUps, Method, Outcome, Subject, Txt,
};
use quivive_mail::domain::is_askable;

use self::servers::Walk;
use crate::published::{join, owner_name};
use crate::xml::{DEPTH_MAX, Fault, FaultKind, NODES_MAX};
use crate::{DOCUMENT_OCTETS_MAX, Document, NAMESPACE, Published, RECORD_OCTETS_MAX, RECORDS_MAX};

/// Looks over the document at `_ep.DOMAIN`, and follows what it refers to.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallerIdLint;

impl Lint for CallerIdLint {
    fn method(&self) -> Method {
        Method::CallerId
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let mut report = LintReport::new(Method::CallerId, "");
        match (&subject.record, &subject.domain) {
            (Some(record), domain) => {
                let mut end = record.len().min(DOCUMENT_OCTETS_MAX + 1);
                while !record.is_char_boundary(end) {
                    end -= 1;
                }
                look_over(domain.as_deref(), &[&record.as_bytes()[..end]], &look_ups, &mut report);
            }
            (None, Some(domain)) => published(domain, &look_ups, &mut report),
            (None, None) => {}
        }
        look_ups.finish(report)
    }
}

fn published(domain: &str, look_ups: &LookUps<'_>, report: &mut LintReport) {
    let owner = owner_name(domain);
    if !is_askable(&owner) {
        return report.nothing(domain);
    }
    let Some(answer) = look_ups.txt(&owner) else { return };
    let records: &[Txt] = match &answer.outcome {
        Outcome::Failed(failure) => return report.no_answer(&owner, *failure),
        Outcome::NoData | Outcome::NoName => return report.nothing(domain),
        Outcome::Found(records) => records,
    };
    let records: Vec<&[u8]> = records.iter().map(|record| &*record.0).collect();
    if Published::read(&records) == Published::Nothing {
        return report.nothing(domain);
    }
    look_over(Some(domain), &records, look_ups, report);
    records_as_such(&records, report);
}

/// The document that these records are.
fn look_over(
    domain: Option<&str>,
    records: &[&[u8]],
    look_ups: &LookUps<'_>,
    report: &mut LintReport,
) {
    report.published = true;
    match Published::read(records) {
        Published::One(document) => {
            let line = report.add_line(document.text());
            about(&document, domain, &line, report);
            Walk::new(domain, look_ups).document(&document, &line, report);
        }
        Published::Broken(text, fault) => {
            let line = report.add_line(&text);
            fault_remark(fault, &line, report);
        }
        Published::Nothing => {
            let line = report.add_line(&String::from_utf8_lossy(&join(records)));
            report.error(
                "no-document",
                &line,
                "this text does not begin as a document does",
                format!("begin with `<ep xmlns='{NAMESPACE}'>`"),
            );
        }
    }
}

/// Whom the document is about, and whether it says anything.
fn about(document: &Document, domain: Option<&str>, line: &Range<usize>, report: &mut LintReport) {
    let start = line.start..line.start;
    if document.testing {
        report.warn(
            "testing",
            &start,
            "the document says `testing`, so that receivers take it as if it were not there",
            "remove `testing` once the list is whole",
        );
    }
    if domain.is_some_and(|domain| !document.is_about(domain)) {
        report.error(
            "other-scope",
            &start,
            "the scope is not this domain, so that receivers pass the document over",
            "remove `scope`, or write the domain in it",
        );
    }
}

/// What is doubtful about the records that hold the document (section 3.1 of the draft).
fn records_as_such(records: &[&[u8]], report: &mut LintReport) {
    let whole = 0..0;
    if let Some(long) = records.iter().find(|record| record.len() > RECORD_OCTETS_MAX) {
        report.warn(
            "long-record",
            &whole,
            format!("a record has {} octets, and the draft allows 2 K in each", long.len()),
            "split it: two digits before each part, which count from 01",
        );
    }
    match records {
        [sole] if sole.first() != Some(&b'<') => report.advise(
            "numbered-alone",
            &whole,
            "the only record begins with a number, which is for documents in several",
            "remove the two digits",
        ),
        [_] => {}
        records => {
            let mut by_prefix: BTreeMap<&[u8], usize> = BTreeMap::new();
            for record in records {
                *by_prefix.entry(&record[..record.len().min(2)]).or_default() += 1;
            }
            if let Some((prefix, _)) = by_prefix.iter().find(|(_, count)| **count > 1) {
                report.error(
                    "duplicate-prefix",
                    &whole,
                    format!(
                        "two records begin with `{}`, so that their order is not known",
                        String::from_utf8_lossy(prefix)
                    ),
                    "number the records from 01, each with another number",
                );
            }
            let is_numbered =
                |record: &&&[u8]| record.iter().take(2).filter(|o| o.is_ascii_digit()).count() == 2;
            if !records.iter().all(|record| is_numbered(&record)) {
                report.warn(
                    "foreign-text",
                    &whole,
                    "records without two digits before them stand beside the document's, and some \
                     receivers take them for parts of it",
                    "move them to another name, or number the parts",
                );
            }
        }
    }
}

/// Why a document cannot be used. Receivers take the domain as if it published nothing, or refuse.
fn fault_remark(fault: Fault, line: &Range<usize>, report: &mut LintReport) {
    let help = match fault.kind {
        FaultKind::Encoding => "write it in UTF-8".to_owned(),
        FaultKind::TooLarge => {
            format!("use at most {RECORDS_MAX} records of 2 K, and `indirect` for providers")
        }
        FaultKind::Malformed => "close every element, and quote every attribute".to_owned(),
        FaultKind::DocumentType => "remove the `<!DOCTYPE>`".to_owned(),
        FaultKind::Entity => "write the text itself".to_owned(),
        FaultKind::TooDeep => format!("use at most {DEPTH_MAX} levels"),
        FaultKind::TooManyNodes => format!("use at most {NODES_MAX} elements and attributes"),
        FaultKind::Root => format!("begin with `<ep xmlns='{NAMESPACE}'>`"),
        FaultKind::Element => {
            "within `out` there are `m` and `noMailServers`, within `m` there are `a`, `r`, `mx` \
             and `indirect`"
                .to_owned()
        }
        FaultKind::Repeated => "keep one of them".to_owned(),
        FaultKind::Value => {
            "write an address, a network as `192.0.2.0/24`, or a name, as the element takes it"
                .to_owned()
        }
        FaultKind::Contradiction => "keep one of the two".to_owned(),
    };
    let place = place(fault.span, line, &report.record);
    let message = format!("{}, so that the document cannot be used", fault.kind);
    report.error(fault.kind.cause(), &place, message, help);
}

/// A part of the document within what was read, as far as it is one.
fn place((start, end): (u32, u32), line: &Range<usize>, record: &str) -> Range<usize> {
    let (start, end) = (line.start + start as usize, line.start + end as usize);
    match record.get(start..end) {
        Some(_) if end <= line.end => start..end,
        _ => line.clone(),
    }
}

#[cfg(test)]
mod tests;
