use std::fmt;

use data_encoding::BASE64;

use super::{Asked, COMMANDS_MAX, Event, Mode, Secret, Session, Step, replies};
use crate::Auth;
use crate::line::LineError;
use crate::sasl::Mechanism;

/// AUTH and its exchange (RFC 4954 section 4).
impl Session {
    pub(super) fn auth(&mut self, auth: Auth) -> Step {
        if !self.hello {
            return self.error(&replies::HELLO_FIRST);
        }
        let Some(offered) = self.offered.auth.filter(|offered| !offered.is_empty()) else {
            return match self.offered.starttls {
                true => self.error(&replies::AUTH_NEEDS_TLS),
                false => self.error(&replies::NO_AUTH),
            };
        };
        if self.logged_in {
            return self.error(&replies::AUTH_TWICE);
        }
        if self.transaction.is_some() {
            return self.error(&replies::TRANSACTION_OPEN);
        }
        let mechanism = Mechanism::from_name(&auth.mechanism);
        let Some(mechanism) = mechanism.filter(|mechanism| offered.contains(*mechanism)) else {
            return self.error(&replies::NO_MECHANISM);
        };
        let initial_response = match auth.initial_response.as_deref() {
            None => None,
            Some("=") => Some(Secret(Vec::new())),
            Some(response) => match decode(response.as_bytes()) {
                Some(response) => Some(response),
                None => return self.error(&replies::AUTH_MALFORMED),
            },
        };
        self.ask(Asked::Auth, Event::Auth { mechanism, initial_response })
    }

    /// Answers [`Event::Auth`] or [`Event::Response`] by a challenge.
    pub fn challenge(&mut self, challenge: &[u8]) {
        self.asked = None;
        self.mode = Mode::Challenged;
        self.output.extend_from_slice(b"334 ");
        self.output.extend_from_slice(BASE64.encode(challenge).as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    pub(super) fn auth_response(&mut self) -> Step {
        let line = match self.response.decode(self.input.unread()) {
            Ok(Some(line)) => line,
            Ok(None) => return Step::Event(Event::Starved),
            Err(LineError::TooLong) => {
                self.response.reset();
                self.mode = Mode::Skipping(0);
                return Step::Event(Event::AuthEnded);
            }
            Err(error) => {
                self.close(&replies::broken_framing(error));
                return Step::Again;
            }
        };
        let octets = line.len() + 2;
        let response = match line {
            b"*" => Err(replies::AUTH_CANCELLED),
            line => decode(line).ok_or(replies::AUTH_MALFORMED),
        };
        self.input.consume(octets);
        self.mode = Mode::Commands;
        self.commands += 1;
        if self.commands > COMMANDS_MAX {
            self.close(&replies::TOO_MANY_COMMANDS);
            return Step::Again;
        }
        match response {
            Ok(response) => self.ask(Asked::Auth, Event::Response(response)),
            Err(reply) => {
                self.error(&reply);
                Step::Event(Event::AuthEnded)
            }
        }
    }
}

fn decode(text: &[u8]) -> Option<Secret> {
    BASE64.decode(text).ok().map(Secret)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
