//! The milter's door: a mail server asks what to do with its mail, and has it marked.
//!
//! The door decides nothing. What the verdict refuses for who sends is refused at RCPT, so that the
//! mail server's log knows for whom it was; the rest at the end of the message, where our results
//! are written on top and forged ones go.

mod client;
mod conversation;
mod forgeries;
mod message;
mod routing;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

use quivive_milter::{Actions, MacroStage, Step, Wishes};
use quivive_verdict::{Stage, last_stage};

pub(crate) use self::conversation::converse;
pub use self::settings::{Forwarding, Patience, Settings};
use crate::check::Checker;
use crate::ledger::Ledger;
use crate::srs::Returns;

/// The macros that are read.
const MACROS: &[(MacroStage, &str)] = &[
    (MacroStage::Connect, "j v {client_addr}"),
    (MacroStage::Helo, "{tls_version} {verify} {cn_subject} {cert_subject} {cert_issuer}"),
    (MacroStage::Mail, "i {auth_authen} {auth_type}"),
    (MacroStage::Rcpt, "i"),
    (MacroStage::Message, "i"),
];

/// What is done with messages: our fields go on top, forged ones away, held ones into quarantine.
const ACTIONS: &[Actions] = &[Actions::ADD_HEADERS, Actions::CHANGE_HEADERS, Actions::QUARANTINE];

/// What is done with envelopes: senders of what is forwarded are rewritten, recipients of bounces
/// are found again.
const FORWARDING: &[Actions] =
    &[Actions::CHANGE_SENDER, Actions::ADD_RECIPIENTS, Actions::DELETE_RECIPIENTS];

/// A milter that is ready for mail servers. A reload makes a new one; connections keep theirs.
pub struct Milter {
    settings: Settings,
    /// The names under which no field may come in that we write ourselves.
    own_names: Vec<String>,
    checker: Checker,
    ledger: Ledger,
    /// What comes back to addresses that we rewrote.
    returns: Returns,
    /// Whether methods read the header.
    reads_header: bool,
}

impl Milter {
    /// A milter that judges by this checker.
    pub fn new(settings: Settings, checker: Checker) -> Self {
        let policy = checker.policy();
        let own_names = vec![policy.authserv_id.clone(), settings.hostname.clone()];
        let reads_header = last_stage(policy).is_some_and(|stage| stage >= Stage::Header);
        let (ledger, returns) = (Ledger::default(), Returns::new());
        Self { settings, own_names, checker, ledger, returns, reads_header }
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

    /// What is wanted of a mail server whose mail is judged and marked. Every field is looked at,
    /// since any may be forged; a body is read by nothing. Who the client and the sender are is
    /// listened to and not answered.
    pub fn wishes() -> Wishes {
        let unanswered = Step::Connect | Step::Helo | Step::Mail | Step::Header;
        let steps = unanswered | Step::Rcpt;
        Wishes { steps, unanswered, actions: all(ACTIONS), macros: MACROS }
    }

    /// What this one wants.
    fn own_wishes(&self) -> Wishes {
        let judging = Self::wishes();
        let Some(Forwarding { is_all, .. }) = &self.settings.forwarding else { return judging };
        let envelope = Step::Connect | Step::Helo | Step::Mail;
        match is_all {
            false => Wishes { actions: judging.actions | all(FORWARDING), ..judging },
            true => Wishes {
                steps: envelope | Step::Rcpt,
                unanswered: envelope,
                actions: all(FORWARDING),
                ..judging
            },
        }
    }

    /// Whether mail is judged and marked here.
    fn judges(&self) -> bool {
        !self.settings.forwarding.as_ref().is_some_and(|forwarding| forwarding.is_all)
    }
}

fn all(actions: &[Actions]) -> Actions {
    actions.iter().fold(Actions::NONE, |all, action| all | *action)
}
