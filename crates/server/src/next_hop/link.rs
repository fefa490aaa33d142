use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quivive_mail::EnhancedStatus;
use quivive_smtp::{Body, Extensions, Mail, Rcpt, Reply, Xclient};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::connection::Begun;
use super::pool::Pool;
use super::{Connection, Dialect, Lost, Patience, Security, SendError, Target};
use crate::header_edit::EditedMessage;

/// How many connections a next hop is given while transactions can wait for each other: less than
/// the fifty that Postfix lets one client have.
pub(crate) const CONNECTIONS_MAX: usize = 40;

/// How long a transaction waits for another one's connection. Then it gets one of its own, so that
/// a few slow clients cannot keep out all others.
pub(crate) const CROWDED_WAIT: Duration = Duration::from_secs(5);

/// How long a next hop is taken to offer what it offered last before it is asked again.
pub(crate) const OFFER_TIME: Duration = Duration::from_secs(60);

/// How often the log says that a next hop is not set up as it should be.
const COMPLAINT_TIME: Duration = Duration::from_secs(60);

/// A next hop that is a server, as all sessions of a listener share it.
pub(crate) struct RemoteHop {
    target: Target,
    security: Security,
    hostname: String,
    patience: Patience,
    pool: Arc<Pool>,
    places: Arc<Semaphore>,
    offered: Mutex<Option<Offered>>,
    /// When the log last said that it cannot be told the client.
    complained_at: Mutex<Option<Instant>>,
}

/// What a next hop offered last, and when it was asked last.
struct Offered {
    extensions: Extensions,
    asked_at: Instant,
}

/// A client session's link to its next hop. It has a connection while it has a transaction, and
/// from its first transaction on when the next hop is told the client.
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

const NO_EIGHT_BIT: Reply = Reply::new(
    554,
    EnhancedStatus(5, 6, 3),
    "This message needs 8BITMIME, which the next server does not take",
);

/// What a message needs and a server does not take.
fn missing(mail: &Mail, extensions: Extensions) -> Option<Reply> {
    if mail.parameters.smtputf8 && !extensions.smtputf8 {
        return Some(NO_SMTPUTF8);
    }
    let is_eight_bit = mail.parameters.body == Some(Body::EightBitMime);
    (is_eight_bit && !extensions.eight_bit_mime).then_some(NO_EIGHT_BIT)
}

impl RemoteHop {
    /// A next hop to which we are `hostname`.
    pub(crate) fn new(target: Target, hostname: &str, patience: Patience) -> Self {
        Self {
            target,
            security: Security::default(),
            hostname: hostname.to_owned(),
            patience,
            pool: Arc::default(),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            offered: Mutex::default(),
            complained_at: Mutex::default(),
        }
    }

    /// The same, spoken to in this way.
    pub(crate) fn with_security(self, security: Security) -> Self {
        Self { security, ..self }
    }

    async fn open(&self, xclient: Option<&Xclient>) -> Result<Connection, Lost> {
        let (target, security, hostname) = (&self.target, &self.security, &self.hostname);
        let connection =
            Connection::open(target, security, hostname, xclient, self.patience).await?;
        let extensions = connection.extensions();
        *self.offered() = Some(Offered { extensions, asked_at: Instant::now() });
        if xclient.is_some() && !connection.private {
            // It would take all the world for us, whom it may trust.
            self.complain();
            self.pool.put(connection);
            return Err(Lost::Untold);
        }
        Ok(connection)
    }

