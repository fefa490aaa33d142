//! Who is let in, and whose forms are taken.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use quivive_console::{Console, Pages, Password, Settings, console_router};

use crate::world::{HOST, Setting, form, get, request, send, token};

fn locked(setting: &Setting) -> Console {
    let password = Some(Password::hash("open sesame").unwrap());
    let hosts = vec!["q.example.test".to_owned()];
    Console::new(setting.world.clone(), Settings { hosts, password, ..Settings::default() })
}

/// The cookie that the password gives.
async fn sign_in(pages: &Pages, password: &str) -> Result<String, StatusCode> {
    let token = token(&get(pages, "/login").await.body);
    let answer = send(pages, form("/login", &[("token", &token), ("password", password)])).await;
    match answer.status {
        StatusCode::SEE_OTHER => {
            let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
            assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
            Ok(cookie.split(';').next().unwrap().to_owned())
        }
        status => Err(status),
    }
}

fn with_cookie(mut request: Request<Body>, cookie: &str) -> Request<Body> {
    request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
    request
}

#[tokio::test]
async fn without_the_password_there_is_nothing() {
    let setting = Setting::new("").await;
    setting.keep("192.0.2.1", "h.example", "a@example.com", "c1").await;
    let pages = console_router(locked(&setting));
    for path in ["/", "/cases", "/cases/c1", "/health"] {
        let answer = get(&pages, path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers[header::LOCATION], "/login");
        assert_eq!(answer.body, "");
    }
    assert_eq!(get(&pages, "/metrics").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&pages, form("/cases/c1/replay", &[])).await.status, StatusCode::SEE_OTHER);
    assert_eq!(sign_in(&pages, "open sesame ").await, Err(StatusCode::FORBIDDEN));
    let forged = with_cookie(request("/"), "quivive-session=0123456789abcdef0123456789abcdef");
    assert_eq!(send(&pages, forged).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let setting = Setting::new("").await;
    let pages = console_router(locked(&setting));
    let cookie = sign_in(&pages, "open sesame").await.unwrap();
    let page = send(&pages, with_cookie(request("/"), &cookie)).await;
    assert_eq!(page.status, StatusCode::OK);
    let of_login = token(&get(&pages, "/login").await.body);
    let leave = |token: &str| with_cookie(form("/logout", &[("token", token)]), &cookie);
    assert_eq!(send(&pages, leave(&of_login)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&pages, leave(&token(&page.body))).await.status, StatusCode::SEE_OTHER);
    let again = send(&pages, with_cookie(request("/"), &cookie)).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn wrong_passwords_are_throttled() {
    let setting = Setting::new("").await;
    let pages = console_router(locked(&setting));
    let mut tries = Vec::new();
    for _ in 0..6 {
        tries.push(sign_in(&pages, "wrong").await.unwrap_err());
    }
    assert_eq!(tries[4..], [StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS]);
    assert_eq!(sign_in(&pages, "open sesame").await, Err(StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn machines_send_the_password_with_each_request() {
    let setting = Setting::new("").await;
    let pages = console_router(locked(&setting));
    let ask = |pair: &str| {
        let mut request = request("/metrics");
        request.headers_mut().insert(header::AUTHORIZATION, pair.parse().unwrap());
        request
    };
    // prometheus:open sesame
    let right = "Basic cHJvbWV0aGV1czpvcGVuIHNlc2FtZQ==";
    for _ in 0..3 {
        assert_eq!(send(&pages, ask(right)).await.status, StatusCode::OK);
    }
    assert_eq!(send(&pages, ask("Basic cDp3cm9uZw==")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn sessions_outlive_a_reload_and_end_with_the_password() {
    let setting = Setting::new("").await;
    let with = |password: &Password| {
        let settings = Settings { password: Some(password.clone()), ..Settings::default() };
        Console::new(setting.world.clone(), settings)
    };
    let password = Password::hash("open sesame").unwrap();
    let first = with(&password);
    let cookie = sign_in(&console_router(first.clone()), "open sesame").await.unwrap();
    let status = async |console: &Console| {
        let pages = console_router(console.clone());
        send(&pages, with_cookie(request("/health"), &cookie)).await.status
    };
    let second = with(&password).in_place_of(&first);
    assert_eq!(status(&second).await, StatusCode::OK);
    let third = with(&Password::hash("another").unwrap()).in_place_of(&second);
    assert_eq!(status(&third).await, StatusCode::SEE_OTHER, "the password is another one");
}

/// A name that somebody else points at our address is not ours, also where no password is asked.
#[tokio::test]
async fn other_names_are_misdirected() {
    let setting = Setting::new("").await;
    for pages in [setting.console(), console_router(locked(&setting))] {
        for path in ["/", "/login", "/metrics", "/style.css", "/nothing"] {
            let mut asked = request(path);
            asked.headers_mut().insert(header::HOST, "evil.example".parse().unwrap());
            assert_eq!(send(&pages, asked).await.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        }
        let without = Request::get("/").body(Body::empty()).unwrap();
        assert_eq!(send(&pages, without).await.status, StatusCode::MISDIRECTED_REQUEST);
    }
    let mut asked = request("/login");
    asked.headers_mut().insert(header::HOST, "Q.example.test:8443".parse().unwrap());
    assert_eq!(send(&console_router(locked(&setting)), asked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn forms_of_others_are_not_taken() {
    let setting = Setting::new("").await;
    setting.keep("192.0.2.1", "h.example", "a@example.com", "c1").await;
    let pages = setting.console();
    let token = token(&get(&pages, "/cases/c1").await.body);
    let path = "/cases/c1/replay";
    let post = |token: &str| form(path, &[("token", token)]);
    assert_eq!(send(&pages, post(&token)).await.status, StatusCode::OK);
    assert_eq!(send(&pages, post("")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        send(&pages, post(&token.replace(|_| true, "0"))).await.status,
        StatusCode::FORBIDDEN
    );
    for origin in ["http://evil.example", "null", "http://localhost", "http://localhost:80"] {
        let mut request = post(&token);
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        assert_eq!(send(&pages, request).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let mut without = post(&token);
    without.headers_mut().remove(header::ORIGIN);
    assert_eq!(send(&pages, without).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_do() {
    let setting = Setting::new("").await;
    let pages = setting.console();
    let mut evil = request("/");
    evil.headers_mut().insert(header::HOST, "evil.example".parse().unwrap());
    for asked in
        [request("/"), request("/nothing"), request("/style.css"), request("/metrics"), evil]
    {
        let headers = send(&pages, asked).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(headers.contains_key("referrer-policy"));
    }
    assert_eq!(get(&pages, "/").await.headers["cache-control"], "no-store");
    assert_eq!(HOST, "localhost:8080");
}
