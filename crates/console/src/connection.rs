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

use crate::lingering::Lingering;
use crate::state::Peer;

/// How long the head of a request may take to come, and a connection to be of no use.
pub const HEAD_TIME: Duration = Duration::from_secs(15);

/// How long a connection takes further requests.
pub const CONNECTION_TIME: Duration = Duration::from_secs(5 * 60);

/// How long a connection may last after that, or after it was told to end, to answer its last one.
pub const LAST_TIME: Duration = Duration::from_secs(60);

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
    converse_within(pages, stream, peer, drain, HEAD_TIME).await;
}

async fn converse_within(
    pages: Router,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Option<IpAddr>,
    drain: impl Future<Output = ()>,
    head_time: Duration,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        answer(pages.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_buf_size(HEAD_OCTETS_MAX)
        .max_header_size(HEAD_OCTETS_MAX)
        .serve_connection(TokioIo::new(Lingering::new(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let further = async {
        tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = drain => None,
        }
    };
    let ended = match timeout(CONNECTION_TIME, further).await {
        Ok(Some(ended)) => Ok(ended),
        // It goes on to the end of the request it is at.
        Ok(None) | Err(_) => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_TIME, connection).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(client = ?peer, "a connection broke: {error}"),
        Err(_) => tracing::debug!(client = ?peer, "a connection lasted too long"),
    }
}

async fn answer(pages: Router, request: hyper::Request<Incoming>) -> Result<Response, Infallible> {
    pages.oneshot(request.map(Body::new)).await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;

    fn talk(drain: impl Future<Output = ()> + Send + 'static) -> (DuplexStream, JoinHandle<()>) {
        let (ours, theirs) = duplex(1 << 20);
        let pages = Router::new().route("/", axum::routing::get(async || "a page"));
        (theirs, tokio::spawn(converse(pages, ours, None, drain)))
    }

    #[tokio::test]
    async fn who_says_nothing_is_left() {
        let (ours, mut client) = duplex(1024);
        let never = std::future::pending();
        let head_time = Duration::from_millis(20);
        let task = tokio::spawn(converse_within(Router::new(), ours, None, never, head_time));
        client.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_left() {
        let (ours, mut client) = duplex(16);
        let pages = Router::new().route("/", axum::routing::get(async || "x".repeat(1000)));
        let start = Instant::now();
        let task = tokio::spawn(converse(pages, ours, None, std::future::pending()));
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        task.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), (CONNECTION_TIME + LAST_TIME).as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_came_in_time_is_answered() {
        let (ours, mut client) = duplex(1024);
        let slow = async || {
            tokio::time::sleep(HEAD_TIME - Duration::from_secs(1)).await;
            "a page"
        };
        let pages = Router::new().route("/", axum::routing::get(slow));
        tokio::spawn(converse(pages, ours, None, std::future::pending()));
        let mut answers = 0;
        let mut answer = vec![0; 1024];
        while client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.is_ok() {
            match client.read(&mut answer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => assert!(answer[..count].ends_with(b"a page")),
            }
            answers += 1;
        }
        let each = HEAD_TIME - Duration::from_secs(1);
        assert_eq!(answers, CONNECTION_TIME.as_secs().div_ceil(each.as_secs()));
    }

    #[tokio::test]
    async fn a_head_is_bounded() {
        let (mut client, task) = talk(std::future::pending());
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(HEAD_OCTETS_MAX));
        client.write_all(long.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_end_when_told() {
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let (mut client, task) = talk(async { drop(told.await) });
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 1024];
        let count = client.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..count]).contains("200 OK"));
        let start = Instant::now();
        tell.send(()).unwrap();
        task.await.unwrap();
        assert!(start.elapsed() < HEAD_TIME);
    }
}
