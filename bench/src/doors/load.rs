//! The load: messages from a client's address, each on a connection of its own.

use std::io::{Error, Result};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::gateway::hop::Lines;
use crate::gateway::message;

/// How long a run may take; a filter that is stuck fails the run.
const RUN_MAX: Duration = Duration::from_secs(300);

/// What is sent.
#[derive(Clone)]
pub(super) struct Load {
    /// How many connections at once.
    pub(super) connections: usize,
    /// How many messages in all.
    pub(super) messages: usize,
    /// The address that the client has.
    pub(super) client: IpAddr,
    /// The reverse-paths, in turn.
    pub(super) senders: Arc<[String]>,
}

/// What came of it.
pub(super) struct Run {
    pub(super) elapsed: Duration,
    /// From the beginning of a connection to the answer to its message, the shortest first.
    latencies: Vec<Duration>,
}

impl Run {
    /// The time within which this part of the messages was taken.
    pub(super) fn milliseconds(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (last as f64 * part).round() as usize;
        self.latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }
}

impl Load {
    /// Sends everything to a server on loopback.
    ///
    /// # Errors
    /// A message that was not taken, or the time for a run is over.
    pub(super) async fn run(&self, server: SocketAddr) -> Result<Run> {
        assert!(server.ip().is_loopback(), "load is for servers of this machine");
        let start = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            let (load, next) = (self.clone(), next.clone());
            connections.spawn(async move { load.send(server, &next).await });
        }
        let mut latencies = Vec::new();
        let all = async {
            while let Some(ended) = connections.join_next().await {
                latencies.append(&mut ended.map_err(Error::other)??);
            }
            Ok::<(), Error>(())
        };
        tokio::time::timeout(RUN_MAX, all).await.map_err(Error::other)??;
        latencies.sort();
        Ok(Run { elapsed: start.elapsed(), latencies })
    }

    /// Sends one message, and gives what the server said first that was no yes.
    ///
    /// # Errors
    /// The server cannot be reached, or took the message.
    pub(super) async fn refusal(&self, server: SocketAddr, sender: &str) -> Result<String> {
        match self.message(server, sender).await {
            Ok(()) => Err(Error::other("a message was taken that had to be refused")),
            Err(error) => Ok(error.to_string()),
        }
    }

    async fn send(&self, server: SocketAddr, next: &AtomicUsize) -> Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.messages {
                return Ok(latencies);
            }
            let start = Instant::now();
            self.message(server, &self.senders[number % self.senders.len()]).await?;
            latencies.push(start.elapsed());
        }
    }

    async fn message(&self, server: SocketAddr, sender: &str) -> Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.client, 0).into())?;
        let mut lines = Lines::new(socket.connect(server).await?)?;
        lines.reply().await?;
        lines.ask(b"EHLO client.bench-mail.net\r\n", b'2').await?;
        lines.ask(format!("MAIL FROM:<{sender}>\r\n").as_bytes(), b'2').await?;
        lines.ask(b"RCPT TO:<user@example.test>\r\n", b'2').await?;
        lines.ask(b"DATA\r\n", b'3').await?;
        lines.ask(&message(), b'2').await?;
        // The answer is what counts: nobody waits for the goodbye.
        lines.send(b"QUIT\r\n").await
    }
}
