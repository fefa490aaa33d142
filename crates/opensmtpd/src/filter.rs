use std::collections::{HashMap, VecDeque};

use crate::editing::Names;
use crate::line::{Line, Malformed, Phase, Report, Request, write_answer};
use crate::session::{Session, text};
use crate::talk::{Answer, Question};
use crate::transaction::{Surroundings, Transaction};

/// How many octets of messages are held in all sessions together before no more should be read.
pub const HELD_MAX: usize = 64 * 1024 * 1024;

/// How many sessions are followed; the clients of further ones are unknown.
pub const SESSIONS_MAX: usize = 10_000;

/// What is registered: reports say what happens, requests wait for an answer.
const REPORTS: &[&str] = &[
    "link-connect",
    "link-identify",
    "link-auth",
    "link-disconnect",
    "tx-mail",
    "tx-rcpt",
    "tx-data",
    "tx-commit",
    "tx-rollback",
    "tx-reset",
    "protocol-server",
];
const REQUESTS: &[&str] = &["rcpt-to", "data-line", "commit"];

/// The only subsystem that asks.
const SUBSYSTEM: &str = "smtp-in";

/// Nobody can say who the sender is.
const NOT_CHECKED: &str = "451 4.3.0 The sender could not be checked; please try again later";

/// What cannot go on as it came does not go on at all.
const LINE_TOO_LONG: &str = "554 5.6.0 A line of this message is too long";

/// How a filter is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What becomes of mail while no daemon answers.
    pub when_down: WhenDown,
}

/// What becomes of mail while no daemon answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenDown {
    /// The client is told to come again.
    #[default]
    Defer,
    /// It is taken without results; forged ones go all the same.
    Accept,
}

/// Tells the transactions of all sessions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(u64);

/// Something that the daemon is to hear about a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which one. It begins with [`Question::Mail`] and ends with [`Question::End`].
    pub transaction: TransactionId,
    /// What the daemon is to hear.
    pub question: Question,
}

/// The whole filter: all sessions of one smtpd.
pub struct Filter {
    settings: Settings,
    names: Names,
    /// The daemon has said them.
    names_are_heard: bool,
    sessions: HashMap<String, Session>,
    transactions: HashMap<TransactionId, String>,
    last: TransactionId,
    held: usize,
    /// Whether smtpd has said of which subsystems it will speak, and of ours.
    subsystems: (bool, bool),
    output: Vec<u8>,
    events: VecDeque<Event>,
}

impl Filter {
    /// A filter that has heard nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            names: Names::default(),
            names_are_heard: false,
            sessions: HashMap::new(),
            transactions: HashMap::new(),
            last: TransactionId(0),
            held: 0,
            subsystems: (false, false),
            output: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// What smtpd is to hear; whoever takes it, empties it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// What the daemon is to hear next.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether so much is held that no more should be read until the daemon has answered.
    pub fn is_full(&self) -> bool {
        self.held >= HELD_MAX
    }

    /// The names under which no results may come in, as the daemon says them.
    pub fn set_names(&mut self, names: Vec<String>) {
        self.names = names.into();
        self.names_are_heard = true;
    }

    /// Takes a line of smtpd, without its end. `is_cut`: it was longer than it may be, and this is
    /// its beginning.
    ///
    /// # Errors
    /// It cannot be read; then nothing has changed.
    pub fn line(&mut self, line: &[u8], is_cut: bool) -> Result<(), Malformed> {
        match Line::parse(line)? {
            Line::Config(key, value) => self.config(key, value),
            Line::Ready => self.register(),
            Line::Happened(session, report) => self.happened(session, report),
            Line::Asked(request) => self.asked(&request, is_cut),
        }
        Ok(())
    }

    /// The daemon has answered the oldest question about a transaction. False: that was no answer
    /// to it, and whoever gave it is to be heard no longer.
    pub fn answered(&mut self, transaction: TransactionId, answer: Answer) -> bool {
        let mut is_one = true;
        self.of_transaction(transaction, |session, open, around| {
            is_one = open.answered(session, answer, around);
        });
        is_one
    }

    /// There is nobody any more who answers questions about this transaction.
    pub fn lost(&mut self, transaction: TransactionId) {
        self.of_transaction(transaction, |session, open, around| open.lost(session, around));
        self.transactions.remove(&transaction);
    }
}

impl Filter {
    fn config(&mut self, key: &str, value: &[u8]) {
        match key {
            "subsystem" => {
                self.subsystems.0 = true;
                self.subsystems.1 |= value == SUBSYSTEM.as_bytes();
            }
            // Its own name for results is probably ours, too.
            "admd" if !self.names_are_heard => self.names = [text(value)].into(),
            _ => {}
        }
    }

    /// To register for a subsystem that was not named would end smtpd; old ones name none.
    fn register(&mut self) {
        let mut line = |text: String| self.output.extend_from_slice(text.as_bytes());
        if self.subsystems.1 || !self.subsystems.0 {
            for report in REPORTS {
                line(format!("register|report|{SUBSYSTEM}|{report}\n"));
            }
            for request in REQUESTS {
                line(format!("register|filter|{SUBSYSTEM}|{request}\n"));
            }
        }
        line("register|ready\n".to_owned());
    }

