use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use quivive_contract::CaseJson;
use quivive_store::{Error, Store};
use quivive_verdict::Case;

use super::Api;
use super::access::Bearer;
use super::answer::{Refusal, object};
use super::tokens::Scope;

/// How long an id may be, in octets. Ours are shorter.
const ID_OCTETS_MAX: usize = 128;

/// `GET /v1/cases/ID`
pub(super) async fn show(
    State(api): State<Api>,
    Extension(bearer): Extension<Bearer>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    bearer.may(Scope::Cases)?;
    let Some(store) = &api.0.ledger.store else {
        let text = "no cases are kept: the configuration has no `path` in `[store]`";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no-store", text));
    };
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let case = find(store, &id).await.map_err(|error| trouble(&error))?;
    let Some(case) = case else {
        let text = "there is no case with this id, or no longer";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no-case", text));
    };
    let judgement = case
        .judgement()
        .map_err(|text| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text))?;
    Ok(object(StatusCode::OK, &CaseJson::new(&case, &judgement)))
}

/// A case, also one that was judged a moment ago and is not written yet.
async fn find(store: &Store, id: &str) -> Result<Option<Case>, Error> {
    if !(1..=ID_OCTETS_MAX).contains(&id.len()) {
        return Ok(None);
    }
    if let Some(case) = store.case(id).await? {
        return Ok(Some(case));
    }
    store.flush().await;
    store.case(id).await
}

fn trouble(error: &Error) -> Refusal {
    tracing::warn!("the HTTP door has no answer of the store: {error}");
    let text = "the store cannot answer now; the daemon's log says more";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "store", text)
}
