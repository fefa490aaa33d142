use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use quivive_milter::{Answer, Event, ProtocolError, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::client::{Client, text};
use super::transaction::{Mail, Transaction, forward_path};
use super::{Milter, Patience};
use crate::gateway::Arrival;
use crate::stream::Stream;
use crate::watchdog::Watchdog;

/// Why there is no mail server to talk with any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Gone {
    #[error("it closed the connection")]
    Closed,
    #[error("the connection was lost: {0}")]
    Broken(#[from] io::Error),
    #[error("it does not take what we say")]
    Stuck,
    #[error("it says nothing")]
    Quiet,
    #[error("we are going down")]
    Drained,
    #[error("it does not speak the milter protocol: {0}")]
    Protocol(#[from] ProtocolError),
}

pub(super) struct Conversation {
    pub(super) milter: Arc<Milter>,
    pub(super) line: Line,
    pub(super) client: Client,
    pub(super) transaction: Option<Transaction>,
}

/// The connection, and what is said on it.
pub(super) struct Line {
    pub(super) session: Session,
    stream: Stream,
    drain: watch::Receiver<bool>,
    watchdog: Watchdog,
    patience: Patience,
}

/// Talks with a mail server until it is gone.
pub(crate) async fn converse(milter: Arc<Milter>, arrival: Arrival) {
    let _counted = milter.ledger.session("milter");
    let mut conversation = Conversation::new(milter, arrival);
    let ended = conversation.talk().await;
    conversation.end_transaction(None);
    match ended {
        Err(gone @ Gone::Protocol(_)) => tracing::warn!("a mail server is cut off: {gone}"),
        Err(gone) => tracing::debug!("a mail server is gone: {gone}"),
        Ok(()) => {}
    }
}

impl Conversation {
    fn new(milter: Arc<Milter>, arrival: Arrival) -> Self {
        let line = Line {
            session: Session::new(milter.own_wishes()),
            stream: arrival.stream,
            drain: arrival.drain,
            watchdog: Watchdog::new(),
            patience: milter.settings.patience,
        };
        Self { milter, line, client: Client::default(), transaction: None }
    }

    async fn talk(&mut self) -> Result<(), Gone> {
        loop {
            match self.line.session.event()? {
                Event::Starved => {
                    self.line.exchange().await?;
                    continue;
                }
                Event::Connect(client) => self.client = Client::new(&client),
                Event::Helo(name) => self.client.helo = text(name),
                Event::Mail(address) => {
                    let mail = Mail::new(&address);
                    self.mail(mail).await;
                }
                Event::Rcpt(address) => {
                    let path = address.path.to_vec();
                    let recipient = forward_path(&address);
                    self.rcpt(path, recipient).await?;
                    continue;
                }
                Event::Header(field) => {
                    if let Some(transaction) = &mut self.transaction {
                        transaction.note_field(&field, &self.milter.own_names);
                    }
                }
                Event::EndOfMessage { .. } => {
                    self.end_message().await?;
                    continue;
                }
                Event::Abort => {
                    self.end_transaction(None);
                    continue;
                }
                Event::NextClient => {
                    self.end_transaction(None);
                    self.client = Client::default();
                    continue;
                }
                Event::Quit => return Ok(()),
                Event::Data | Event::Unknown(_) | Event::EndOfHeader | Event::Body(_) => {}
            }
            self.line.session.answer(&Answer::Continue);
        }
    }

    async fn mail(&mut self, mail: Mail) {
        self.end_transaction(None);
        let macros = self.line.session.macros();
        self.client.read(macros);
        let transaction = Transaction::begin(&self.milter, &self.client, mail, macros).await;
        self.transaction = Some(transaction);
    }
}

impl Line {
    /// Sends what there is to send, and reads.
    async fn exchange(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        let idle = self.session.is_idle();
        let draining = *self.drain.borrow() || self.drain.has_changed().is_err();
        let patience = match self.session.terms() {
            _ if idle && draining => self.patience.farewell,
            Some(_) => self.patience.quiet,
            None => self.patience.greeting,
        };
        let deadline = Instant::now() + patience;
        let read = self.watchdog.until(deadline, self.stream.read(self.session.space()));
        let read = tokio::select! {
            biased;
            read = read => read,
            _ = self.drain.changed(), if idle && !draining => return Ok(()),
        };
        match read {
            Some(Ok(0)) => Err(Gone::Closed),
            Some(octets) => {
                self.session.filled(octets?);
                Ok(())
            }
            None if idle && draining => Err(Gone::Drained),
            None => Err(Gone::Quiet),
        }
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let output = self.session.output();
        if output.is_empty() {
            return Ok(());
        }
        let written = async {
            self.stream.write_all(output).await?;
            self.stream.flush().await
        };
        self.watchdog.within(self.patience.write, written).await.ok_or(Gone::Stuck)??;
        output.clear();
        Ok(())
    }

    /// What an action comes to. While it takes its time, the mail server is told to go on waiting.
    /// Where that cannot be told, nothing comes of it after a while; it can be waited for again.
    pub(super) async fn patiently<F: Future>(
        &mut self,
        action: F,
    ) -> Result<Option<F::Output>, Gone> {
        let mut action = pin!(action);
        let can_be_told = self.session.takes_progress();
        let patience = if can_be_told { self.patience.progress } else { self.patience.silence };
        loop {
            match timeout(patience, action.as_mut()).await {
                Ok(output) => return Ok(Some(output)),
                Err(_) if !can_be_told => return Ok(None),
                Err(_) => {
                    self.session.progress();
                    self.flush().await?;
                }
            }
        }
    }
}
