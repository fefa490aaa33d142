//! What sessions run over: TCP, UNIX sockets, TLS over either, and pipes of memory in tests.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Octets in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Octets in both directions, from whatever source.
pub(crate) type Stream = Box<dyn Duplex>;

/// What a future comes to, if nothing need be waited for.
pub(crate) async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A TCP connection that lets its peer know at once what has arrived.
///
/// An answer carries the acknowledgement. Where there is none, the system waits some 40 ms for one
/// before it acknowledges, and a peer that sends in small pieces waits for that with the next piece
/// (RFC 1122 section 4.2.3.2, RFC 896).
pub(crate) struct Prompt {
    stream: TcpStream,
    /// Something has arrived, and nothing was sent since.
    owes: bool,
}

impl Prompt {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, owes: false }
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.owes = true;
        } else if std::mem::take(&mut self.owes) {
            // Without it things are slower, and no worse.
            #[cfg(target_os = "linux")]
            let _ = self.stream.set_quickack(true);
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, octets));
        self.owes = false;
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    /// No clock is there to be waited for.
    #[test]
    fn what_has_to_be_waited_for_is_not_had_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(at_once(pin!(async { 7 })).await, Some(7));
            assert_eq!(at_once(pin!(std::future::pending::<u8>())).await, None);
        });
    }
}
