use std::sync::Arc;

use quivive_mail::EnhancedStatus;
use quivive_smtp::{Extensions, Mail, Rcpt, Reply, Xclient};

use super::connection::Begun;
use super::pool::Pool;
use super::{Connection, Lost, Patience, SendError, Target};
use crate::header_edit::EditedMessage;

/// A next hop that is a server, as all sessions of a listener share it.
pub(crate) struct RemoteHop {
    target: Target,
    hostname: String,
    patience: Patience,
    pool: Arc<Pool>,
}

/// A client session's link to its next hop: one connection, kept over its transactions.
pub(crate) struct Link {
    hop: Arc<RemoteHop>,
    connection: Option<Connection>,
    xclient: Option<Xclient>,
    stage: Stage,
}

/// How far the transaction is there.
enum Stage {
    Before,
    Begun,
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
        Self { target, hostname: hostname.to_owned(), patience, pool: Arc::default() }
    }

    /// What it speaks.
    pub(crate) fn dialect(&self) -> super::Dialect {
        self.target.dialect
    }
}

impl Link {
    /// A link without a connection.
    pub(crate) fn new(hop: Arc<RemoteHop>) -> Self {
        Self { hop, connection: None, xclient: None, stage: Stage::Before }
    }

    /// What it speaks.
    pub(crate) fn dialect(&self) -> super::Dialect {
        self.hop.dialect()
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
        Ok(self.connect().await?.extensions())
    }

    /// Offers a recipient, and before the first one the sender.
    pub(crate) async fn rcpt(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<Reply, Lost> {
        let reply = match &self.stage {
            Stage::Refused(reply) => Ok(reply.clone()),
            Stage::Begun => match &mut self.connection {
                Some(connection) => connection.rcpt(rcpt).await,
                None => Err(Lost::Closed),
            },
            Stage::Before => self.begin(mail, rcpt).await,
        };
        if reply.is_err() {
            self.connection = None;
        }
        self.drop_spent();
        reply
    }

    /// Hands the message over. The transaction is then at its end.
    pub(crate) async fn send(
        &mut self,
        message: &mut EditedMessage<'_>,
    ) -> Result<Reply, SendError> {
        let sent = match &mut self.connection {
            Some(connection) => connection.send(message).await,
            None => Err(Lost::Closed.into()),
        };
        self.stage = Stage::Before;
        if sent.as_ref().map_or(true, |reply| reply.code == 421) {
            self.connection = None;
        }
        self.drop_spent();
        if let Some(connection) = &mut self.connection {
            connection.idle = true;
        }
        sent
    }

    /// Gives up the transaction, if one is open.
    pub(crate) fn reset(&mut self) {
        self.stage = Stage::Before;
    }

    /// Gives the connection back.
    pub(crate) async fn release(&mut self) {
        self.stage = Stage::Before;
        match self.connection.take() {
            Some(connection) if connection.open || connection.private => connection.quit().await,
            Some(connection) => self.hop.pool.put(connection),
            None => {}
        }
    }

    fn drop_spent(&mut self) {
        if self.connection.as_ref().is_some_and(|connection| connection.spent) {
            self.connection = None;
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
        if was_idle && is_gone(&begun) {
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
                self.stage = Stage::Begun;
                Ok(reply)
            }
        }
    }

    async fn connect(&mut self) -> Result<&mut Connection, Lost> {
        if self.connection.is_none() {
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

impl RemoteHop {
    async fn open(&self, xclient: Option<&Xclient>) -> Result<Connection, Lost> {
        Connection::open(&self.target, &self.hostname, xclient, self.patience).await
    }
}

fn is_gone(begun: &Result<Begun, Lost>) -> bool {
    match begun {
        Err(Lost::Closed | Lost::Broken(_)) => true,
        Ok(Begun::MailRefused(reply) | Begun::Answered(reply)) => reply.code == 421,
        Err(_) => false,
    }
}
