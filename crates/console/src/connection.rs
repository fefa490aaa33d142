use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::state::Peer;

/// How long the head of a request may take to come, and a connection to be of no use.
pub const HEAD_TIME: Duration = Duration::from_secs(15);

/// How long a connection may last.
pub const CONNECTION_TIME: Duration = Duration::from_secs(5 * 60);

/// How long the head of a request may be, in octets.
pub const HEAD_OCTETS_MAX: usize = 32 * 1024;

/// Speaks HTTP/1.1 with a client until it is done, or until `drain` says that no further request is
/// to be taken. Bounded in time; what the client does wrong ends its connection alone.
pub async fn converse(
    pages: Router,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Option<IpAddr>,
    drain: impl Future<Output = ()>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        answer(pages.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_OCTETS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let whole = async {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = drain => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    };
    match timeout(CONNECTION_TIME, whole).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(client = ?peer, "a connection broke: {error}"),
        Err(_) => tracing::debug!(client = ?peer, "a connection lasted too long"),
    }
}

async fn answer(pages: Router, request: hyper::Request<Incoming>) -> Result<Response, Infallible> {
    pages.oneshot(request.map(Body::new)).await
}
