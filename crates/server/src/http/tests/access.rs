use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use quivive_console::Peer;
use quivive_contract::Selection;
use quivive_evidence::Method as Scheme;
use quivive_verdict::{Mode, Policy};
use serde_json::json;

use super::world::{World, about, request, send};
use crate::http::access::Bearer;
use crate::http::check::policy;
use crate::http::router;
use crate::http::tokens::{Scope, Token};

#[tokio::test]
async fn nothing_without_a_token() {
    let world = World::new().await;
    let wrong = format!("{}x", world.token);
    for token in [None, Some(""), Some("quivive_"), Some(&*wrong), Some("all")] {
        for (method, path) in [(Method::POST, "/v1/check"), (Method::GET, "/v1/cases/0")] {
            let answer = world.send(request(method, path, token, about("").to_string())).await;
            assert_eq!((answer.status, answer.kind()), (StatusCode::UNAUTHORIZED, "token"));
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"Quivive\"");
        }
    }
}

#[tokio::test]
async fn a_token_is_for_its_scopes() {
    let world = World::without_store();
    let check = world.add_token("check", &[Scope::Check], None);
    let cases = world.add_token("cases", &[Scope::Cases], None);
    let old = world.add_token("old", &[Scope::Check, Scope::Cases], Some(1));
    let asked = |token: &str| {
        let check = request(Method::POST, "/v1/check", Some(token), about("").to_string());
        let case = request(Method::GET, "/v1/cases/0", Some(token), Body::empty());
        (check, case)
    };
    for (token, check, case) in [
        (&check, StatusCode::OK, StatusCode::FORBIDDEN),
        (&cases, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND),
        (&old, StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED),
    ] {
        let (to_check, to_look) = asked(token);
        assert_eq!(world.send(to_check).await.status, check);
        assert_eq!(world.send(to_look).await.status, case);
    }
    let (_, to_look) = asked(&check);
    assert_eq!(world.send(to_look).await.kind(), "scope");
}

#[tokio::test]
async fn a_token_counts_as_soon_as_it_is_made() {
    let world = World::without_store();
    let new = world.add_token("new", &[Scope::Check], None);
    let asked = request(Method::POST, "/v1/check", Some(&new), about("").to_string());
    assert_eq!(world.send(asked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_has_us_reach_out_without_the_right() {
    let world = World::without_store();
    let may = world.add_token("may", &[Scope::Check, Scope::Probe], None);
    for method in ["callback", "challenge", "rmxpp"] {
        let mut asked = about("a@pass.example");
        asked["methods"] = json!(["spf", method]);
        assert_eq!(world.check(&asked).await.kind(), "scope", "{method}");
        let allowed = request(Method::POST, "/v1/check", Some(&may), asked.to_string());
        assert_ne!(world.send(allowed).await.body["error"]["kind"], "scope", "{method}");
    }
}

#[test]
fn what_reaches_out_by_the_configuration_rests_for_those_who_may_not() {
    let mut known = Policy::new("mx.example");
    known.methods.insert(Scheme::Callback, Mode::Enforce);
    let known = Arc::new(known);
    let for_whom = |scopes: &[Scope]| {
        let (token, _) = Token::new("a", scopes.iter().copied(), None).unwrap();
        policy(&known, &Selection::default(), &Bearer(token)).unwrap()
    };
    let quiet = for_whom(&[Scope::Check]);
    assert_eq!((quiet.mode(Scheme::Callback), quiet.mode(Scheme::Spf)), (Mode::Off, Mode::Enforce));
    assert!(Arc::ptr_eq(&for_whom(&[Scope::Check, Scope::Probe]), &known));
}

#[tokio::test]
async fn each_token_has_its_rate() {
    let world = World::set_up(|settings| settings.requests_per_minute = 3, |_| {});
    let from = |address: [u8; 4], token: &str| {
        let mut request = request(Method::POST, "/v1/check", Some(token), about("").to_string());
        request.extensions_mut().insert(Peer(Some(address.into())));
        request
    };
    for last in 1..=3 {
        let answer = world.send(from([198, 51, 100, last], &world.token)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let answer = world.send(from([198, 51, 100, 4], &world.token)).await;
    assert_eq!((answer.status, answer.kind()), (StatusCode::TOO_MANY_REQUESTS, "rate"));
    assert_eq!(answer.headers[header::RETRY_AFTER], "20");
    // A reload forgets nothing.
    let reloaded = world.api.clone().in_place_of(&world.api);
    let again = send(&router(reloaded), from([198, 51, 100, 5], &world.token)).await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn each_address_has_its_rate_whoever_it_says_it_is() {
    let world = World::set_up(|settings| settings.requests_per_minute = 3, |_| {});
    for token in ["", "wrong", "wrong too"] {
        let answer = world.send(request(Method::GET, "/v1/cases/0", Some(token), "")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    for path in ["/v1/cases/0", "/v1/openapi.json", "/nowhere"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.kind()), (StatusCode::TOO_MANY_REQUESTS, "rate"));
    }
}
