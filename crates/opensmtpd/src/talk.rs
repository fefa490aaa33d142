//! What a filter and its daemon say to each other about one message: an object of JSON a line, over
//! a connection of its own. Both are the same program; [`Hello::talk`] says whether they are of an
//! age.
//!
//! ```text
//! daemon: {"talk":1,"names":["mx.example.org"]}
//! filter: {"mail":{"client":"192.0.2.25","helo":"mail.example.com","mail_from":"a@b.example"}}
//! filter: {"rcpt":"b@example.org"}
//! daemon: {"rcpt":null}
//! filter: {"message":{"recipients":["b@example.org"],"header":{"fields":[...]},"received":[...]}}
//! daemon: {"message":{"refusal":null,"fields":[["Authentication-Results","..."]]}}
//! filter: {"end":"250 2.0.0 c8bb6d9e Message accepted for delivery"}
//! ```
//! Whoever is gone before the end has given up.

use std::net::IpAddr;

use quivive_evidence::{Header, Octets, RECEIVED_MAX};
use quivive_mail::RECEIVED_READ_MAX;
use serde::{Deserialize, Serialize};

/// Which talk this is.
pub const TALK: u32 = 1;

/// How long a line may be, in octets: a header and its `Received` fields with every octet written
/// in five, and recipients with every octet written in six.
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
    /// What the `Received` fields of the header say, from the top: nothing of it is written with
    /// the header itself. See [`Message::new`] and [`Message::whole_header`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<Octets>,
}

impl Message {
    /// A message with these recipients and this header.
    pub fn new(recipients: Vec<String>, mut header: Header) -> Self {
        let received = std::mem::take(&mut header.received);
        Self { recipients, header, received }
    }

    /// Its header with all that was told of it, within the bounds of a header that was read here.
    pub fn whole_header(self) -> Header {
        let mut received = self.received;
        received.truncate(RECEIVED_MAX);
        for said in &mut received {
            if said.0.len() > RECEIVED_READ_MAX {
                *said = said.0[..RECEIVED_READ_MAX].into();
            }
        }
        Header { received, ..self.header }
    }
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
            received: Vec::new(),
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
        let received =
            format!("Received: {}\r\n", "\0".repeat(RECEIVED_READ_MAX)).repeat(RECEIVED_MAX);
        let octets_max = quivive_evidence::HEADER_OCTETS_MAX - 100;
        let field = format!("From: {}\r\n", "\0".repeat(octets_max));
        let header = Header::read((received + &field).as_bytes());
        assert!(!header.cut);
        let recipients = vec!["\u{1}".repeat(RECIPIENTS_OCTETS_MAX)];
        let line = write(&Question::Message(Message::new(recipients, header)));
        assert!(line.len() < LINE_OCTETS_MAX, "{}", line.len());
    }

    #[test]
    fn what_gateways_say_is_told_and_bounded() {
        let header = Header::read(b"Received: from a by b\r\nFrom: a@example.com\r\n\r\n");
        let message = Message::new(Vec::new(), header.clone());
        let line = write(&message);
        assert!(String::from_utf8_lossy(&line).contains("\"received\":[\" from a by b\"]"));
        assert_eq!(read::<Message>(&line).unwrap().whole_header(), header);
        let long = Octets::from("x".repeat(2 * RECEIVED_READ_MAX).as_str());
        let received = vec![long; 2 * RECEIVED_MAX];
        let header = Message { received, ..Message::new(Vec::new(), header) }.whole_header();
        assert_eq!(header.received.len(), RECEIVED_MAX);
        assert!(header.received.iter().all(|said| said.0.len() == RECEIVED_READ_MAX));
    }
}
