//! A case: what was said, what was asked and answered, what was found, what followed.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use quivive_evidence::{Finding, Property};
use quivive_verdict::{Case, Rewrite};

use crate::frame::{Frame, Session, page};
use crate::shown::Shown;
use crate::state::Console;
use crate::tree::{Answer, Term, answers};
use crate::trouble;
use crate::words::{Moment, counted, done, identity_name, meaning, milliseconds};

/// How long an id may be, in octets. Ours are shorter.
const ID_OCTETS_MAX: usize = 128;

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    id: Shown,
    path: String,
    verdict: VerdictView,
    facts: FactsView,
    findings: Vec<FindingView>,
    rewrites: Vec<RewriteView>,
    answers: Vec<Answer>,
    headers: Vec<(&'static str, Shown)>,
    cost: String,
    cut: Vec<Shown>,
    /// A record to begin with, in the form of the replay.
    sample: String,
}

/// What was decided.
struct VerdictView {
    action: &'static str,
    done: &'static str,
    reply: Shown,
    reasons: Vec<Shown>,
    /// Empty if it is the reply.
    outcome: Shown,
    recipients: Vec<(Shown, &'static str, &'static str)>,
}

struct FactsView {
    at: Moment,
    door: Shown,
    client: String,
    helo: Shown,
    reverse_path: Shown,
    recipients: Vec<Shown>,
    more_recipients: usize,
    auth_user: Option<Shown>,
    submitter: Option<Shown>,
    receiver: Shown,
}

/// How many recipients are listed.
const RECIPIENTS_SHOWN: usize = 20;

struct FindingView {
    method: &'static str,
    identity: &'static str,
    result: &'static str,
    meaning: &'static str,
    domain: Shown,
    cause: Shown,
    decided_by: Option<Shown>,
    explanation: Option<Shown>,
    /// What of the message was judged: `header.sender`, and what stands there.
    properties: Vec<(String, Shown)>,
    trees: Vec<Term>,
}

