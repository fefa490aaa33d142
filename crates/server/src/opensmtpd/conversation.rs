use std::io;
use std::sync::Arc;
use std::time::Duration;

use quivive_opensmtpd::talk::{self, LINE_OCTETS_MAX, Question};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::Opensmtpd;
use super::message::Message;
use crate::gateway::Arrival;
use crate::stream::Stream;
use crate::watchdog::Watchdog;

/// How much is read at once.
const CHUNK_OCTETS: usize = 4096;

/// Why there is nobody to talk with any more.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("it closed the connection")]
    Closed,
    #[error("the connection was lost: {0}")]
    Broken(#[from] io::Error),
    #[error("it took too long")]
    Late,
    #[error("it said what is no question: {0}")]
    Unclear(String),
    #[error("a line is longer than {LINE_OCTETS_MAX} octets")]
    TooLong,
    #[error("we are ending")]
    Ending,
}

struct Conversation {
    stream: Stream,
    drain: watch::Receiver<bool>,
    watchdog: Watchdog,
    /// What was read and is not done with.
    input: Vec<u8>,
    answer_time: Duration,
}

/// Answers a filter about one message.
pub(crate) async fn converse(door: Arc<Opensmtpd>, arrival: Arrival) {
    let _counted = door.ledger.session("opensmtpd");
    let mut conversation = Conversation {
        stream: arrival.stream,
        drain: arrival.drain,
        watchdog: Watchdog::new(),
        input: Vec::new(),
        answer_time: door.settings.patience.answer,
    };
    match conversation.run(&door).await {
        Ok(()) | Err(Gone::Ending | Gone::Closed) => {}
        Err(gone @ Gone::Unclear(_)) => tracing::warn!(door = "opensmtpd", "{gone}"),
        Err(gone) => tracing::debug!(door = "opensmtpd", "a filter is gone: {gone}"),
    }
}

impl Conversation {
    async fn run(&mut self, door: &Arc<Opensmtpd>) -> Result<(), Gone> {
        let patience = door.settings.patience;
        self.say(&door.hello()).await?;
        let Question::Mail(mail) = self.hear(patience.beginning, true).await? else {
            return Err(Gone::Unclear("a message begins with `mail`".to_owned()));
        };
        // Dropped, whoever ends this: what was judged is written down.
        let mut message = Message::begin(door.clone(), mail).await;
        loop {
            match self.hear(patience.question, false).await? {
                Question::Rcpt(recipient) => {
                    let answer = message.rcpt(recipient).await;
                    self.say(&answer).await?;
                }
                Question::Message(known) => {
                    let answer = message.whole(known).await;
                    self.say(&answer).await?;
                }
                Question::End(reply) => {
                    message.end(reply);
                    return Ok(());
                }
                Question::Mail(_) => {
                    return Err(Gone::Unclear("there is one message a connection".to_owned()));
                }
            }
        }
    }

    async fn say(&mut self, said: &impl Serialize) -> Result<(), Gone> {
        let line = talk::write(said);
        let written = self.stream.write_all(&line);
        Ok(self.watchdog.within(self.answer_time, written).await.ok_or(Gone::Late)??)
    }

    /// The next line. `is_idle`: nothing is lost if it never comes.
    async fn hear(&mut self, patience: Duration, is_idle: bool) -> Result<Question, Gone> {
        let mut searched = 0;
        loop {
            let fresh = &self.input[searched..];
            if let Some(end) = fresh.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=searched + end).collect();
                return talk::read(&line).map_err(Gone::Unclear);
            }
            searched = self.input.len();
            if searched > LINE_OCTETS_MAX {
                return Err(Gone::TooLong);
            }
            self.read(patience, is_idle).await?;
        }
    }

    async fn read(&mut self, patience: Duration, is_idle: bool) -> Result<(), Gone> {
        if is_idle && *self.drain.borrow() {
            return Err(Gone::Ending);
        }
        let mut chunk = [0; CHUNK_OCTETS];
        let read = self.watchdog.within(patience, self.stream.read(&mut chunk));
        let read = tokio::select! {
            biased;
            read = read => read.ok_or(Gone::Late)??,
            _ = self.drain.changed(), if is_idle => return Err(Gone::Ending),
        };
        match read {
            0 => Err(Gone::Closed),
            read => {
                self.input.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}
