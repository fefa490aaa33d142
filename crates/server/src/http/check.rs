use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use quivive_contract::{Attached, JudgementJson, Query, Request, RequestError, Selection, id_of};
use quivive_evidence::{Header, Method};
use quivive_verdict::{Judgement, Mode, Policy};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Api;
use super::access::Bearer;
use super::answer::{Refusal, object};
use super::body::{self, SMALL_OCTETS_MAX};
use super::tokens::Scope;
use crate::facts;
use crate::results;

/// How many octets a request may have without its message and id.
pub const ENVELOPE_OCTETS_MAX: usize = 64 * 1024;

/// How many recipients a request may name.
pub const RECIPIENTS_MAX: usize = 1_000;

/// How long an id may be that a request brings along, in octets.
pub const ID_OCTETS_MAX: usize = 1_024;

/// What asks others than DNS: their servers would hear from us because a stranger wants it so.
const REACH_OUT: &[Method] = &[Method::Callback, Method::Challenge, Method::Rmxpp];

/// What is answered: the id as it came, the case's id where cases are kept, the judgement.
#[derive(Serialize)]
struct CheckedJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<&'a str>,
    #[serde(flatten)]
    judgement: JudgementJson<'a>,
}

/// What a body asks.
struct Asked {
    id: Option<Box<RawValue>>,
    query: Query,
}

/// `POST /v1/check`
pub(super) async fn check(
    State(api): State<Api>,
    Extension(bearer): Extension<Bearer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    bearer.may(Scope::Check)?;
    let Asked { id, query } = {
        let taken = body::take(&headers, body, &api.0.lasting.large).await?;
        let asked = read(taken.octets).await?;
        drop(taken.place);
        asked
    };
    let policy = policy(api.0.checker.policy(), &query.selection, &bearer)?;
    let settings = &api.0.settings;
    api.0.ledger.room().await;
    let facts = facts::noted(query.facts(), &settings.receiver, &policy);
    let judgement = api.0.checker.judging_by(policy).check(facts).await;
    write_down(&api, &bearer, &judgement);
    let kept = api.0.ledger.store.is_some();
    let answer = CheckedJson {
        id: id.as_deref(),
        case: kept.then_some(&judgement.facts.case_id),
        judgement: JudgementJson::new(&judgement),
    };
    Ok(object(StatusCode::OK, &answer))
}

/// Reads a body; a large one away from the threads that answer others.
async fn read(octets: Bytes) -> Result<Asked, RequestError> {
    if octets.len() <= SMALL_OCTETS_MAX {
        return parse(&octets);
    }
    let parsed = tokio::task::spawn_blocking(move || parse(&octets)).await;
    parsed.unwrap_or_else(|lost| Err(RequestError::new("internal", lost.to_string())))
}

fn parse(octets: &[u8]) -> Result<Asked, RequestError> {
    let text = str::from_utf8(octets).map_err(|error| {
        let text = format!("not UTF-8 after {} octets", error.valid_up_to());
        RequestError::new("encoding", text)
    })?;
    let Request { mut query, message } = Request::parse(text)?;
    query.header = match message {
        None => None,
        Some(Attached::Octets(octets)) => Some(Header::read(&octets)),
        Some(Attached::File(_)) => {
            let text = "no file is read for a request: send the message itself, as `message` or \
                        `message_base64`";
            return Err(RequestError::new("message-file", text));
        }
    };
    bounded(&query)?;
    let id = id_of(text);
    if id.is_some_and(|id| id.get().len() > ID_OCTETS_MAX) {
        let text = format!("an `id` has at most {ID_OCTETS_MAX} octets");
        return Err(RequestError::new("too-long", text));
    }
    Ok(Asked { id: id.map(ToOwned::to_owned), query })
}

fn bounded(query: &Query) -> Result<(), RequestError> {
    let recipients = query.rcpt.iter().map(String::len).sum::<usize>();
    let user = query.auth_user.as_ref().map_or(0, String::len);
    if query.helo.len() + query.mail_from.len() + recipients + user > ENVELOPE_OCTETS_MAX {
        let text = format!(
            "`helo`, `mail_from`, `rcpt` and `auth_user` together have at most \
             {ENVELOPE_OCTETS_MAX} octets"
        );
        return Err(RequestError::new("too-long", text));
    }
    if query.rcpt.len() > RECIPIENTS_MAX {
        let text = format!("`rcpt` has at most {RECIPIENTS_MAX} recipients");
        return Err(RequestError::new("too-long", text));
    }
    Ok(())
}

/// The policy for a request: what it selects, and no method that reaches out unless the token may
/// have it do so.
pub(super) fn policy(
    known: &Arc<Policy>,
    selection: &Selection,
    bearer: &Bearer,
) -> Result<Arc<Policy>, Refusal> {
    if selection.methods.iter().flatten().any(|method| REACH_OUT.contains(method)) {
        bearer.may(Scope::Probe)?;
    }
    let policy = selection.of(known).map_err(RequestError::from)?;
    let reaches_out = REACH_OUT.iter().any(|method| policy.mode(*method) != Mode::Off);
    if !reaches_out || bearer.may(Scope::Probe).is_ok() {
        return Ok(policy);
    }
    let mut quiet = Policy::clone(&policy);
    quiet.methods.retain(|method, _| !REACH_OUT.contains(method));
    Ok(Arc::new(quiet))
}

/// A check is a case, and a line of the log. What a client said is written as a quoted string.
fn write_down(api: &Api, bearer: &Bearer, judgement: &Judgement) {
    let facts = &judgement.facts;
    let reply = &judgement.verdict.reply;
    let outcome = format!("{} {} {}", reply.code, reply.enhanced, reply.text);
    // The answer is still to be read from it.
    api.0.ledger.write(judgement.clone(), "http", || facts.recipients.clone(), &outcome);
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    tracing::info!(
        id = %facts.case_id,
        token = %bearer.0.name,
        client = %facts.client_address,
        helo = ?facts.helo,
        mail_from = ?facts.reverse_path,
        recipients = facts.recipients.len(),
        results = %results::words(judgement),
        verdict = judgement.verdict.action.word(),
        practice = results::practice(judgement),
        "check"
    );
}