    fn happened(&mut self, name: &str, report: Report<'_>) {
        if report == Report::Disconnected {
            let session = self.sessions.remove(name);
            return self.end(session.and_then(|session| session.transaction), None);
        }
        let Some(session) = self.session(name) else { return };
        match report {
            Report::Connected(source) => session.connected(source),
            Report::Identified(helo) => session.identified(helo),
            Report::LoggedIn(login) => session.logged_in(login),
            Report::Replied(reply) => session.replied(reply),
            Report::Rcpt(is_taken, recipient) => session.rcpt_done(is_taken, recipient),
            Report::DataRefused => session.data_refused(),
            Report::Mail(reverse_path) => self.begin(name, reverse_path),
            Report::Committed => {
                let (open, reply) = (session.transaction.take(), session.reply().to_owned());
                self.end(open, Some(reply));
            }
            Report::Reset => {
                let open = session.transaction.take();
                self.end(open, None);
            }
            Report::Disconnected | Report::Other => {}
        }
    }

    fn begin(&mut self, name: &str, reverse_path: &[u8]) {
        let id = TransactionId(self.last.0 + 1);
        let Some(session) = self.session(name) else { return };
        let before = session.transaction.take();
        let mail = session.mail(reverse_path);
        session.transaction = Some(Transaction::new(mail.as_ref().map(|_| id)));
        self.end(before, None);
        let Some(mail) = mail else { return };
        self.last = id;
        self.transactions.insert(id, name.to_owned());
        self.events.push_back(Event { transaction: id, question: Question::Mail(mail) });
    }

    /// A transaction is over; the daemon hears what its client heard last.
    fn end(&mut self, open: Option<Transaction>, reply: Option<String>) {
        let Some(open) = open else { return };
        self.held -= open.held();
        let Some(transaction) = open.id() else { return };
        self.transactions.remove(&transaction);
        let question = Question::End(reply.unwrap_or_else(|| open.heard()));
        self.events.push_back(Event { transaction, question });
    }

    fn asked(&mut self, request: &Request<'_>, is_cut: bool) {
        if request.phase == Phase::Other {
            return request.answer(None, &mut self.output);
        }
        if self.session(request.session).is_none() {
            return self.asked_in_vain(request);
        }
        let Some(session) = self.sessions.get_mut(request.session) else { return };
        // Without MAIL there is nothing that the daemon could be asked about.
        let open = session.transaction.get_or_insert_with(|| Transaction::new(None));
        let before = open.held();
        let around = Surroundings {
            names: &self.names,
            refusal_when_down: refusal(self.settings),
            output: &mut self.output,
        };
        let question = match request.phase {
            Phase::Rcpt(recipient) => open.rcpt(request, text(recipient), around),
            Phase::DataLine(line) => {
                if is_cut {
                    open.spoil(LINE_TOO_LONG);
                }
                open.data_line(request, line, around)
            }
            Phase::Commit => {
                open.commit(request, around);
                None
            }
            Phase::Other => None,
        };
        self.held = self.held + open.held() - before;
        if let (Some(transaction), Some(question)) = (open.id(), question) {
            self.events.push_back(Event { transaction, question });
        }
    }

    /// For a session that there is no room to follow.
    fn asked_in_vain(&mut self, request: &Request<'_>) {
        match request.phase {
            Phase::DataLine(line) => {
                let Request { version, session, token, .. } = *request;
                write_answer("filter-dataline", version, session, token, &mut self.output);
                self.output.extend_from_slice(line);
                self.output.push(b'\n');
            }
            _ => request.answer(Some(NOT_CHECKED), &mut self.output),
        }
    }

    fn session(&mut self, name: &str) -> Option<&mut Session> {
        if !self.sessions.contains_key(name) {
            if self.sessions.len() >= SESSIONS_MAX {
                return None;
            }
            self.sessions.insert(name.to_owned(), Session::default());
        }
        self.sessions.get_mut(name)
    }

    /// Does something with a transaction that is still open.
    fn of_transaction(
        &mut self,
        id: TransactionId,
        act: impl FnOnce(&str, &mut Transaction, Surroundings<'_>),
    ) {
        let Some(name) = self.transactions.get(&id) else { return };
        let Some(session) = self.sessions.get_mut(name) else { return };
        let Some(open) = session.transaction.as_mut().filter(|open| open.id() == Some(id)) else {
            return;
        };
        let before = open.held();
        let around = Surroundings {
            names: &self.names,
            refusal_when_down: refusal(self.settings),
            output: &mut self.output,
        };
        act(name, open, around);
        self.held = self.held + open.held() - before;
    }
}

fn refusal(settings: Settings) -> Option<&'static str> {
    match settings.when_down {
        WhenDown::Defer => Some(NOT_CHECKED),
        WhenDown::Accept => None,
    }
}

#[cfg(test)]
mod tests;
