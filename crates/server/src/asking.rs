//! Programs that ask on a connection which they keep, and wait for each answer.

use std::time::Duration;

use quivive_postfix::Input;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::stream::Stream;
use crate::watchdog::Watchdog;

/// How many such programs a listener serves at a time. Each holds a connection, also while it has
/// nothing to ask.
pub const ASKERS_MAX: usize = 1000;

/// How much is read of what a program still sends after the last word.
const LINGER_OCTETS_MAX: u64 = 64 * 1024;

/// How long the last word has to reach it.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// How long a program is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a whole question, however slowly its octets come.
    pub question: Duration,
    /// Between two questions. Postfix closes by itself after 1000 seconds at most.
    pub idle: Duration,
    /// Until an answer is taken.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            question: Duration::from_secs(30),
            idle: Duration::from_secs(1800),
            answer: Duration::from_secs(30),
        }
    }
}

/// One connection of such a program.
pub(crate) struct Asker {
    stream: Stream,
    drain: watch::Receiver<bool>,
    patience: Patience,
    watchdog: Watchdog,
    /// When the question began that is on its way.
    began: Option<Instant>,
}

impl Asker {
    pub(crate) fn new(stream: Stream, drain: watch::Receiver<bool>, patience: Patience) -> Self {
        Self { stream, drain, patience, watchdog: Watchdog::new(), began: None }
    }

    /// Reads more of a question. None: there is nothing more to hear, because the program is gone
    /// or too slow, or because the daemon wants to end.
    pub(crate) async fn read(&mut self, input: &mut Input) -> Option<()> {
        let (now, idle) = (Instant::now(), input.is_empty());
        let deadline = match idle {
            true => now + self.patience.idle,
            false => *self.began.get_or_insert(now) + self.patience.question,
        };
        if idle && *self.drain.borrow() {
            return None;
        }
        let read = self.watchdog.until(deadline, self.stream.read(input.space()));
        let octets = tokio::select! {
            biased;
            read = read => read?.ok()?,
            _ = self.drain.changed(), if idle => return None,
        };
        input.filled(octets);
        (octets > 0).then_some(())
    }

    /// Says what there is to say. None: nobody takes it.
    pub(crate) async fn answer(&mut self, output: &mut Vec<u8>) -> Option<()> {
        if output.is_empty() {
            return Some(());
        }
        self.began = None;
        let written = self.stream.write_all(output);
        self.watchdog.within(self.patience.answer, written).await?.ok()?;
        output.clear();
        Some(())
    }

    /// Says a last word to a program that may still be sending: if the connection were closed over
    /// what was not read, it would be taken back.
    pub(crate) async fn close(mut self, mut output: Vec<u8>) {
        if self.answer(&mut output).await.is_none() {
            return;
        }
        let stream = &mut self.stream;
        let heard = async {
            stream.shutdown().await?;
            stream.take(LINGER_OCTETS_MAX).read_to_end(&mut Vec::new()).await
        };
        let _ = self.watchdog.within(LINGER_TIME, heard).await;
    }
}
