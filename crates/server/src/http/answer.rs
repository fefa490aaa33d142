//! Answers: JSON objects, also where something is wrong.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quivive_contract::RequestError;
use serde::Serialize;

use super::limits::TooMany;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a request has another answer than what it asks for.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: RequestError,
    /// What the client is told besides.
    header: Option<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    error: &'a RequestError,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: &'static str, text: impl AsRef<str>) -> Self {
        Self { status, error: RequestError::new(kind, text), header: None }
    }

    /// RFC 6750 section 3: who asks without a good token is told that there are tokens.
    pub(super) fn no_token(text: &str) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"Quivive\"");
        let header = Some((header::WWW_AUTHENTICATE, challenge));
        Self { header, ..Self::new(StatusCode::UNAUTHORIZED, "token", text) }
    }
}

impl From<TooMany> for Refusal {
    fn from(TooMany(seconds): TooMany) -> Self {
        let text = format!("too many requests; there may be another in {seconds} s");
        let header = Some((header::RETRY_AFTER, HeaderValue::from(seconds)));
        Self { header, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate", text) }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        let status = match error.kind {
            "internal" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error, header: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = object(self.status, &ErrorJson { error: &self.error });
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// An object with its status.
pub(super) fn object(status: StatusCode, object: &impl Serialize) -> Response {
    let body = quivive_contract::line(object);
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}
