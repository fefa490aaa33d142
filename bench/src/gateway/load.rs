//! The load driver: so many messages over so many connections, each step answered before the next.

use std::io::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::hop::Lines;

/// How long a run may take; a server that is stuck fails the run.
const RUN_MAX: Duration = Duration::from_secs(120);

/// What is sent.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many connections at once.
    pub connections: usize,
    /// How many messages in all.
    pub messages: usize,
    /// Whether a connection is kept for further messages.
    pub kept: bool,
    /// The reverse-paths, in turn.
    pub senders: Arc<[String]>,
    /// The message, with its closing dot.
    pub message: Arc<[u8]>,
}

impl Load {
    /// Sends everything to a server on loopback; how long it took until the last reply.
    ///
    /// # Errors
    /// A message that was not taken, or the time for a run is over.
    pub async fn run(&self, server: SocketAddr) -> Result<Duration> {
        assert!(server.ip().is_loopback(), "load is for servers of this machine");
        let start = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            let (load, next) = (self.clone(), next.clone());
            connections.spawn(async move { load.connection(server, &next).await });
        }
        let all = async {
            while let Some(ended) = connections.join_next().await {
                ended.map_err(Error::other)??;
            }
            Ok::<(), Error>(())
        };
        tokio::time::timeout(RUN_MAX, all).await.map_err(Error::other)??;
        Ok(start.elapsed())
    }

    async fn connection(&self, server: SocketAddr, next: &AtomicUsize) -> Result<()> {
        let mut open = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.messages {
                break;
            }
            let mut lines = match open.take() {
                Some(lines) => lines,
                None => connect(server).await?,
            };
            self.message(&mut lines, number).await?;
            if self.kept {
                open = Some(lines);
            } else {
                lines.ask(b"QUIT\r\n", b'2').await?;
            }
        }
        match open {
            Some(mut lines) => lines.ask(b"QUIT\r\n", b'2').await.map(|_| ()),
            None => Ok(()),
        }
    }

    async fn message(&self, lines: &mut Lines, number: usize) -> Result<()> {
        let sender = &self.senders[number % self.senders.len()];
        lines.ask(format!("MAIL FROM:<{sender}>\r\n").as_bytes(), b'2').await?;
        lines.ask(b"RCPT TO:<user@example.test>\r\n", b'2').await?;
        lines.ask(b"DATA\r\n", b'3').await?;
        lines.ask(&self.message, b'2').await?;
        Ok(())
    }
}

async fn connect(server: SocketAddr) -> Result<Lines> {
    let mut lines = Lines::new(TcpStream::connect(server).await?)?;
    lines.reply().await?;
    lines.ask(b"EHLO client.example.test\r\n", b'2').await?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::gateway::hop;

    async fn start(next_hop: Option<SocketAddr>) -> SocketAddr {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(hop::serve(next_hop, |address| sender.send(address).expect("we wait")));
        receiver.await.expect("it listens")
    }

    #[tokio::test]
    async fn messages_pass_two_hops() {
        let sink = start(None).await;
        let relay = start(Some(sink)).await;
        for kept in [true, false] {
            let load = Load {
                connections: 3,
                messages: 20,
                kept,
                senders: ["a@example.test".to_owned()].into(),
                message: (*b"Subject: x\r\n\r\n..\r\n.\r\n").into(),
            };
            load.run(relay).await.expect("all are taken");
        }
    }

    #[tokio::test]
    async fn a_refusal_fails_the_run() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut lines = Lines::new(stream).unwrap();
            lines.send(b"220 x\r\n").await.unwrap();
            while lines.line().await.is_ok() {
                lines.send(b"550 no\r\n").await.unwrap();
            }
        });
        let load = Load {
            connections: 1,
            messages: 1,
            kept: true,
            senders: ["a@example.test".to_owned()].into(),
            message: (*b".\r\n").into(),
        };
        assert!(load.run(address).await.unwrap_err().to_string().starts_with("550"));
    }
}
