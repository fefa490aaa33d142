//! The strangers' page: why a message was refused, and what can be done.
//!
//! It shows what the refused client said itself, what it was answered, and what its domain
//! publishes: nothing of recipients, rules, or us.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use quivive_evidence::{Finding, FindingResult, Identity, Method};
use quivive_store::Store;
use quivive_verdict::{Case, Policy, cause_in_words};

use crate::case::reply;
use crate::frame::{icon, page, style};
use crate::guard;
use crate::records::{self, Fault};
use crate::shown::Shown;
use crate::state::Peer;
use crate::throttle::{Throttle, network};
use crate::words::{Moment, identity_name, meaning};

/// How many pages one network may ask for at once, and how long each counts.
const ASKED: (u32, Duration) = (30, Duration::from_secs(2));

/// How many records of one name a page shows, and how many faults of them.
const RECORDS_MAX: usize = 5;
const FAULTS_MAX: usize = 5;

/// The strangers' pages. Clones share everything.
#[derive(Clone)]
pub struct Public(Arc<Inner>);

struct Inner {
    store: Option<Store>,
    /// The path under which the pages stand, with a slash at both ends.
    path: String,
    /// Our name.
    receiver: String,
    throttle: Arc<Throttle>,
}

#[derive(Template)]
#[template(path = "public.html")]
struct WhyPage {
    path: String,
    receiver: String,
    at: Moment,
    client: String,
    helo: Shown,
    reverse_path: Shown,
    action: &'static str,
    is_for_now: bool,
    reply: Shown,
    finding: Option<Why>,
}

/// Why it was refused.
struct Why {
    method: &'static str,
    identity: &'static str,
    domain: Shown,
    result: &'static str,
    meaning: &'static str,
    /// In words, with the token. None: it would tell what the client was not told.
    cause: Option<(Shown, Shown)>,
    decided_by: Option<Shown>,
    explanation: Option<Shown>,
    /// Whether the method reads a record of the domain.
    has_record: bool,
    /// What the domain publishes.
    records: Vec<Shown>,
    /// What is wrong with that, where it cannot be used.
    faults: Vec<Fault>,
    advice: Advice,
}

/// What kind of help there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Advice {
    NotPermitted,
    HeloNotPermitted,
    NotListed,
    OnList,
    NoName,
    NoRecord,
    NotYours,
    Broken,
    Unusable,
    NoAnswer,
    Other,
}

#[derive(Template)]
#[template(path = "public_none.html")]
struct NonePage {
    path: String,
    receiver: String,
    title: &'static str,
    text: &'static str,
}

impl Public {
    /// Pages about the cases of a store, under the path of this URL.
    pub fn new(store: Option<Store>, url: &str, receiver: &str) -> Self {
        let throttle = Arc::new(Throttle::new(ASKED.0, ASKED.1));
        let path = path_of(url);
        Self(Arc::new(Inner { store, path, receiver: receiver.to_owned(), throttle }))
    }

    /// The pages that take the place of older ones: how often somebody has asked still counts.
    #[must_use]
    pub fn in_place_of(self, older: &Self) -> Self {
        let Inner { store, path, receiver, .. } = &*self.0;
        let (store, path, receiver) = (store.clone(), path.clone(), receiver.clone());
        Self(Arc::new(Inner { store, path, receiver, throttle: older.0.throttle.clone() }))
    }

    fn nothing(&self, status: StatusCode, title: &'static str, text: &'static str) -> Response {
        let (path, receiver) = (self.0.path.clone(), self.0.receiver.clone());
        page(status, &NonePage { path, receiver, title, text })
    }

    /// The one answer to everything that there is not.
    fn none(&self) -> Response {
        let text = "There is no explanation at this address, or no longer: they are kept for some \
                    days. Send the message again to get a new one.";
        self.nothing(StatusCode::NOT_FOUND, "Nothing here", text)
    }
}

/// The path of a URL, with a slash at both ends.
fn path_of(url: &str) -> String {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_scheme.split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    if path.is_empty() { "/".to_owned() } else { format!("/{path}/") }
}

/// The strangers' pages. Requests should carry a [`Peer`], by which they are counted.
pub fn public_router(public: Public) -> Router {
    let path = public.0.path.clone();
    Router::new()
        .route(&format!("{path}why/{{id}}"), get(why))
        .route(&format!("{path}style.css"), get(style))
        .route(&format!("{path}icon.svg"), get(icon))
        .route("/robots.txt", get(robots))
        .fallback(no_page)
        .layer(from_fn(guard::bound))
        .with_state(public)
}

async fn robots() -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], "User-agent: *\nDisallow: /\n").into_response()
}

async fn no_page(State(public): State<Public>) -> Response {
    public.none()
}

async fn why(
    State(public): State<Public>,
    peer: Option<Extension<Peer>>,
    Path(id): Path<String>,
) -> Response {
    if !public.0.throttle.take(network(peer.and_then(|Extension(peer)| peer.0))) {
        let text = "Your network has asked for many pages. Wait a minute.";
        return public.nothing(StatusCode::TOO_MANY_REQUESTS, "Not so fast", text);
    }
    let Some(store) = public.0.store.as_ref().filter(|_| is_id(&id)) else { return public.none() };
    match store.public_case(&id).await {
        Ok(Some(case)) => page(StatusCode::OK, &WhyPage::new(&public, &case)),
        Ok(None) => public.none(),
        Err(error) => {
            tracing::warn!("an explanation could not be read: {error}");
            let text = "The explanation cannot be read now. Try again later.";
            public.nothing(StatusCode::SERVICE_UNAVAILABLE, "Not now", text)
        }
    }
}

