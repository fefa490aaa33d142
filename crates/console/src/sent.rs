//! What a form sends, or a link says in its place.

use axum::extract::{Form, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;

use crate::frame::{Frame, Message, Session, page};
use crate::routes::{FORM_OCTETS_MAX, SIMULATION_OCTETS_MAX};
use crate::state::Console;

/// The fields of a form. What cannot be read gets a page that says why, as everything else does.
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Console> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let session = request.extensions().get::<Session>().cloned();
        let frame = match session {
            Some(session) => Frame::new(console, &session, ""),
            None => Frame::closed(console),
        };
        match Form::from_request(request, console).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(unreadable(frame, rejection.status())),
        }
    }
}

fn unreadable(frame: Frame, status: StatusCode) -> Response {
    let too_much = format!(
        "This is more than a form may hold: {} KiB on the page What if, {} KiB elsewhere. Go back \
         and leave something out, such as the smallest senders; the command line has no such bound.",
        SIMULATION_OCTETS_MAX / 1024,
        FORM_OCTETS_MAX / 1024
    );
    let (title, text) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("Too much", &*too_much),
        _ => (
            "Not understood",
            "What was sent has not the form of this page's own. Load the page again, and repeat.",
        ),
    };
    page(status, &Message { frame, title, text })
}
