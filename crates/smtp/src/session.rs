//! A client's session as the server sees it, without its socket: the order of commands, what was
//! offered, and where a message begins and ends.

mod input;
mod replies;
#[cfg(test)]
mod tests;

use memchr::memchr2;
use quivive_mail::ForwardPath;

use self::input::Input;
use crate::line::{COMMAND_LINE_OCTETS_MAX, LineDecoder, LineError};
use crate::{
    BdatDecoder, Body, Command, CommandError, DataDecoder, Extensions, Mail, Rcpt, Reply, Stated,
    Xclient, path,
};

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
    mode: Mode,
    asked: Option<Asked>,
    size_max: u64,
    offered: Extensions,
    hello: bool,
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
    /// The session is over: send the output and close. Not answered.
    Closed,
}

#[derive(Debug)]
enum Mode {
    Commands,
    /// Inside a command line that is too long, of which so many octets are gone.
    Skipping(usize),
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
            mode: Mode::Commands,
            asked: None,
            size_max,
            offered: Extensions::default(),
            hello: false,
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
            Mode::BeforeData => self.before_data(),
            Mode::Data(_) => self.data(),
            Mode::Chunk { last } => self.chunk(last),
            Mode::Closed => Step::Event(Event::Closed),
        }
    }
}

/// Command lines.
impl Session {
    fn command_line(&mut self) -> Step {
        let line = match self.line.decode(self.input.unread()) {
            Ok(Some(line)) => line,
            Ok(None) => return Step::Event(Event::Starved),
            Err(LineError::TooLong) => {
                self.line.reset();
                self.mode = Mode::Skipping(0);
                return Step::Again;
            }
            Err(error) => {
                self.close(&replies::broken_framing(error));
                return Step::Again;
            }
        };
        let octets = line.len() + 2;
        let command = Command::parse(line);
        self.input.consume(octets);
        self.commands += 1;
        if self.commands > COMMANDS_MAX {
            self.close(&replies::TOO_MANY_COMMANDS);
            return Step::Again;
        }
        match command {
            Ok(command) => self.command(command),
            Err(CommandError { reply, foreign: true }) => {
                self.close(&Reply { code: 521, ..reply });
                Step::Again
            }
            Err(CommandError { reply, foreign: false }) => self.error(&reply),
        }
    }

    fn skip_line(&mut self, skipped: usize) -> Step {
        let unread = self.input.unread();
        let end = memchr2(b'\r', b'\n', unread);
        let octets = end.unwrap_or(unread.len());
        let after = end.map(|end| (unread[end], unread.get(end + 1).copied()));
        self.input.consume(octets);
        self.mode = Mode::Skipping(skipped + octets);
        match after {
            _ if skipped + octets > SKIPPED_OCTETS_MAX => self.close(&replies::LINE_TOO_LONG),
            None | Some((b'\r', None)) => return Step::Event(Event::Starved),
            Some((b'\r', Some(b'\n'))) => {
                self.input.consume(2);
                self.mode = Mode::Commands;
                return self.error(&replies::LINE_TOO_LONG);
            }
            Some((b'\n', _)) => self.close(&replies::broken_framing(LineError::BareLf)),
            Some(_) => self.close(&replies::broken_framing(LineError::BareCr)),
        }
        Step::Again
    }

    fn command(&mut self, command: Command) -> Step {
        match command {
            Command::Helo(name) => self.hello(false, name),
            Command::Ehlo(name) => self.hello(true, name),
            Command::Lhlo(_) => self.error(&replies::NOT_LMTP),
            Command::Mail(mail) => self.mail(mail),
            Command::Rcpt(rcpt) => self.rcpt(rcpt),
            Command::Data => self.data_command(),
            Command::Bdat { octets, last } => self.bdat(octets, last),
            Command::Rset => {
                replies::OK.write(&mut self.output);
                if self.end_transaction() { Step::Event(Event::Reset) } else { Step::Again }
            }
            Command::Noop => self.say(&replies::OK),
            Command::Vrfy => self.say(&replies::CANNOT_VERIFY),
            Command::Help => self.say(&replies::HELP),
            Command::Quit => {
                self.quit = true;
                self.close(&replies::BYE);
                Step::Again
            }
            Command::StartTls => self.start_tls(),
            Command::Xclient(xclient) => self.xclient(xclient),
        }
    }

