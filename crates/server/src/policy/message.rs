use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use quivive_evidence::{Facts, Header};
use quivive_mail::EnhancedStatus;
use quivive_postfix::policy::{Action, Attribute, ProtocolState, Request};
use quivive_smtp::xtext;
use quivive_verdict::{self as verdict, Headers, Judgement, Stage, VerdictReply};

use super::{PolicyService, Prepend};
use crate::check::Examination;
use crate::facts;
use crate::ledger::Ledger;
use crate::results;

/// How many recipients of a message are written down.
const RECIPIENTS_MAX: usize = 1000;

/// What a mail server that did not hear from us does with the message is its own affair.
const LEFT: &str = "left to the mail server";

/// What a question says that may be new.
pub(super) struct News<'a> {
    pub(super) state: ProtocolState,
    pub(super) stage: Stage,
    pub(super) request: Request<'a>,
    pub(super) header: Option<Header>,
}

/// A message that mail servers ask about. It is written down at the latest when it is dropped.
pub(super) struct Message {
    prepend: Arc<[Prepend]>,
    prefix: Arc<str>,
    ledger: Ledger,
    /// Of the facts that must not change within a message.
    pub(super) identity: u64,
    recipients: Vec<String>,
    judged: Judged,
    /// How it is refused, if it is.
    refusal: Option<Refusal>,
    /// The fields that are still to be written; none before the first was wanted.
    owed: Option<VecDeque<Field>>,
}

type Field = (&'static str, String);

/// How far a message was judged.
enum Judged {
    /// Up to a stage; more may become known.
    So(Box<Examination>, Option<Stage>),
    /// Whatever becomes known.
    Whole(Box<Judgement>),
    /// It is written down.
    Written,
    /// The judge was lost: a fault of ours, for which nothing is let through.
    Lost,
}

struct Refusal {
    action: verdict::Action,
    reply: VerdictReply,
}

impl News<'_> {
    /// Whether nothing will be asked about the message after this: at its end, or when its header
    /// has come, which Exim sends last.
    pub(super) fn is_last(&self) -> bool {
        self.state == ProtocolState::EndOfMessage || self.header.is_some()
    }

    /// Whether the header will come: it was announced by an empty one.
    fn announces_header(&self) -> bool {
        self.header.is_none() && self.request.get(Attribute::HeaderBase64).is_some()
    }

    /// Whether a field can be written on top of the message now.
    fn takes_field(&self) -> bool {
        self.state != ProtocolState::EndOfMessage && !self.announces_header()
    }
}

impl Message {
    pub(super) fn new(
        service: &PolicyService,
        identity: u64,
        client: IpAddr,
        request: &Request<'_>,
    ) -> Self {
        let text = |attribute| request.text(attribute).into_owned();
        let mut facts = Facts::new(client);
        facts.helo = text(Attribute::HeloName);
        facts.reverse_path = text(Attribute::Sender);
        facts.auth_user = Some(text(Attribute::SaslUsername)).filter(|user| !user.is_empty());
        facts.certificate = certificate(request);
        let facts = facts::noted(facts, &service.settings.hostname, service.checker.policy());
        let examination = service.checker.examine(facts);
        Self {
            prepend: service.settings.prepend.clone(),
            prefix: service.settings.prefix.clone(),
            ledger: service.ledger.clone(),
            identity,
            recipients: Vec::new(),
            judged: Judged::So(Box::new(examination), None),
            refusal: None,
            owed: None,
        }
    }

    /// Notes what is new, and judges by it.
    pub(super) async fn learn(&mut self, news: &News<'_>) {
        let recipient = news.request.text(Attribute::Recipient);
        // The same recipient is asked about once for each list of restrictions that names us; at
        // the end there is one only if there was no other.
        let is_new = match news.state {
            ProtocolState::Rcpt => self.recipients.last().is_none_or(|last| *last != *recipient),
            _ => self.recipients.is_empty(),
        };
        if is_new && !recipient.is_empty() && self.recipients.len() < RECIPIENTS_MAX {
            self.recipients.push(recipient.into_owned());
        }
        let stage = if news.header.is_some() { Stage::Header } else { news.stage };
        let (mut examination, before) = match std::mem::replace(&mut self.judged, Judged::Lost) {
            Judged::So(examination, before) if before < Some(stage) => (examination, before),
            other => return self.judged = other,
        };
        let facts = examination.facts_mut();
        facts.recipients.clone_from(&self.recipients);
        facts.header = news.header.clone().or(facts.header.take());
        let is_wanted = before.is_none() || examination.needs(stage);
        if is_wanted {
            self.ledger.room().await;
            examination.enter(stage).await;
            let verdict = examination.verdict();
            self.refusal = match verdict.action {
                verdict::Action::Reject | verdict::Action::Defer => {
                    Some(Refusal { action: verdict.action, reply: verdict.reply })
                }
                _ => None,
            };
        }
        let needs_more = stage < Stage::Header && examination.needs(Stage::Header)
            || stage < Stage::Rcpt && examination.needs(Stage::Rcpt);
        self.judged = match needs_more {
            true => Judged::So(examination, Some(stage)),
            false => Judged::Whole(Box::new(examination.finish())),
        };
    }

