use quivive_evidence::{LintReport, Method, Publication, ZoneRecord};
use serde::Serialize;

use crate::LintJson;

/// What a generator wrote for one method.
#[derive(Serialize)]
pub struct PublishJson<'a> {
    method: &'a str,
    domain: &'a str,
    records: Vec<RecordJson<'a>>,
    warnings: Vec<&'a str>,
    /// What the method's linter says about it.
    lint: LintJson<'a>,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    record_type: String,
    /// As a line of a master file.
    zone: String,
}

impl<'a> PublishJson<'a> {
    /// The object for what was written about a domain's senders.
    pub fn new(
        method: Method,
        domain: &'a str,
        publication: &'a Publication,
        report: &'a LintReport,
    ) -> Self {
        Self {
            method: method.word(),
            domain,
            records: publication.records.iter().map(RecordJson::new).collect(),
            warnings: publication.warnings.iter().map(String::as_str).collect(),
            lint: LintJson::new(report, Some(domain)),
        }
    }
}

impl<'a> RecordJson<'a> {
    fn new(record: &'a ZoneRecord) -> Self {
        Self {
            name: &record.name,
            record_type: record.data.record_type().to_string(),
            zone: record.to_string(),
        }
    }
}
