//! The load: questions on one connection.

use std::io::{BufRead, BufReader, Error, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::in_process::senders;
use super::null::Protocol;

/// The map that is asked.
pub(super) const MAP: &str = "forward";

/// How long an answer may take; a table that is stuck fails the run.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

pub(super) struct Load {
    senders: Vec<String>,
}

impl Load {
    pub(super) fn new() -> Self {
        Self { senders: senders() }
    }

    /// So many questions, each after the answer to the one before: look-ups a second.
    pub(super) fn serial(
        &self,
        table: SocketAddr,
        protocol: Protocol,
        count: usize,
    ) -> Result<f64> {
        let mut connection = connect(table)?;
        let questions: Vec<String> = self.questions(protocol, count).collect();
        let mut answer = Vec::new();
        let start = Instant::now();
        for question in &questions {
            connection.get_mut().write_all(question.as_bytes())?;
            take(&mut connection, protocol, &mut answer)?;
        }
        Ok(count as f64 / start.elapsed().as_secs_f64())
    }

    /// So many questions without waiting for answers: look-ups a second.
    pub(super) fn pipelined(
        &self,
        table: SocketAddr,
        protocol: Protocol,
        count: usize,
    ) -> Result<f64> {
        let mut connection = connect(table)?;
        let questions: String = self.questions(protocol, count).collect();
        let mut writer = connection.get_ref().try_clone()?;
        let mut answer = Vec::new();
        let start = Instant::now();
        let asking = thread::spawn(move || writer.write_all(questions.as_bytes()));
        for _ in 0..count {
            take(&mut connection, protocol, &mut answer)?;
        }
        let elapsed = start.elapsed();
        asking.join().map_err(|_| Error::other("the asking thread is gone"))??;
        Ok(count as f64 / elapsed.as_secs_f64())
    }

    fn questions(&self, protocol: Protocol, count: usize) -> impl Iterator<Item = String> {
        self.senders.iter().cycle().take(count).map(move |sender| match protocol {
            Protocol::TcpTable => format!("get {sender}\n"),
            Protocol::Socketmap => {
                let question = format!("{MAP} {sender}");
                format!("{}:{question},", question.len())
            }
        })
    }
}

fn connect(table: SocketAddr) -> Result<BufReader<TcpStream>> {
    assert!(table.ip().is_loopback(), "load is for servers of this machine");
    let stream = TcpStream::connect(table)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    Ok(BufReader::with_capacity(64 * 1024, stream))
}

/// Takes an answer, which must have found something.
fn take(
    connection: &mut BufReader<TcpStream>,
    protocol: Protocol,
    answer: &mut Vec<u8>,
) -> Result<()> {
    answer.clear();
    connection.read_until(protocol.end(), answer)?;
    let found = match protocol {
        Protocol::TcpTable => answer.starts_with(b"200 SRS"),
        Protocol::Socketmap => answer.windows(7).take(8).any(|part| part == b":OK SRS"),
    };
    let said = || format!("nothing was found: {}", answer.escape_ascii());
    if found { Ok(()) } else { Err(Error::other(said())) }
}
