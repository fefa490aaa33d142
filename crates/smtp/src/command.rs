//! Commands: one type for what a server reads and what a client writes.

use std::fmt;

use quivive_mail::{Charset, EnhancedStatus, ForwardPath, ReversePath};

use crate::parameters::{MailParameters, RcptParameters};
use crate::{Reply, Xclient, path};

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// HELO with the client's name.
    Helo(String),
    /// EHLO with the client's name.
    Ehlo(String),
    /// LHLO (RFC 2033) with the client's name.
    Lhlo(String),
    /// MAIL.
    Mail(Mail),
    /// RCPT.
    Rcpt(Rcpt),
    /// DATA.
    Data,
    /// BDAT (RFC 3030).
    Bdat {
        /// How many octets follow the command.
        octets: u64,
        /// This chunk is the message's last.
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY.
    Vrfy,
    /// HELP.
    Help,
    /// STARTTLS (RFC 3207).
    StartTls,
    /// XCLIENT.
    Xclient(Box<Xclient>),
    /// AUTH (RFC 4954).
    Auth(Auth),
}

/// AUTH with its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    /// The mechanism's name, in upper case.
    pub mechanism: String,
    /// The initial response, in base64; `=` if it is empty.
    pub initial_response: Option<String>,
}

/// MAIL with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whom the message is from.
    pub reverse_path: ReversePath,
    /// What follows it.
    pub parameters: MailParameters,
}

/// RCPT with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rcpt {
    /// Whom it is for.
    pub forward_path: ForwardPath,
    /// What follows it.
    pub parameters: RcptParameters,
}

/// Why a line is no command: what to answer, and whether the peer speaks another protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// The answer.
    pub reply: Reply,
    /// The peer does not speak SMTP. To go on would let a web browser be used to send mail.
    pub foreign: bool,
}

/// The most digits of a chunk's size (RFC 3030 section 2 has no bound; twenty are 64 bits).
const CHUNK_DIGITS_MAX: usize = 20;

const UNKNOWN: Reply = Reply::new(500, EnhancedStatus(5, 5, 1), "Command not recognized");
const NOT_IMPLEMENTED: Reply = Reply::new(502, EnhancedStatus(5, 5, 1), "Command not implemented");
const NO_ARGUMENTS: Reply =
    Reply::new(501, EnhancedStatus(5, 5, 4), "This command takes no arguments");
const OCTETS: Reply = Reply::new(
    500,
    EnhancedStatus(5, 5, 2),
    "A command may not contain control octets, nor others than ASCII here",
);

/// The commands of HTTP, which a web page can make a browser send to any port.
const FOREIGN: &[&str] = &["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "PATCH", "DELETE"];

impl Command {
    /// Reads a command line, without its CRLF.
    ///
    /// Octets beyond ASCII pass in the paths of MAIL and RCPT alone, and in MAIL only with
    /// SMTPUTF8; whether RCPT may have them is known by its MAIL (RFC 6531 section 3.4).
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let text = std::str::from_utf8(line).map_err(|_| refuse(OCTETS))?;
        if text.chars().any(char::is_control) {
            return Err(refuse(OCTETS));
        }
        let (verb, arguments) = text.split_once(' ').unwrap_or((text, ""));
        let verb = verb.to_ascii_uppercase();
        let arguments = arguments.trim_matches(' ');
        if !text.is_ascii() && !matches!(verb.as_str(), "MAIL" | "RCPT") {
            return Err(refuse(OCTETS));
        }
        let foreign = FOREIGN.contains(&verb.as_str());
        parse_arguments(&verb, arguments).map_err(|reply| CommandError { reply, foreign })
    }
}

fn refuse(reply: Reply) -> CommandError {
    CommandError { reply, foreign: false }
}

fn parse_arguments(verb: &str, arguments: &str) -> Result<Command, Reply> {
    let bare = |command| if arguments.is_empty() { Ok(command) } else { Err(NO_ARGUMENTS) };
    match verb {
        "HELO" => host_name(arguments).map(Command::Helo),
        "EHLO" => host_name(arguments).map(Command::Ehlo),
        "LHLO" => host_name(arguments).map(Command::Lhlo),
        "MAIL" => parse_mail(arguments).map(Command::Mail),
        "RCPT" => parse_rcpt(arguments).map(Command::Rcpt),
        "DATA" => bare(Command::Data),
        "BDAT" => parse_bdat(arguments),
        "RSET" => bare(Command::Rset),
        "QUIT" => bare(Command::Quit),
        "STARTTLS" => bare(Command::StartTls),
        "XCLIENT" => Xclient::parse(arguments).map(|xclient| Command::Xclient(Box::new(xclient))),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if !arguments.is_empty() => Ok(Command::Vrfy),
        "VRFY" => {
            Err(Reply::new(501, EnhancedStatus(5, 5, 4), "The syntax is VRFY, then an address"))
        }
        "AUTH" => parse_auth(arguments).map(Command::Auth),
        "EXPN" | "ETRN" | "TURN" | "ATRN" | "SEND" | "SOML" | "SAML" | "BURL" => {
            Err(NOT_IMPLEMENTED)
        }
        _ => Err(UNKNOWN),
    }
}