    fn say(&mut self, reply: &Reply) -> Step {
        reply.write(&mut self.output);
        Step::Again
    }

    /// Answers what is wrong in syntax or order.
    fn error(&mut self, reply: &Reply) -> Step {
        reply.write(&mut self.output);
        self.errors += 1;
        if self.errors >= ERRORS_MAX {
            self.close(&replies::TOO_MANY_ERRORS);
        }
        Step::Again
    }

    fn ask(&mut self, asked: Asked, event: Event<'static>) -> Step {
        self.asked = Some(asked);
        Step::Event(event)
    }

    fn hello(&mut self, extended: bool, name: String) -> Step {
        self.end_transaction();
        self.ask(Asked::Hello { extended }, Event::Hello { extended, name })
    }

    fn mail(&mut self, mail: Mail) -> Step {
        let parameters = &mail.parameters;
        let offered = self.offered;
        let dsn = parameters.ret.is_some() || parameters.envid.is_some();
        let eight_bit = parameters.body == Some(Body::EightBitMime);
        let not_offered = (dsn && !offered.dsn)
            || (eight_bit && !offered.eight_bit_mime)
            || (parameters.smtputf8 && !offered.smtputf8)
            || (parameters.size.is_some() && offered.size.is_none());
        if !self.hello {
            self.error(&replies::HELLO_FIRST)
        } else if self.transaction.is_some() {
            self.error(&replies::MAIL_TWICE)
        } else if not_offered {
            self.error(&replies::NOT_OFFERED)
        } else if parameters.size.is_some_and(|size| size > self.size_max) {
            self.say(&replies::TOO_LARGE)
        } else {
            self.ask(Asked::Mail { smtputf8: parameters.smtputf8 }, Event::Mail(mail))
        }
    }

    fn rcpt(&mut self, rcpt: Rcpt) -> Step {
        let dsn = rcpt.parameters.notify.is_some() || rcpt.parameters.orcpt.is_some();
        let utf8 = match &rcpt.forward_path {
            ForwardPath::Mailbox(mailbox) => mailbox.needs_smtputf8(),
            ForwardPath::Postmaster => false,
        };
        let chunks_open = self.content.is_some();
        let Some(transaction) = &mut self.transaction else {
            return self.error(&replies::MAIL_FIRST);
        };
        transaction.attempted = true;
        if chunks_open {
            self.error(&replies::CHUNKS_OPEN)
        } else if utf8 && !transaction.smtputf8 {
            self.error(&path::NEEDS_SMTPUTF8)
        } else if dsn && !self.offered.dsn {
            self.error(&replies::NOT_OFFERED)
        } else if transaction.recipients >= RECIPIENTS_MAX {
            self.say(&replies::TOO_MANY_RECIPIENTS)
        } else {
            self.ask(Asked::Rcpt, Event::Rcpt(rcpt))
        }
    }

    fn start_tls(&mut self) -> Step {
        if self.transaction.is_some() {
            self.error(&replies::TRANSACTION_OPEN)
        } else if !self.offered.starttls {
            self.error(&replies::NO_TLS)
        } else {
            self.ask(Asked::StartTls, Event::StartTls)
        }
    }

    fn xclient(&mut self, xclient: Box<Xclient>) -> Step {
        if !self.offered.xclient {
            self.error(&replies::NO_XCLIENT)
        } else if self.transaction.is_some() {
            self.error(&replies::TRANSACTION_OPEN)
        } else {
            let helo = matches!(xclient.helo, Some(Stated::Value(_)));
            self.ask(Asked::Xclient { helo }, Event::Xclient(xclient))
        }
    }
}

/// Content.
impl Session {
    /// Why no message can come now.
    fn content_refusal(&self) -> Option<Reply> {
        match &self.transaction {
            None => Some(replies::MAIL_FIRST),
            Some(Transaction { recipients: 0, attempted: true, .. }) => {
                Some(replies::NO_RECIPIENTS)
            }
            Some(Transaction { recipients: 0, .. }) => Some(replies::RCPT_FIRST),
            Some(_) => None,
        }
    }

    fn data_command(&mut self) -> Step {
        if self.content.is_some() {
            return self.error(&replies::CHUNKS_OPEN);
        }
        match self.content_refusal() {
            Some(reply) => self.refuse_data(&reply),
            None => {
                self.content = Some(Content::default());
                self.mode = Mode::BeforeData;
                Step::Event(Event::Begin)
            }
        }
    }

