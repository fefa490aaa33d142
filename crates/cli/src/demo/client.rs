//! A mail client of the demo: one message a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use quivive_smtp::{Reply, ReplyDecoder, ReplyError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::messages::{Content, Message};

/// How long a dialogue may take.
const DIALOGUE_TIME: Duration = Duration::from_secs(20);

/// Why a dialogue was not finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("the gateway does not answer as SMTP has it: {0}")]
    Reply(#[from] ReplyError),
    #[error("the connection to the gateway was lost: {0}")]
    Lost(#[from] io::Error),
    #[error("the gateway took more than {} s", DIALOGUE_TIME.as_secs())]
    TooSlow,
}

/// Sends a message, and gives the reply that decided: the first refusal, or the last word.
pub(super) async fn send(
    gateway: SocketAddr,
    message: &Message,
    number: usize,
) -> Result<Reply, ClientError> {
    let dialogue = async {
        let mut connection = Connection::connect(gateway).await?;
        let reply = connection.send(message, number).await?;
        connection.quit().await?;
        Ok(reply)
    };
    timeout(DIALOGUE_TIME, dialogue).await.unwrap_or(Err(ClientError::TooSlow))
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    decoder: ReplyDecoder,
}

impl Connection {
    async fn connect(gateway: SocketAddr) -> Result<Self, ClientError> {
        let stream = TcpStream::connect(gateway).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, input: Vec::new(), decoder: ReplyDecoder::new() })
    }

    async fn send(&mut self, message: &Message, number: usize) -> Result<Reply, ClientError> {
        let greeting = self.reply().await?;
        if !greeting.is_positive() {
            return Ok(greeting);
        }
        for command in commands(message, number) {
            let reply = self.ask(command.as_bytes()).await?;
            let goes_on = reply.is_positive() || reply.code == 354;
            if !goes_on {
                return Ok(reply);
            }
        }
        let mut content = message.octets(number);
        content.extend_from_slice(b"\r\n.");
        self.ask(&content).await
    }

    /// Says goodbye, and hears out whatever else the gateway says.
    async fn quit(&mut self) -> Result<(), ClientError> {
        // A gateway that closed has nothing more to hear.
        if self.stream.write_all(b"QUIT\r\n").await.is_ok() {
            let _ = self.stream.read_to_end(&mut self.input).await;
        }
        Ok(())
    }

    async fn ask(&mut self, line: &[u8]) -> Result<Reply, ClientError> {
        self.stream.write_all(line).await?;
        self.stream.write_all(b"\r\n").await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Reply, ClientError> {
        loop {
            let (taken, reply) = self.decoder.decode(&self.input)?;
            self.input.drain(..taken);
            if let Some(reply) = reply {
                return Ok(reply);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}

/// What is said before the message. The gateway believes what its upstream states of the client.
fn commands(message: &Message, number: usize) -> Vec<String> {
    let Message { client, reverse_path, recipient, .. } = message;
    let family = match client.address.parse() {
        Ok(IpAddr::V6(_)) => "IPV6:",
        _ => "",
    };
    let utf8 = if message.is_international() { " SMTPUTF8" } else { "" };
    let size = match message.content {
        Content::Large { announced: true, .. } => format!(" SIZE={}", message.octets(number).len()),
        _ => String::new(),
    };
    vec![
        "EHLO upstream.demo.example".to_owned(),
        format!("XCLIENT ADDR={family}{}", client.address),
        format!("EHLO {}", client.helo),
        format!("MAIL FROM:<{reverse_path}>{size}{utf8}"),
        format!("RCPT TO:<{recipient}>"),
        "DATA".to_owned(),
    ]
}
