use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use quivive_mail::EnhancedStatus;
use quivive_smtp::{
    Command, DataEncoder, Extensions, Mail, NO_SUBMITTER, Rcpt, Reply, ReplyDecoder, ReplyError,
    Xclient,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::{Dialect, Patience, Place, Security, Target};
use crate::header_edit::EditedMessage;
use crate::spool::SpoolError;
use crate::stream::{Stream, at_once};
use crate::watchdog::Watchdog;

/// How much of a message is gathered before it is written.
const OUTPUT_OCTETS: usize = 65_536;

/// How much of replies is read at once.
const INPUT_OCTETS: usize = 4096;

/// How long a reply is looked for when a next hop stops taking a message in its middle.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A connection to a next hop, past its greeting and EHLO.
pub(crate) struct Connection {
    pub(super) stream: Stream,
    watchdog: Watchdog,
    pub(super) input: Vec<u8>,
    decoder: ReplyDecoder,
    output: Vec<u8>,
    dialect: Dialect,
    pub(super) patience: Patience,
    pub(super) extensions: Extensions,
    /// A transaction is open there.
    pub(crate) open: bool,
    /// It stood idle, so that it may have been closed meanwhile.
    pub(crate) idle: bool,
    /// It speaks for one client alone.
    pub(crate) private: bool,
    /// We have logged in there.
    logged_in: bool,
    /// It is gone, or stands in the middle of a message, which closing alone does not end.
    pub(crate) spent: bool,
}

/// Why there is no answer from a next hop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    #[error("the connection was not made: {0}")]
    Unreachable(io::Error),
    #[error("it did not answer in time")]
    TimedOut,
    #[error("the connection was lost: {0}")]
    Broken(io::Error),
    #[error("it closed the connection")]
    Closed,
    #[error("its answer is not SMTP: {0}")]
    Garbled(#[from] ReplyError),
    #[error("what it says is no answer to what it was asked")]
    OutOfStep,
    #[error("it does not offer XCLIENT, so that it cannot be told the client")]
    Untold,
    #[error("it does not want to talk: {0}")]
    Unwelcome(Reply),
    #[error("it does not offer STARTTLS, and nothing is to be said to it in the clear")]
    NoTls,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("it offers neither PLAIN nor LOGIN to log in by")]
    NoLogin,
    #[error("it refuses the login: {0}")]
    LoginRefused(Reply),
}

/// Why a message did not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Lost(#[from] Lost),
    #[error(transparent)]
    Message(#[from] SpoolError),
}

impl Lost {
    /// What the client hears. It is told to come again, and nothing about our house.
    pub(crate) fn reply(&self) -> Reply {
        match self {
            Self::Unreachable(_) | Self::Unwelcome(_) => Reply::new(
                451,
                EnhancedStatus(4, 4, 1),
                "The next server does not answer; please try again later",
            ),
            Self::NoTls | Self::Handshake(_) | Self::NoLogin | Self::LoginRefused(_) => Reply::new(
                451,
                EnhancedStatus(4, 3, 5),
                "The next server cannot be used as it is set up; please try again later",
            ),
            Self::Untold => Reply::new(
                451,
                EnhancedStatus(4, 3, 5),
                "The next server is not set up to be told of you; please try again later",
            ),
            _ => Reply::new(
                451,
                EnhancedStatus(4, 4, 2),
                "The next server was lost; please try again later",
            ),
        }
    }
}

impl Connection {
    /// Connects, and says hello as `hostname`, and again after `xclient` where that is offered;
    /// then whatever makes the connection private and ours.
    pub(crate) async fn open(
        target: &Target,
        security: &Security,
        hostname: &str,
        xclient: Option<&Xclient>,
        patience: Patience,
    ) -> Result<Self, Lost> {
        let connected = timeout(patience.connect, connect(&target.place)).await;
        let mut stream = connected.map_err(|_| Lost::TimedOut)?.map_err(Lost::Unreachable)?;
        let tls = security.tls.as_ref();
        if let Some(tls) = tls.filter(|tls| tls.implicit) {
            stream = tls.handshake(stream, patience.greeting).await?;
        }
        let mut connection =
            Self::greet(stream, target.dialect, hostname, xclient, patience).await?;
        if let Some(tls) = tls.filter(|tls| !tls.implicit) {
            connection.start_tls(tls, hostname).await?;
        }
        if let Some(login) = &security.login {
            connection.log_in(login).await?;
            connection.logged_in = true;
        }
        Ok(connection)
    }

