//! A message on its way: from MAIL to the answer to its end.

use quivive_mail::{EnhancedStatus, ForwardPath};
use quivive_smtp::{Mail, Rcpt, Reply};
use quivive_verdict::{Action, VerdictReply};
use tokio::time::Instant;

use super::client::Client;
use super::conversation::Conversation;
use super::destination::WhichHop;
use super::replies::{
    CANNOT_HOLD, LOOP, NO_SPACE, NO_TRANSACTION, SENDER_OK, TOO_LARGE, UNKNOWN_CLIENT,
};
use super::transaction::Transaction;
use super::{Route, received};
use crate::header_edit::{EditedMessage, Survey, survey};
use crate::maildir::{Envelope, MaildirError};
use crate::next_hop::{Link, SendError};
use crate::results;
use crate::spool::{Fit, SpoolError, SpoolWriter};

/// How many `Received` fields a message may have (RFC 5321 section 6.3 asks for a hundred at least
/// before that alone is a loop; nothing honest comes near to half of it).
const RECEIVED_MAX: usize = 50;

/// How many refused recipients of a message are written down.
const REFUSED_NAMED_MAX: usize = 100;

impl Conversation {
    pub(super) async fn mail(&mut self, mut mail: Mail) {
        // The address of whoever states clients, or of the client before, must not speak for it.
        if self.client.is_unknown {
            self.session.answer(&UNKNOWN_CLIENT);
            return;
        }
        if let Some(reply) = self.login_first() {
            self.session.answer(&reply);
            return;
        }
        mail.parameters.auth = Some(self.submitter(&mail));
        self.state_client().await;
        self.transaction = Some(Transaction::begin(&self.gateway, &self.client, mail).await);
        self.session.answer(&SENDER_OK);
    }

    /// A refusal for who sends is spoken here, so that the log knows for whom it was; else the next
    /// hop says whether it takes the recipient.
    pub(super) async fn rcpt(&mut self, rcpt: Rcpt) -> Reply {
        let Some(transaction) = &mut self.transaction else { return NO_TRANSACTION };
        let Transaction { mail, trail, .. } = transaction;
        let (client, recipient) = (self.client.address, &rcpt.forward_path);
        let reply = match self.gateway.destination(client, mail, recipient, trail) {
            Ok(destination) => self.offer(destination, &rcpt).await,
            Err(refusal) => refusal,
        };
        let Some(transaction) = &mut self.transaction else { return reply };
        if reply.is_positive() {
            transaction.recipients.push(rcpt.forward_path);
        } else {
            transaction.recipients_refused += 1;
            if transaction.refused.len() < REFUSED_NAMED_MAX {
                transaction.refused.push(rcpt.forward_path);
            }
            transaction.refusal = Some(reply.clone());
        }
        reply
    }

    pub(super) fn begin_message(&mut self) {
        self.message_at = Instant::now();
        let settings = &self.gateway.settings;
        if let Some(transaction) = &mut self.transaction {
            let spool = SpoolWriter::new(settings.spool_folder.clone(), settings.size_max);
            transaction.spool = Some(spool);
        }
    }

    pub(super) async fn end_message(&mut self) -> Reply {
        let reply = match self.deliver().await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::error!("a message could not be handed on: {error}");
                error.reply()
            }
        };
        self.end_transaction(Some(&reply)).await;
        reply
    }

    async fn deliver(&mut self) -> Result<Reply, DeliveryError> {
        let Some(transaction) = &mut self.transaction else { return Ok(NO_TRANSACTION) };
        if let Some(refusal) = transaction.judging.refusal().await {
            return Ok(spoken(refusal));
        }
        let Some(writer) = transaction.spool.take() else { return Ok(NO_TRANSACTION) };
        let Some(spool) = writer.finish().await? else { return Ok(TOO_LARGE) };
        let own_names = &self.gateway.own_names;
        let Survey { counts, header } = survey(&spool, own_names).await?;
        if transaction.judging.wants_message() {
            let recipients = transaction.recipients.iter().map(ForwardPath::address).collect();
            if let Some(refusal) = transaction.judging.judge_message(header, recipients).await {
                return Ok(spoken(refusal));
            }
        }
        transaction.judging.finish();
        let transaction = &*transaction;
        let Some(judgement) = transaction.judging.judgement() else { return Ok(NO_TRANSACTION) };
        match judgement.verdict.action {
            Action::Discard => return Ok(taken(transaction)),
            Action::Hold => return Ok(CANNOT_HOLD),
            _ => {}
        }
        if counts.received >= RECEIVED_MAX {
            return Ok(LOOP);
        }
        let hostname = &self.gateway.settings.hostname;
        let fields = received::fields(hostname, &self.client, transaction, judgement);
        let replaced = judgement.headers.edits.iter().map(|edit| &*edit.name);
        let unwanted = self.gateway.unwanted().iter().copied().chain(replaced);
        let message = EditedMessage::new(&spool, &fields, own_names).without(unwanted);
        hand_on(&mut self.route, self.relay.as_mut(), transaction, message).await
    }

    /// Closes the books on a transaction, if one is open.
    pub(super) async fn end_transaction(&mut self, answer: Option<&Reply>) {
        if let Some(mut transaction) = self.transaction.take() {
            transaction.judging.finish();
            log(&self.client, &transaction, answer);
            self.write_down(transaction, answer);
        }
        if let Route::Remote(link) = &mut self.route {
            link.reset().await;
        }
        if let Some(relay) = &mut self.relay {
            relay.reset().await;
        }
    }
}

