//! A recipient offered to whoever takes its mail.

use quivive_mail::{EnhancedStatus, ForwardPath};
use quivive_smtp::{Mail, Rcpt, Reply};

use super::destination::{Destination, WhichHop};
use super::message::{passed_on, spoken};
use super::replies::{ANOTHER_WAY, NO_TRANSACTION, ONE_RECIPIENT, RECIPIENT_OK};
use super::transaction::Transaction;
use super::{Conversation, Route};
use crate::next_hop::{Dialect, Link, Lost};

impl Conversation {
    /// Offers a recipient, and says what is answered. What needs another reverse-path or hop than
    /// those before it comes again in a transaction of its own (RFC 5321 section 4.5.3.1.10).
    pub(super) async fn offer(&mut self, destination: Destination, rcpt: &Rcpt) -> Reply {
        let Some(transaction) = &mut self.transaction else { return NO_TRANSACTION };
        // What is refused anyway is nothing for the next hop.
        if transaction.judging.is_finished()
            && let Some(refusal) = transaction.judging.refusal().await
        {
            return spoken(refusal);
        }
        if transaction.way.as_ref().is_some_and(|way| *way != destination.way) {
            return ANOTHER_WAY;
        }
        let link = match (destination.way.hop, &mut self.route, &mut self.relay) {
            (WhichHop::Relay, _, Some(relay)) => relay,
            (WhichHop::Next, Route::Remote(link), _) => link,
            (WhichHop::Next, Route::Maildir(_), _) => {
                let refusal = transaction.judging.refusal().await;
                if refusal.is_none() {
                    transaction.way = Some(destination.way);
                }
                return refusal.map_or(RECIPIENT_OK, spoken);
            }
            (WhichHop::Relay, _, None) => return NO_TRANSACTION,
        };
        // Its answer to a message is one per recipient, and ours is one: they can only be one.
        if link.dialect() == Dialect::Lmtp && !transaction.recipients.is_empty() {
            return ONE_RECIPIENT;
        }
        // What was refused there had another envelope.
        let tried = transaction.tried.replace(destination.way.clone());
        if transaction.way.is_none() && tried.is_some_and(|tried| tried != destination.way) {
            link.reset().await;
        }
        let Transaction { judging, mail, .. } = transaction;
        let mail = enveloped(mail, &destination);
        let offered = offer_all(link, &mail, rcpt, &destination.targets);
        let (refusal, answer) = tokio::join!(judging.refusal(), offered);
        let reply = refusal.map(spoken).unwrap_or_else(|| match answer {
            Ok(reply) if destination.is_private => discreet(passed_on(reply), rcpt),
            Ok(reply) => passed_on(reply),
            Err(lost) => {
                if !matches!(lost, Lost::Untold) {
                    tracing::warn!("{} is lost: {lost}", destination.way.hop);
                }
                lost.reply()
            }
        });
        if reply.is_positive() {
            transaction.way = Some(destination.way);
        }
        reply
    }
}

/// The envelope as it is handed on.
fn enveloped(mail: &Mail, destination: &Destination) -> Mail {
    let mut mail = mail.clone();
    mail.reverse_path = destination.way.reverse_path.clone();
    mail.parameters.smtputf8 |= destination.way.smtputf8;
    mail
}

/// Offers all that a recipient stands for: it is taken if all of them are, so that none is lost.
async fn offer_all(
    link: &mut Link,
    mail: &Mail,
    rcpt: &Rcpt,
    targets: &[ForwardPath],
) -> Result<Reply, Lost> {
    let kept = link.accepted();
    let mut reply = Ok(RECIPIENT_OK);
    for target in targets {
        let rcpt = Rcpt { forward_path: target.clone(), parameters: rcpt.parameters.clone() };
        reply = link.rcpt(mail, &rcpt).await;
        if !reply.as_ref().is_ok_and(Reply::is_positive) {
            link.retract(kept).await;
            break;
        }
    }
    reply
}

/// An answer about an address that the client does not know, and need not.
fn discreet(reply: Reply, rcpt: &Rcpt) -> Reply {
    if reply.is_positive() {
        return RECIPIENT_OK;
    }
    tracing::info!(recipient = ?rcpt.forward_path.address(), "the relay refuses: {reply}");
    let status = reply.enhanced.unwrap_or(EnhancedStatus(5, 0, 0));
    Reply::new(reply.code, status, "The address behind this one does not take it")
}
