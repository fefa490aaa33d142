//! The door for `quivive opensmtpd-filter`: it asks about one message on each connection, as
//! [`quivive_opensmtpd::talk`] has it.
//!
//! The filter has OpenSMTPD's sessions; what they say is judged here. A refusal for who sends is
//! spoken at RCPT, the rest at the end of the message.

mod conversation;
mod message;
#[cfg(test)]
mod tests;

use std::time::Duration;

use quivive_opensmtpd::talk::{Hello, TALK};

pub(crate) use self::conversation::converse;
use crate::check::Checker;
use crate::ledger::Ledger;

/// How a door for OpenSMTPD's filter is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name: as the receiver that judges.
    pub hostname: String,
    /// How long filters are waited for.
    pub patience: Patience,
}

/// How long filters are waited for. The defaults are the bounds; tests have others.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until a message begins.
    pub beginning: Duration,
    /// Between two questions: as long as a client may take for its message.
    pub question: Duration,
    /// Until an answer is taken.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            beginning: Duration::from_secs(60),
            question: Duration::from_secs(3600),
            answer: Duration::from_secs(30),
        }
    }
}

/// A door that is ready for filters. A reload makes a new one; messages keep theirs.
pub struct Opensmtpd {
    settings: Settings,
    checker: Checker,
    ledger: Ledger,
}

impl Settings {
    /// A door of this name.
    pub fn new(hostname: &str) -> Self {
        Self { hostname: hostname.to_owned(), patience: Patience::default() }
    }
}

impl Opensmtpd {
    /// A door that judges by this checker.
    pub fn new(settings: Settings, checker: Checker) -> Self {
        Self { settings, checker, ledger: Ledger::default() }
    }

    /// The door, writing down what it judges.
    #[must_use]
    pub fn with_ledger(self, ledger: Ledger) -> Self {
        Self { ledger, ..self }
    }

    /// The names under which no field may come in that we write ourselves.
    fn hello(&self) -> Hello {
        let names = vec![self.checker.policy().authserv_id.clone(), self.settings.hostname.clone()];
        Hello { talk: TALK, names }
    }
}
