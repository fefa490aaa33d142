//! An HTTP door over a zone and a store, and requests for it.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use quivive_console::Peer;
use quivive_evidence::{FindingResult, Identity};
use quivive_resolver::{Resolver, Zone};
use quivive_store::Store;
use quivive_verdict::{Action, Mode, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::Ledger;
use crate::check::Checker;
use crate::http::tokens::{self, Scope, Token};
use crate::http::{Api, Settings, router};

const ZONE: &[u8] = b"
pass.example. TXT \"v=spf1 include:in.example -all\"
in.example. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"
fail.example. TXT \"v=spf1 -all exp=why.example\"
why.example. TXT \"%{i} does not send for %{d}\"
broken.example. TXT \"v=spf1 foo\"
;!servfail slow.example.
";

pub(super) struct World {
    pub(super) api: Api,
    pub(super) pages: Router,
    pub(super) ledger: Ledger,
    /// May check and look at cases.
    pub(super) token: String,
    pub(super) token_file: PathBuf,
    _folder: TempDir,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl World {
    /// With a store.
    pub(super) async fn new() -> Self {
        Self::ruled_by(|_| {}).await
    }

    /// With a store and another policy.
    pub(super) async fn ruled_by(rule: impl FnOnce(&mut Policy)) -> Self {
        let world = Self::without_store();
        let settings = quivive_store::Settings {
            path: world._folder.path().join("q.db"),
            retain_days: 30,
            retain_mib: 100,
            hash_addresses_after_days: 0,
        };
        let store = Some(Store::open(settings).await.unwrap());
        world.with(rule, store)
    }

    /// Without one, so that time can stand still.
    pub(super) fn without_store() -> Self {
        Self::set_up(|_| {}, |_| {})
    }

    /// With other settings and another policy.
    pub(super) fn set_up(
        change: impl FnOnce(&mut Settings),
        rule: impl FnOnce(&mut Policy),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token_file = folder.path().join("tokens");
        let (token, text) = Token::new("all", [Scope::Check, Scope::Cases], None).unwrap();
        tokens::change(&token_file, |list| list.add(token)).unwrap();
        let ledger = Ledger::default();
        let (api, pages) = made(&token_file, &ledger, change, rule);
        Self { api, pages, ledger, token: text, token_file, _folder: folder }
    }

    fn with(self, rule: impl FnOnce(&mut Policy), store: Option<Store>) -> Self {
        let ledger = Ledger { store, ..self.ledger };
        let (api, pages) = made(&self.token_file, &ledger, |_| {}, rule);
        Self { api, pages, ledger, ..self }
    }

    /// A further token.
    pub(super) fn add_token(&self, name: &str, scopes: &[Scope], expires: Option<u64>) -> String {
        let (token, text) = Token::new(name, scopes.iter().copied(), expires).unwrap();
        tokens::change(&self.token_file, |list| list.add(token)).unwrap();
        text
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.pages, request).await
    }

    /// `POST /v1/check` with the token.
    pub(super) async fn check(&self, object: &Value) -> Answer {
        self.check_text(&object.to_string()).await
    }

    pub(super) async fn check_text(&self, text: &str) -> Answer {
        self.send(self.request(Method::POST, "/v1/check", text.to_owned())).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, Body::empty())).await
    }

    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> Request<Body> {
        request(method, path, Some(&self.token), body)
    }
}

fn made(
    token_file: &std::path::Path,
    ledger: &Ledger,
    change: impl FnOnce(&mut Settings),
    rule: impl FnOnce(&mut Policy),
) -> (Api, Router) {
    let mut policy = Policy::new("mx.example");
    let mut row = |result, action| {
        let spf = quivive_evidence::Method::Spf;
        policy.actions.set(spf, Identity::Mailfrom, result, action);
    };
    row(FindingResult::Fail, Action::Reject);
    row(FindingResult::Temperror, Action::Defer);
    policy.methods.insert(quivive_evidence::Method::Spf, Mode::Enforce);
    rule(&mut policy);
    let resolver = Resolver::from_zone(Zone::parse(ZONE).unwrap());
    let mut settings = Settings {
        receiver: "mx.example".to_owned(),
        token_file: token_file.to_owned(),
        requests_per_minute: 10_000,
        connections_per_address: 10,
        rewriter: None,
    };
    change(&mut settings);
    let checker = Checker::new(Arc::new(policy), resolver);
    let api = Api::new(settings, checker, ledger.clone()).unwrap();
    let pages = router(api.clone());
    (api, pages)
}

pub(super) fn request(
    method: Method,
    path: &str,
    token: Option<&str>,
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut request = request.body(body.into()).unwrap();
    request.extensions_mut().insert(Peer(Some([192, 0, 2, 200].into())));
    request
}

pub(super) async fn send(pages: &Router, request: Request<Body>) -> Answer {
    let response = pages.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let octets = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&octets).unwrap_or_else(|error| {
        panic!("{error}: {} {}", parts.status, String::from_utf8_lossy(&octets))
    });
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A request about a sender.
pub(super) fn about(mail_from: &str) -> Value {
    json!({"ip": "192.0.2.1", "helo": "h.pass.example", "mail_from": mail_from})
}

impl Answer {
    /// The kind of its error.
    #[track_caller]
    pub(super) fn kind(&self) -> &str {
        assert_ne!(self.status, StatusCode::OK, "{}", self.body);
        assert!(!self.body["error"]["text"].as_str().unwrap().is_empty());
        self.body["error"]["kind"].as_str().unwrap()
    }
}
