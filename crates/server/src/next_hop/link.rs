use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quivive_mail::EnhancedStatus;
use quivive_smtp::{Extensions, Mail, Rcpt, Reply, Xclient};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connection::Begun;
use super::pool::Pool;
use super::{Connection, Dialect, Lost, Patience, SendError, Target};
use crate::header_edit::EditedMessage;

/// How many connections a next hop is given while transactions can wait for each other: less than
/// the fifty that Postfix lets one client have.
pub(crate) const CONNECTIONS_MAX: usize = 40;

/// How long a transaction waits for another one's connection. Then it gets one of its own, so that
/// a few slow clients cannot keep out all others.
pub(crate) const CROWDED_WAIT: Duration = Duration::from_secs(5);

/// A next hop that is a server, as all sessions of a listener share it.
pub(crate) struct RemoteHop {
    target: Target,
    hostname: String,
    patience: Patience,
    pool: Arc<Pool>,
    places: Arc<Semaphore>,
    /// What it offered last.
    offered: Mutex<Option<Extensions>>,
}

/// A client session's link to its next hop. It has a connection while it has a transaction, and for
/// all its time when the next hop is told the client.
pub(crate) struct Link {
    hop: Arc<RemoteHop>,
    connection: Option<Connection>,
    place: Option<OwnedSemaphorePermit>,
    xclient: Option<Xclient>,
    stage: Stage,
}

/// How far the transaction is there.
enum Stage {
    Before,
    /// With the recipients that were accepted.
    Begun(Mail, Vec<Rcpt>),
    /// MAIL was refused, and so is every RCPT.
    Refused(Reply),
}

const NO_SMTPUTF8: Reply = Reply::new(
    553,
    EnhancedStatus(5, 6, 7),
    "This message needs SMTPUTF8, which the next server does not take",
);

impl RemoteHop {
    /// A next hop to which we are `hostname`.
    pub(crate) fn new(target: Target, hostname: &str, patience: Patience) -> Self {
        Self {
            target,
            hostname: hostname.to_owned(),
            patience,
            pool: Arc::default(),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            offered: Mutex::default(),
        }
    }

    async fn open(&self, xclient: Option<&Xclient>) -> Result<Connection, Lost> {
        let opened = Connection::open(&self.target, &self.hostname, xclient, self.patience).await;
        // Nothing that holds the lock can leave it in disorder.
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) =
            opened.as_ref().ok().map(Connection::extensions);
        opened
    }

    /// What it offered last, if every connection is busy.
    fn offered_while_crowded(&self) -> Option<Extensions> {
        let crowded = self.places.available_permits() == 0;
        let offered = || *self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        crowded.then(offered).flatten()
    }
}

impl Link {
    /// A link without a connection.
    pub(crate) fn new(hop: Arc<RemoteHop>) -> Self {
        Self { hop, connection: None, place: None, xclient: None, stage: Stage::Before }
    }

