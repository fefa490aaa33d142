//! The way in and out.

use std::time::Instant;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::access::{SESSION_AGE_MAX, Tried};
use crate::frame::{Frame, Session, page};
use crate::guard::{COOKIE, cookie, refused};
use crate::sent::Sent;
use crate::state::{Console, Peer};

/// For the form of those who have no session yet.
const NO_SESSION: &str = "login";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    problem: &'static str,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    password: String,
}

/// What the button sends.
#[derive(Debug, Deserialize)]
pub(crate) struct LogoutForm {
    #[serde(default)]
    token: String,
}

/// The page.
pub(crate) async fn show(State(console): State<Console>) -> Response {
    if console.0.settings.password.is_none() {
        return Redirect::to("/").into_response();
    }
    login_page(&console, StatusCode::OK, "")
}

/// Lets in who knows the password.
pub(crate) async fn enter(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    Sent(form): Sent<LoginForm>,
) -> Response {
    let Some(password) = &console.0.settings.password else {
        return Redirect::to("/").into_response();
    };
    if !console.access().is_token(NO_SESSION, &form.token) {
        return refused(&console, "The form is too old. Go back, load the page again, and repeat.");
    }
    let from = peer.and_then(|Extension(peer)| peer.0);
    match console.access().try_password(password, form.password, from).await {
        Tried::Right => {
            let id = console.access().begin(Instant::now());
            tracing::info!(client = ?from, "somebody signed in to the console");
            let cookie = set_cookie(&console, &id, SESSION_AGE_MAX.as_secs());
            ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
        }
        Tried::Wrong => {
            tracing::warn!(client = ?from, "a wrong password for the console");
            login_page(&console, StatusCode::FORBIDDEN, "This is not the password.")
        }
        Tried::TooOften => {
            let text = "Too many wrong passwords came from your network. Wait a minute.";
            login_page(&console, StatusCode::TOO_MANY_REQUESTS, text)
        }
    }
}

/// Ends the session.
pub(crate) async fn leave(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Sent(form): Sent<LogoutForm>,
) -> Response {
    if !console.access().is_token(&session.0, &form.token) {
        return refused(&console, "The form is too old. Go back, load the page again, and repeat.");
    }
    if let Some(id) = cookie(&headers) {
        console.access().end(id);
    }
    ([(header::SET_COOKIE, set_cookie(&console, "", 0))], Redirect::to("/login")).into_response()
}

fn login_page(console: &Console, status: StatusCode, problem: &'static str) -> Response {
    let token = console.access().token(NO_SESSION);
    page(status, &LoginPage { frame: Frame { token, ..Frame::closed(console) }, problem })
}

/// Out of reach of scripts, sent by our own pages alone, and over TLS alone where we speak it.
fn set_cookie(console: &Console, id: &str, seconds: u64) -> String {
    let secure = if console.0.settings.is_secure { "; Secure" } else { "" };
    format!("{COOKIE}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}
