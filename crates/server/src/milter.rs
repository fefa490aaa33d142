//! The milter's door: a mail server asks what to do with its mail, and has it marked.
//!
//! The door decides nothing. What the verdict refuses for who sends is refused at RCPT, so that the
//! mail server's log knows for whom it was; the rest at the end of the message, where our results
//! are written on top and forged ones go.

mod client;
mod conversation;
mod forgeries;
mod message;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

use quivive_milter::{Actions, MacroStage, Step, Wishes};
use quivive_verdict::{Stage, last_stage};

pub(crate) use self::conversation::converse;
pub use self::settings::{Patience, Settings};
use crate::check::Checker;
use crate::ledger::Ledger;

/// The macros that are read.
const MACROS: &[(MacroStage, &str)] = &[
    (MacroStage::Connect, "j v {client_addr}"),
    (MacroStage::Helo, "{tls_version}"),
    (MacroStage::Mail, "i {auth_authen} {auth_type}"),
    (MacroStage::Rcpt, "i"),
    (MacroStage::Message, "i"),
];

/// What is done with messages: our fields go on top, forged ones away, held ones into quarantine.
const ACTIONS: &[Actions] = &[Actions::ADD_HEADERS, Actions::CHANGE_HEADERS, Actions::QUARANTINE];

/// A milter that is ready for mail servers. A reload makes a new one; connections keep theirs.
pub struct Milter {
    settings: Settings,
    /// The names under which no field may come in that we write ourselves.
    own_names: Vec<String>,
    checker: Checker,
    ledger: Ledger,
    /// Whether methods read the header.
    reads_header: bool,
}

impl Milter {
    /// A milter that judges by this checker.
    pub fn new(settings: Settings, checker: Checker) -> Self {
        let policy = checker.policy();
        let own_names = vec![policy.authserv_id.clone(), settings.hostname.clone()];
        let reads_header = last_stage(policy).is_some_and(|stage| stage >= Stage::Header);
        Self { settings, own_names, checker, ledger: Ledger::default(), reads_header }
    }

    /// The milter, writing down what it judges.
    #[must_use]
    pub fn with_ledger(self, ledger: Ledger) -> Self {
        Self { ledger, ..self }
    }

    /// How it was set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is wanted of a mail server. Every field is looked at, since any may be forged; a body
    /// is read by nothing. Who the client and the sender are is listened to and not answered.
    pub fn wishes() -> Wishes {
        let unanswered = Step::Connect | Step::Helo | Step::Mail | Step::Header;
        Wishes {
            steps: unanswered | Step::Rcpt,
            unanswered,
            actions: ACTIONS.iter().fold(Actions::NONE, |all, action| all | *action),
            macros: MACROS,
        }
    }
}
