//! A case judged again: by the policy that runs now, with records as somebody wishes them.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use quivive_evidence::what_if;
use quivive_verdict::simulation::named;
use quivive_verdict::{
    Case, Difference, Node, Policy, TermDifference, Verdict, differences, replay,
};
use serde::Deserialize;

use crate::case::{self, segment};
use crate::frame::{Frame, Session, page};
use crate::guard::refused;
use crate::records::{self, Fault};
use crate::sent::Sent;
use crate::shown::Shown;
use crate::state::Console;
use crate::tree;
use crate::words::{done, identity_name};

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct ReplayForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    records: String,
}

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    frame: Frame,
    id: Shown,
    path: String,
    records: String,
    /// What is wrong with the records.
    problem: Option<Shown>,
    outcome: Option<Outcome>,
}

struct Outcome {
    is_same: bool,
    before: Side,
    after: Side,
    differences: Vec<DifferenceView>,
    lacking: Vec<Shown>,
    reasons: Vec<Shown>,
    with_records: bool,
    /// What the linter finds wrong with the records.
    faults: Vec<Fault>,
}

/// A verdict.
struct Side {
    action: &'static str,
    done: &'static str,
    reply: Shown,
}

struct DifferenceView {
    method: &'static str,
    identity: &'static str,
    before: Option<(&'static str, Shown)>,
    after: Option<(&'static str, Shown)>,
    terms: Vec<TermView>,
}

struct TermView {
    indent: usize,
    before: Option<NodeView>,
    after: Option<NodeView>,
}

struct NodeView {
    term: Shown,
    result: &'static str,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Sent(form): Sent<ReplayForm>,
) -> Response {
    if !console.access().is_token(&session.0, &form.token) {
        return refused(&console, "The form is too old. Go back, load the page again, and repeat.");
    }
    let frame = Frame::new(&console, &session, "cases");
    let case = match case::find(&console, &frame, &id).await {
        Ok(case) => case,
        Err(response) => return *response,
    };
    let policy = console.world().policy.clone();
    let (status, problem, outcome) = match outcome(policy, &case, &form.records) {
        Ok(outcome) => (StatusCode::OK, None, Some(outcome)),
        Err(text) => (StatusCode::UNPROCESSABLE_ENTITY, Some(Shown::new(&text)), None),
    };
    let page_of_replay = ReplayPage {
        frame,
        id: Shown::new(case.id()),
        path: segment(case.id()),
        records: form.records,
        problem,
        outcome,
    };
    page(status, &page_of_replay)
}

fn outcome(policy: Arc<Policy>, case: &Case, records: &str) -> Result<Outcome, String> {
    let records = records::read(records)?;
    // A record alone is the sender's.
    let instead = what_if(&named(case.domain(), &records), case.facts.now)?;
    let notebook = case.notebook(&instead)?;
    let wished = records::domains(instead.iter().map(|answer| answer.question.clone()));
    let faults = wished.iter().flat_map(|domain| records::faults(&policy, domain, &notebook));
    let faults = faults.collect();
    let replayed = replay(policy, case.facts.clone(), notebook);
    let after = replayed.judgement;
    let differences = differences(&case.findings, &after.findings);
    let lacking: Vec<_> =
        replayed.lacking.iter().map(|question| Shown::new(&question.to_string())).collect();
    let after_side = if lacking.is_empty() { Side::of(&after.verdict) } else { Side::unknown() };
    Ok(Outcome {
        is_same: differences.is_empty() && after.verdict == case.verdict && lacking.is_empty(),
        before: Side::of(&case.verdict),
        after: after_side,
        differences: differences.iter().map(DifferenceView::new).collect(),
        lacking,
        reasons: after.verdict.reasons.iter().map(|reason| Shown::new(reason)).collect(),
        with_records: !records.is_empty(),
        faults,
    })
}

impl Side {
    fn of(verdict: &Verdict) -> Self {
        Self {
            action: verdict.action.word(),
            done: done(verdict.action),
            reply: Shown::new(&case::reply(&verdict.reply)),
        }
    }

    /// What findings that are missing would come to is nobody's guess.
    fn unknown() -> Self {
        let reply = Shown::new("Nobody knows without the answers that are lacking.");
        Self { action: "none", done: "not known", reply }
    }
}

impl DifferenceView {
    fn new(difference: &Difference) -> Self {
        let side = |side: &Option<(quivive_evidence::FindingResult, String)>| {
            side.as_ref().map(|(result, cause)| (result.word(), Shown::new(cause)))
        };
        Self {
            method: difference.method.name(),
            identity: identity_name(difference.identity),
            before: side(&difference.before),
            after: side(&difference.after),
            terms: difference.terms.iter().map(TermView::new).collect(),
        }
    }
}

impl TermView {
    fn new(difference: &TermDifference) -> Self {
        let node = |node: &Option<Node>| {
            node.as_ref().map(|node| NodeView {
                term: Shown::new(if node.term.is_empty() { "no record" } else { &node.term }),
                result: tree::result(node.result),
            })
        };
        Self {
            indent: difference.depth.min(5),
            before: node(&difference.before),
            after: node(&difference.after),
        }
    }
}
