use quivive_evidence::{Count, LintNode, LintReport, Remark, Severity};
use serde::Serialize;

/// What a linter says: an object of the contract.
#[derive(Serialize)]
pub struct LintJson<'a> {
    method: &'a str,
    domain: Option<&'a str>,
    record: &'a str,
    findings: Vec<RemarkJson<'a>>,
    /// How many findings more there would be.
    omitted: usize,
    counts: Vec<CountJson>,
    tree: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct RemarkJson<'a> {
    code: &'a str,
    severity: Severity,
    span: Span,
    message: &'a str,
    help: &'a str,
}

/// In octets of the record.
#[derive(Serialize)]
struct Span {
    start: usize,
    end: usize,
}

#[derive(Serialize)]
struct CountJson {
    what: &'static str,
    used: usize,
    most: usize,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    text: &'a str,
    note: &'a str,
    children: Vec<NodeJson<'a>>,
}

impl<'a> LintJson<'a> {
    /// The object for a report about a domain, or about a text that stands alone.
    pub fn new(report: &'a LintReport, domain: Option<&'a str>) -> Self {
        Self {
            method: report.method.word(),
            domain,
            record: &report.record,
            findings: report.remarks.iter().map(RemarkJson::new).collect(),
            omitted: report.omitted,
            counts: report.counts.iter().map(CountJson::new).collect(),
            tree: NodeJson::all(&report.tree),
        }
    }
}

impl<'a> RemarkJson<'a> {
    fn new(remark: &'a Remark) -> Self {
        let Remark { code, severity, span: (start, end), message, help } = remark;
        let span = Span { start: *start, end: *end };
        Self { code, severity: *severity, span, message, help }
    }
}

impl CountJson {
    fn new(count: &Count) -> Self {
        Self { what: count.what, used: count.used, most: count.most }
    }
}

impl<'a> NodeJson<'a> {
    fn all(nodes: &'a [LintNode]) -> Vec<Self> {
        let node = |node: &'a LintNode| Self {
            text: &node.text,
            note: &node.note,
            children: Self::all(&node.children),
        };
        nodes.iter().map(node).collect()
    }
}
