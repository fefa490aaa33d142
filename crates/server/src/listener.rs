//! A listener: its socket, and the sessions of its clients.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::doors::Doors;
use crate::gateway::Arrival;
use crate::seats::Seats;
use crate::stream::Stream;

/// How long a listener rests when the system gives it no more connections.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP; port 0 is a free one.
    Tcp(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

/// `127.0.0.1:25`, `unix:/run/quivive/socket`
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A socket that is bound.
pub(crate) struct Bound {
    socket: Socket,
    /// With its port, if a free one was asked for.
    pub(crate) address: Address,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Bound {
    pub(crate) async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = Address::Tcp(listener.local_addr()?);
                Ok(Self { socket: Socket::Tcp(listener), address })
            }
            Address::Unix(path) => {
                remove_leftover(path).await?;
                let listener = UnixListener::bind(path)?;
                Ok(Self { socket: Socket::Unix(listener), address: address.clone() })
            }
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(peer)))
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), None))
            }
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A socket that nobody listens on was left by a process that was killed.
async fn remove_leftover(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    match is_socket && UnixStream::connect(path).await.is_err() {
        true => std::fs::remove_file(path),
        false => Ok(()),
    }
}

/// Accepts clients until `drain` says so, then waits at most `drain_time` for them to finish. Each
/// session keeps the door that was current when it began.
pub(crate) async fn listen(
    bound: Bound,
    current: Arc<Doors>,
    mut drain: watch::Receiver<bool>,
    drain_time: Duration,
) {
    let seats = Arc::new(Seats::default());
    let places = Arc::new(Semaphore::new(current.connections_max()));
    let mut sessions = JoinSet::new();
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&bound, &places) => accepted,
            _ = drain.wait_for(|drain| *drain) => break,
        };
        let arrival = Arrival { stream, peer, seats: seats.clone(), drain: drain.clone() };
        let conversation = current.converse(arrival);
        sessions.spawn(async move {
            conversation.await;
            drop(place);
        });
        while let Some(ended) = sessions.try_join_next() {
            report(ended);
        }
    }
    drop(bound);
    let all_ended = async {
        while let Some(ended) = sessions.join_next().await {
            report(ended);
        }
    };
    if timeout(drain_time, all_ended).await.is_err() {
        tracing::warn!(sessions = sessions.len(), "sessions are cut off");
    }
    sessions.shutdown().await;
}

async fn accept(
    bound: &Bound,
    places: &Arc<Semaphore>,
) -> (Stream, Option<SocketAddr>, OwnedSemaphorePermit) {
    loop {
        let place = places.clone().acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        match bound.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!(address = %bound.address, "a connection was not accepted: {error}");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a session was lost: {error}");
    }
}