    /// RFC 2920 section 3.1: nothing follows DATA before its answer. What does is a message, which
    /// must not be taken for commands.
    fn refuse_data(&mut self, reply: &Reply) -> Step {
        if self.has_unread() {
            self.close(reply);
            return Step::Again;
        }
        self.error(reply)
    }

    fn before_data(&mut self) -> Step {
        self.mode = Mode::Commands;
        match self.content.as_mut().and_then(|content| content.refusal.take()) {
            Some(reply) => {
                self.refuse_data(&reply);
                self.end_transaction();
                Step::Event(Event::Reset)
            }
            None => {
                self.mode = Mode::Data(DataDecoder::new());
                self.say(&Reply::plain(354, "Go on; CRLF.CRLF is the end"))
            }
        }
    }

    fn data(&mut self) -> Step {
        let Mode::Data(decoder) = &mut self.mode else { return Step::Again };
        let decoded = match decoder.decode(self.input.unread()) {
            Ok(decoded) => decoded,
            Err(error) => {
                self.close(&replies::broken_framing(error));
                return Step::Again;
            }
        };
        let (consumed, octets, end) = (decoded.consumed, decoded.content.len(), decoded.end);
        self.input.consume(consumed);
        if end {
            self.mode = Mode::Commands;
            self.end_message()
        } else if consumed == 0 {
            Step::Event(Event::Starved)
        } else {
            self.take_content(octets)
        }
    }

    fn bdat(&mut self, octets: u64, last: bool) -> Step {
        let refusal = match self.offered.chunking {
            true => self.content_refusal(),
            false => Some(replies::NO_CHUNKING),
        };
        let first = self.content.is_none() && refusal.is_none();
        let content = self.content.get_or_insert_default();
        content.chunks.begin(octets, last);
        let announced = content.octets.saturating_add(octets);
        if content.refusal.is_none() {
            content.refusal =
                refusal.or_else(|| (announced > self.size_max).then_some(replies::TOO_LARGE));
        }
        self.mode = Mode::Chunk { last };
        if announced > self.size_max.saturating_add(EXCESS_OCTETS_MAX) {
            self.close(&replies::TOO_LARGE);
        }
        if first { Step::Event(Event::Begin) } else { Step::Again }
    }

    fn chunk(&mut self, last: bool) -> Step {
        let Some(content) = &mut self.content else { return Step::Again };
        let before = content.chunks.remaining();
        let unread = self.input.unread();
        let octets = match content.refusal {
            Some(_) => {
                content.chunks.skip(unread);
                0
            }
            None => match content.chunks.decode(unread) {
                Ok(decoded) => decoded.content.len(),
                Err(error) => {
                    content.refusal = Some(replies::bad_chunk(error));
                    0
                }
            },
        };
        let remaining = content.chunks.remaining();
        // No more than was unread, which fits.
        let consumed = usize::try_from(before - remaining).unwrap_or(0);
        self.input.consume(consumed);
        if octets > 0 {
            self.take_content(octets)
        } else if remaining > 0 {
            Step::Event(Event::Starved)
        } else {
            self.mode = Mode::Commands;
            self.end_chunk(last)
        }
    }

    fn end_chunk(&mut self, last: bool) -> Step {
        let refused = self.content.as_ref().is_some_and(|content| content.refusal.is_some());
        if last || refused {
            return self.end_message();
        }
        self.say(&Reply::new(250, quivive_mail::EnhancedStatus(2, 0, 0), "The chunk is taken"))
    }

    fn take_content(&mut self, octets: usize) -> Step {
        let Some(content) = &mut self.content else { return Step::Again };
        content.octets += octets as u64;
        if content.octets > self.size_max.saturating_add(EXCESS_OCTETS_MAX) {
            self.close(&replies::TOO_LARGE);
            return Step::Again;
        }
        if content.octets > self.size_max {
            content.refusal.get_or_insert(replies::TOO_LARGE);
        }
        if content.refusal.is_some() { Step::Again } else { Step::Content(octets) }
    }

    fn end_message(&mut self) -> Step {
        match self.content.as_mut().and_then(|content| content.refusal.take()) {
            Some(reply) => {
                reply.write(&mut self.output);
                if self.end_transaction() { Step::Event(Event::Reset) } else { Step::Again }
            }
            None => self.ask(Asked::End, Event::End),
        }
    }
}
