//! A message on its way: from its first recipient to the answer to its end.

use quivive_mail::EnhancedStatus;
use quivive_milter::{Answer, Edit, Refusal, Session};
use quivive_smtp::Reply;
use quivive_verdict::{Action, Headers, Verdict, VerdictReply};

use super::client::Client;
use super::conversation::{Conversation, Gone};
use super::routing::Recipient;
use super::transaction::Transaction;
use crate::check::Judgement;
use crate::judging::Judging;
use crate::results;

impl Conversation {
    /// A refusal for who sends is spoken here. If it is not known in time, it is spoken at the end
    /// of the message. `path` is the recipient as it came.
    pub(super) async fn rcpt(&mut self, path: Vec<u8>, recipient: String) -> Result<(), Gone> {
        let Self { milter, line, client, transaction } = self;
        let Some(transaction) = transaction else {
            line.session.answer(&Answer::Continue);
            return Ok(());
        };
        transaction.note_queue_id(line.session.macros());
        let refusal = match &mut transaction.judging {
            Some(judging) => line.patiently(judging.refusal()).await?.flatten(),
            None => None,
        };
        let refusal = refusal.or_else(|| {
            let forwarding = milter.settings.forwarding.as_ref()?;
            let recipient = Recipient {
                path: &path,
                address: &recipient,
                sender: &transaction.reverse_path,
                client: client.address,
            };
            let taken = transaction.routing.take(forwarding, &milter.returns, &recipient);
            taken.err().map(verdict_reply)
        });
        answer(&mut line.session, refusal.as_ref());
        transaction.note_recipient(recipient, refusal);
        Ok(())
    }

    pub(super) async fn end_message(&mut self) -> Result<(), Gone> {
        let refusal = self.refusal().await?;
        let Self { line, transaction, .. } = self;
        let Some(transaction) = transaction else {
            line.session.answer(&Answer::Continue);
            return Ok(());
        };
        transaction.note_queue_id(line.session.macros());
        let outcome = match refusal {
            Some(refusal) => Outcome::Refused(refusal),
            None => change(&mut line.session, transaction),
        };
        match &outcome {
            Outcome::Taken => line.session.answer(&Answer::Continue),
            Outcome::Discarded => line.session.answer(&Answer::Discard),
            Outcome::Refused(reply) => answer(&mut line.session, Some(reply)),
        }
        self.end_transaction(Some(&outcome));
        Ok(())
    }

    /// How the message is refused, now that all of it is known. Nothing is judged any more then.
    async fn refusal(&mut self) -> Result<Option<VerdictReply>, Gone> {
        let Self { line, transaction, .. } = self;
        let Some(transaction) = transaction else { return Ok(None) };
        let Some(judging) = &mut transaction.judging else { return Ok(None) };
        let mut refusal = line.patiently(judging.refusal()).await?.flatten();
        if refusal.is_none() && judging.wants_message() {
            let header = std::mem::take(&mut transaction.header);
            let judged = judging.judge_message(header, transaction.recipients.clone());
            refusal = line.patiently(judged).await?.flatten();
        }
        judging.finish();
        Ok(refusal)
    }

    /// Closes the books on a transaction, if one is open.
    pub(super) fn end_transaction(&mut self, outcome: Option<&Outcome>) {
        let Some(mut transaction) = self.transaction.take() else { return };
        if let Some(judging) = &mut transaction.judging {
            judging.finish();
        }
        let answer = outcome.map(Outcome::to_string).or_else(|| {
            let refusal =
                transaction.refusal.as_ref().filter(|_| transaction.recipients_count == 0);
            refusal.map(spoken)
        });
        log(&self.client, &transaction, answer.as_deref());
        self.write_down(transaction, answer.unwrap_or_default());
    }

    /// A message that was judged, and named a recipient, is a case.
    fn write_down(&self, transaction: Transaction, answer: String) {
        let Transaction { recipients, refused, judging, routing, .. } = transaction;
        let Some(judgement) = judging.and_then(Judging::into_judgement) else { return };
        if recipients.is_empty() && refused.is_empty() {
            return;
        }
        let named = || recipients.into_iter().chain(refused).collect();
        let rewrites = routing.rewrites.into_all();
        self.milter.ledger.write_with(judgement, "milter", named, &answer, rewrites);
    }
}

/// What became of a message, as far as it is ours.
pub(super) enum Outcome {
    Taken,
    Discarded,
    Refused(VerdictReply),
}

/// `taken`, or the refusal's codes and text.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken => f.write_str("taken"),
            Self::Discarded => f.write_str("discarded"),
            Self::Refused(reply) => f.write_str(&spoken(reply)),
        }
    }
}

