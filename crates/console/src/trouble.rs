//! Pages that say why there is not what was asked for.

use axum::http::StatusCode;
use axum::response::Response;
use quivive_store::Error;

use crate::frame::{Frame, Message, page};

/// There is no store.
pub(crate) fn no_store(frame: Frame) -> Response {
    let text = "No cases are kept: the configuration has no `path` in `[store]`.";
    page(StatusCode::NOT_FOUND, &Message { frame, title: "No store", text })
}

/// There is no such case, or no longer.
pub(crate) fn no_case(frame: Frame) -> Response {
    let text = "There is no case with this id. It may have been older than cases are kept.";
    page(StatusCode::NOT_FOUND, &Message { frame, title: "No such case", text })
}

/// There is no such page.
pub(crate) fn no_page(frame: Frame) -> Response {
    let text = "There is no page at this address.";
    page(StatusCode::NOT_FOUND, &Message { frame, title: "No such page", text })
}

/// The store does not answer. Mail is not touched by that.
pub(crate) fn store(frame: Frame, error: &Error) -> Response {
    tracing::warn!("the console has no answer of the store: {error}");
    let text = "The store cannot answer now. Mail goes on; the log and the page Health say more.";
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        &Message { frame, title: "The store is in trouble", text },
    )
}
