use memchr::memchr2;
use quivive_mail::ForwardPath;

use super::RECIPIENTS_MAX;
use super::{
    Asked, COMMANDS_MAX, ERRORS_MAX, Event, Mode, SKIPPED_OCTETS_MAX, Session, Step, replies,
};
use crate::line::LineError;
use crate::{Body, Command, CommandError, Mail, Rcpt, Reply, Stated, Xclient, path};

/// Command lines.
impl Session {
    pub(super) fn command_line(&mut self) -> Step {
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

    pub(super) fn skip_line(&mut self, skipped: usize) -> Step {
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
            Command::Auth(auth) => self.auth(auth),
        }
    }

    pub(super) fn say(&mut self, reply: &Reply) -> Step {
        reply.write(&mut self.output);
        Step::Again
    }

    /// Answers what is wrong in syntax or order.
    pub(super) fn error(&mut self, reply: &Reply) -> Step {
        reply.write(&mut self.output);
        self.errors += 1;
        if self.errors >= ERRORS_MAX {
            self.close(&replies::TOO_MANY_ERRORS);
        }
        Step::Again
    }

    pub(super) fn ask(&mut self, asked: Asked, event: Event<'static>) -> Step {
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
            || (parameters.size.is_some() && offered.size.is_none())
            || (parameters.submitter.is_some() && !offered.submitter);
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
