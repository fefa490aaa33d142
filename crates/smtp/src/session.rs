//! A client's session as the server sees it, without its socket: the order of commands, what was
//! offered, and where a message begins and ends.

mod auth;
mod commands;
mod content;
mod input;
mod replies;
#[cfg(test)]
mod tests;

use self::input::Input;
use crate::line::{COMMAND_LINE_OCTETS_MAX, LineDecoder};
use crate::sasl::{Mechanism, RESPONSE_LINE_OCTETS_MAX};
use crate::{BdatDecoder, DataDecoder, Extensions, Mail, Rcpt, Reply, Xclient};

/// How many recipients a transaction may have (RFC 5321 section 4.5.3.1.8 asks for a hundred).
pub const RECIPIENTS_MAX: usize = 1000;

/// How many commands in a session, since the last message that was taken, may be wrong in syntax or
/// order.
pub const ERRORS_MAX: usize = 20;

/// How many commands a session may have, since the last message that was taken.
pub const COMMANDS_MAX: usize = 4096;

/// How much of a command line that is too long is read to its end before the session is closed.
pub const SKIPPED_OCTETS_MAX: usize = 65_536;

/// How many octets beyond the largest message are read, so that the client hears why it is refused.
pub const EXCESS_OCTETS_MAX: u64 = 64 * 1024 * 1024;

/// One session. Octets are read into [`Session::space`]; [`Session::event`] says what they mean;
/// what there is to send collects in [`Session::output`].
#[derive(Debug)]
pub struct Session {
    input: Input,
    output: Vec<u8>,
    line: LineDecoder,
    response: LineDecoder,
    mode: Mode,
    asked: Option<Asked>,
    size_max: u64,
    offered: Extensions,
    hello: bool,
    logged_in: bool,
    transaction: Option<Transaction>,
    content: Option<Content>,
    errors: usize,
    commands: usize,
    quit: bool,
}

/// What came. Unless it says otherwise, the door answers by [`Session::answer`] before it asks for
/// the next.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Nothing is known before more is read. Send the output first. Not answered.
    Starved,
    /// HELO or EHLO: the transaction, if there was one, is over. Answered by [`Session::welcome`],
    /// or by [`Session::answer`] to refuse.
    Hello {
        /// EHLO.
        extended: bool,
        /// The argument.
        name: String,
    },
    /// MAIL.
    Mail(Mail),
    /// RCPT.
    Rcpt(Rcpt),
    /// A message is about to come. Not answered, save by [`Session::refuse_content`].
    Begin,
    /// Content. Not answered, save by [`Session::refuse_content`].
    Content(&'a [u8]),
    /// The message is complete. The answer ends the transaction.
    End,
    /// The transaction is over without a message. Not answered.
    Reset,
    /// STARTTLS. An answer of 220 takes the session to where it began and drops what was read: then
    /// comes the handshake (RFC 3207 section 4.2).
    StartTls,
    /// XCLIENT. An answer of 220 takes the session to where it began.
    Xclient(Box<Xclient>),
    /// AUTH (RFC 4954). Answered by [`Session::challenge`] or [`Session::answer`]: 235 logs the
    /// client in, any other code ends the exchange.
    Auth {
        /// One of those that were offered.
        mechanism: Mechanism,
        /// What came with it.
        initial_response: Option<Secret>,
    },
    /// What the client says to a challenge. Answered as [`Event::Auth`].
    Response(Secret),
    /// The client gave up the exchange, or said what cannot be read. Not answered.
    AuthEnded,
    /// The session is over: send the output and close. Not answered.
    Closed,
}

/// Octets that may hold a password. They show nothing.
#[derive(PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

#[derive(Debug)]
enum Mode {
    Commands,
    /// Inside a command line that is too long, of which so many octets are gone.
    Skipping(usize),
    /// A challenge was sent and has no response yet.
    Challenged,
    /// DATA came and has no answer yet.
    BeforeData,
    Data(DataDecoder),
    Chunk {
        last: bool,
    },
    Closed,
}

/// What the next answer is an answer to.
#[derive(Debug)]
enum Asked {
    Hello { extended: bool },
    Mail { smtputf8: bool },
    Rcpt,
    End,
    StartTls,
    Xclient { helo: bool },
    Auth,
}

#[derive(Debug)]
struct Transaction {
    smtputf8: bool,
    recipients: usize,
    attempted: bool,
}

/// A message on its way.
#[derive(Debug, Default)]
struct Content {
    octets: u64,
    chunks: BdatDecoder,
    /// What is answered in the end; until then the rest is thrown away.
    refusal: Option<Reply>,
}

