//! The door for policy questions: Postfix's `check_policy_service`, and Exim's `${readsocket}`.
//!
//! The mail server asks at each recipient and perhaps again at DATA and at the end; its `instance`
//! says which questions are about one message. That message is judged once, is one case, and has
//! each of our fields written once.
//!
//! This is the fast door: a kept connection, one read and one write a question, no timer that
//! rings, no task beside the connection's own.

mod conversation;
mod message;
mod messages;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use quivive_evidence::Header;
use quivive_mail::EnhancedStatus;
use quivive_postfix::policy::{Action, Attribute, ProtocolState, Request};
use quivive_verdict::Stage;

pub(crate) use self::conversation::converse;
use self::message::{Message, News};
use self::messages::{MESSAGES_MAX, Messages, Open};
use crate::asking::Patience;
use crate::check::Checker;
use crate::ledger::Ledger;

/// The client hears nothing of how it is.
const UNREADABLE: Action<'_> = Action::DeferIfPermit {
    enhanced: EnhancedStatus(4, 3, 5),
    text: "The sender could not be checked; please try again later",
};

/// The address of whoever stated the client must not speak for it.
const UNKNOWN_CLIENT: Action<'_> = Action::DeferIfPermit {
    enhanced: EnhancedStatus(4, 7, 0),
    text: "The client's address is not known, so that nobody can be checked",
};

const NO_PLACE: Action<'_> = Action::DeferIfPermit {
    enhanced: EnhancedStatus(4, 3, 2),
    text: "Too many connections; please try again later",
};

/// Answers policy questions. A reload makes a new one: messages that are on their way keep theirs.
pub struct PolicyService {
    settings: Settings,
    checker: Checker,
    ledger: Ledger,
    messages: Arc<Messages>,
}

/// How a policy service is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name: as the receiver that judges.
    pub hostname: String,
    /// The fields that are written on top of mail that is not refused, in this order: one for each
    /// question.
    pub prepend: Arc<[Prepend]>,
    /// What stands before their names, by which the mail server tells them from forged ones and
    /// which it takes away.
    pub prefix: Arc<str>,
    /// How long mail servers are waited for.
    pub patience: Patience,
}

/// A field that is written on top of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepend {
    /// Authentication-Results.
    AuthenticationResults,
    /// Received-SPF, one for each identity.
    ReceivedSpf,
}

impl Settings {
    /// A service of this name that writes all fields.
    pub fn new(hostname: &str) -> Self {
        Self {
            hostname: hostname.to_owned(),
            prepend: [Prepend::AuthenticationResults, Prepend::ReceivedSpf].into(),
            prefix: "".into(),
            patience: Patience::default(),
        }
    }
}

impl PolicyService {
    /// A service that judges by this checker.
    pub fn new(settings: Settings, checker: Checker) -> Self {
        let messages = Arc::new(Messages::new(MESSAGES_MAX));
        Self { settings, checker, ledger: Ledger::default(), messages }
    }

    /// The service, writing down what it judges.
    #[must_use]
    pub fn with_ledger(self, ledger: Ledger) -> Self {
        Self { ledger, ..self }
    }

    /// The service after a reload: the messages that are on their way are still known.
    pub(crate) fn in_place_of(self, old: &Self) -> Self {
        Self { messages: old.messages.clone(), ..self }
    }

    /// What is said to a connection for which there is no place.
    pub(crate) fn too_many() -> Vec<u8> {
        let mut word = Vec::new();
        NO_PLACE.write(&mut word);
        word
    }

    /// Nobody will ask any more: everything is written down.
    pub(crate) fn end(&self) {
        self.messages.end_all();
    }

    /// Answers a question. `last` is the message that this connection asked about last.
    async fn answer(
        self: &Arc<Self>,
        request: Request<'_>,
        last: &mut Option<Arc<Open>>,
        output: &mut Vec<u8>,
    ) {
        let state = request.state();
        let stage = match state {
            // What is known so early is refused at RCPT, so that the log knows the recipient.
            ProtocolState::Connect | ProtocolState::Helo | ProtocolState::Other => {
                return Action::Dunno.write(output);
            }
            ProtocolState::Mail => Stage::Mail,
            ProtocolState::Rcpt | ProtocolState::Data | ProtocolState::EndOfMessage => Stage::Rcpt,
        };
        let Some(client) = request.client_address() else {
            return UNKNOWN_CLIENT.write(output);
        };
        let mut news = News { state, stage, request, header: None };
        if state == ProtocolState::Data {
            match request.header() {
                Ok(header) => news.header = header.map(|header| read(&header)),
                Err(error) => {
                    tracing::warn!(door = "policy", "a question cannot be used: {error}");
                    return UNREADABLE.write(output);
                }
            }
        }
        self.answer_about(client, news, last, output).await;
    }

    async fn answer_about(
        self: &Arc<Self>,
        client: IpAddr,
        news: News<'_>,
        last: &mut Option<Arc<Open>>,
        output: &mut Vec<u8>,
    ) {
        let instance = news.request.get(Attribute::Instance).unwrap_or_default();
        let open = self.messages.open(instance, last);
        let identity = self.messages.identity(client, &news.request);
        {
            let mut place = open.message.lock().await;
            // The same instance of somebody else: another mail server's, or a mistake.
            if place.as_ref().is_some_and(|message| message.identity != identity) {
                *place = None;
            }
            let new = || Message::new(self, identity, client, &news.request);
            let message = place.get_or_insert_with(new);
            message.learn(&news).await;
            message.answer(&news, output);
        }
        if news.is_last() {
            self.messages.end(&open);
        } else if open.is_remembered() {
            *last = Some(open);
        }
    }
}

/// A header that fills the attribute may be cut at any place: what is no whole line of it is left
/// out, and whoever reads it is told.
fn read(header: &[u8]) -> Header {
    let is_cut = header.len() == quivive_postfix::policy::HEADER_OCTETS_MAX;
    let whole = match header.iter().rposition(|octet| *octet == b'\n').filter(|_| is_cut) {
        Some(end) => &header[..=end],
        None => header,
    };
    let mut read = Header::read(whole);
    read.cut |= is_cut;
    read
}
