use std::collections::VecDeque;

use crate::editing::{Editing, Names, Way};
use crate::filter::TransactionId;
use crate::line::{Phase, Request, Version};
use crate::talk::{Answer, Message, Outcome, Question, RECIPIENTS_MAX, RECIPIENTS_OCTETS_MAX};

/// What a client that began a message has come to.
pub(crate) struct Transaction {
    /// What the daemon is told apart by; none: there is no daemon to ask.
    id: Option<TransactionId>,
    /// What it was asked and has not answered, in that order.
    asked: VecDeque<Asked>,
    recipients: Vec<String>,
    recipients_octets: usize,
    message: Option<(Editing, Address)>,
    /// How the message is refused at its end.
    refusal: Option<String>,
    /// The daemon has said what becomes of the message.
    is_judged: bool,
    /// The last refusal that the client heard and that is about the message.
    heard: String,
}

enum Asked {
    Rcpt(Address),
    Message,
}

/// Where an answer goes.
struct Address {
    version: Version,
    token: String,
}

/// What all sessions have in common.
pub(crate) struct Surroundings<'f> {
    pub(crate) names: &'f Names,
    /// How mail is refused that no daemon has judged; none: it is taken.
    pub(crate) refusal_when_down: Option<&'f str>,
    pub(crate) output: &'f mut Vec<u8>,
}

impl Address {
    fn of(request: &Request<'_>) -> Self {
        Self { version: request.version, token: request.token.to_owned() }
    }

    fn answer(&self, session: &str, refusal: Option<&str>, output: &mut Vec<u8>) {
        let (version, token) = (self.version, &*self.token);
        Request { version, session, token, phase: Phase::Other }.answer(refusal, output);
    }
}

impl Transaction {
    /// One that the daemon is asked about, or none that anybody can be asked about.
    pub(crate) fn new(id: Option<TransactionId>) -> Self {
        Self {
            id,
            asked: VecDeque::new(),
            recipients: Vec::new(),
            recipients_octets: 0,
            message: None,
            refusal: None,
            is_judged: false,
            heard: String::new(),
        }
    }

    pub(crate) fn id(&self) -> Option<TransactionId> {
        self.id
    }

    /// How many octets of its message are held.
    pub(crate) fn held(&self) -> usize {
        self.message.as_ref().map_or(0, |(editing, _)| editing.held())
    }

    /// What the client heard last of it, if that was a refusal.
    pub(crate) fn heard(self) -> String {
        self.heard
    }

    /// smtpd wants to know of a recipient.
    pub(crate) fn rcpt(
        &mut self,
        request: &Request<'_>,
        recipient: String,
        around: Surroundings<'_>,
    ) -> Option<Question> {
        if self.id.is_none() {
            request.answer(around.refusal_when_down, around.output);
            return None;
        }
        self.asked.push_back(Asked::Rcpt(Address::of(request)));
        Some(Question::Rcpt(recipient))
    }

    /// What became of a recipient.
    pub(crate) fn rcpt_done(&mut self, is_taken: bool, recipient: String, reply: &str) {
        if !is_taken {
            if self.recipients.is_empty() {
                reply.clone_into(&mut self.heard);
            }
            return;
        }
        self.heard.clear();
        self.recipients_octets += recipient.len();
        if self.recipients.len() < RECIPIENTS_MAX && self.recipients_octets <= RECIPIENTS_OCTETS_MAX
        {
            self.recipients.push(recipient);
        }
    }

    /// What became of the message, if it was refused.
    pub(crate) fn refused(&mut self, reply: &str) {
        reply.clone_into(&mut self.heard);
    }

    /// smtpd passes a line of the message.
    pub(crate) fn data_line(
        &mut self,
        request: &Request<'_>,
        line: &[u8],
        around: Surroundings<'_>,
    ) -> Option<Question> {
        let (editing, address) =
            self.message.get_or_insert_with(|| (Editing::new(), Address::of(request)));
        if address.token != request.token {
            request.token.clone_into(&mut address.token);
        }
        let mut way = Way::of(request, around.output);
        if self.id.is_none() {
            editing.release(&[], around.names, &mut way);
        }
        let header = editing.take(line, &mut way)?;
        self.asked.push_back(Asked::Message);
        Some(Question::Message(Message::new(self.recipients.clone(), header)))
    }

    /// A line of the message is longer than a line may be, so that the message cannot go on.
    pub(crate) fn spoil(&mut self, refusal: &str) {
        self.refusal = Some(refusal.to_owned());
    }

    /// smtpd wants to know whether the message is taken.
    pub(crate) fn commit(&mut self, request: &Request<'_>, around: Surroundings<'_>) {
        let refusal = match (&self.refusal, self.is_judged) {
            (Some(refusal), _) => Some(refusal.as_str()),
            (None, true) => None,
            (None, false) => around.refusal_when_down,
        };
        request.answer(refusal, around.output);
    }

    /// The daemon has answered the oldest question. False: that was no answer to it.
    pub(crate) fn answered(
        &mut self,
        session: &str,
        answer: Answer,
        around: Surroundings<'_>,
    ) -> bool {
        match (self.asked.pop_front(), answer) {
            (Some(Asked::Rcpt(address)), Answer::Rcpt(refusal)) => {
                address.answer(session, refusal.as_deref(), around.output);
                true
            }
            (Some(Asked::Message), Answer::Message(Outcome { refusal, fields })) => {
                let fields = if refusal.is_none() { &fields[..] } else { &[] };
                self.release(session, fields, around);
                self.refusal = self.refusal.take().or(refusal);
                self.is_judged = true;
                true
            }
            (asked, _) => {
                self.asked.extend(asked);
                self.asked.rotate_right(1.min(self.asked.len()));
                false
            }
        }
    }

    /// There is no daemon any more: what it was asked is answered without it.
    pub(crate) fn lost(&mut self, session: &str, around: Surroundings<'_>) {
        self.id = None;
        let Surroundings { names, refusal_when_down, output } = around;
        for asked in std::mem::take(&mut self.asked) {
            if let Asked::Rcpt(address) = asked {
                address.answer(session, refusal_when_down, output);
            }
        }
        self.release(session, &[], Surroundings { names, refusal_when_down, output });
    }

    fn release(&mut self, session: &str, fields: &[(String, String)], around: Surroundings<'_>) {
        let Some((editing, address)) = &mut self.message else { return };
        let mut way = Way::new(address.version, session, &address.token, around.output);
        editing.release(fields, around.names, &mut way);
    }
}
