//! Talks with the daemon, one for each message.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use quivive_opensmtpd::talk::{self, Answer, Hello, LINE_OCTETS_MAX, Question, TALK};
use quivive_opensmtpd::{Event, TransactionId};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// How long the daemon may be away, as when it is started anew, before mail hears of it.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How long it takes until one tries again.
const CONNECT_REST: Duration = Duration::from_millis(100);

/// How long an answer may take. The daemon has 20 s for DNS.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Trouble is told in the log once in this time.
const TROUBLE_REST: Duration = Duration::from_secs(60);

/// How many answers may wait to be passed on.
const HEARD_MAX: usize = 256;

/// Where the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// What comes of talks.
pub(super) enum Heard {
    /// The names under which no results may come in.
    Names(Vec<String>),
    Answer(TransactionId, Answer),
    /// There will be no answers about it any more, and why.
    Lost(TransactionId, String),
}

/// All talks.
pub(super) struct Talks {
    place: Place,
    open: HashMap<TransactionId, mpsc::UnboundedSender<Question>>,
    sender: mpsc::Sender<Heard>,
    receiver: mpsc::Receiver<Heard>,
    told_at: Option<Instant>,
}

impl Talks {
    pub(super) fn new(place: Place) -> Self {
        let (sender, receiver) = mpsc::channel(HEARD_MAX);
        Self { place, open: HashMap::new(), sender, receiver, told_at: None }
    }

    /// Hears the daemon's names before the first message comes, and says whether it is there.
    pub(super) fn greet(&self) {
        let (place, sender) = (self.place.clone(), self.sender.clone());
        tokio::spawn(async move {
            match connect(&place).await {
                Ok((_, names)) => {
                    // Whoever listened is gone with everything else.
                    let _ = sender.send(Heard::Names(names)).await;
                }
                Err(trouble) => tracing::warn!("the daemon at {place} is not there: {trouble}"),
            }
        });
    }

    /// Has the daemon hear of a message.
    pub(super) fn pass_on(&mut self, event: Event) {
        let Event { transaction, question } = event;
        match question {
            Question::Mail(_) => {
                let (questions, asked) = mpsc::unbounded_channel();
                let _ = questions.send(question);
                self.open.insert(transaction, questions);
                let (place, sender) = (self.place.clone(), self.sender.clone());
                tokio::spawn(async move {
                    if let Err(trouble) = converse(&place, transaction, asked, &sender).await {
                        let _ = sender.send(Heard::Lost(transaction, trouble.to_string())).await;
                    }
                });
            }
            Question::End(_) => {
                if let Some(questions) = self.open.remove(&transaction) {
                    let _ = questions.send(question);
                }
            }
            Question::Rcpt(_) | Question::Message(_) => {
                // A talk that has failed says so itself.
                if let Some(questions) = self.open.get(&transaction) {
                    let _ = questions.send(question);
                }
            }
        }
    }

    /// Nobody wants to know of it any more.
    pub(super) fn give_up(&mut self, transaction: TransactionId) {
        self.open.remove(&transaction);
    }

    /// What comes next.
    pub(super) async fn heard(&mut self) -> Heard {
        self.receiver.recv().await.expect("we have a sender ourselves")
    }

    /// Says from time to time that the daemon does not answer.
    pub(super) fn trouble(&mut self, trouble: &str) {
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TROUBLE_REST) {
            self.told_at = Some(Instant::now());
            tracing::error!("the daemon at {} does not judge mail: {trouble}", self.place);
        }
    }
}

/// Why a talk has failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("it cannot be reached ({0}); see that it runs, and that this user may use its socket")]
    Unreachable(io::Error),
    #[error("the connection was lost: {0}")]
    Broken(#[from] io::Error),
    #[error("it closed the connection; its log says why")]
    Closed,
    #[error("it took more than {} s", ANSWER_TIME.as_secs())]
    Late,
    #[error("it said what is no answer: {0}")]
    Unclear(String),
    #[error("it speaks of {0} and we of {TALK}: daemon and filter must be of the same version")]
    Version(u32),
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

type Connection = BufReader<Box<dyn Duplex>>;

async fn converse(
    place: &Place,
    transaction: TransactionId,
    mut questions: mpsc::UnboundedReceiver<Question>,
    heard: &mpsc::Sender<Heard>,
) -> Result<(), Trouble> {
    let (mut connection, names) = connect(place).await?;
    let _ = heard.send(Heard::Names(names)).await;
    while let Some(question) = questions.recv().await {
        let line = talk::write(&question);
        timeout(ANSWER_TIME, connection.write_all(&line)).await.map_err(|_| Trouble::Late)??;
        match question {
            Question::Mail(_) => {}
            Question::Rcpt(_) | Question::Message(_) => {
                let answer = hear(&mut connection).await?;
                let _ = heard.send(Heard::Answer(transaction, answer)).await;
            }
            Question::End(_) => break,
        }
    }
    let _ = connection.shutdown().await;
    Ok(())
}

/// A connection with the daemon, which has said its names.
async fn connect(place: &Place) -> Result<(Connection, Vec<String>), Trouble> {
    let start = Instant::now();
    let stream = loop {
        match open(place).await {
            Ok(stream) => break stream,
            Err(error) if start.elapsed() >= CONNECT_TIME => {
                return Err(Trouble::Unreachable(error));
            }
            Err(_) => sleep(CONNECT_REST).await,
        }
    };
    let mut connection = BufReader::new(stream);
    let Hello { talk, names } = hear(&mut connection).await?;
    if talk == TALK { Ok((connection, names)) } else { Err(Trouble::Version(talk)) }
}

async fn open(place: &Place) -> io::Result<Box<dyn Duplex>> {
    Ok(match place {
        Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Place::Tcp(address) => {
            let stream = timeout(CONNECT_TIME, TcpStream::connect(address));
            let stream = stream.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    })
}

async fn hear<T: serde::de::DeserializeOwned>(connection: &mut Connection) -> Result<T, Trouble> {
    let mut line = Vec::new();
    let mut bounded = connection.take(LINE_OCTETS_MAX as u64);
    let read = timeout(ANSWER_TIME, bounded.read_until(b'\n', &mut line)).await;
    read.map_err(|_| Trouble::Late)??;
    if !line.ends_with(b"\n") {
        return Err(Trouble::Closed);
    }
    talk::read(&line).map_err(Trouble::Unclear)
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text));
        match path {
            Some("") => Err("a socket has a path: unix:/run/quivive/opensmtpd.sock".to_owned()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                "write unix:/run/quivive/opensmtpd.sock or 127.0.0.1:10025".to_owned()
            }),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let place = |text: &str| text.parse::<Place>().map(|place| place.to_string());
        assert_eq!(place("unix:/run/q.sock").as_deref(), Ok("unix:/run/q.sock"));
        assert_eq!(place("/run/q.sock").as_deref(), Ok("unix:/run/q.sock"));
        assert_eq!(place("[::1]:10025").as_deref(), Ok("[::1]:10025"));
        for text in ["", "unix:", "localhost:1", "127.0.0.1", "run/q.sock"] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
