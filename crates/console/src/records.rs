//! Records that somebody wishes for: as they are written into a form, and what is wrong with them.

use std::time::Instant;

use quivive_evidence::{
    DnsQuestion, LintReport, Method, Notebook, Question, ROUNDS_MAX, RecordType, Remark, Severity,
    Subject,
};
use quivive_resolver::Resolver;
use quivive_verdict::{Policy, linter};

use crate::shown::Shown;

/// How many records a what-if may have.
pub const RECORDS_MAX: usize = 20;

/// How much of a record is shown as the place of a fault, in characters.
const PLACE_CHARACTERS_MAX: usize = 80;

/// An error in a record: it breaks everything that rests on it.
pub(crate) struct Fault {
    /// Which part of the record is meant, unless it is the whole.
    pub(crate) place: Option<Shown>,
    pub(crate) message: Shown,
    /// The cure.
    pub(crate) help: Shown,
}

/// The records in a form, one a line. A line that begins with a blank goes on from the one before,
/// as long records are pasted.
///
/// # Errors
/// There are more than [`RECORDS_MAX`].
pub(crate) fn read(text: &str) -> Result<Vec<String>, String> {
    let mut records: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match records.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(record) => {
                record.push(' ');
                record.push_str(line.trim());
            }
            None => records.push(line.trim().to_owned()),
        }
    }
    match records.len() {
        count if count > RECORDS_MAX => {
            Err(format!("There are {count} records; {RECORDS_MAX} may be given."))
        }
        _ => Ok(records),
    }
}

/// What the linter calls an error in the SPF record of a domain and in what belongs to it, as far
/// as the evidence tells.
pub(crate) fn faults(policy: &Policy, domain: &str, evidence: &Notebook) -> Vec<Fault> {
    looked_over(policy, domain, evidence).map_or(Vec::new(), |(report, _)| of_report(&report))
}

/// As [`faults`], asking for what is worth knowing until this time.
pub(crate) async fn faults_by(
    resolver: &Resolver,
    policy: &Policy,
    domain: &str,
    mut evidence: Notebook,
    end: Instant,
) -> Vec<Fault> {
    for _ in 0..ROUNDS_MAX {
        let patience = end.saturating_duration_since(Instant::now());
        match looked_over(policy, domain, &evidence) {
            Some((_, missing)) if !missing.is_empty() && !patience.is_zero() => {
                resolver.note_answers(&missing, &mut evidence, patience).await;
            }
            _ => break,
        }
    }
    faults(policy, domain, &evidence)
}

/// The names of these answers that a text was asked of: where SPF records may stand.
pub(crate) fn domains(questions: impl Iterator<Item = Question>) -> Vec<String> {
    let text_of = |question| match question {
        Question::Dns(DnsQuestion { name, record_type: RecordType::Txt }) => Some(name.to_string()),
        _ => None,
    };
    questions.filter_map(text_of).collect()
}

fn looked_over(
    policy: &Policy,
    domain: &str,
    evidence: &Notebook,
) -> Option<(LintReport, Vec<Question>)> {
    let subject = Subject { domain: Some(domain.to_owned()), record: None };
    let linting = linter(Method::Spf, policy)?.lint(&subject, evidence);
    Some((linting.report, linting.missing))
}

/// The errors among the remarks of a report.
pub(crate) fn of_report(report: &LintReport) -> Vec<Fault> {
    let errors = report.remarks.iter().filter(|remark| remark.severity == Severity::Error);
    errors.map(|error| Fault::new(report, error)).collect()
}

impl Fault {
    fn new(report: &LintReport, error: &Remark) -> Self {
        let place = place(&report.record, error.span);
        let excerpt = |text: &str| text.chars().take(PLACE_CHARACTERS_MAX).collect::<String>();
        Self {
            place: place.map(|part| Shown::new(&excerpt(part))),
            message: Shown::new(&error.message),
            help: Shown::new(&error.help),
        }
    }
}

/// The terms of a record in which a span lies, unless it is empty or they are the whole.
fn place(record: &str, (start, end): (usize, usize)) -> Option<&str> {
    let (before, meant, after) =
        (record.get(..start)?, record.get(start..end)?, record.get(end..)?);
    if meant.trim().is_empty() {
        return None;
    }
    let before = before.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let after = end + after.find(char::is_whitespace).unwrap_or(after.len());
    Some(record[before..after].trim()).filter(|terms| *terms != record.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_of_whole_terms() {
        let record = "v=spf1 ip4:x/33 -all";
        assert_eq!(place(record, (11, 12)), Some("ip4:x/33"));
        assert_eq!(place(record, (7, 20)), Some("ip4:x/33 -all"));
        for span in [(0, 0), (0, 20), (6, 7), (19, 99), (9, 8)] {
            assert_eq!(place(record, span), None, "{span:?}");
        }
    }

    #[test]
    fn a_line_that_begins_with_a_blank_goes_on() {
        let text = "v=spf1 a\r\n\tip4:192.0.2.1\n\n  -all\nb.example TXT x\n";
        assert_eq!(read(text).unwrap(), ["v=spf1 a ip4:192.0.2.1 -all", "b.example TXT x"]);
        assert_eq!(read("  v=spf1 -all").unwrap(), ["v=spf1 -all"]);
        assert_eq!(read(" \n").unwrap(), [""; 0]);
        let error = read(&"a.example TXT\n".repeat(RECORDS_MAX + 1)).unwrap_err();
        assert!(error.contains("There are 21 records; 20 may be given"), "{error}");
    }
}