fn host_name(arguments: &str) -> Result<String, Reply> {
    if arguments.is_empty() {
        let text = "The syntax is HELO or EHLO, then the name of your host";
        return Err(Reply::new(501, EnhancedStatus(5, 5, 4), text));
    }
    Ok(arguments.to_owned())
}

fn parse_mail(arguments: &str) -> Result<Mail, Reply> {
    const SYNTAX: Reply =
        Reply::new(501, EnhancedStatus(5, 5, 4), "The syntax is MAIL FROM:<address>");
    let (path, parameters) = path::split(arguments, "FROM:").ok_or(SYNTAX)?;
    let reverse_path =
        ReversePath::parse(path.as_bytes(), Charset::Utf8).map_err(path::refuse_reverse)?;
    let parameters = MailParameters::parse(parameters)?;
    if !path.is_ascii() && !parameters.smtputf8 {
        return Err(path::NEEDS_SMTPUTF8);
    }
    Ok(Mail { reverse_path, parameters })
}

fn parse_rcpt(arguments: &str) -> Result<Rcpt, Reply> {
    const SYNTAX: Reply =
        Reply::new(501, EnhancedStatus(5, 5, 4), "The syntax is RCPT TO:<address>");
    let (path, parameters) = path::split(arguments, "TO:").ok_or(SYNTAX)?;
    let forward_path =
        ForwardPath::parse(path.as_bytes(), Charset::Utf8).map_err(path::refuse_forward)?;
    let parameters = RcptParameters::parse(parameters)?;
    Ok(Rcpt { forward_path, parameters })
}

/// `auth-command` of RFC 4954 section 4; a mechanism's name is that of RFC 4422 section 3.1.
fn parse_auth(arguments: &str) -> Result<Auth, Reply> {
    const SYNTAX: Reply = Reply::new(
        501,
        EnhancedStatus(5, 5, 4),
        "The syntax is AUTH, a mechanism, and an initial response or nothing",
    );
    let (mechanism, response) = match arguments.split_once(' ') {
        Some((mechanism, response)) => (mechanism, Some(response)),
        None => (arguments, None),
    };
    let letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let is_name = (1..=20).contains(&mechanism.len()) && mechanism.bytes().all(letter);
    let is_word = response.is_none_or(|response| !response.contains(' '));
    match is_name && is_word {
        true => Ok(Auth {
            mechanism: mechanism.to_ascii_uppercase(),
            initial_response: response.map(str::to_owned),
        }),
        false => Err(SYNTAX),
    }
}

fn parse_bdat(arguments: &str) -> Result<Command, Reply> {
    const SYNTAX: Reply =
        Reply::new(501, EnhancedStatus(5, 5, 4), "The syntax is BDAT, a size, and LAST or nothing");
    let (octets, last) = match arguments.split_once(' ') {
        Some((octets, word)) if word.trim().eq_ignore_ascii_case("LAST") => (octets, true),
        Some(_) => return Err(SYNTAX),
        None => (arguments, false),
    };
    let digits = octets.bytes().all(|octet| octet.is_ascii_digit());
    if !digits || octets.len() > CHUNK_DIGITS_MAX {
        return Err(SYNTAX);
    }
    let octets = octets.parse().map_err(|_| SYNTAX)?;
    Ok(Command::Bdat { octets, last })
}

/// The command as it goes over the wire, without CRLF.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Helo(name) => write!(f, "HELO {name}"),
            Self::Ehlo(name) => write!(f, "EHLO {name}"),
            Self::Lhlo(name) => write!(f, "LHLO {name}"),
            Self::Mail(mail) => write!(f, "MAIL FROM:{}{}", mail.reverse_path, mail.parameters),
            Self::Rcpt(rcpt) => write!(f, "RCPT TO:{}{}", rcpt.forward_path, rcpt.parameters),
            Self::Data => f.write_str("DATA"),
            Self::Bdat { octets, last: false } => write!(f, "BDAT {octets}"),
            Self::Bdat { octets, last: true } => write!(f, "BDAT {octets} LAST"),
            Self::Rset => f.write_str("RSET"),
            Self::Noop => f.write_str("NOOP"),
            Self::Quit => f.write_str("QUIT"),
            Self::Vrfy => f.write_str("VRFY postmaster"),
            Self::Help => f.write_str("HELP"),
            Self::StartTls => f.write_str("STARTTLS"),
            Self::Xclient(xclient) => write!(f, "XCLIENT{xclient}"),
            Self::Auth(Auth { mechanism, initial_response: None }) => write!(f, "AUTH {mechanism}"),
            Self::Auth(Auth { mechanism, initial_response: Some(response) }) => {
                write!(f, "AUTH {mechanism} {response}")
            }
        }
    }
}