    /// What it speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        self.hop.target.dialect
    }

    /// States the client from now on.
    pub(crate) async fn state_client(&mut self, xclient: Xclient) {
        if self.xclient.as_ref() != Some(&xclient) {
            self.release().await;
            self.xclient = Some(xclient);
        }
    }

    /// What the next hop offers. Connects if need be.
    pub(crate) async fn extensions(&mut self) -> Result<Extensions, Lost> {
        if let Some(connection) = &mut self.connection
            && !connection.is_quiet().await
        {
            self.connection = None;
        }
        if self.xclient.is_none()
            && let Some(offered) = self.hop.offered_while_crowded()
        {
            return Ok(offered);
        }
        let extensions = self.connect().await.map(|connection| connection.extensions());
        self.give_back();
        extensions
    }

    /// Offers a recipient, and before the first one the sender.
    pub(crate) async fn rcpt(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<Reply, Lost> {
        let reply = match &mut self.stage {
            Stage::Refused(reply) => Ok(reply.clone()),
            Stage::Begun(_, accepted) => match &mut self.connection {
                Some(connection) => {
                    let reply = connection.rcpt(rcpt).await;
                    if reply.as_ref().is_ok_and(Reply::is_positive) {
                        accepted.push(rcpt.clone());
                    }
                    reply
                }
                None => Err(Lost::Closed),
            },
            Stage::Before => self.begin(mail, rcpt).await,
        };
        if reply.is_err() {
            self.connection = None;
        }
        reply
    }

    /// Hands the message over. The transaction is then at its end.
    pub(crate) async fn send(
        &mut self,
        message: &mut EditedMessage<'_>,
    ) -> Result<Reply, SendError> {
        let sent = self.hand_over(message).await;
        if sent.as_ref().map_or(true, |reply| reply.code == 421) {
            self.connection = None;
        }
        self.reset().await;
        sent
    }

    async fn hand_over(&mut self, message: &mut EditedMessage<'_>) -> Result<Reply, SendError> {
        let mut answer = self.data().await;
        // While the client sent its message, the next hop waited, maybe longer than it likes to.
        // Before 354 nothing was handed over, so that beginning again doubles nothing.
        if is_gone(answer.as_ref()) {
            if let Some(refusal) = self.begin_again().await? {
                return Ok(refusal);
            }
            answer = self.data().await;
        }
        match (answer?, &mut self.connection) {
            (reply, Some(connection)) if reply.code == 354 => connection.send(message).await,
            (reply, _) => Ok(reply),
        }
    }

    async fn data(&mut self) -> Result<Reply, Lost> {
        match &mut self.connection {
            Some(connection) => connection.data().await,
            None => Err(Lost::Closed),
        }
    }

    /// The same transaction over a new connection. Whatever is not accepted there again is told:
    /// the client has heard that all of it was.
    async fn begin_again(&mut self) -> Result<Option<Reply>, Lost> {
        self.connection = None;
        let Stage::Begun(mail, accepted) = &self.stage else { return Err(Lost::Closed) };
        let [first, others @ ..] = accepted.as_slice() else { return Err(Lost::Closed) };
        let connection = self.connection.insert(self.hop.open(self.xclient.as_ref()).await?);
        if mail.parameters.smtputf8 && !connection.extensions().smtputf8 {
            return Ok(Some(NO_SMTPUTF8));
        }
        let (Begun::MailRefused(reply) | Begun::Answered(reply)) =
            connection.begin(mail, first).await?;
        if !reply.is_positive() {
            return Ok(Some(reply));
        }
        for rcpt in others {
            let reply = connection.rcpt(rcpt).await?;
            if !reply.is_positive() {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Gives up the transaction, if one is open.
    pub(crate) async fn reset(&mut self) {
        self.stage = Stage::Before;
        if let Some(connection) = &mut self.connection
            && (connection.spent || connection.open && connection.reset().await.is_err())
        {
            self.connection = None;
        }
        self.give_back();
    }

    /// Ends what is between us and the next hop.
    pub(crate) async fn release(&mut self) {
        self.reset().await;
        if let Some(connection) = self.connection.take() {
            connection.quit().await;
        }
        self.place = None;
    }

    /// Lets others have the connection, unless it speaks for our client.
    fn give_back(&mut self) {
        match self.connection.take() {
            Some(mut connection) if connection.private => {
                connection.idle = true;
                self.connection = Some(connection);
            }
            Some(connection) => {
                self.hop.pool.put(connection);
                self.place = None;
            }
            None => self.place = None,
        }
    }

    async fn begin(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<Reply, Lost> {
        let mut connection = self.connect().await?;
        if mail.parameters.smtputf8 && !connection.extensions().smtputf8 {
            return Ok(NO_SMTPUTF8);
        }
        let was_idle = connection.idle;
        let mut begun = connection.begin(mail, rcpt).await;
        // A connection that stood idle may have been closed just now: that is no failure.
        if was_idle && is_gone(begun.as_ref().map(Begun::reply)) {
            self.connection = Some(self.hop.open(self.xclient.as_ref()).await?);
            connection = self.connect().await?;
            begun = connection.begin(mail, rcpt).await;
        }
        connection.idle = false;
        match begun? {
            Begun::MailRefused(reply) => {
                self.stage = Stage::Refused(reply.clone());
                Ok(reply)
            }
            Begun::Answered(reply) => {
                let accepted = reply.is_positive().then(|| rcpt.clone());
                self.stage = Stage::Begun(mail.clone(), accepted.into_iter().collect());
                Ok(reply)
            }
        }
    }

    /// The connection for a new transaction; one that said something meanwhile is none.
    async fn connect(&mut self) -> Result<&mut Connection, Lost> {
        if let Some(connection) = &mut self.connection
            && !connection.is_quiet().await
        {
            self.connection = None;
        }
        if self.connection.is_none() {
            if self.place.is_none() {
                let place = self.hop.places.clone().acquire_owned();
                self.place = timeout(CROWDED_WAIT, place).await.ok().and_then(Result::ok);
            }
            let pooled = match self.xclient {
                Some(_) => None,
                None => self.hop.pool.take().await,
            };
            let connection = match pooled {
                Some(connection) => connection,
                None => self.hop.open(self.xclient.as_ref()).await?,
            };
            self.connection = Some(connection);
        }
        self.connection.as_mut().ok_or(Lost::Closed)
    }
}

fn is_gone(answer: Result<&Reply, &Lost>) -> bool {
    match answer {
        Ok(reply) => reply.code == 421,
        Err(lost) => matches!(lost, Lost::Closed | Lost::Broken(_)),
    }
}