/// Does what the verdict says, and takes out what is forged.
fn change(session: &mut Session, transaction: &Transaction) -> Outcome {
    if transaction.forgeries.are_too_many() {
        return Outcome::Refused(too_many_forgeries());
    }
    let verdict = transaction.judgement().map(|judgement| &judgement.verdict);
    if verdict.is_some_and(|verdict| verdict.action == Action::Discard) {
        return Outcome::Discarded;
    }
    let changed = clean_and_mark(session, transaction) && transaction.routing.change(session);
    if changed && quarantine(session, verdict) {
        return Outcome::Taken;
    }
    let refused = session.terms().map(|terms| terms.refused.to_string()).unwrap_or_default();
    tracing::error!(id = %transaction.id, "the mail server does not let us {refused}");
    Outcome::Refused(cannot_be_changed())
}

/// Whether the mail server lets us.
fn clean_and_mark(session: &mut Session, transaction: &Transaction) -> bool {
    // What goes, goes first: our own fields would count among those of their name.
    let cleaned = transaction.forgeries.last_first().all(|forgery| {
        session.edit(Edit::DeleteField { position: forgery.position, name: forgery.name })
    });
    let judgement = transaction.judgement();
    let headers = judgement.map(|judgement| &judgement.headers);
    let mended = judgement.is_none_or(|judgement| mend(session, judgement));
    let fields: Vec<_> = headers.into_iter().flat_map(Headers::fields).collect();
    // RFC 8601 section 5: results stand above the `Received` of the host that wrote them. Each goes
    // above the one before.
    cleaned
        && mended
        && fields
            .into_iter()
            .rev()
            .all(|(name, value)| session.edit(Edit::InsertField { index: 0, name, value }))
}

/// Fields take the place of the message's own: each of these stands there once or not at all, or
/// the message would have been refused.
fn mend(session: &mut Session, judgement: &Judgement) -> bool {
    judgement.headers.edits.iter().all(|edit| {
        let (name, value) = (&*edit.name, edit.value.trim_start());
        let header = judgement.facts.header.as_ref();
        let is_there = header.is_some_and(|header| header.all(name).next().is_some());
        session.edit(match is_there {
            true => Edit::ChangeField { position: 1, name: name.as_bytes(), value },
            false => Edit::InsertField { index: 0, name, value },
        })
    })
}

fn quarantine(session: &mut Session, verdict: Option<&Verdict>) -> bool {
    let Some(verdict) = verdict.filter(|verdict| verdict.action == Action::Hold) else {
        return true;
    };
    session.edit(Edit::Quarantine { reason: &verdict.reasons.join("; ") })
}

fn answer(session: &mut Session, refusal: Option<&VerdictReply>) {
    session.answer(&match refusal {
        Some(reply) => Answer::Refuse(Refusal {
            code: reply.code,
            enhanced: reply.enhanced,
            text: &reply.text,
        }),
        None => Answer::Continue,
    });
}

fn verdict_reply(reply: Reply) -> VerdictReply {
    let class = u8::try_from(reply.code / 100).unwrap_or(4);
    VerdictReply {
        code: reply.code,
        enhanced: reply.enhanced.unwrap_or(EnhancedStatus(class, 0, 0)),
        text: reply.text.into_owned(),
    }
}

fn spoken(reply: &VerdictReply) -> String {
    format!("{} {} {}", reply.code, reply.enhanced, reply.text)
}

fn too_many_forgeries() -> VerdictReply {
    VerdictReply {
        code: 554,
        enhanced: EnhancedStatus(5, 6, 0),
        text: "Too many results of checks that were not made here".to_owned(),
    }
}

fn cannot_be_changed() -> VerdictReply {
    VerdictReply {
        code: 451,
        enhanced: EnhancedStatus(4, 3, 5),
        text: "The message cannot be marked here; try again later".to_owned(),
    }
}

impl Transaction {
    fn judgement(&self) -> Option<&Judgement> {
        self.judging.as_ref().and_then(|judging| judging.judgement())
    }
}

/// One line a message. What a peer said is written as a quoted string, so that it cannot pass for
/// anything else.
fn log(client: &Client, transaction: &Transaction, answer: Option<&str>) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let judgement = transaction.judgement();
    let words = judgement.map(results::words).unwrap_or_default();
    let words = words + &transaction.routing.rewrites.words();
    let address = client.address.map_or_else(|| "none".to_owned(), |address| address.to_string());
    tracing::info!(
        id = %transaction.id,
        queue_id = ?transaction.queue_id.as_deref().unwrap_or_default(),
        client = %address,
        helo = ?client.helo,
        login = ?judgement.and_then(|judgement| judgement.facts.auth_user.as_deref()),
        mail_from = ?transaction.reverse_path,
        recipients = transaction.recipients_count,
        recipients_refused = transaction.refused_count,
        forged = transaction.forgeries.count(),
        results = %words.trim_start(),
        verdict = judgement.map_or("none", |judgement| judgement.verdict.action.word()),
        practice = judgement.and_then(results::practice),
        answer = answer.unwrap_or("none"),
        tls = client.tls,
        "message"
    );
}
