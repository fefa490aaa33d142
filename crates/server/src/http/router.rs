use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tokio::time::timeout;

use super::answer::Refusal;
use super::{Api, access, cases, check, srs};

/// How long a request may take: reading it, and answering it. A check has 20 s for DNS.
pub const REQUEST_TIME: Duration = Duration::from_secs(40);

/// The interface in the words of OpenAPI 3.1.
pub const DESCRIPTION: &str = include_str!("openapi.json");

/// What every answer says: it is for its client alone, and what it is said to be.
const HEADERS: &[(&str, &str)] =
    &[("cache-control", "no-store"), ("x-content-type-options", "nosniff")];

/// What wants a token.
pub(super) fn routes_with_token() -> [(&'static str, MethodRouter<Api>); 4] {
    [
        ("/v1/check", post(check::check)),
        ("/v1/cases/{id}", get(cases::show)),
        ("/v1/srs/forward", post(srs::forward)),
        ("/v1/srs/reverse", post(srs::reverse)),
    ]
}

/// What everybody may ask.
pub(super) fn open_routes() -> [(&'static str, MethodRouter<Api>); 1] {
    [("/v1/openapi.json", get(describe))]
}

/// The interface. Requests should carry a [`quivive_console::Peer`], by which they are counted.
pub fn router(api: Api) -> Router {
    let add = |router: Router<Api>, (path, route)| router.route(path, route);
    let with_token = routes_with_token()
        .into_iter()
        .fold(Router::new(), add)
        .route_layer(from_fn_with_state(api.clone(), access::token));
    open_routes()
        .into_iter()
        .fold(with_token, add)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(api.clone(), access::address))
        .layer(from_fn(bound))
        .with_state(api)
}

/// Bounds the time of a request.
async fn bound(request: Request, next: Next) -> Response {
    let answered = timeout(REQUEST_TIME, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| {
        let text = format!("this took longer than {} s", REQUEST_TIME.as_secs());
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "time", text).into_response()
    });
    for (name, value) in HEADERS.iter().copied() {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

async fn no_such_path() -> Refusal {
    let text = "there is nothing here; /v1/openapi.json says what there is";
    Refusal::new(StatusCode::NOT_FOUND, "path", text)
}

async fn no_such_method() -> Refusal {
    let text = "this path is asked in another way; /v1/openapi.json says how";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", text)
}
