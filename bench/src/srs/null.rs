//! Tables that do nothing: what a look-up costs at the least.

use std::io::{Error, Result};
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How a table is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A line for a line.
    TcpTable,
    /// A netstring for a netstring.
    Socketmap,
}

/// What is always found: as long as a rewritten address.
const FOUND: &str = "SRS0=vmyz=2W=otherdomain.example=somebody@fwd.example.net";

impl Protocol {
    /// The protocol of this word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::TcpTable, Self::Socketmap].into_iter().find(|protocol| protocol.word() == word)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::TcpTable => "tcp-table",
            Self::Socketmap => "socketmap",
        }
    }

    /// The octet that ends a question or an answer. No address of the load holds it.
    pub(super) fn end(self) -> u8 {
        match self {
            Self::TcpTable => b'\n',
            Self::Socketmap => b',',
        }
    }

    fn answer(self) -> String {
        match self {
            Self::TcpTable => format!("200 {FOUND}\n"),
            Self::Socketmap => format!("{}:OK {FOUND},", FOUND.len() + 3),
        }
    }
}

/// Answers every question with the same address, at a free port.
///
/// # Errors
/// There is no port.
pub async fn serve(protocol: Protocol, listening: impl FnOnce(String)) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    listening(listener.local_addr()?.to_string());
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let answer = protocol.answer();
            let mut input = vec![0; 4096];
            let mut output = Vec::new();
            loop {
                let octets = stream.read(&mut input).await?;
                if octets == 0 {
                    return Ok::<(), Error>(());
                }
                let ends = input[..octets].iter().filter(|octet| **octet == protocol.end());
                ends.for_each(|_| output.extend_from_slice(answer.as_bytes()));
                stream.write_all(&output).await?;
                output.clear();
            }
        });
    }
}
