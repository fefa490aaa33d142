use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::answer::Refusal;

/// How many octets a request may have, its message included.
pub const REQUEST_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// A body of no more octets is small: there may be as many of them as there are connections.
pub const SMALL_OCTETS_MAX: usize = 64 * 1024;

/// How many large bodies are in memory at once; the others wait for a place.
pub const LARGE_AT_ONCE: usize = 4;

/// How long a body may take to come, a place for it included.
pub const BODY_TIME: Duration = Duration::from_secs(15);

/// The body of a request, with the place it takes.
pub(super) struct Taken<'a> {
    pub(super) octets: Bytes,
    pub(super) place: Option<SemaphorePermit<'a>>,
}

/// Takes a body, bounded in octets and time.
pub(super) async fn take<'a>(
    headers: &HeaderMap,
    body: Body,
    large: &'a Semaphore,
) -> Result<Taken<'a>, Refusal> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        let text = "send the body as it is, without a Content-Encoding";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", text));
    }
    // What does not say how long it is may be long.
    let announced = length(headers).unwrap_or(REQUEST_OCTETS_MAX);
    if announced > REQUEST_OCTETS_MAX {
        return Err(too_long());
    }
    let taken = async {
        let place = match announced > SMALL_OCTETS_MAX {
            true => Some(large.acquire().await.expect("the semaphore is never closed")),
            false => None,
        };
        let octets = collect(body).await?;
        Ok(Taken { octets, place })
    };
    timeout(BODY_TIME, taken).await.unwrap_or_else(|_| {
        let text = format!("the body did not come within {} s", BODY_TIME.as_secs());
        Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "time", text))
    })
}

async fn collect(body: Body) -> Result<Bytes, Refusal> {
    match Limited::new(body, REQUEST_OCTETS_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long()),
        Err(error) => {
            let text = format!("the body could not be read: {error}");
            Err(Refusal::new(StatusCode::BAD_REQUEST, "body", text))
        }
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long() -> Refusal {
    let text = format!(
        "a request has at most {REQUEST_OCTETS_MAX} octets; of a longer message send the header \
         alone"
    );
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", text)
}
