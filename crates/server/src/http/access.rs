//! Who may ask: the rate of the address, the token, the rate of the token, its scopes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use quivive_console::Peer;

use super::Api;
use super::answer::Refusal;
use super::tokens::{Scope, Token, Tokens};

/// Whose request it is.
#[derive(Clone)]
pub(super) struct Bearer(pub(super) Token);

/// Counts a request of a client address, before anything else is looked at.
pub(super) async fn address(State(api): State<Api>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    match api.0.lasting.limits.of_address(peer) {
        Ok(()) => next.run(request).await,
        Err(too_many) => Refusal::from(too_many).into_response(),
    }
}

/// Lets pass who has a token, and says whose it is. The body of anybody else is not read.
pub(super) async fn token(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    match admit(&api, request.headers()).await {
        Ok(token) => {
            request.extensions_mut().insert(Bearer(token));
            next.run(request).await
        }
        Err(refusal) => {
            let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
            tracing::debug!(client = ?peer, path = request.uri().path(), "no good token");
            refusal.into_response()
        }
    }
}

async fn admit(api: &Api, headers: &HeaderMap) -> Result<Token, Refusal> {
    let Some(presented) = bearer(headers) else {
        let text = "say `Authorization: Bearer TOKEN`; `quivive token new` makes a token";
        return Err(Refusal::no_token(text));
    };
    let Some(token) = find(&api.0.tokens, presented).await else {
        return Err(Refusal::no_token("this token is not known, or no longer"));
    };
    api.0.lasting.limits.of_token(&token.name)?;
    Ok(token)
}

/// The token that was presented, also one that was made a moment ago.
async fn find(tokens: &Tokens, presented: &str) -> Option<Token> {
    let known = tokens.current().await;
    if let Some(token) = known.find(presented, now()) {
        return Some(token.clone());
    }
    tokens.newest().await.find(presented, now()).cloned()
}

impl Bearer {
    /// Nothing, if the token may be used for this.
    pub(super) fn may(&self, scope: Scope) -> Result<(), Refusal> {
        if self.0.scopes.contains(&scope) {
            return Ok(());
        }
        let text = format!("the token `{}` has no scope `{}`", self.0.name, scope.word());
        Err(Refusal::new(StatusCode::FORBIDDEN, "scope", text))
    }
}

/// The token of a request, if it has one Authorization of this scheme (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let alone = values.next().is_none() && scheme.eq_ignore_ascii_case("bearer");
    alone.then(|| token.trim())
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_has_one_token() {
        let bearer = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(bearer(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(bearer(&["bearer  abc "]).as_deref(), Some("abc"));
        for values in [&[][..], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer b"]] {
            assert_eq!(bearer(values), None, "{values:?}");
        }
    }
}