    /// As [`Connection::open`], over a stream that stands.
    pub(crate) async fn greet(
        stream: Stream,
        dialect: Dialect,
        hostname: &str,
        xclient: Option<&Xclient>,
        patience: Patience,
    ) -> Result<Self, Lost> {
        let mut connection = Self {
            stream,
            watchdog: Watchdog::new(),
            input: Vec::with_capacity(INPUT_OCTETS),
            decoder: ReplyDecoder::new(),
            output: Vec::new(),
            dialect,
            patience,
            extensions: Extensions::default(),
            open: false,
            idle: false,
            private: false,
            logged_in: false,
            spent: false,
        };
        let greeting = connection.reply(patience.greeting).await?;
        if greeting.code != 220 {
            return Err(Lost::Unwelcome(greeting));
        }
        connection.hello(hostname).await?;
        if let Some(xclient) = xclient.filter(|_| connection.extensions.xclient) {
            connection.private = true;
            connection.write(&Command::Xclient(Box::new(xclient.clone()))).await?;
            let reply = connection.reply(patience.greeting).await?;
            if reply.code != 220 {
                return Err(Lost::Unwelcome(reply));
            }
            connection.hello(hostname).await?;
            // It was not asked whether it would be told of yet another client.
            connection.extensions.xclient = true;
        }
        Ok(connection)
    }

    /// What it offers.
    pub(crate) fn extensions(&self) -> Extensions {
        self.extensions
    }