/// Shows no response: it may hold a password.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({}, ..)", self.mechanism)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(line: &str) -> u16 {
        Command::parse(line.as_bytes()).unwrap_err().reply.code
    }

    #[test]
    fn what_is_parsed_formats_as_it_was() {
        for line in [
            "HELO host.example",
            "EHLO [IPv6:2001:db8::1]",
            "LHLO host.example",
            "MAIL FROM:<>",
            "MAIL FROM:<a@example.com> SIZE=10 BODY=8BITMIME",
            "MAIL FROM:<\u{e4}@example.com> SMTPUTF8",
            "RCPT TO:<\"a>b\"@example.com> NOTIFY=NEVER",
            "RCPT TO:<Postmaster>",
            "DATA",
            "BDAT 10",
            "BDAT 0 LAST",
            "RSET",
            "NOOP",
            "QUIT",
            "HELP",
            "STARTTLS",
            "XCLIENT ADDR=192.0.2.1",
            "AUTH SCRAM-SHA-256",
            "AUTH PLAIN =",
        ] {
            assert_eq!(Command::parse(line.as_bytes()).unwrap().to_string(), line);
        }
    }

    #[test]
    fn case_and_blanks_are_free_where_the_rfc_lets_them() {
        let reverse_path = ReversePath::parse(b"<a@b.example>", Charset::Ascii).unwrap();
        let mail = Command::Mail(Mail { reverse_path, parameters: MailParameters::default() });
        for line in
            ["mail from:<a@b.example>", "Mail From: <a@b.example> ", "MAIL  FROM:<a@b.example>"]
        {
            assert_eq!(Command::parse(line.as_bytes()), Ok(mail.clone()), "{line}");
        }
        assert_eq!(Command::parse(b"quit "), Ok(Command::Quit));
        assert_eq!(Command::parse(b"noop what ever"), Ok(Command::Noop));
    }

    #[test]
    fn replies_say_what_is_wrong() {
        for (line, expected) in [
            ("", 500),
            ("FOO", 500),
            ("MAILFROM:<a@b>", 500),
            ("EXPN list", 502),
            ("AUTH", 501),
            ("AUTH PLAIN a b", 501),
            ("AUTH PL+IN", 501),
            ("AUTH ABCDEFGHIJKLMNOPQRSTU", 501),
            ("HELO", 501),
            ("EHLO  ", 501),
            ("DATA now", 501),
            ("QUIT now", 501),
            ("VRFY", 501),
            ("MAIL", 501),
            ("MAIL FROM:a@b.example", 501),
            ("MAIL FROM:<a@b.example", 501),
            ("MAIL FROM:<a@b.example>SIZE=1", 501),
            ("MAIL TO:<a@b.example>", 501),
            ("MAIL FROM:<a@b.example> FOO=1", 555),
            ("MAIL FROM:<a@b.example> BODY=9BIT", 504),
            ("MAIL FROM:<\u{e4}@b.example>", 553),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<root>", 501),
            ("RCPT TO:<@relay.example:victim@d.example>", 550),
            ("MAIL FROM:<@relay.example:a@d.example>", 553),
            ("MAIL FROM:<../../x@d.example>", 501),
            ("BDAT", 501),
            ("BDAT x", 501),
            ("BDAT -1", 501),
            ("BDAT 1 FIRST", 501),
            ("BDAT 99999999999999999999", 501),
            ("NOOP \u{e4}", 500),
            ("EHLO \u{e4}.example", 500),
            ("NOOP \u{0}", 500),
            ("NOOP \u{7f}", 500),
            ("NOOP\t", 500),
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
        assert_eq!(Command::parse(b"NOOP \xff").unwrap_err().reply.code, 500);
    }

    #[test]
    fn http_is_told_from_mail() {
        assert!(Command::parse(b"POST / HTTP/1.1").unwrap_err().foreign);
        assert!(!Command::parse(b"POSTE / HTTP/1.1").unwrap_err().foreign);
    }

    proptest! {
        #[test]
        fn no_octets_panic(line in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Command::parse(&line);
        }

        #[test]
        fn no_text_panics(
            verb in "(MAIL FROM:|RCPT TO:|BDAT |XCLIENT )", text in "[<>@\"\\\\ a.=,:%\u{e4}\\[\\]]{0,16}",
        ) {
            if let Ok(command) = Command::parse(format!("{verb}{text}").as_bytes()) {
                let line = command.to_string();
                prop_assert_eq!(Command::parse(line.as_bytes()), Ok(command));
            }
        }
    }
}
