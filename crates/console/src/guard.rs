//! What stands before every page: the Host, the Origin, the password, the form's token, the time;
//! and behind it: what browsers are told.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::time::timeout;

use crate::access::Tried;
use crate::frame::{Frame, Message, Session, page};
use crate::state::{Console, Peer};

/// How long a request may take: reading it, and making the page.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The name of the cookie that holds a session's id. Cookies know no ports: each listener that
/// wants a password shares it with those of the same host.
pub(crate) const COOKIE: &str = "quivive-session";

/// Nothing but our own sheet and icon, no script, in no frame, forms to ourselves alone.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer says to browsers. The Origin of our own forms must be sent, so that the
/// referrer cannot be kept back from ourselves.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("x-robots-tag", "noindex, nofollow"),
];

/// Bounds the time of a request and says to browsers what they may do with its answer.
pub(crate) async fn bound(request: Request, next: Next) -> Response {
    let answered = timeout(REQUEST_TIME, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response());
    let headers = response.headers_mut();
    for (name, value) in HEADERS.iter().copied() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets pass what asks for us by a name of ours (else a page elsewhere could reach us by pointing
/// its own name at our address), and what is sent by a page of ours.
pub(crate) async fn origin(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let Some(host) = host(request.headers()) else {
        return misdirected(&console);
    };
    if !is_ours(host, &console.0.settings.hosts) {
        return misdirected(&console);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && !is_same_origin(request.headers(), host) {
        return refused(&console, "This form was sent by another site.");
    }
    next.run(request).await
}

/// Lets pass who has signed in, if a password is asked for, and says whose session it is.
pub(crate) async fn password(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = if console.0.settings.password.is_none() {
        Some(String::new())
    } else {
        let id = cookie(request.headers());
        id.filter(|id| console.access().is_open(id, Instant::now())).map(str::to_owned)
    };
    match session {
        Some(session) => {
            request.extensions_mut().insert(Session(session));
            next.run(request).await
        }
        None => Redirect::to("/login").into_response(),
    }
}

/// As [`password`], for machines: they send it with each request (RFC 7617).
pub(crate) async fn machine(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let Some(password) = &console.0.settings.password else { return next.run(request).await };
    let headers = request.headers();
    if cookie(headers).is_some_and(|id| console.access().is_open(id, Instant::now())) {
        return next.run(request).await;
    }
    let ask = || {
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"Quivive\", charset=\"UTF-8\"")];
        (StatusCode::UNAUTHORIZED, ask, "a password is needed\n").into_response()
    };
    let Some(given) = basic_password(headers) else { return ask() };
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    match console.access().try_again(password, given, peer).await {
        Tried::Right => next.run(request).await,
        Tried::Wrong => ask(),
        Tried::TooOften => (StatusCode::TOO_MANY_REQUESTS, "too many tries\n").into_response(),
    }
}

/// The session's id in the cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies =
        headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The answer to a form that is not one of ours.
pub(crate) fn refused(console: &Console, text: &str) -> Response {
    let frame = Frame::closed(console);
    page(StatusCode::FORBIDDEN, &Message { frame, title: "Not taken", text })
}

fn misdirected(console: &Console) -> Response {
    let text = "This server is not known under that name. Its names stand in `hosts` of the \
                configuration.";
    let frame = Frame::closed(console);
    page(StatusCode::MISDIRECTED_REQUEST, &Message { frame, title: "Not here", text })
}

/// The one Host of a request.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// Whether a Host is a name of ours, on whatever port.
fn is_ours(host: &str, hosts: &[String]) -> bool {
    let name = without_port(host);
    let loopback =
        name == "localhost" || address(name).is_some_and(|address| address.is_loopback());
    loopback || hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

fn without_port(host: &str) -> &str {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    if port.bytes().all(|octet| octet.is_ascii_digit()) && !name.is_empty() { name } else { host }
}

fn address(name: &str) -> Option<IpAddr> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    }
}

/// Whether a request says that a page of this very host sent it. One that says nothing was sent by
/// no browser of this time.
fn is_same_origin(headers: &HeaderMap, host: &str) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let origin = origins.next().and_then(|origin| origin.to_str().ok());
    let origin = origin.and_then(|origin| {
        origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
    });
    origins.next().is_none() && origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

/// The password of HTTP's Basic scheme; the name before it is anything.
fn basic_password(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, given) = value.split_once(' ')?;
    let pair =
        if scheme.eq_ignore_ascii_case("basic") { base64(given.trim())? } else { return None };
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// The octets of base64 (RFC 4648 section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut octets, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            octets.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_ours() {
        let hosts = ["q.example".to_owned(), "192.0.2.1".to_owned()];
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:8080",
            "q.example",
            "Q.Example:443",
            "192.0.2.1:80",
        ] {
            assert!(is_ours(host, &hosts), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.2",
            "::1",
            "[::2]",
            "q.example:80:80",
            "q.example.",
            "q.example:x",
        ] {
            assert!(!is_ours(host, &hosts), "{host}");
        }
    }

    #[test]
    fn origins_of_ours() {
        let is_same = |origins: &[&str]| {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(header::ORIGIN, origin.parse().unwrap());
            }
            is_same_origin(&headers, "q.example:8080")
        };
        assert!(is_same(&["http://q.example:8080"]));
        assert!(is_same(&["https://q.example:8080"]));
        for origin in
            ["null", "", "http://q.example", "http://q.example:80", "http://evil.example:8080"]
        {
            assert!(!is_same(&[origin]), "{origin}");
        }
        assert!(!is_same(&[]));
        assert!(!is_same(&["http://q.example:8080", "http://evil.example"]));
    }

    #[test]
    fn basic_passwords() {
        let password = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            basic_password(&headers)
        };
        assert_eq!(password("Basic YTpiOmM="), Some("b:c".into()));
        assert_eq!(password("basic OnNlY3JldA=="), Some("secret".into()));
        for value in ["Bearer YTpi", "Basic", "Basic !", "Basic YQ==", "Basic /////w=="] {
            assert_eq!(password(value), None, "{value}");
        }
    }
}
