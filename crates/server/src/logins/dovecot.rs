//! Dovecot's auth service as a client of it: "Dovecot Authentication Protocol", version 1. One
//! connection serves one exchange.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use quivive_smtp::sasl::{Mechanism, Mechanisms, NAME_OCTETS_MAX};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::Denied;

/// How long Dovecot may take for one answer. It delays the news of a failure by some seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Octets of a line: a response of 12288 octets, and what stands around it.
const LINE_OCTETS_MAX: u64 = 16 * 1024;

/// Lines before the service has said what it can.
const GREETING_LINES_MAX: usize = 100;

/// How long it is remembered which mechanisms there are.
const MECHANISMS_KEPT: Duration = Duration::from_secs(60);

/// Dovecot's auth service.
pub(super) struct Dovecot {
    path: Arc<PathBuf>,
    mechanisms: Mutex<Option<(Mechanisms, Instant)>>,
}

/// What came of a response.
pub(super) enum Said {
    Challenge(Vec<u8>),
    User(String),
}

/// One exchange.
pub(super) struct Exchange {
    path: Arc<PathBuf>,
    mechanism: Mechanism,
    address: IpAddr,
    connection: Option<Connection>,
}

struct Connection {
    stream: BufReader<UnixStream>,
    offered: Mechanisms,
}

/// Why Dovecot does not answer.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Connection(#[from] io::Error),
    #[error("it closed the connection, or sent a line of more than {LINE_OCTETS_MAX} octets")]
    Line,
    #[error("it takes too long")]
    Slow,
    #[error("`{0}` is not of its protocol")]
    Protocol(String),
}

impl Dovecot {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path), mechanisms: Mutex::default() }
    }

    /// The mechanisms that it offers now.
    pub(super) async fn mechanisms(&self) -> Result<Mechanisms, Denied> {
        let known = *self.mechanisms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((mechanisms, at)) = known
            && at.elapsed() < MECHANISMS_KEPT
        {
            return Ok(mechanisms);
        }
        let connection =
            Connection::open(&self.path).await.map_err(|trouble| self.tell(&trouble))?;
        let offered = (connection.offered, Instant::now());
        *self.mechanisms.lock().unwrap_or_else(PoisonError::into_inner) = Some(offered);
        Ok(connection.offered)
    }

    pub(super) fn begin(&self, mechanism: Mechanism, address: IpAddr) -> Exchange {
        Exchange { path: self.path.clone(), mechanism, address, connection: None }
    }

    fn tell(&self, trouble: &Trouble) -> Denied {
        tell(&self.path, trouble)
    }
}

fn tell(path: &std::path::Path, trouble: &Trouble) -> Denied {
    tracing::warn!(socket = %path.display(), "Dovecot's auth service does not answer: {trouble}");
    Denied::Unavailable
}

impl Exchange {
    /// Hands over what the client said; none where AUTH came without an initial response.
    pub(super) async fn respond(&mut self, response: Option<&[u8]>) -> Result<Said, Denied> {
        match timeout(PATIENCE, self.exchange(response)).await {
            Ok(Ok(said)) => said,
            Ok(Err(trouble)) => Err(tell(&self.path, &trouble)),
            Err(_) => Err(tell(&self.path, &Trouble::Slow)),
        }
    }

    async fn exchange(&mut self, response: Option<&[u8]>) -> Result<Result<Said, Denied>, Trouble> {
        let line = match self.connection {
            Some(_) => format!("CONT\t1\t{}\n", BASE64.encode(response.unwrap_or_default())),
            None => {
                self.connection = Some(Connection::open(&self.path).await?);
                let response = response.map(|octets| format!("\tresp={}", BASE64.encode(octets)));
                format!(
                    "AUTH\t1\t{}\tservice=smtp\tnologin\trip={}\tsecured{}\n",
                    self.mechanism,
                    self.address,
                    response.unwrap_or_default()
                )
            }
        };
        let connection = self.connection.as_mut().ok_or(Trouble::Line)?;
        connection.stream.write_all(line.as_bytes()).await?;
        loop {
            let line = connection.line().await?;
            let mut words = line.split('\t');
            let (verb, id) = (words.next().unwrap_or_default(), words.next());
            if id != Some("1") {
                // Of nobody's exchange: the service says more than we need.
                continue;
            }
            return match verb {
                "CONT" => {
                    let challenge = words.next().unwrap_or_default();
                    let challenge = BASE64.decode(challenge.as_bytes());
                    let challenge = challenge.map_err(|_| Trouble::Protocol(line.clone()))?;
                    Ok(Ok(Said::Challenge(challenge)))
                }
                "OK" => {
                    let parameters = parameters(words);
                    let user = parameters.get("user").filter(|user| is_user(user));
                    Ok(user.map(|user| Said::User(user.clone())).ok_or(Denied::Wrong))
                }
                "FAIL" => {
                    let is_temporary = words.any(|word| word == "temp" || word == "code=temp_fail");
                    Ok(Err(if is_temporary { Denied::Unavailable } else { Denied::Wrong }))
                }
                _ => Err(Trouble::Protocol(line)),
            };
        }
    }
}

impl Connection {
    async fn open(path: &std::path::Path) -> Result<Self, Trouble> {
        let opened = timeout(PATIENCE, async {
            let stream = BufReader::new(UnixStream::connect(path).await?);
            let mut connection = Self { stream, offered: Mechanisms::default() };
            connection.greet().await?;
            Ok(connection)
        });
        opened.await.unwrap_or(Err(Trouble::Slow))
    }

    /// Both say who they are, and the service what it can.
    async fn greet(&mut self) -> Result<(), Trouble> {
        let greeting = format!("VERSION\t1\t2\nCPID\t{}\n", std::process::id());
        self.stream.write_all(greeting.as_bytes()).await?;
        for _ in 0..GREETING_LINES_MAX {
            let line = self.line().await?;
            let mut words = line.split('\t');
            match (words.next(), words.next()) {
                (Some("VERSION"), Some(major)) if major != "1" => {
                    return Err(Trouble::Protocol(line));
                }
                (Some("MECH"), Some(name)) => {
                    if let Some(mechanism) = Mechanism::from_name(name) {
                        self.offered = self.offered.with(mechanism);
                    }
                }
                (Some("DONE"), _) => return Ok(()),
                _ => {}
            }
        }
        Err(Trouble::Protocol("a greeting without end".to_owned()))
    }

    async fn line(&mut self) -> Result<String, Trouble> {
        let mut line = Vec::new();
        (&mut self.stream).take(LINE_OCTETS_MAX).read_until(b'\n', &mut line).await?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).into_owned()),
            _ => Err(Trouble::Line),
        }
    }
}

fn parameters<'a>(words: impl Iterator<Item = &'a str>) -> HashMap<&'a str, String> {
    words
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key, unescaped(value)))
        .collect()
}

/// `\001` before 1, t, r and n stands for itself, tab, CR and LF.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\u{1}' => match chars.next() {
                Some('1') => '\u{1}',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('n') => '\n',
                Some(other) => other,
                None => break,
            },
            c => c,
        });
    }
    plain
}

fn is_user(user: &str) -> bool {
    !user.is_empty() && user.len() <= NAME_OCTETS_MAX && !user.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_unescaped() {
        let words = "user=a\u{1}tb\tother\tx=1=2\tz=\u{1}1\u{1}".split('\t');
        let read = parameters(words);
        assert_eq!(read["user"], "a\tb");
        assert_eq!(read["x"], "1=2");
        assert_eq!(read["z"], "\u{1}");
        assert!(is_user("al ice@e.test") && !is_user("a\tb") && !is_user(""));
    }
}