enum Step {
    Again,
    Event(Event<'static>),
    /// So many octets of content were consumed.
    Content(usize),
}

impl Session {
    /// A session before its greeting, which takes messages of so many octets.
    pub fn new(size_max: u64) -> Self {
        Self {
            input: Input::new(),
            output: Vec::new(),
            line: LineDecoder::new(COMMAND_LINE_OCTETS_MAX),
            response: LineDecoder::new(RESPONSE_LINE_OCTETS_MAX),
            mode: Mode::Commands,
            asked: None,
            size_max,
            offered: Extensions::default(),
            hello: false,
            logged_in: false,
            transaction: None,
            content: None,
            errors: 0,
            commands: 0,
            quit: false,
        }
    }

    /// Speaks first. Any other code than 220 closes the session.
    pub fn greet(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
        if reply.code != 220 {
            self.mode = Mode::Closed;
        }
    }

    /// Where to read to; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        self.input.space()
    }

    /// So many octets were read.
    pub fn filled(&mut self, octets: usize) {
        self.input.filled(octets);
    }

    /// What there is to send. The driver clears it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Whether octets were read that no event has told yet.
    pub fn has_unread(&self) -> bool {
        !self.input.unread().is_empty()
    }

    /// Whether the session stands between commands and outside of a transaction.
    pub fn is_idle(&self) -> bool {
        matches!(self.mode, Mode::Commands) && self.transaction.is_none() && !self.has_unread()
    }

    /// Whether a message is coming.
    pub fn is_receiving(&self) -> bool {
        matches!(self.mode, Mode::Data(_) | Mode::Chunk { .. })
    }

    /// What is next.
    pub fn event(&mut self) -> Event<'_> {
        debug_assert!(self.asked.is_none(), "an event was not answered");
        loop {
            match self.step() {
                Step::Again => {}
                Step::Event(event) => return event,
                Step::Content(octets) => return Event::Content(self.input.consumed(octets)),
            }
        }
    }

    /// Answers HELO or EHLO: our name, and to EHLO what is offered.
    pub fn welcome(&mut self, hostname: &str, extensions: Extensions) {
        let extended = matches!(self.asked.take(), Some(Asked::Hello { extended: true }));
        self.offered = if extended { extensions } else { Extensions::default() };
        self.size_max = self.offered.size.unwrap_or(self.size_max);
        self.hello = true;
        let reply = match extended {
            true => self.offered.reply(hostname),
            false => Reply::plain(250, hostname.to_owned()),
        };
        reply.write(&mut self.output);
    }

    /// Answers an event. 421 closes the session.
    pub fn answer(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
        if reply.code == 421 {
            self.mode = Mode::Closed;
        }
        let positive = reply.is_positive();
        match self.asked.take() {
            Some(Asked::Mail { smtputf8 }) if positive => {
                self.transaction = Some(Transaction { smtputf8, recipients: 0, attempted: false });
            }
            Some(Asked::Rcpt) if positive => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.recipients += 1;
                }
            }
            Some(Asked::End) => {
                self.end_transaction();
                if positive {
                    (self.errors, self.commands) = (0, 0);
                }
            }
            Some(Asked::StartTls) if positive => {
                self.input.clear();
                self.line.reset();
                self.restart(false);
            }
            Some(Asked::Xclient { helo }) if positive => self.restart(helo),
            Some(Asked::Auth) => self.logged_in = reply.code == 235,
            _ => {}
        }
    }

    /// Refuses the message that is about to come or is coming. The rest of it is thrown away, the
    /// client hears the reply when its turn is, and [`Event::Reset`] follows.
    pub fn refuse_content(&mut self, reply: Reply) {
        if let Some(content) = &mut self.content {
            content.refusal.get_or_insert(reply);
        }
    }

    /// Whether the client has said QUIT: it expects nothing more.
    pub fn has_quit(&self) -> bool {
        self.quit
    }

    /// Speaks a last word.
    pub fn close(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
        self.asked = None;
        self.mode = Mode::Closed;
    }

    fn restart(&mut self, hello: bool) {
        self.end_transaction();
        self.hello = hello;
        self.logged_in = false;
        if !hello {
            self.offered = Extensions::default();
        }
    }

    fn end_transaction(&mut self) -> bool {
        self.content = None;
        self.transaction.take().is_some()
    }

    fn step(&mut self) -> Step {
        match self.mode {
            Mode::Commands => self.command_line(),
            Mode::Skipping(skipped) => self.skip_line(skipped),
            Mode::Challenged => self.auth_response(),
            Mode::BeforeData => self.before_data(),
            Mode::Data(_) => self.data(),
            Mode::Chunk { last } => self.chunk(last),
            Mode::Closed => Step::Event(Event::Closed),
        }
    }
}
