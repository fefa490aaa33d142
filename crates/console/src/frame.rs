use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::state::Console;

/// What stands around the content of each page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Which of the pages in the list this is, or belongs to.
    pub(crate) page: &'static str,
    /// The other pages can be seen.
    pub(crate) is_open: bool,
    /// One can sign out.
    pub(crate) has_password: bool,
    /// What the forms of the page carry.
    pub(crate) token: String,
    /// Our name.
    pub(crate) receiver: String,
}

/// The session that a request belongs to; empty where no password is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Session(pub(crate) String);

impl Frame {
    pub(crate) fn new(console: &Console, session: &Session, page: &'static str) -> Self {
        Self {
            page,
            is_open: true,
            has_password: console.0.settings.password.is_some(),
            token: console.access().token(&session.0),
            receiver: console.0.settings.receiver.clone(),
        }
    }

    /// The frame of a page for somebody who is not let in.
    pub(crate) fn closed(console: &Console) -> Self {
        Self {
            is_open: false,
            has_password: false,
            ..Self::new(console, &Session(String::new()), "")
        }
    }
}

/// A page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!("a page could not be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    pub(crate) frame: Frame,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
}

/// A file that is part of the program.
pub(crate) fn asset(kind: &'static str, content: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, content).into_response()
}

/// The sheet of styles.
pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../assets/style.css"))
}

/// The icon.
pub(crate) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("../assets/icon.svg"))
}
