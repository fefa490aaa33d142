use std::sync::Arc;

use quivive_evidence::Facts;
use quivive_opensmtpd::talk::{self, Answer, Mail, Outcome, RECIPIENTS_MAX};
use quivive_verdict::{Action, Stage, VerdictReply};

use super::Opensmtpd;
use crate::judging::Judging;
use crate::{facts, results};

/// OpenSMTPD takes mail or refuses it. A configuration that asks for more is refused, too.
const CANNOT_KEEP: &str = "451 4.3.5 The message cannot be taken here; try again later";

/// A message that a filter asks about.
pub(super) struct Message {
    door: Arc<Opensmtpd>,
    /// Our id of it.
    id: String,
    client: Mail,
    judging: Judging,
    /// Those that the client has named, whatever became of them.
    named: Vec<String>,
    named_count: usize,
    /// What the client heard last, once it is known.
    reply: String,
}

impl Message {
    /// Begins, and has the sender judged from now on.
    pub(super) async fn begin(door: Arc<Opensmtpd>, client: Mail) -> Self {
        door.ledger.room().await;
        let mut facts = Facts::new(client.client);
        facts.helo.clone_from(&client.helo);
        facts.reverse_path.clone_from(&client.mail_from);
        facts.auth_user.clone_from(&client.login);
        let facts = facts::noted(facts, &door.settings.hostname, door.checker.policy());
        let id = facts.case_id.clone();
        let judging = Judging::begin(door.checker.examine(facts), Stage::Mail).await;
        let (named, reply) = (Vec::new(), String::new());
        Self { door, id, client, judging, named, named_count: 0, reply }
    }

    /// A refusal for who sends is spoken here, so that the log knows for whom it was.
    pub(super) async fn rcpt(&mut self, recipient: String) -> Answer {
        self.named_count += 1;
        if self.named.len() < RECIPIENTS_MAX {
            self.named.push(recipient);
        }
        Answer::Rcpt(self.judging.refusal().await.as_ref().map(spoken))
    }

    /// What becomes of the message, now that all of it is known that methods want to know.
    pub(super) async fn whole(&mut self, known: talk::Message) -> Answer {
        let mut refusal = self.judging.refusal().await;
        if refusal.is_none() && self.judging.wants_message() {
            let recipients = known.recipients.clone();
            refusal = self.judging.judge_message(known.whole_header(), recipients).await;
        }
        self.judging.finish();
        let mut refusal = refusal.as_ref().map(spoken);
        let mut fields = Vec::new();
        if let Some(judgement) = self.judging.judgement() {
            let own = judgement.headers.fields();
            fields.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
            if matches!(judgement.verdict.action, Action::Hold | Action::Discard) {
                refusal.get_or_insert_with(|| CANNOT_KEEP.to_owned());
            }
        }
        Answer::Message(Outcome { refusal, fields })
    }

    /// The transaction is over.
    pub(super) fn end(mut self, reply: String) {
        self.reply = reply;
    }
}

/// What was judged, and named a recipient, is a case, also if nobody said how it ended.
impl Drop for Message {
    fn drop(&mut self) {
        self.judging.finish();
        let Self { id, client, named, reply, .. } = self;
        let judgement = self.judging.judgement();
        if tracing::enabled!(tracing::Level::INFO) {
            tracing::info!(
                door = "opensmtpd",
                id = %id,
                client = %client.client,
                helo = ?client.helo,
                login = client.login.as_ref().map(tracing::field::debug),
                mail_from = ?client.mail_from,
                recipients = self.named_count,
                results = %judgement.map(results::words).unwrap_or_default(),
                verdict = judgement.map_or("none", |judgement| judgement.verdict.action.word()),
                practice = judgement.and_then(results::practice),
                answer = ?reply,
                "message"
            );
        }
        if named.is_empty() {
            return;
        }
        if let Some(judgement) =
            std::mem::replace(&mut self.judging, Judging::Lost).into_judgement()
        {
            let (named, reply) = (std::mem::take(&mut self.named), std::mem::take(&mut self.reply));
            self.door.ledger.write(judgement, "opensmtpd", || named, &reply);
        }
    }
}

fn spoken(reply: &VerdictReply) -> String {
    format!("{} {} {}", reply.code, reply.enhanced, reply.text)
}