    /// What it offers. Mostly that is known. If it cannot be asked, what it offered last counts: to
    /// offer less would turn an outage into refusals for good.
    async fn extensions(self: &Arc<Self>) -> Result<Extensions, Lost> {
        let crowded = self.places.available_permits() == 0;
        let known = self.offered().as_mut().map(|offered| {
            let fresh = crowded || offered.asked_at.elapsed() < OFFER_TIME;
            if !fresh {
                // One asks; the others go on with what is known.
                offered.asked_at = Instant::now();
            }
            (offered.extensions, fresh)
        });
        if let Some((extensions, true)) = known {
            return Ok(extensions);
        }
        let _place = self.place().await;
        match self.open(None).await {
            Ok(connection) => {
                let extensions = connection.extensions();
                self.pool.put(connection);
                Ok(extensions)
            }
            Err(lost) => {
                tracing::warn!("the next hop cannot be asked what it offers: {lost}");
                known.map(|(extensions, _)| extensions).ok_or(lost)
            }
        }
    }

    /// A setting is missing at the next hop: that is said loudly, but not for each client.
    fn complain(&self) {
        let mut at = self.complained_at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_none_or(|at| at.elapsed() >= COMPLAINT_TIME) {
            *at = Some(Instant::now());
            tracing::error!(
                "xclient_to_next_hop is set, but the next hop does not offer XCLIENT: all mail is \
                 deferred; allow it there (Postfix: smtpd_authorized_xclient_hosts) or unset it"
            );
        }
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let place = self.places.clone().acquire_owned();
        timeout(CROWDED_WAIT, place).await.ok().and_then(Result::ok)
    }

    fn offered(&self) -> MutexGuard<'_, Option<Offered>> {
        // Nothing that holds the lock can leave it in disorder.
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// What the next hop offers, or offered last.
    pub(crate) async fn extensions(&mut self) -> Result<Extensions, Lost> {
        self.hop.extensions().await
    }

    /// Offers a recipient, and before the first one the sender.
    pub(crate) async fn rcpt(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<Reply, Lost> {
        let reply = match &mut self.stage {
            Stage::Refused(reply) => Ok(reply.clone()),
            Stage::Begun(..) => self.add(rcpt).await,
            Stage::Before => self.begin(mail, rcpt).await,
        };
        if reply.is_err() {
            (self.connection, self.place) = (None, None);
        }
        reply
    }

    async fn add(&mut self, rcpt: &Rcpt) -> Result<Reply, Lost> {
        // What was accepted before a retraction is begun again.
        if self.connection.is_none()
            && let Some(refusal) = self.begin_again().await?
        {
            return Ok(refusal);
        }
        let Some(connection) = &mut self.connection else { return Err(Lost::Closed) };
        let reply = connection.rcpt(rcpt).await?;
        if let Stage::Begun(_, accepted) = &mut self.stage
            && reply.is_positive()
        {
            accepted.push(rcpt.clone());
        }
        Ok(reply)
    }

    /// How many recipients were accepted in this transaction.
    pub(crate) fn accepted(&self) -> usize {
        match &self.stage {
            Stage::Begun(_, accepted) => accepted.len(),
            Stage::Before | Stage::Refused(_) => 0,
        }
    }

    /// Takes back the recipients that were accepted after the first `kept`: SMTP has no word for
    /// that but to begin again, which is done when the next is offered or the message comes.
    pub(crate) async fn retract(&mut self, kept: usize) {
        let Stage::Begun(_, accepted) = &mut self.stage else { return };
        if accepted.len() == kept {
            return;
        }
        accepted.truncate(kept);
        if kept == 0 {
            return self.reset().await;
        }
        if let Some(mut connection) = self.connection.take()
            && connection.reset().await.is_ok()
        {
            self.hop.pool.put(connection);
        }
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
        if let Some(refusal) = missing(mail, connection.extensions()) {
            return Ok(Some(refusal));
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

    /// Nothing is under way, so that nothing need be held.
    fn part(&mut self, refusal: &Reply) {
        if self.connection.as_ref().is_some_and(|connection| connection.spent)
            || refusal.code == 421
        {
            self.connection = None;
        }
        self.give_back();
    }

    async fn begin(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<Reply, Lost> {
        let mut connection = self.connect().await?;
        if let Some(refusal) = missing(mail, connection.extensions()) {
            self.give_back();
            return Ok(refusal);
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
                self.part(&reply);
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
                self.place = self.hop.place().await;
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
