//! What a filter and its daemon say to each other about one message: an object of JSON a line, over
//! a connection of its own. Both are the same program; [`Hello::talk`] says whether they are of an
//! age.
//!
//! ```text
//! daemon: {"talk":1,"names":["mx.example.org"]}
//! filter: {"mail":{"client":"192.0.2.25","helo":"mail.example.com","mail_from":"a@b.example"}}
//! filter: {"rcpt":"b@example.org"}
//! daemon: {"rcpt":null}
//! filter: {"message":{"recipients":["b@example.org"],"header":{"fields":[...]}}}
//! daemon: {"message":{"refusal":null,"fields":[["Authentication-Results","..."]]}}
//! filter: {"end":"250 2.0.0 c8bb6d9e Message accepted for delivery"}
//! ```
//! Whoever is gone before the end has given up.

use std::net::IpAddr;

use quivive_evidence::Header;
use serde::{Deserialize, Serialize};

/// Which talk this is.
pub const TALK: u32 = 1;

/// How long a line may be, in octets: a header with every octet written in five, and recipients
/// with every octet written in six.
pub const LINE_OCTETS_MAX: usize = 2 * 1024 * 1024;

/// How long a name or an address is passed on, in octets; the rest is cut off.
pub const TEXT_OCTETS_MAX: usize = 4096;

/// How many recipients of a message are named.
pub const RECIPIENTS_MAX: usize = 1000;

/// How many octets the recipients of a message have together that are named.
pub const RECIPIENTS_OCTETS_MAX: usize = 128 * 1024;

/// The daemon's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`TALK`].
    pub talk: u32,
    /// The names under which no results may come in with a message.
    pub names: Vec<String>,
}

/// What a filter says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// A message begins.
    Mail(Mail),
    /// May this recipient be taken? Answered.
    Rcpt(String),
    /// May this message be taken, and what belongs on top? Answered.
    Message(Message),
    /// The transaction is over; the reply that its client heard last, or nothing.
    End(String),
}

/// What is known when a message begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The client's address.
    pub client: IpAddr,
    /// What it said in HELO or EHLO.
    pub helo: String,
    /// The reverse-path, without angle brackets.
    pub mail_from: String,
    /// The name under which it logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// What is known when the message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Those that were taken, without angle brackets.
    pub recipients: Vec<String>,
    /// Its header, as far as methods read it.
    pub header: Header,
}

/// What a daemon answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// How the recipient is refused, as `550 5.7.23 ...`; nothing: it may be taken.
    Rcpt(Option<String>),
    /// What becomes of the message.
    Message(Outcome),
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it is refused; nothing: it may be taken.
    pub refusal: Option<String>,
    /// What belongs on top: names and values, folded or not.
    pub fields: Vec<(String, String)>,
}

/// What one side says, as a line with its end.
pub fn write(said: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(said).expect("texts and lists are JSON");
    line.push(b'\n');
    line
}

/// Reads a line of the other side.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_is_as_it_is_written_above() {
        let mail = Mail {
            client: [192, 0, 2, 25].into(),
            helo: "mail.example.com".to_owned(),
            mail_from: "a@example.com".to_owned(),
            login: None,
        };
        let message = Message {
            recipients: vec!["b@example.org".to_owned()],
            header: Header::read(b"From: \"\xe9\" <a@example.com>\r\n\r\n"),
        };
        for (question, text) in [
            (
                Question::Mail(mail),
                "{\"mail\":{\"client\":\"192.0.2.25\",\"helo\":\"mail.example.com\",\
                 \"mail_from\":\"a@example.com\"}}\n",
            ),
            (Question::Rcpt("b@example.org".to_owned()), "{\"rcpt\":\"b@example.org\"}\n"),
            (
                Question::Message(message),
                "{\"message\":{\"recipients\":[\"b@example.org\"],\"header\":{\"fields\":[{\
                 \"name\":\"From\",\"value\":\" \\\"\\\\233\\\" <a@example.com>\"}]}}}\n",
            ),
            (Question::End("250 2.0.0 Ok".to_owned()), "{\"end\":\"250 2.0.0 Ok\"}\n"),
        ] {
            assert_eq!(String::from_utf8(write(&question)).unwrap(), text);
            assert_eq!(read::<Question>(text.as_bytes()), Ok(question));
        }
        let answer = Answer::Message(Outcome {
            refusal: None,
            fields: vec![("Authentication-Results".to_owned(), "x".to_owned())],
        });
        let text =
            "{\"message\":{\"refusal\":null,\"fields\":[[\"Authentication-Results\",\"x\"]]}}\n";
        assert_eq!(String::from_utf8(write(&answer)).unwrap(), text);
        assert_eq!(read::<Answer>(text.as_bytes()), Ok(answer));
        assert_eq!(write(&Answer::Rcpt(None)), b"{\"rcpt\":null}\n");
        assert!(read::<Answer>(b"{\"rcpt\":1}").is_err());
        assert!(read::<Question>(b"").is_err());
    }

    #[test]
    fn the_longest_header_is_a_line() {
        let field = format!("From: {}\r\n", "\0".repeat(quivive_evidence::HEADER_OCTETS_MAX - 10));
        let header = Header::read(field.as_bytes());
        assert!(!header.cut);
        let recipients = vec!["\u{1}".repeat(RECIPIENTS_OCTETS_MAX)];
        let line = write(&Question::Message(Message { recipients, header }));
        assert!(line.len() < LINE_OCTETS_MAX, "{}", line.len());
    }
}
