//! A client logs in (RFC 4954): the session reads and writes, the logins decide.

use quivive_console::LoginResult;
use quivive_smtp::Reply;
use quivive_smtp::sasl::Mechanism;
use quivive_smtp::session::Secret;

use super::client::Client;
use super::conversation::{Conversation, Gone};
use super::replies::{
    LOGGED_IN, LOGIN_FIRST, LOGIN_MALFORMED, LOGIN_TOO_OFTEN, LOGIN_UNAVAILABLE, LOGIN_WRONG,
    NO_LOGIN, TLS_FIRST, TOO_MANY_LOGINS,
};
use crate::logins::{Applicant, Denied, Turn};

/// How many logins may fail in a session.
const FAILURES_MAX: usize = 3;

impl Conversation {
    /// Begins an exchange.
    pub(super) async fn log_in(
        &mut self,
        mechanism: Mechanism,
        initial_response: Option<Secret>,
    ) -> Result<(), Gone> {
        let Some(logins) = &self.gateway.logins else {
            self.session.answer(&NO_LOGIN);
            return Ok(());
        };
        match logins.begin(mechanism, self.client.applicant()) {
            Ok(dialogue) => {
                self.dialogue = Some(dialogue);
                self.log_in_further(initial_response).await
            }
            Err(denied) => {
                self.deny(mechanism, denied);
                Ok(())
            }
        }
    }

    /// Goes on with what the client said.
    pub(super) async fn log_in_further(&mut self, response: Option<Secret>) -> Result<(), Gone> {
        let Some(dialogue) = &mut self.dialogue else {
            self.session.answer(&NO_LOGIN);
            return Ok(());
        };
        let mechanism = dialogue.mechanism;
        let response = response.as_ref().map(|Secret(octets)| &octets[..]);
        match dialogue.respond(response).await {
            Turn::Challenge(challenge) => self.session.challenge(&challenge),
            Turn::LoggedIn(login) => {
                tracing::info!(client = %self.client.address, ?login, %mechanism, "logged in");
                self.count_login(mechanism, LoginResult::Pass);
                self.dialogue = None;
                self.client.login = Some(login);
                self.session.answer(&LOGGED_IN);
            }
            Turn::Denied(denied) => self.deny(mechanism, denied),
        }
        Ok(())
    }

    /// The client gave up.
    pub(super) fn cancel_login(&mut self) {
        if let Some(dialogue) = self.dialogue.take() {
            self.count_login(dialogue.mechanism, LoginResult::Cancelled);
        }
    }

    fn deny(&mut self, mechanism: Mechanism, denied: Denied) {
        self.dialogue = None;
        let client = self.client.address;
        tracing::info!(%client, %mechanism, reason = ?denied, "a login failed");
        self.count_login(
            mechanism,
            match denied {
                Denied::Wrong => LoginResult::Fail,
                Denied::Malformed => LoginResult::Malformed,
                Denied::TooOften => LoginResult::Throttled,
                Denied::Unavailable => LoginResult::Unavailable,
            },
        );
        self.session.answer(&match denied {
            Denied::Wrong => LOGIN_WRONG,
            Denied::Malformed => LOGIN_MALFORMED,
            Denied::TooOften => LOGIN_TOO_OFTEN,
            Denied::Unavailable => LOGIN_UNAVAILABLE,
        });
        self.failures += usize::from(denied != Denied::Unavailable);
        if self.failures >= FAILURES_MAX {
            self.session.close(&TOO_MANY_LOGINS);
        }
    }

    fn count_login(&self, mechanism: Mechanism, result: LoginResult) {
        self.gateway.ledger.metrics.login(mechanism.name(), result);
    }

    /// What is said to a client that must log in before it sends, and has not (RFC 6409 section
    /// 4.3).
    pub(super) fn login_first(&self) -> Option<Reply> {
        let must = self.gateway.logins.is_some() && self.client.login.is_none();
        must.then_some(if self.client.tls { LOGIN_FIRST } else { TLS_FIRST })
    }
}

impl Client {
    pub(super) fn applicant(&self) -> Applicant {
        Applicant { address: self.address, certificate: self.certificate.clone() }
    }
}
