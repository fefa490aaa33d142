//! The linter of Sender ID records: their scopes (here), and their terms, which are SPF's.

use std::ops::Range;

use quivive_evidence::{
    Evidence, Lint, LintReport, Linting, LookUps, Method, Outcome, Remark, Subject,
};
use quivive_spf::{Limits, Scope, SpfLint};

/// What SPF's records begin with.
const SPF_VERSION: &str = "v=spf1";

/// How many records at one name are looked over; more would not help anybody.
const RECORDS_MAX: usize = 4;

/// What the linter of SPF says about texts as such, and not about their terms.
const OF_THE_TEXT: &[&str] = &["several-strings", "too-long"];

/// Looks over `spf2.0` records: at a domain, beside the `v=spf1` record, which is SPF's to look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct SenderIdLint {
    limits: Limits,
}

impl SenderIdLint {
    /// A linter that counts against these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

impl Lint for SenderIdLint {
    fn method(&self) -> Method {
        Method::SenderId
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let mut report = LintReport::new(Method::SenderId, "");
        let mut missing = Vec::new();
        for record in texts(subject, &look_ups, &mut report) {
            let line = report.add_line(&record);
            let scopes = version(&record, &line, &mut report);
            missing.extend(self.terms(subject, evidence, (scopes, &line), &mut report));
        }
        let Linting { report, missing: own } = look_ups.finish(report);
        missing.splice(0..0, own);
        missing.dedup();
        Linting { report, missing }
    }
}

/// The records, and what is to be said about them as a set.
fn texts(subject: &Subject, look_ups: &LookUps<'_>, report: &mut LintReport) -> Vec<String> {
    let domain = match (&subject.record, &subject.domain) {
        (Some(record), _) => {
            report.published = true;
            return vec![record.trim_end_matches('\n').to_owned()];
        }
        (None, Some(domain)) => domain,
        (None, None) => return Vec::new(),
    };
    let Some(answer) = look_ups.txt(domain) else { return Vec::new() };
    let records = match &answer.outcome {
        Outcome::Failed(failure) => {
            report.no_answer(domain, *failure);
            return Vec::new();
        }
        Outcome::NoData | Outcome::NoName => &[][..],
        Outcome::Found(records) => records,
    };
    let meant = records.iter().filter(|record| is_meant(&record.0));
    let texts: Vec<String> = meant
        .take(RECORDS_MAX)
        .map(|record| String::from_utf8_lossy(&record.0).into_owned())
        .collect();
    report.published = !texts.is_empty();
    if texts.is_empty() {
        report.nothing(domain);
        return texts;
    }
    for (scope, word) in [(Scope::Mfrom, "mfrom"), (Scope::Pra, "pra")] {
        let count = records.iter().filter(|record| scope.is_named_by(&record.0)).count();
        if count > 1 {
            report.error(
                "multiple-records",
                &(0..0),
                format!(
                    "{domain} has {count} records of the scope `{word}`, and receivers use none"
                ),
                "keep one record for each scope",
            );
        }
    }
    if !records.iter().any(|record| Scope::Spf.is_named_by(&record.0)) {
        report.warn(
            "no-spf-record",
            &(0..0),
            format!("{domain} has no `{SPF_VERSION}` record, which is the one that receivers read"),
            format!("publish what the record says as `{SPF_VERSION}`, too"),
        );
    }
    texts
}

/// Whether a text was meant to be a record of Sender ID.
fn is_meant(octets: &[u8]) -> bool {
    octets.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"spf2"))
}

/// Looks at the version section (RFC 4406 section 3.1); the scope in which the terms are read.
fn version(record: &str, line: &Range<usize>, report: &mut LintReport) -> Option<Scope> {
    let section = record.split(' ').next().unwrap_or_default();
    let place = line.start..line.start + section.len();
    let names = |scope: Scope| scope.is_named_by(record.as_bytes());
    let scope = match (names(Scope::Mfrom), names(Scope::Pra)) {
        (false, false) => {
            let scopes = section.split_once('/').map(|(_, scopes)| scopes);
            let (message, help) = match scopes {
                None => ("the record names no scope, so that nobody reads it", "name its scopes"),
                Some(_) => (
                    "the version section is none that receivers know, so that nobody reads the \
                     record",
                    "begin with digits behind `spf2.`, a slash, and scopes with commas between \
                     them",
                ),
            };
            report.error("version", &place, message, format!("{help}: `spf2.0/mfrom,pra`"));
            return None;
        }
        (true, _) => Scope::Mfrom,
        (false, true) => Scope::Pra,
    };
    let scopes = section.split_once('/').map_or("", |(_, scopes)| scopes);
    let unknown: Vec<&str> = scopes
        .split(',')
        .filter(|scope| !["mfrom", "pra"].iter().any(|known| known.eq_ignore_ascii_case(scope)))
        .collect();
    if !unknown.is_empty() {
        report.advise(
            "unknown-scope",
            &place,
            format!("nobody knows the scope `{}`", unknown.join("`, `")),
            "remove it",
        );
    }
    Some(scope)
}

impl SenderIdLint {
    /// The remarks of SPF's linter about the terms, at their places here; what it wants to know.
    fn terms(
        &self,
        subject: &Subject,
        evidence: &dyn Evidence,
        (scope, line): (Option<Scope>, &Range<usize>),
        report: &mut LintReport,
    ) -> Vec<quivive_evidence::Question> {
        let Some(scope) = scope else { return Vec::new() };
        let record = &report.record[line.clone()];
        let section = record.split(' ').next().unwrap_or_default().len();
        let as_spf = format!("{SPF_VERSION}{}", &record[section..]);
        let subject = Subject { domain: subject.domain.clone(), record: Some(as_spf) };
        let Linting { report: of_spf, missing } =
            SpfLint::in_scope(self.limits, scope).lint(&subject, evidence);
        let moved = |at: usize| line.start + section + at.saturating_sub(SPF_VERSION.len());
        for remark in of_spf.remarks {
            if OF_THE_TEXT.contains(&remark.code) {
                continue;
            }
            let span = match remark.span {
                (0, 0) => (0, 0),
                (start, end) => (moved(start).min(line.end), moved(end).min(line.end)),
            };
            report.remarks.push(Remark { span, ..remark });
        }
        report.omitted += of_spf.omitted;
        report.counts.extend(of_spf.counts);
        report.networks.extend(of_spf.networks);
        report.tree.extend(of_spf.tree.into_iter().map(|mut root| {
            if subject.domain.is_none() {
                root.text = report.record[line.clone()].to_owned();
            }
            root
        }));
        missing
    }
}

#[cfg(test)]
mod tests;
