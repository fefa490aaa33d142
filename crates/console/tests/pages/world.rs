//! A store with judged messages, and pages over it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use quivive_console::{
    Console, Metrics, Pages, Peer, Public, Settings, World, console_router, public_router,
};
use quivive_evidence::{Facts, FindingResult, Identity, Method, Notebook, Question};
use quivive_resolver::{Resolver, Zone};
use quivive_store::Store;
use quivive_verdict::{Action, Asked, Case, Judgement, Policy, Session, Stage};
use tempfile::TempDir;
use tower::ServiceExt;

/// The name under which browsers ask.
pub(crate) const HOST: &str = "localhost:8080";

/// Everything that pages stand on.
pub(crate) struct Setting {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) policy: Arc<Policy>,
    zone: Resolver,
    _folder: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Setting {
    /// With this DNS; an SPF fail or permerror of the reverse-path is refused.
    pub(crate) async fn new(zone: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = quivive_store::Settings {
            path: folder.path().join("q.db"),
            retain_days: 30,
            retain_mib: 100,
            hash_addresses_after_days: 0,
        };
        let store = Store::open(settings).await.unwrap();
        let mut policy = Policy::new("mx.example.test");
        policy.public_url = Some("https://q.example.test/why/".to_owned());
        for result in [FindingResult::Fail, FindingResult::Permerror] {
            policy.actions.set(Method::Spf, Identity::Mailfrom, result, Action::Reject);
        }
        let policy = Arc::new(policy);
        let zone = Resolver::from_zone(Zone::parse(zone.as_bytes()).unwrap());
        let world = World {
            store: Some(store.clone()),
            policy: policy.clone(),
            resolver: zone.clone(),
            metrics: Arc::new(Metrics::default()),
        };
        Self { store, world, policy, zone, _folder: folder }
    }

    /// A message from this client, judged now.
    pub(crate) fn judge(&self, client: &str, helo: &str, from: &str, id: &str) -> Judgement {
        let mut facts = Facts::new(client.parse().unwrap());
        facts.helo = helo.to_owned();
        facts.reverse_path = from.to_owned();
        facts.recipients = vec!["secret-recipient@example.test".to_owned()];
        facts.receiver = "mx.example.test".to_owned();
        facts.case_id = id.to_owned();
        facts.public_id = format!("public-{id}");
        facts.now = now();
        let mut session = Session::new(self.policy.clone());
        session.enter(Stage::Message, &facts);
        let mut notebook = Notebook::default();
        loop {
            let round = session.advance(&facts, &notebook);
            if round.is_empty() {
                break;
            }
            for question in round.questions() {
                let Question::Dns(dns) = question else { continue };
                notebook.note(&dns.name, self.zone.cached(dns).unwrap());
            }
        }
        session.judgement(facts, notebook, Asked { questions: 3, rounds: 2, micros: 4_300 })
    }

    /// As [`Setting::judge`], kept as a case.
    pub(crate) async fn keep(&self, client: &str, helo: &str, from: &str, id: &str) -> Case {
        let judgement = self.judge(client, helo, from, id);
        let case = Case::new(judgement, "gateway", "250 2.0.0 Taken".to_owned());
        self.store.record_case(&case);
        self.store.flush().await;
        case
    }

    /// The operator's pages without a password.
    pub(crate) fn console(&self) -> Pages {
        let receiver = "mx.example.test".to_owned();
        let settings = Settings { receiver, ..Settings::default() };
        console_router(Console::new(self.world.clone(), settings))
    }

    pub(crate) fn public(&self) -> Pages {
        let url = "https://q.example.test/q/";
        public_router(Public::new(Some(self.store.clone()), url, "mx.example.test"))
    }
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// A request for a page, by a browser that asks for [`HOST`].
pub(crate) fn request(path: &str) -> Request<Body> {
    Request::get(path).header(header::HOST, HOST).body(Body::empty()).unwrap()
}

/// What our own form sends.
pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    Request::post(path)
        .header(header::HOST, HOST)
        .header(header::ORIGIN, format!("http://{HOST}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(pairs.join("&")))
        .unwrap()
}

pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

pub(crate) async fn send(pages: &Pages, mut request: Request<Body>) -> Answer {
    if request.extensions().get::<Peer>().is_none() {
        request.extensions_mut().insert(Peer(Some([192, 0, 2, 200].into())));
    }
    let response = pages.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let octets = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(octets.to_vec()).unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) async fn get(pages: &Pages, path: &str) -> Answer {
    send(pages, request(path)).await
}

/// The token of the forms of a page.
pub(crate) fn token(body: &str) -> String {
    let (_, rest) = body.split_once("name=\"token\" value=\"").expect("the page has a form");
    rest.split('"').next().unwrap().to_owned()
}

/// Tags within a word.
const INLINE: &[&str] = &["bdi", "time", "code", "b", "q"];

/// The text of a page, without its tags.
pub(crate) fn text(body: &str) -> String {
    let mut text = String::new();
    for (index, part) in body.split('<').enumerate() {
        let (tag, rest) = if index == 0 { ("", part) } else { part.split_once('>').unwrap() };
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        if !INLINE.contains(&name) {
            text.push(' ');
        }
        text.push_str(rest);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
