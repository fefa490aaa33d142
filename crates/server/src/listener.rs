//! A listener: its socket, and the sessions of its clients.

mod access;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use self::access::Access;
use crate::doors::Doors;
use crate::gateway::Arrival;
use crate::seats::Seats;
use crate::stream::{Prompt, Stream};

/// How long a listener rests when the system gives it no more connections.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How many connections at once are told that there are too many; more are closed without a word.
pub(crate) const TURNED_AWAY_MAX: usize = 64;

/// How long a connection that is turned away has to hear so.
const TURN_AWAY_TIME: Duration = Duration::from_secs(2);

/// How much is read of what a connection sends that is turned away.
const TURN_AWAY_OCTETS: usize = 4096;

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
    /// The file of a UNIX socket.
    file: Option<File>,
}

/// Device and inode.
type File = (u64, u64);

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Bound {
    pub(crate) async fn bind(address: &Address, access: &Access) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = Address::Tcp(listener.local_addr()?);
                Ok(Self { socket: Socket::Tcp(listener), address, file: None })
            }
            Address::Unix(path) => {
                remove_leftover(path).await?;
                let listener = UnixListener::bind(path)?;
                let (socket, address) = (Socket::Unix(listener), address.clone());
                let bound = Self { socket, address, file: file(path) };
                access.grant(path)?;
                Ok(bound)
            }
        }
    }

    async fn accept(&self, is_prompt: bool) -> io::Result<(Stream, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let stream: Stream = match is_prompt {
                    true => Box::new(Prompt::new(stream)),
                    false => Box::new(stream),
                };
                Ok((stream, Some(peer)))
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
        // Another process may listen there by now.
        if let Address::Unix(path) = &self.address
            && self.file.is_some()
            && self.file == file(path)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn file(path: &Path) -> Option<File> {
    std::fs::symlink_metadata(path).ok().map(|data| (data.dev(), data.ino()))
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
    let places = Places::new(current.connections_max());
    let mut sessions = JoinSet::new();
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&bound, &places, &current) => accepted,
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
    current.end();
}

async fn accept(
    bound: &Bound,
    places: &Places,
    current: &Doors,
) -> (Stream, Option<SocketAddr>, OwnedSemaphorePermit) {
    loop {
        let (stream, peer) = match bound.accept(current.leaves_unanswered()).await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(address = %bound.address, "a connection was not accepted: {error}");
                sleep(ACCEPT_REST).await;
                continue;
            }
        };
        match (places.free.clone().try_acquire_owned(), current.too_many()) {
            (Ok(place), _) => {
                places.full.store(false, Ordering::Relaxed);
                return (stream, peer, place);
            }
            (Err(_), Some(word)) => {
                if !places.full.swap(true, Ordering::Relaxed) {
                    tracing::warn!(address = %bound.address, "no more connections are taken");
                }
                places.turn_away(stream, word);
            }
            (Err(_), None) => {
                let place = places.free.clone().acquire_owned().await;
                return (stream, peer, place.expect("the semaphore is never closed"));
            }
        }
    }
}

/// The places of a listener's connections.
struct Places {
    free: Arc<Semaphore>,
    /// Of those who are told that there are no others.
    away: Arc<Semaphore>,
    /// The log says so once.
    full: AtomicBool,
}

impl Places {
    fn new(max: usize) -> Self {
        let [free, away] = [max, TURNED_AWAY_MAX].map(|max| Arc::new(Semaphore::new(max)));
        Self { free, away, full: AtomicBool::new(false) }
    }

    /// Speaks a last word, in the background, and closes.
    fn turn_away(&self, mut stream: Stream, word: Vec<u8>) {
        let Ok(place) = self.away.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let told = async {
                stream.write_all(&word).await?;
                stream.shutdown().await?;
                // Closing over what was not read would take the word back.
                stream.take(TURN_AWAY_OCTETS as u64).read_to_end(&mut Vec::new()).await
            };
            let _ = timeout(TURN_AWAY_TIME, told).await;
            drop(place);
        });
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a session was lost: {error}");
    }
}
