//! Addresses rewritten for forwarding, and found again.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use quivive_contract::{RequestError, SrsJson};
use serde::Deserialize;

use super::Api;
use super::access::Bearer;
use super::answer::{Refusal, object};
use super::body;
use super::tokens::Scope;
use crate::srs::Rewriter;

/// What a body asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The sender's address, or the recipient's.
    address: String,
    /// The reverse-path of the mail for a recipient, if it is known: empty for the null sender.
    #[serde(default)]
    sender: Option<String>,
}

/// `POST /v1/srs/forward`: what a sender becomes.
pub(super) async fn forward(
    State(api): State<Api>,
    Extension(bearer): Extension<Bearer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (rewriter, asked) = asked(&api, &bearer, &headers, body).await?;
    let answer = SrsJson::written(rewriter.forward(&asked.address), &asked.address);
    Ok(object(StatusCode::OK, &answer))
}

/// `POST /v1/srs/reverse`: whose a recipient is.
pub(super) async fn reverse(
    State(api): State<Api>,
    Extension(bearer): Extension<Bearer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (rewriter, asked) = asked(&api, &bearer, &headers, body).await?;
    let answer = SrsJson::returned(rewriter.reverse(&asked.address, asked.sender.as_deref()));
    Ok(object(StatusCode::OK, &answer))
}

async fn asked<'a>(
    api: &'a Api,
    bearer: &Bearer,
    headers: &HeaderMap,
    body: Body,
) -> Result<(&'a Rewriter, Asked), Refusal> {
    bearer.may(Scope::Srs)?;
    let rewriter = api.0.settings.rewriter.as_ref().ok_or_else(|| {
        let text = "this server rewrites no addresses: its configuration has no [srs]";
        Refusal::new(StatusCode::NOT_FOUND, "srs", text)
    })?;
    let taken = body::take(headers, body, &api.0.lasting.large).await?;
    let asked = serde_json::from_slice(&taken.octets).map_err(RequestError::from)?;
    Ok((rewriter, asked))
}