    /// Writes the answer.
    pub(super) fn answer(&mut self, news: &News<'_>, output: &mut Vec<u8>) {
        if matches!(self.judged, Judged::Lost) {
            return super::UNREADABLE.write(output);
        }
        if let Some(refusal) = &self.refusal {
            return refusal.action().write(output);
        }
        match self.next_field(news) {
            Some((name, value)) => {
                let (prefix, value) = (&self.prefix, &value);
                Action::Prepend { prefix, name, value }.write(output);
            }
            None => Action::Dunno.write(output),
        }
    }

    fn next_field(&mut self, news: &News<'_>) -> Option<Field> {
        if !news.takes_field() {
            return None;
        }
        if self.owed.is_none() {
            self.owed = Some(match &self.judged {
                Judged::So(examination, _) => fields(&self.prepend, examination.headers()),
                Judged::Whole(judgement) => fields(&self.prepend, judgement.headers.clone()),
                Judged::Written | Judged::Lost => VecDeque::new(),
            });
        }
        self.owed.as_mut()?.pop_front()
    }

    /// Whether a header may still come that its methods want to see.
    pub(super) fn waits_for_header(&self) -> bool {
        matches!(self.judged, Judged::So(..)) && self.refusal.is_none()
    }

    #[cfg(test)]
    pub(super) fn is_written(&self) -> bool {
        matches!(self.judged, Judged::Written)
    }

    /// Makes a case of it, once.
    pub(super) fn write_down(&mut self) {
        let judgement = match std::mem::replace(&mut self.judged, Judged::Written) {
            Judged::So(_, None) | Judged::Written | Judged::Lost => return,
            Judged::So(examination, Some(_)) => Box::new(examination.finish()),
            Judged::Whole(judgement) => judgement,
        };
        // What is still owed must be known once the judgement is gone.
        if self.owed.is_none() {
            self.owed = Some(fields(&self.prepend, judgement.headers.clone()));
        }
        let outcome = self.refusal.as_ref().map_or_else(|| LEFT.to_owned(), Refusal::outcome);
        log(&judgement, self.recipients.len(), &outcome);
        let recipients = std::mem::take(&mut self.recipients);
        self.ledger.write(*judgement, "policy", || recipients, &outcome);
    }
}

/// Nobody can ask about it any more.
impl Drop for Message {
    fn drop(&mut self) {
        self.write_down();
    }
}

impl Refusal {
    fn action(&self) -> Action<'_> {
        let VerdictReply { code, enhanced, text } = &self.reply;
        match self.action {
            verdict::Action::Reject => Action::Refuse { code: *code, enhanced: *enhanced, text },
            // What the mail server refuses for good anyway need not come again.
            _ => Action::DeferIfPermit { enhanced: *enhanced, text },
        }
    }

    /// As the client hears it, save for the code of a deferral, which is the mail server's own.
    fn outcome(&self) -> String {
        let VerdictReply { code, enhanced: EnhancedStatus(class, subject, detail), text } =
            &self.reply;
        format!("{code} {class}.{subject}.{detail} {text}")
    }
}

fn fields(wanted: &[Prepend], headers: Headers) -> VecDeque<Field> {
    let Headers { authentication_results, received_spf, .. } = headers;
    let mut fields = VecDeque::new();
    for prepend in wanted {
        match prepend {
            Prepend::AuthenticationResults => {
                fields.push_back(("Authentication-Results", authentication_results.clone()));
            }
            Prepend::ReceivedSpf => {
                fields.extend(received_spf.iter().map(|value| ("Received-SPF", value.clone())));
            }
        }
    }
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

/// One line a message, like the gateway's.
fn log(judgement: &Judgement, recipients: usize, outcome: &str) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let Facts { case_id, client_address, helo, reverse_path, auth_user, .. } = &judgement.facts;
    tracing::info!(
        door = "policy",
        id = %case_id,
        client = %client_address,
        ?helo,
        login = auth_user.as_ref().map(tracing::field::debug),
        mail_from = ?reverse_path,
        recipients,
        results = %results::words(judgement),
        verdict = judgement.verdict.action.word(),
        practice = results::practice(judgement),
        answer = %outcome,
        "message"
    );
}

/// Who the client is by its certificate. Postfix has a name, as xtext, only for one that was
/// verified; a fingerprint stands for itself, whoever signed it.
fn certificate(request: &Request<'_>) -> Option<String> {
    let name = xtext::decode(&request.text(Attribute::CcertSubject));
    let name = name.and_then(|name| String::from_utf8(name).ok()).filter(|name| !name.is_empty());
    let fingerprint = || request.text(Attribute::CcertFingerprint).into_owned();
    name.or_else(|| Some(fingerprint()).filter(|fingerprint| !fingerprint.is_empty()))
}
