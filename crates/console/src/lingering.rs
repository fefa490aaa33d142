use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client is listened to after our last word.
pub(crate) const LINGER_TIME: Duration = Duration::from_secs(2);

/// How many octets of a client are passed over after our last word.
pub(crate) const LINGER_OCTETS_MAX: usize = 32 * 1024 * 1024;

/// A stream that, when it is shut down, first hears the client out, within bounds: to close over
/// what was not read would take our last word back.
pub(crate) struct Lingering<S> {
    stream: S,
    octets: usize,
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, octets: 0, until: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.until.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let until = this.until.get_or_insert_with(|| Box::pin(sleep(LINGER_TIME)));
        let mut octets = [0; 8192];
        while this.octets < LINGER_OCTETS_MAX && until.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut octets);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer));
            match (read, buffer.filled().len()) {
                // It has ended, or is gone.
                (Ok(()), 0) | (Err(_), _) => break,
                (Ok(()), count) => this.octets += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn what_is_still_sent_is_heard_out() {
        let (mut client, ours) = duplex(16);
        let mut ours = Lingering::new(ours);
        ours.write_all(b"last word").await.unwrap();
        let closed = tokio::spawn(async move { ours.shutdown().await });
        client.write_all(&[b'x'; 100_000]).await.unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "last word");
        drop(client);
        closed.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_heard_for_ever() {
        let start = Instant::now();
        let (_silent, ours) = duplex(16);
        Lingering::new(ours).shutdown().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), LINGER_TIME.as_secs());
        let (mut endless, ours) = duplex(1 << 16);
        let mut ours = Lingering::new(ours);
        let sent = tokio::spawn(async move {
            let mut sent = 0;
            while endless.write_all(&[b'x'; 1 << 16]).await.is_ok() {
                sent += 1 << 16;
            }
            sent
        });
        ours.shutdown().await.unwrap();
        drop(ours);
        let sent: usize = sent.await.unwrap();
        assert!(sent <= LINGER_OCTETS_MAX + (1 << 17), "{sent}");
    }
}
