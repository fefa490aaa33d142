//! Grants that a service knows, asked by HTTPS: one look-up a question, answers kept for a while.
//! Whatever goes wrong is no answer, and never a grant.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use moka::sync::Cache;
use quivive_binding::{Grant, GrantTable, Query, Rules};
use quivive_evidence::Failure;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{answer, entries};
use crate::stream::Stream;
use crate::tables::{Entries, Lookup, Table};
use crate::tls::{self, TlsError};

/// How long a service may take for one answer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Octets of an answer.
pub const ANSWER_OCTETS_MAX: usize = 256 * 1024;

/// How many answers are kept.
pub const CACHED_MAX: u64 = 10_000;

/// How many connections are kept for the next question.
const IDLE_MAX: usize = 4;

/// How a service is asked.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// Where: `https://HOST/PATH`, or `http://` on loopback.
    pub url: String,
    /// What stands behind `Authorization: Bearer`.
    pub token: Option<String>,
    /// The authorities that its certificate may come from, as PEM; none: those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long an answer is kept.
    pub keep: Duration,
}

/// Why a service cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The URL is none.
    #[error("`{0}` is no URL of a service")]
    Url(String),
    /// The token cannot stand in a header field.
    #[error("the token of the service holds what no header field can")]
    Token,
    /// Its certificate could not be verified.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Grants that a service knows.
pub struct ServiceGrants {
    asked: Arc<Asked>,
    cache: Option<Cache<String, Entries>>,
}

struct Asked {
    address: (String, u16),
    /// What the certificate must be for; none without TLS.
    tls: Option<(TlsConnector, ServerName<'static>)>,
    uri: Uri,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
    rules: Arc<Rules>,
    idle: Mutex<Vec<SendRequest<Empty<Bytes>>>>,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Connect(#[from] io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("its answer is too long, or breaks off: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("its answer is no JSON array of grants: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`{0}` in its answer is no grant")]
    Grant(String),
}

impl ServiceGrants {
    /// A service that is asked by these settings. Nothing is asked yet.
    ///
    /// # Errors
    /// What of the settings cannot be used.
    pub fn new(settings: &ServiceSettings, rules: Arc<Rules>) -> Result<Self, ServiceError> {
        let wrong = || ServiceError::Url(settings.url.clone());
        let uri: Uri = settings.url.parse().map_err(|_| wrong())?;
        let host = uri.host().ok_or_else(wrong)?.to_owned();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let tls = match is_tls {
            true => {
                let name = ServerName::try_from(bare.clone()).map_err(|_| wrong())?;
                Some((tls::connector(settings.ca_file.as_deref())?, name))
            }
            false => None,
        };
        let authority = uri.authority().map_or(&*host, |authority| authority.as_str());
        let value = |text: &str| HeaderValue::from_str(text);
        let authorization = settings.token.as_ref().map(|token| value(&format!("Bearer {token}")));
        let asked = Asked {
            address: (bare, port),
            tls,
            host: value(authority).map_err(|_| wrong())?,
            authorization: authorization.transpose().map_err(|_| ServiceError::Token)?,
            uri,
            rules,
            idle: Mutex::default(),
        };
        let cache =
            || Cache::builder().max_capacity(CACHED_MAX).time_to_live(settings.keep).build();
        Ok(Self { asked: Arc::new(asked), cache: (!settings.keep.is_zero()).then(cache) })
    }
}

impl Table for ServiceGrants {
    fn at_hand(&self, key: &str) -> Option<Entries> {
        self.cache.as_ref()?.get(key)
    }

    fn look_up(&self, key: &str) -> Lookup {
        let (asked, cache, key) = (self.asked.clone(), self.cache.clone(), key.to_owned());
        Box::pin(async move {
            let started = Instant::now();
            let entries = match Query::parse(&key, &asked.rules) {
                Ok(query) => asked.entries(&query).await,
                Err(_) => Err(Failure::Malformed),
            };
            let micros = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
            let is_known = entries.is_ok();
            let entries = answer(entries, micros);
            // A failure is asked again by the next message.
            if let Some(cache) = cache.filter(|_| is_known) {
                cache.insert(key, entries.clone());
            }
            entries
        })
    }
}

impl Asked {
    async fn entries(&self, query: &Query) -> Result<Vec<String>, Failure> {
        let asked = timeout(PATIENCE, self.ask(query)).await;
        let trouble = match asked {
            Ok(Ok(grants)) => return Ok(entries(query, &self.rules, &grants)),
            Ok(Err(trouble)) => trouble,
            Err(_) => {
                tracing::warn!(service = %self.uri, "the service of grants takes too long");
                return Err(Failure::Timeout);
            }
        };
        tracing::warn!(service = %self.uri, "the service of grants gives no answer: {trouble}");
        Err(match trouble {
            Trouble::Connect(_) | Trouble::Http(_) => Failure::Unreachable,
            Trouble::Status(_) => Failure::ServerFailure,
            Trouble::Body(_) => Failure::TooLarge,
            Trouble::Json(_) | Trouble::Grant(_) => Failure::Malformed,
        })
    }

    async fn ask(&self, query: &Query) -> Result<Vec<Grant>, Trouble> {
        // One that was kept may have been closed meanwhile: then a new one is asked, once.
        let kept = self.idle.lock().await.pop();
        if let Some(mut connection) = kept.filter(|connection| !connection.is_closed())
            && let Ok(response) = connection.send_request(self.request(query)).await
        {
            return self.read(response, connection).await;
        }
        let mut connection = self.connect().await?;
        let response = connection.send_request(self.request(query)).await?;
        self.read(response, connection).await
    }

    async fn read(
        &self,
        response: hyper::Response<hyper::body::Incoming>,
        connection: SendRequest<Empty<Bytes>>,
    ) -> Result<Vec<Grant>, Trouble> {
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_OCTETS_MAX);
        let body = body.collect().await.map_err(Trouble::Body)?.to_bytes();
        let mut idle = self.idle.lock().await;
        if idle.len() < IDLE_MAX && !connection.is_closed() {
            idle.push(connection);
        }
        drop(idle);
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            status => return Err(Trouble::Status(status)),
        }
        let lines: Vec<String> = serde_json::from_slice(&body)?;
        let mut grants = Vec::new();
        for line in lines {
            let read = GrantTable::read_line(&line, &self.rules);
            grants.extend(read.map_err(|_| Trouble::Grant(line))?);
        }
        Ok(grants)
    }

    fn request(&self, query: &Query) -> Request<Empty<Bytes>> {
        let path = self.uri.path();
        let joint = if self.uri.query().is_some() { "&" } else { "?" };
        let known = self.uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let (subject, client) = (query.subject.to_string(), query.client.to_string());
        let target = format!(
            "{path}{known}{joint}address={}&identity={}",
            percent_encoded(&subject),
            percent_encoded(&client)
        );
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = target.parse().expect("a path of printable ASCII");
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static("Quivive"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        request
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>, Trouble> {
        let (host, port) = &self.address;
        let plain = TcpStream::connect((&**host, *port)).await?;
        plain.set_nodelay(true)?;
        let stream: Stream = match &self.tls {
            Some((connector, name)) => Box::new(connector.connect(name.clone(), plain).await?),
            None => Box::new(plain),
        };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with its sender.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// RFC 3986 section 2.1: all but the unreserved characters.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(octet));
            }
            octet => encoded.push_str(&format!("%{octet:02X}")),
        }
    }
    encoded
}
