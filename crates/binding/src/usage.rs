use std::fmt;

use crate::{Client, words};

/// The table of what identities have used. Whoever counts answers with one number.
pub const USAGE: &str = "usage";

/// What is counted, and asked for by the same question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Whose use it is.
    pub login: String,
    /// Of what.
    pub of: UseOf,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseOf {
    /// Messages; the answer is how many there were in so many seconds, this one among them.
    Messages {
        /// In how many seconds.
        seconds: u32,
    },
    /// Domains that a From field names; the answer is how many there were in the last hour that the
    /// identity had not used before, these among them.
    Domains(Vec<String>),
}

impl Use {
    /// Reads the key of a question.
    pub fn parse(key: &str) -> Option<Self> {
        let (login, rest) = words::split(key)?;
        let Client::Login(login) = Client::parse(login)? else { return None };
        let of = match rest.trim_start().split_once(' ')? {
            ("messages", seconds) => UseOf::Messages { seconds: seconds.parse().ok()? },
            ("domains", domains) => UseOf::Domains(domains.split(' ').map(str::to_owned).collect()),
            _ => return None,
        };
        Some(Self { login, of })
    }
}

/// `alice messages 3600`, `alice domains a.test b.test`.
impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Client::Login(self.login.clone()).fmt(f)?;
        match &self.of {
            UseOf::Messages { seconds } => write!(f, " messages {seconds}"),
            UseOf::Domains(domains) => write!(f, " domains {}", domains.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_come_back_from_their_keys() {
        for key in ["alice messages 3600", "\"al ice\" domains a.test b.test"] {
            assert_eq!(Use::parse(key).unwrap().to_string(), key);
        }
        for key in
            ["", "alice", "alice messages", "alice messages x", "alice mails 1", "net:: messages 1"]
        {
            assert_eq!(Use::parse(key), None, "{key}");
        }
    }
}
