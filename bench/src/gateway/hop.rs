//! A bare SMTP server on tokio: it believes everything and checks nothing. With a next hop it is
//! the least that a gateway can do: each message is taken whole and handed on before it is answered
//! for.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How long a line may be.
const LINE_OCTETS_MAX: u64 = 4096;

/// How large a message may be.
const MESSAGE_OCTETS_MAX: usize = 1 << 20;

/// Serves on a free port of loopback, which is told first, for as long as the process lives.
///
/// # Errors
/// There is no port.
pub async fn serve(next_hop: Option<SocketAddr>, listening: impl FnOnce(SocketAddr)) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    listening(listener.local_addr()?);
    let onward = next_hop.map(|address| Arc::new(Onward { address, idle: Mutex::default() }));
    loop {
        let (stream, _) = listener.accept().await?;
        let onward = onward.clone();
        // What a client does wrong ends its connection and concerns nobody else.
        tokio::spawn(async move { converse(stream, onward).await });
    }
}

/// A connection that speaks in lines.
pub(crate) struct Lines {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), line: Vec::new() })
    }

    /// The next line with its end.
    pub(crate) async fn line(&mut self) -> Result<&[u8]> {
        self.line.clear();
        (&mut self.stream).take(LINE_OCTETS_MAX).read_until(b'\n', &mut self.line).await?;
        if self.line.last() == Some(&b'\n') {
            Ok(&self.line)
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }

    /// The last line of a reply.
    pub(crate) async fn reply(&mut self) -> Result<&[u8]> {
        while self.line().await?.get(3) == Some(&b'-') {}
        Ok(&self.line)
    }

    /// Sends a command or a message and takes its reply, which must begin with this digit.
    pub(crate) async fn ask(&mut self, octets: &[u8], digit: u8) -> Result<&[u8]> {
        self.send(octets).await?;
        let reply = self.reply().await?;
        match reply.first() {
            Some(first) if *first == digit => Ok(reply),
            _ => Err(Error::other(String::from_utf8_lossy(reply).into_owned())),
        }
    }

    pub(crate) async fn send(&mut self, octets: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(octets).await
    }
}

async fn converse(stream: TcpStream, onward: Option<Arc<Onward>>) -> Result<()> {
    let mut client = Lines::new(stream)?;
    let mut next: Option<Lines> = None;
    client.send(b"220 bare ESMTP\r\n").await?;
    loop {
        let line = client.line().await?.to_vec();
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match &*word {
            b"EHLO" => client.send(b"250-bare\r\n250-PIPELINING\r\n250 8BITMIME\r\n").await?,
            b"MAIL" | b"RCPT" => {
                let reply = match &onward {
                    None => b"250 ok\r\n".to_vec(),
                    Some(onward) => {
                        if next.is_none() {
                            next = Some(onward.take().await?);
                        }
                        let next = next.as_mut().expect("just taken");
                        next.ask(&line, b'2').await?.to_vec()
                    }
                };
                client.send(&reply).await?;
            }
            b"DATA" => {
                client.send(b"354 go on\r\n").await?;
                let message = message(&mut client).await?;
                let reply = match (&onward, next.take()) {
                    (Some(onward), Some(next)) => onward.hand_on(next, &message).await?,
                    _ => b"250 ok\r\n".to_vec(),
                };
                client.send(&reply).await?;
            }
            b"QUIT" => return client.send(b"221 bye\r\n").await,
            _ => client.send(b"250 ok\r\n").await?,
        }
    }
}

/// The message as it comes, its closing dot included.
async fn message(client: &mut Lines) -> Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let line = client.line().await?;
        message.extend_from_slice(line);
        if line == b".\r\n" {
            return Ok(message);
        }
        if message.len() > MESSAGE_OCTETS_MAX {
            return Err(ErrorKind::OutOfMemory.into());
        }
    }
}

/// The next hop, with the connections to it that nobody uses.
struct Onward {
    address: SocketAddr,
    idle: Mutex<Vec<Lines>>,
}

impl Onward {
    async fn take(&self) -> Result<Lines> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(idle) = idle {
            return Ok(idle);
        }
        let mut lines = Lines::new(TcpStream::connect(self.address).await?)?;
        lines.reply().await?;
        lines.ask(b"EHLO bare\r\n", b'2').await?;
        Ok(lines)
    }

    async fn hand_on(&self, mut next: Lines, message: &[u8]) -> Result<Vec<u8>> {
        next.ask(b"DATA\r\n", b'3').await?;
        let reply = next.ask(message, b'2').await?.to_vec();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(next);
        Ok(reply)
    }
}