    /// Nothing was closed and nothing said out of turn.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        if !self.input.is_empty() {
            return false;
        }
        let mut octet = [0];
        let read = at_once(pin!(self.stream.read(&mut octet))).await;
        if let Some(Ok(length)) = read {
            self.input.extend_from_slice(&octet[..length]);
        }
        read.is_none()
    }

    /// MAIL with its first RCPT, in one go where the next hop lets us. The answer to MAIL, if that
    /// is a refusal, or else to RCPT.
    pub(crate) async fn begin(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<Begun, Lost> {
        let mail = Command::Mail(self.offered_mail(mail));
        let rcpt_command = Command::Rcpt(self.offered_rcpt(rcpt));
        if !self.extensions.pipelining {
            let reply = self.command(&mail).await?;
            self.open = reply.is_positive();
            if !self.open {
                return Ok(Begun::MailRefused(reply));
            }
            return self.command(&rcpt_command).await.map(Begun::Answered);
        }
        self.push(&mail);
        self.push(&rcpt_command);
        self.flush(self.patience.command).await?;
        let mail_reply = self.reply(self.patience.command).await?;
        self.open = mail_reply.is_positive();
        let rcpt_reply = self.reply(self.patience.command).await;
        if self.open {
            return rcpt_reply.map(Begun::Answered);
        }
        // Some refuse and close at once.
        self.spent = rcpt_reply.is_err();
        Ok(Begun::MailRefused(mail_reply))
    }

    /// Gives up the transaction.
    pub(crate) async fn reset(&mut self) -> Result<(), Lost> {
        let reply = self.command(&Command::Rset).await?;
        self.open = false;
        if reply.is_positive() { Ok(()) } else { Err(Lost::Unwelcome(reply)) }
    }

    /// A further RCPT.
    pub(crate) async fn rcpt(&mut self, rcpt: &Rcpt) -> Result<Reply, Lost> {
        let command = Command::Rcpt(self.offered_rcpt(rcpt));
        self.command(&command).await
    }

    /// The answer to DATA: 354, or a refusal. A next hop that tired of waiting may have said so
    /// already.
    pub(crate) async fn data(&mut self) -> Result<Reply, Lost> {
        let reply = match self.is_quiet().await {
            true => self.command(&Command::Data).await?,
            false => match self.reply(LAST_WORD).await? {
                reply if reply.code == 421 => reply,
                _ => return Err(Lost::OutOfStep),
            },
        };
        match reply.code {
            354 | 400.. => Ok(reply),
            // Nothing was handed over, so no answer can mean that it was taken.
            _ => Err(Lost::OutOfStep),
        }
    }

    /// The message after 354, and the answer to its end. After an error the connection is of no use
    /// any more.
    pub(crate) async fn send(
        &mut self,
        message: &mut EditedMessage<'_>,
    ) -> Result<Reply, SendError> {
        self.spent = true;
        let mut encoder = DataEncoder::new();
        while let Some(octets) = message.next().await? {
            encoder.encode(octets, &mut self.output);
            if self.output.len() >= OUTPUT_OCTETS
                && let Err(lost) = self.flush(self.patience.block).await
            {
                return self.last_word(lost).await;
            }
        }
        // What was said before the end is no answer to it.
        if !self.is_quiet().await {
            return Err(self.reply(LAST_WORD).await.err().unwrap_or(Lost::OutOfStep).into());
        }
        encoder.finish(&mut self.output);
        if let Err(lost) = self.flush(self.patience.block).await {
            return self.last_word(lost).await;
        }
        let reply = self.reply(self.patience.end).await?;
        // 250 alone says that the message was taken (RFC 5321 section 4.3.2).
        if !matches!(reply.code, 250 | 400..) {
            return Err(Lost::OutOfStep.into());
        }
        (self.open, self.spent) = (false, false);
        if self.output.capacity() > OUTPUT_OCTETS {
            // There may be many connections, and large messages are few.
            self.output.shrink_to(INPUT_OCTETS);
        }
        Ok(reply)
    }

    /// Says goodbye and does not wait.
    pub(crate) async fn quit(mut self) {
        let _ = timeout(LAST_WORD, self.write(&Command::Quit)).await;
    }

    /// A server that refuses a message in its middle says why before it closes.
    async fn last_word(&mut self, lost: Lost) -> Result<Reply, SendError> {
        match self.reply(LAST_WORD).await {
            Ok(reply) if reply.code >= 400 => Ok(reply),
            _ => Err(lost.into()),
        }
    }

    pub(super) async fn hello(&mut self, hostname: &str) -> Result<(), Lost> {
        let hello = match self.dialect {
            Dialect::Smtp => Command::Ehlo(hostname.to_owned()),
            Dialect::Lmtp => Command::Lhlo(hostname.to_owned()),
        };
        self.write(&hello).await?;
        let reply = self.reply(self.patience.greeting).await?;
        if reply.is_positive() {
            self.extensions = Extensions::parse(&reply);
            return Ok(());
        }
        // RFC 5321 section 3.2: a server that does not know EHLO is asked with HELO.
        if self.dialect == Dialect::Lmtp || reply.is_transient() {
            return Err(Lost::Unwelcome(reply));
        }
        self.write(&Command::Helo(hostname.to_owned())).await?;
        let reply = self.reply(self.patience.greeting).await?;
        self.extensions = Extensions::default();
        if reply.is_positive() { Ok(()) } else { Err(Lost::Unwelcome(reply)) }
    }

    /// Parameters that are not offered here are left out.
    fn offered_mail(&self, mail: &Mail) -> Mail {
        let mut mail = mail.clone();
        let offered = self.extensions;
        let parameters = &mut mail.parameters;
        parameters.auth = parameters.auth.take().filter(|auth| {
            // That nobody is known must be said where we are somebody (RFC 4954 section 5).
            offered.auth.is_some() && (self.logged_in || auth != NO_SUBMITTER)
        });
        parameters.submitter = parameters.submitter.take().filter(|_| offered.submitter);
        parameters.size = parameters.size.filter(|_| offered.size.is_some());
        parameters.body = parameters.body.filter(|_| offered.eight_bit_mime);
        parameters.smtputf8 &= offered.smtputf8;
        if !offered.dsn {
            (parameters.ret, parameters.envid) = (None, None);
        }
        mail
    }

    fn offered_rcpt(&self, rcpt: &Rcpt) -> Rcpt {
        let mut rcpt = rcpt.clone();
        if !self.extensions.dsn {
            rcpt.parameters = Default::default();
        }
        rcpt
    }

    pub(super) async fn command(&mut self, command: &Command) -> Result<Reply, Lost> {
        if !self.input.is_empty() {
            return Err(Lost::OutOfStep);
        }
        self.write(command).await?;
        self.reply(self.patience.command).await
    }

    /// Answers a prompt of AUTH (RFC 4954 section 4).
    pub(super) async fn respond(&mut self, response: &str) -> Result<Reply, Lost> {
        self.output.extend_from_slice(response.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.flush(self.patience.command).await?;
        self.reply(self.patience.command).await
    }

    fn push(&mut self, command: &Command) {
        use std::io::Write;
        write!(self.output, "{command}\r\n").expect("memory takes what is written");
    }

    async fn write(&mut self, command: &Command) -> Result<(), Lost> {
        self.push(command);
        self.flush(self.patience.command).await
    }

    async fn flush(&mut self, patience: Duration) -> Result<(), Lost> {
        let stream = &mut self.stream;
        let output = &self.output;
        let written = async {
            stream.write_all(output).await?;
            stream.flush().await
        };
        in_time(&mut self.watchdog, patience, written).await?;
        self.output.clear();
        Ok(())
    }

    async fn reply(&mut self, patience: Duration) -> Result<Reply, Lost> {
        loop {
            let (consumed, reply) = self.decoder.decode(&self.input)?;
            self.input.drain(..consumed);
            if let Some(reply) = reply {
                return Ok(reply);
            }
            self.input.reserve(INPUT_OCTETS);
            let read = self.stream.read_buf(&mut self.input);
            if in_time(&mut self.watchdog, patience, read).await? == 0 {
                return Err(Lost::Closed);
            }
        }
    }
}

/// What MAIL and the first RCPT were answered.
#[derive(Debug)]
pub(crate) enum Begun {
    MailRefused(Reply),
    Answered(Reply),
}

impl Begun {
    /// The answer, whatever it is to.
    pub(crate) fn reply(&self) -> &Reply {
        let (Self::MailRefused(reply) | Self::Answered(reply)) = self;
        reply
    }
}

async fn in_time<T>(
    watchdog: &mut Watchdog,
    patience: Duration,
    action: impl Future<Output = io::Result<T>>,
) -> Result<T, Lost> {
    watchdog.within(patience, action).await.ok_or(Lost::TimedOut)?.map_err(Lost::Broken)
}

async fn connect(place: &Place) -> io::Result<Stream> {
    Ok(match place {
        Place::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}