/// An address of the envelope that was changed on the way.
struct RewriteView {
    address: Shown,
    what: &'static str,
    result: Shown,
    class: &'static str,
    becomes: Vec<Shown>,
    reason: Shown,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Response {
    let frame = Frame::new(&console, &session, "cases");
    match find(&console, &frame, &id).await {
        Ok(case) => page(StatusCode::OK, &CasePage::new(frame, &case)),
        Err(response) => *response,
    }
}

/// The case with this id, or the page that says why there is none.
pub(crate) async fn find(
    console: &Console,
    frame: &Frame,
    id: &str,
) -> Result<Case, Box<Response>> {
    let Some(store) = &console.world().store else {
        return Err(Box::new(trouble::no_store(frame.clone())));
    };
    if id.len() > ID_OCTETS_MAX {
        return Err(Box::new(trouble::no_case(frame.clone())));
    }
    match store.case(id).await {
        Ok(Some(case)) => Ok(case),
        Ok(None) => Err(Box::new(trouble::no_case(frame.clone()))),
        Err(error) => Err(Box::new(trouble::store(frame.clone(), &error))),
    }
}

impl CasePage {
    fn new(frame: Frame, case: &Case) -> Self {
        let headers = case.headers.fields();
        Self {
            id: Shown::new(case.id()),
            path: segment(case.id()),
            verdict: VerdictView::new(case),
            facts: FactsView::new(case),
            findings: case.findings.iter().map(|finding| FindingView::new(finding, case)).collect(),
            rewrites: case.verdict.rewrites.iter().map(RewriteView::new).collect(),
            answers: answers(&case.evidence),
            headers: headers.map(|(name, value)| (name, Shown::new(&unfolded(value)))).collect(),
            cost: cost(case),
            cut: case.cut.iter().map(|cut| Shown::new(cut)).collect(),
            sample: sample(case),
            frame,
        }
    }
}

impl VerdictView {
    fn new(case: &Case) -> Self {
        let verdict = &case.verdict;
        let said = reply(&verdict.reply);
        let others = verdict.recipients.iter().filter(|one| one.action != verdict.action);
        Self {
            action: verdict.action.word(),
            done: done(verdict.action),
            outcome: Shown::new(if case.outcome == said { "" } else { &case.outcome }),
            reply: Shown::new(&said),
            reasons: verdict.reasons.iter().map(|reason| Shown::new(reason)).collect(),
            recipients: others
                .map(|one| (Shown::new(&one.recipient), one.action.word(), done(one.action)))
                .collect(),
        }
    }
}

/// `550 5.7.23 text`
pub(crate) fn reply(reply: &quivive_verdict::VerdictReply) -> String {
    format!("{} {} {}", reply.code, reply.enhanced, reply.text)
}

impl RewriteView {
    fn new(rewrite: &Rewrite) -> Self {
        Self {
            address: Shown::new(&rewrite.address),
            what: match (&*rewrite.method, &*rewrite.identity) {
                ("srs", "mailfrom") => "a sender, for forwarding",
                ("srs", _) => "a forwarding address",
                ("alias", _) => "an alias",
                _ => "an address",
            },
            result: Shown::new(&rewrite.result),
            class: match &*rewrite.result {
                "pass" | "rewritten" | "expanded" => "pass",
                "fail" | "expired" => "fail",
                _ => "neutral",
            },
            becomes: rewrite.becomes.iter().map(|address| Shown::new(address)).collect(),
            reason: Shown::new(&rewrite.reason),
        }
    }
}

impl FactsView {
    fn new(case: &Case) -> Self {
        let facts = &case.facts;
        let recipients = facts.recipients.iter().take(RECIPIENTS_SHOWN);
        Self {
            at: Moment(facts.now),
            door: Shown::new(&case.door),
            client: facts.client_address.to_string(),
            helo: Shown::new(&facts.helo),
            reverse_path: Shown::new(&facts.reverse_path),
            recipients: recipients.map(|recipient| Shown::new(recipient)).collect(),
            more_recipients: facts.recipients.len().saturating_sub(RECIPIENTS_SHOWN),
            auth_user: facts.auth_user.as_deref().map(Shown::new),
            submitter: facts.submitter.as_deref().map(Shown::new),
            receiver: Shown::new(&facts.receiver),
        }
    }
}

impl FindingView {
    fn new(finding: &Finding, case: &Case) -> Self {
        Self {
            method: finding.method.name(),
            identity: identity_name(finding.identity),
            result: finding.result.word(),
            meaning: meaning(finding.method, finding.result),
            domain: Shown::new(&finding.domain),
            cause: Shown::new(&finding.cause),
            decided_by: finding.decided_by.as_deref().map(Shown::new),
            explanation: finding.explanation.as_deref().map(Shown::new),
            properties: finding.properties.iter().map(property).collect(),
            trees: Term::trees(&finding.trace, &case.evidence),
        }
    }
}

fn property(property: &Property) -> (String, Shown) {
    (property.name.to_string(), Shown::new(&property.value))
}

/// An id as a segment of a path: what is not a letter, a digit, `-`, `_` or `.` is percent-encoded
/// (RFC 3986 section 2.1).
pub(crate) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                segment.push(char::from(octet));
            }
            octet => segment.push_str(&format!("%{octet:02X}")),
        }
    }
    segment
}

/// A field body on one line.
fn unfolded(value: &str) -> String {
    value.replace("\r\n", "").replace('\n', "")
}

fn cost(case: &Case) -> String {
    let cost = case.cost;
    format!(
        "{} needed, {} ahead of need, {}, {}",
        counted(cost.questions_needed, "question"),
        cost.questions_ahead,
        counted(cost.rounds, "round"),
        milliseconds(cost.micros)
    )
}

/// The record that decided, to be changed: the first one that a finding with a record has.
fn sample(case: &Case) -> String {
    let mut records = case.findings.iter().rev().flat_map(|finding| {
        let name = format!("{} TXT", finding.domain);
        let of_finding =
            move |answer: &&quivive_evidence::Recorded| answer.question.to_string() == name;
        let answer = case.evidence.iter().find(of_finding)?;
        let record = answer.records.iter().find(|record| record.starts_with("v="))?;
        Some(format!("{} {record}", answer.question))
    });
    records.next().unwrap_or_default()
}