/// Whether a text has the form of an id.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

impl WhyPage {
    fn new(public: &Public, case: &Case) -> Self {
        let facts = &case.facts;
        Self {
            path: public.0.path.clone(),
            receiver: public.0.receiver.clone(),
            at: Moment(facts.now),
            client: facts.client_address.to_string(),
            helo: Shown::new(&facts.helo),
            reverse_path: Shown::new(&facts.reverse_path),
            action: case.verdict.action.word(),
            is_for_now: case.verdict.reply.code < 500,
            reply: Shown::new(&reply(&case.verdict.reply)),
            finding: deciding(case).map(|finding| Why::new(case, finding)),
        }
    }
}

/// The finding that the reply speaks of: the first of those whose action is the verdict's.
fn deciding(case: &Case) -> Option<&Finding> {
    let action = case.verdict.action;
    case.findings.iter().find(|finding| {
        let Finding { method, identity, result, .. } = finding;
        let reason = format!("{method} {identity} {result}: {action} ");
        case.verdict.reasons.iter().any(|given| given.starts_with(&reason))
    })
}

impl Why {
    fn new(case: &Case, finding: &Finding) -> Self {
        let has_record = has_record(finding.method);
        // Whether an address is somebody else's or nobody's is for the operator to know.
        let is_secret = finding.method == Method::Binding;
        let decided_by = finding.decided_by.as_deref().filter(|_| !is_secret);
        let words = || cause_in_words(finding).unwrap_or_else(|| finding.cause.to_string());
        let cause = || (Shown::new(&words()), Shown::new(&finding.cause));
        Self {
            method: finding.method.name(),
            identity: identity_name(finding.identity),
            domain: Shown::new(&finding.domain),
            result: finding.result.word(),
            meaning: meaning(finding.method, finding.result),
            cause: (!is_secret).then(cause),
            decided_by: decided_by.map(Shown::new),
            explanation: finding.explanation.as_deref().map(Shown::new),
            has_record,
            records: if has_record { records(case, finding) } else { Vec::new() },
            faults: faults(case, finding),
            advice: advice(finding),
        }
    }
}

/// What the domain publishes: the record that was evaluated, or all that stood in its way.
fn records(case: &Case, finding: &Finding) -> Vec<Shown> {
    let first = finding.trace.first();
    if let Some(node) = first.filter(|node| !node.term.is_empty()) {
        return vec![Shown::new(&node.term)];
    }
    let asked = first.map_or(&[][..], |node| &node.questions);
    let answers = case.evidence.iter().filter(|answer| asked.contains(&answer.question));
    let records = answers.flat_map(|answer| &answer.records);
    let is_policy = |record: &&String| {
        let record = record.trim_start().to_ascii_lowercase();
        record.starts_with("v=spf1") || record.starts_with("spf2.0/")
    };
    records.filter(is_policy).take(RECORDS_MAX).map(|record| Shown::new(record)).collect()
}

/// What a linter finds wrong with an SPF record that cannot be used, by the recorded evidence.
fn faults(case: &Case, finding: &Finding) -> Vec<Fault> {
    if (finding.method, finding.result) != (Method::Spf, FindingResult::Permerror) {
        return Vec::new();
    }
    let Ok(notebook) = case.notebook(&[]) else { return Vec::new() };
    // By the standard's limits: what we allow ourselves is no matter of the domain's.
    let mut faults = records::faults(&Policy::new(""), &finding.domain, &notebook);
    faults.truncate(FAULTS_MAX);
    faults
}

/// Whether what a method evaluates is a record, which stands first in its trace; others look up
/// names, one for each client.
fn has_record(method: Method) -> bool {
    !matches!(
        method,
        Method::Dmp
            | Method::Drip
            | Method::Iprev
            | Method::Dnsbl
            | Method::Dnswl
            | Method::Binding
    )
}

fn advice(finding: &Finding) -> Advice {
    use FindingResult::{Fail, Neutral, Permerror, Softfail, Temperror};
    match (finding.method, finding.result) {
        (Method::Binding, _) => Advice::NotYours,
        (_, Temperror) => Advice::NoAnswer,
        (Method::Spf, Permerror) => Advice::Broken,
        (Method::Spf, FindingResult::None) if finding.identity != Identity::Helo => {
            Advice::NoRecord
        }
        (Method::Spf, Fail | Softfail | Neutral) => match finding.identity {
            Identity::Helo => Advice::HeloNotPermitted,
            _ => Advice::NotPermitted,
        },
        (Method::Iprev, Fail | Permerror) => Advice::NoName,
        (Method::Dnsbl, Fail) => Advice::OnList,
        (
            Method::SenderId
            | Method::CallerId
            | Method::MailFromMx
            | Method::Rmx
            | Method::Dmp
            | Method::Drip,
            result,
        ) if !finding.domain.is_empty() => match result {
            Permerror => Advice::Unusable,
            _ => Advice::NotListed,
        },
        _ => Advice::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_urls() {
        for (url, path) in [
            ("https://q.example", "/"),
            ("https://q.example/", "/"),
            ("https://q.example/a/b/", "/a/b/"),
            ("https://q.example:8443/a?x#y", "/a/"),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }

    #[test]
    fn ids_have_a_form() {
        assert!(is_id("0123456789abcdefABCDEF-_"));
        for text in ["", "a/b", "a.b", "a b", "é", &"a".repeat(65)] {
            assert!(!is_id(text), "{text}");
        }
    }
}