impl Conversation {
    /// A message that was judged, and named a recipient, is a case. The nameless ones are counted
    /// with the sessions.
    fn write_down(&self, transaction: Transaction, answer: Option<&Reply>) {
        let Transaction { recipients, refused, refusal, judging, trail, .. } = transaction;
        let Some(judgement) = judging.into_judgement() else { return };
        if recipients.is_empty() && refused.is_empty() {
            return;
        }
        let refusal = refusal.as_ref().filter(|_| recipients.is_empty());
        let outcome = answer.or(refusal).map_or_else(String::new, Reply::to_string);
        let named = || recipients.iter().chain(&refused).map(ForwardPath::address).collect();
        let rewrites = trail.rewrites.into_all();
        self.gateway.ledger.write_with(judgement, self.gateway.word(), named, &outcome, rewrites);
    }
}

pub(super) async fn take_content(
    transaction: Option<&mut Transaction>,
    content: &[u8],
) -> Option<Reply> {
    let spool = transaction?.spool.as_mut()?;
    match spool.write(content).await {
        Ok(Fit::Kept) => None,
        Ok(Fit::TooLarge) => Some(TOO_LARGE),
        Err(error) => {
            tracing::error!("a message could not be taken: {error}");
            Some(NO_SPACE)
        }
    }
}

async fn hand_on(
    route: &mut Route,
    relay: Option<&mut Box<Link>>,
    transaction: &Transaction,
    mut message: EditedMessage<'_>,
) -> Result<Reply, DeliveryError> {
    let leads_elsewhere = transaction.way.as_ref().is_some_and(|way| way.hop == WhichHop::Relay);
    match (route, relay.filter(|_| leads_elsewhere)) {
        (_, Some(link)) | (Route::Remote(link), None) => {
            Ok(passed_on(link.send(&mut message).await?))
        }
        (Route::Maildir(maildir), None) => {
            let envelope = Envelope {
                reverse_path: &transaction.mail.reverse_path,
                recipients: &transaction.recipients,
            };
            maildir.deliver(envelope, message).await?;
            Ok(taken(transaction))
        }
    }
}

/// What the verdict has the client hear.
pub(super) fn spoken(reply: VerdictReply) -> Reply {
    Reply::with_text(reply.code, reply.enhanced, reply.text)
}

/// What is thrown away sounds as what is delivered.
fn taken(transaction: &Transaction) -> Reply {
    Reply::with_text(250, EnhancedStatus(2, 0, 0), format!("Taken as {}", transaction.id))
}

/// The next hop's answer as our client hears it. 421 is between the next hop and us, and so is what
/// is no answer to this question.
pub(super) fn passed_on(mut reply: Reply) -> Reply {
    if reply.code == 421 || reply.code / 100 == 3 {
        reply.code = 451;
        reply.enhanced = reply.enhanced.filter(|status| status.0 == 4);
    }
    let class = u8::try_from(reply.code / 100).unwrap_or(4);
    reply.enhanced.get_or_insert(EnhancedStatus(class, 0, 0));
    reply
}

/// Why a message was not handed on. All of it is ours or the next hop's, and may pass.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Maildir(#[from] MaildirError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl DeliveryError {
    fn reply(&self) -> Reply {
        match self {
            Self::Send(SendError::Lost(lost)) => lost.reply(),
            Self::Send(SendError::Message(_)) | Self::Maildir(_) | Self::Spool(_) => NO_SPACE,
        }
    }
}

/// One line a message. What a peer said is written as a quoted string, so that it cannot pass for
/// anything else.
fn log(client: &Client, transaction: &Transaction, answer: Option<&Reply>) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let judgement = transaction.judging.judgement();
    let refusal = transaction.refusal.as_ref().filter(|_| transaction.recipients.is_empty());
    let answer = answer.or(refusal).map_or_else(|| "none".to_owned(), Reply::to_string);
    let words = judgement.map(results::words).unwrap_or_default();
    let words = words + &transaction.trail.rewrites.words();
    tracing::info!(
        id = %transaction.id,
        client = %client.address,
        helo = ?client.helo,
        login = client.login.as_ref().map(tracing::field::debug),
        mail_from = ?transaction.mail.reverse_path.address(),
        recipients = transaction.recipients.len(),
        recipients_refused = transaction.recipients_refused,
        results = %words,
        verdict = judgement.map_or("none", |judgement| judgement.verdict.action.word()),
        practice = judgement.and_then(results::practice),
        answer = %answer,
        tls = client.tls,
        early = client.early,
        "message"
    );
}
