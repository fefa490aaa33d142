//! SASL (RFC 4422) as SMTP carries it (RFC 4954): the server's side of an exchange, without
//! sockets, clock or randomness, and without the passwords.
//!
//! ```text
//! Exchange::new -> respond(octets) -> Challenge: send it, respond again
//!                                  -> Verifier(user): look it up, Exchange::verify_with
//!                                  -> Password, External: check it, and say what came of it
//!                                  -> Proven, Refused, Malformed: the end
//! ```
//!
//! Trusts: nothing that a client says. Can be made to do: keep the parts of one exchange, of
//! bounded length.

mod mechanism;
mod plain;
mod scram;
#[cfg(test)]
mod tests;

pub use self::mechanism::{Mechanism, Mechanisms};
pub use self::scram::{ITERATIONS_MAX, SALT_OCTETS_MAX, Verifier, VerifierError};

use self::scram::Scram;

/// Octets of a response in base64, before its CRLF (RFC 4954 section 4).
pub const RESPONSE_LINE_OCTETS_MAX: usize = 12_288;

/// Octets of a user's name, and of a password.
pub const NAME_OCTETS_MAX: usize = 1024;

/// Who a client says it is, and for whom it wants to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The authentication identity: whose password it knows. Prepared by [`prepare`].
    pub user: String,
    /// The authorisation identity: as whom it wants to act, where that is said and is another.
    pub acts_as: Option<String>,
}

/// An exchange on its way.
#[derive(Debug)]
pub struct Exchange(State);

#[derive(Debug)]
enum State {
    Plain,
    External,
    /// LOGIN, before its first prompt.
    LoginBegin,
    LoginUser,
    LoginPassword(String),
    Scram(Box<Scram>),
    Ended,
}

/// What is next in an exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, and hand over the response.
    Challenge(Vec<u8>),
    /// Go on by [`Exchange::verify_with`] the verifier of this user.
    Verifier(String),
    /// Whether this is the user's password is to be found out: the exchange has ended.
    Password(Claim, Password),
    /// Whether the client is known by its certificate, and may act as whom it names, is to be found
    /// out: the exchange has ended.
    External(Option<String>),
    /// The client has proven that it knows the password: the exchange has ended.
    Proven(Claim),
    /// It has not, or wants what is not offered: the exchange has ended.
    Refused,
    /// What it says is not of the mechanism: the exchange has ended.
    Malformed,
}

/// A password in clear text, prepared by [`prepare`]. It shows nothing.
#[derive(PartialEq, Eq)]
pub struct Password(pub String);

impl Exchange {
    /// The exchange of a mechanism; none for one that only somebody else can carry out. `nonce`: a
    /// text that nobody can foresee, of printable ASCII without a comma.
    pub fn new(mechanism: Mechanism, nonce: &str) -> Option<Self> {
        Some(Self(match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::LoginBegin,
            Mechanism::External => State::External,
            Mechanism::ScramSha256 => State::Scram(Box::new(Scram::new(nonce))),
            _ => return None,
        }))
    }

    /// Goes on with what the client said; none where it began without an initial response.
    pub fn respond(&mut self, response: Option<&[u8]>) -> Step {
        match std::mem::replace(&mut self.0, State::Ended) {
            State::Plain => self.initial(State::Plain, response, plain::read),
            State::External => self.initial(State::External, response, plain::read_external),
            State::LoginBegin => match response {
                None => {
                    self.0 = State::LoginUser;
                    Step::Challenge(b"Username:".to_vec())
                }
                // An initial response is the name, as some clients send it.
                Some(name) => self.login_user(name),
            },
            State::LoginUser => self.login_user(response.unwrap_or_default()),
            State::LoginPassword(user) => {
                let Some(password) = prepare(response.unwrap_or_default()) else {
                    return Step::Malformed;
                };
                Step::Password(Claim { user, acts_as: None }, Password(password))
            }
            State::Scram(mut scram) => {
                let step = scram.respond(response);
                if matches!(step, Step::Challenge(_) | Step::Verifier(_)) {
                    self.0 = State::Scram(scram);
                }
                step
            }
            State::Ended => Step::Malformed,
        }
    }

    /// Answers [`Step::Verifier`].
    pub fn verify_with(&mut self, verifier: Verifier) -> Step {
        match &mut self.0 {
            State::Scram(scram) => scram.verify_with(verifier),
            _ => Step::Malformed,
        }
    }

    /// One message decides; where it did not come with AUTH, an empty challenge asks for it.
    fn initial(
        &mut self,
        state: State,
        response: Option<&[u8]>,
        read: fn(&[u8]) -> Option<Step>,
    ) -> Step {
        match response {
            None => {
                self.0 = state;
                Step::Challenge(Vec::new())
            }
            Some(response) => read(response).unwrap_or(Step::Malformed),
        }
    }

    fn login_user(&mut self, name: &[u8]) -> Step {
        match prepare(name) {
            Some(user) => {
                self.0 = State::LoginPassword(user);
                Step::Challenge(b"Password:".to_vec())
            }
            None => Step::Malformed,
        }
    }
}

/// A name or a password as it is compared: UTF-8 prepared by SASLprep (RFC 4013). None if that
/// cannot be, if nothing is left, or if it is longer than [`NAME_OCTETS_MAX`].
pub fn prepare(octets: &[u8]) -> Option<String> {
    if octets.len() > NAME_OCTETS_MAX {
        return None;
    }
    let text = std::str::from_utf8(octets).ok()?;
    let prepared = stringprep::saslprep(text).ok()?;
    let fits = !prepared.is_empty() && !prepared.chars().any(char::is_control);
    fits.then(|| prepared.into_owned())
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}
