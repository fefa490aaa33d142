//! A judgement as JSON, keys in this order.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use quivive_evidence::{Finding, Noted, NotedAnswer, Question, TraceNode};
use quivive_verdict::{Cost, HeaderEdit, Headers, Judgement, RecipientVerdict, Rewrite, Verdict};
use serde::Serialize;

/// A judgement, as `check --json` writes it.
#[derive(Serialize)]
pub struct JudgementJson<'a> {
    findings: Vec<FindingJson<'a>>,
    verdict: VerdictJson<'a>,
    headers: HeadersJson,
    cost: CostJson,
    questions: Vec<QuestionJson>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    method: &'a str,
    identity: &'a str,
    domain: &'a str,
    result: &'a str,
    cause: &'a str,
    decided_by: Option<&'a str>,
    explanation: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<&'a str, &'a str>,
    trace: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    term: &'a str,
    span: (u32, u32),
    result: &'a str,
    questions: Vec<usize>,
    children: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct VerdictJson<'a> {
    action: &'a str,
    code: u16,
    enhanced: String,
    text: &'a str,
    reasons: &'a [String],
    recipients: Vec<RecipientJson<'a>>,
    #[serde(skip_serializing_if = "<[Rewrite]>::is_empty")]
    rewrites: &'a [Rewrite],
}

#[derive(Serialize)]
struct RecipientJson<'a> {
    rcpt: &'a str,
    action: &'a str,
    code: u16,
    text: &'a str,
}

#[derive(Serialize)]
struct HeadersJson {
    received_spf: Vec<String>,
    authentication_results: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_rmx: Option<String>,
    /// Fields that take the place of all fields of their name: what the message's own header is
    /// mended by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<EditJson>,
}

#[derive(Serialize)]
struct EditJson {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct CostJson {
    questions: QuestionCostJson,
    rounds: usize,
    micros: u64,
}

#[derive(Serialize)]
struct QuestionCostJson {
    needed: usize,
    ahead: usize,
}

#[derive(Serialize)]
struct QuestionJson {
    question: String,
    answer: AnswerJson,
    ttl: u32,
    server: Option<SocketAddr>,
    ad: bool,
    /// The AD bit is set, and its server is one that is trusted with it.
    secure: bool,
    micros: u32,
}

#[derive(Serialize)]
struct AnswerJson {
    status: &'static str,
    records: Vec<String>,
}

/// Where each question stands in `questions`.
type Places = HashMap<Question, usize>;

impl<'a> JudgementJson<'a> {
    /// The object for a judgement.
    pub fn new(judgement: &'a Judgement) -> Self {
        let noted = judgement.notebook.noted();
        let places = noted.enumerate().map(|(at, noted)| (noted.question, at));
        let places: Places = places.collect();
        let findings = judgement.findings.iter();
        Self {
            findings: findings.map(|finding| FindingJson::new(finding, &places)).collect(),
            verdict: VerdictJson::new(&judgement.verdict),
            headers: HeadersJson::new(&judgement.headers),
            cost: CostJson::new(judgement.cost),
            questions: judgement.notebook.noted().map(QuestionJson::new).collect(),
        }
    }
}

impl<'a> FindingJson<'a> {
    fn new(finding: &'a Finding, places: &Places) -> Self {
        Self {
            method: finding.method.word(),
            identity: finding.identity.word(),
            domain: &finding.domain,
            result: finding.result.word(),
            cause: &finding.cause,
            decided_by: finding.decided_by.as_deref(),
            explanation: finding.explanation.as_deref(),
            properties: finding.properties.iter().map(|own| (&*own.name, &*own.value)).collect(),
            trace: NodeJson::terms(&finding.trace, places),
        }
    }
}

/// The contract shows terms alone: what was asked for the record that a term includes stands at
/// that term, and the record's terms are its children.
impl<'a> NodeJson<'a> {
    fn terms(records: &'a [TraceNode], places: &Places) -> Vec<Self> {
        let terms = records.iter().flat_map(|record| &record.children);
        terms.map(|term| Self::new(term, places)).collect()
    }

    fn new(term: &'a TraceNode, places: &Places) -> Self {
        let of_records = term.children.iter().flat_map(|record| &record.questions);
        let questions = term.questions.iter().chain(of_records);
        Self {
            term: &term.term,
            span: term.span,
            result: term.result.word(),
            questions: questions.filter_map(|asked| places.get(asked).copied()).collect(),
            children: Self::terms(&term.children, places),
        }
    }
}

impl<'a> VerdictJson<'a> {
    fn new(verdict: &'a Verdict) -> Self {
        Self {
            action: verdict.action.word(),
            code: verdict.reply.code,
            enhanced: verdict.reply.enhanced.to_string(),
            text: &verdict.reply.text,
            reasons: &verdict.reasons,
            recipients: verdict.recipients.iter().map(RecipientJson::new).collect(),
            rewrites: &verdict.rewrites,
        }
    }
}

impl<'a> RecipientJson<'a> {
    fn new(verdict: &'a RecipientVerdict) -> Self {
        Self {
            rcpt: &verdict.recipient,
            action: verdict.action.word(),
            code: verdict.reply.code,
            text: &verdict.reply.text,
        }
    }
}

impl HeadersJson {
    fn new(headers: &Headers) -> Self {
        Self {
            received_spf: headers.received_spf.iter().map(|value| unfolded(value)).collect(),
            authentication_results: unfolded(&headers.authentication_results),
            x_rmx: headers.x_rmx.as_deref().map(unfolded),
            edits: headers.edits.iter().map(EditJson::new).collect(),
        }
    }
}

impl EditJson {
    fn new(edit: &HeaderEdit) -> Self {
        Self { name: edit.name.clone(), value: unfolded(&edit.value).trim().to_owned() }
    }
}

impl CostJson {
    fn new(cost: Cost) -> Self {
        let Cost { questions_needed: needed, questions_ahead: ahead, rounds, micros } = cost;
        Self { questions: QuestionCostJson { needed, ahead }, rounds, micros }
    }
}

impl QuestionJson {
    fn new(noted: Noted) -> Self {
        let source = noted.answer.source();
        Self {
            question: noted.question.to_string(),
            ttl: source.ttl,
            server: source.server,
            ad: source.authenticated,
            secure: source.is_secure(),
            micros: source.micros,
            answer: AnswerJson::new(&noted.answer),
        }
    }
}

impl AnswerJson {
    fn new(answer: &NotedAnswer) -> Self {
        Self { status: answer.status(), records: answer.record_texts() }
    }
}

/// A field's value on one line (RFC 5322 section 2.2.3).
fn unfolded(value: &str) -> String {
    value.replace("\r\n\t", " ").replace("\r\n", "")
}
