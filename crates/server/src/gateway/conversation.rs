use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use quivive_mail::EnhancedStatus;
use quivive_smtp::proxy::{self, Proxied};
use quivive_smtp::{Event, Extensions, Mail, Rcpt, Reply, Session, Stated, Xclient};
use quivive_verdict::Action;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::transaction::{Transaction, verdict_reply};
use super::{Gateway, Route, TlsMode, lists, received, recipients};
use crate::header_edit::{EditedMessage, survey};
use crate::maildir::{Envelope, MaildirError};
use crate::next_hop::{Dialect, SendError};
use crate::seats::{Seat, Seats};
use crate::spool::{Fit, SpoolError, SpoolWriter};
use crate::stream::Stream;
use crate::watchdog::Watchdog;

/// How many `Received` fields a message may have (RFC 5321 section 6.3 asks for a hundred at least
/// before that alone is a loop; nothing honest comes near to half of it).
pub(crate) const RECEIVED_MAX: usize = 50;

/// How much is read of what a client still sends after the last word.
const LINGER_OCTETS_MAX: usize = 1024 * 1024;

/// A connection as the listener hands it over.
pub(crate) struct Arrival {
    pub(crate) stream: Stream,
    /// None for a UNIX socket.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) seats: Arc<Seats>,
    /// True once the daemon wants to end.
    pub(crate) drain: watch::Receiver<bool>,
}

/// Whom we talk with, as far as it was stated by whoever may state it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) name: Option<String>,
    pub(super) helo: String,
    pub(super) extended: bool,
    pub(super) tls: bool,
    pub(super) login: Option<String>,
    /// The HELO was stated by XCLIENT: what the one who stated it says of himself does not count.
    helo_is_stated: bool,
    /// It talked before its greeting.
    early: bool,
}

/// Why there is nobody to talk with any more. None of it is an error of ours.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("it closed the connection")]
    Closed,
    #[error("the connection was lost: {0}")]
    Broken(#[from] io::Error),
    #[error("it does not take what we say")]
    Stuck,
    #[error("its address has too many connections")]
    TooMany,
    #[error("its PROXY header is missing or malformed")]
    Proxy,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
}

struct Conversation {
    gateway: Arc<Gateway>,
    seats: Arc<Seats>,
    seat: Option<Seat>,
    drain: watch::Receiver<bool>,
    stream: Stream,
    watchdog: Watchdog,
    session: Session,
    /// Whoever is at the other end of the connection, or of its proxy's.
    peer: IpAddr,
    client: Client,
    route: Route,
    transaction: Option<Transaction>,
    /// When the last whole command came.
    command_at: Instant,
    /// When the message that is coming began.
    message_at: Instant,
    /// When the last message was taken.
    taken_at: Instant,
}

/// Talks with a client until it is gone.
pub(crate) async fn converse(gateway: Arc<Gateway>, arrival: Arrival) {
    let peer = arrival.peer;
    let mut conversation = Conversation::new(gateway, arrival);
    let ended = conversation.run(peer).await;
    conversation.give_up().await;
    if let Err(gone) = ended {
        tracing::debug!(client = %conversation.client.address, "client is gone: {gone}");
    }
}

impl Conversation {
    fn new(gateway: Arc<Gateway>, arrival: Arrival) -> Self {
        // Whoever reaches a UNIX socket is on this host.
        let local = IpAddr::from(Ipv4Addr::LOCALHOST);
        let address = arrival.peer.map_or(local, |peer| peer.ip().to_canonical());
        let now = Instant::now();
        Self {
            seats: arrival.seats,
            seat: None,
            drain: arrival.drain,
            stream: arrival.stream,
            watchdog: Watchdog::new(),
            session: Session::new(gateway.settings.size_max),
            peer: address,
            client: Client {
                address,
                port: arrival.peer.map(|peer| peer.port()),
                name: None,
                helo: String::new(),
                extended: false,
                tls: false,
                login: None,
                helo_is_stated: false,
                early: false,
            },
            route: gateway.link(),
            transaction: None,
            command_at: now,
            message_at: now,
            taken_at: now,
            gateway,
        }
    }

    async fn run(&mut self, peer: Option<SocketAddr>) -> Result<(), Gone> {
        if lists(&self.gateway.settings.proxy_from, self.peer) && peer.is_some() {
            self.read_proxy_header().await?;
        }
        let implicit =
            self.gateway.settings.tls.as_ref().is_some_and(|tls| tls.mode == TlsMode::Implicit);
        // Before the handshake, which is work; without it there is no way to say why.
        let seated = self.sit_down(self.client.address);
        if implicit && !seated {
            return Err(Gone::TooMany);
        }
        if implicit {
            self.handshake().await?;
        }
        if seated {
            self.greet().await?;
        } else {
            self.session.greet(&TOO_MANY_CONNECTIONS);
        }
        self.talk().await
    }

    /// Takes one of the seats of an address; false if there is none left.
    fn sit_down(&mut self, address: IpAddr) -> bool {
        self.seat = None;
        if self.gateway.is_exempt(address) {
            return true;
        }
        self.seat = self.seats.take(address, self.gateway.settings.connections_per_address);
        self.seat.is_some()
    }

    async fn greet(&mut self) -> Result<(), Gone> {
        let delay = self.gateway.settings.greeting_delay;
        let space = self.session.space();
        // With no delay at all, what is there already is read and nothing is waited for.
        match timeout(delay, self.stream.read(space)).await {
            Err(_) => {}
            Ok(Ok(0)) => return Err(Gone::Closed),
            Ok(read) => {
                self.client.early = true;
                self.session.filled(read?);
            }
        }
        if self.client.early && !delay.is_zero() {
            self.session.greet(&TALKED_FIRST);
        } else {
            let hostname = &self.gateway.settings.hostname;
            self.session.greet(&Reply::plain(220, format!("{hostname} ESMTP Quivive")));
        }
        Ok(())
    }

    async fn talk(&mut self) -> Result<(), Gone> {
        loop {
            match self.session.event() {
                Event::Starved => self.exchange().await?,
                Event::Content(content) => {
                    let refusal = take_content(self.transaction.as_mut(), content).await;
                    if let Some(reply) = refusal {
                        self.session.refuse_content(reply);
                    }
                }
                Event::Hello { extended, name } => self.hello(extended, name).await,
                Event::Mail(mail) => self.mail(mail).await,
                Event::Rcpt(rcpt) => {
                    let reply = self.rcpt(rcpt).await;
                    self.session.answer(&reply);
                }
                Event::Begin => self.begin_message(),
                Event::End => {
                    let reply = self.end_message().await;
                    self.session.answer(&reply);
                    self.taken_at = Instant::now();
                }
                Event::Reset => self.end_transaction(None),
                Event::StartTls => self.start_tls().await?,
                Event::Xclient(xclient) => self.xclient(*xclient),
                Event::Closed => return self.close().await,
            }
        }
    }

    /// Sends what there is to send, and reads.
    async fn exchange(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        let idle = self.session.is_idle();
        if idle && *self.drain.borrow() {
            self.session.close(&CLOSING_DOWN);
            return Ok(());
        }
        let deadline = self.deadline();
        let read = self.watchdog.until(deadline, self.stream.read(self.session.space()));
        let read = tokio::select! {
            read = read => read,
            _ = self.drain.changed(), if idle => {
                self.session.close(&CLOSING_DOWN);
                return Ok(());
            }
        };
        match read {
            Some(Ok(0)) => Err(Gone::Closed),
            Some(octets) => {
                self.session.filled(octets?);
                Ok(())
            }
            None => {
                self.session.close(&TOO_SLOW);
                Ok(())
            }
        }
    }

    /// Until when the next octets must come, so that no client holds its place for ever.
    fn deadline(&self) -> Instant {
        let patience = &self.gateway.settings.patience;
        if self.session.is_receiving() {
            return (Instant::now() + patience.block).min(self.message_at + patience.message);
        }
        (self.command_at + patience.command).min(self.taken_at + patience.quiet)
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let output = self.session.output();
        if output.is_empty() {
            return Ok(());
        }
        let stream = &mut self.stream;
        let written = async {
            stream.write_all(output).await?;
            stream.flush().await
        };
        let patience = self.gateway.settings.patience.write;
        self.watchdog.within(patience, written).await.ok_or(Gone::Stuck)??;
        output.clear();
        // An answer: so a whole command had come.
        self.command_at = Instant::now();
        Ok(())
    }

    /// A client that is still sending would lose our last word if we just closed.
    async fn close(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        let patience = self.gateway.settings.patience.linger;
        self.watchdog.within(patience, self.stream.shutdown()).await.ok_or(Gone::Stuck)??;
        if self.session.has_quit() {
            return Ok(());
        }
        let stream = &mut self.stream;
        let rest = async {
            let mut octets = 0;
            let mut buffer = [0; 4096];
            while octets < LINGER_OCTETS_MAX {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => octets += read,
                }
            }
        };
        let _ = self.watchdog.within(patience, rest).await;
        Ok(())
    }

    /// The client is gone: so is its transaction.
    async fn give_up(&mut self) {
        self.end_transaction(None);
        if let Route::Remote(link) = &mut self.route {
            link.release().await;
        }
    }
}

/// Who the client is.
impl Conversation {
    async fn read_proxy_header(&mut self) -> Result<(), Gone> {
        let stream = &mut self.stream;
        let header = async {
            let mut header = Vec::new();
            loop {
                match proxy::parse(&header) {
                    Ok(Some((proxied, _))) => return Ok(proxied),
                    Ok(None) => {}
                    Err(_) => return Err(Gone::Proxy),
                }
                let start = header.len();
                header.resize(start + proxy::wanted(&header), 0);
                let octets = stream.read(&mut header[start..]).await?;
                if octets == 0 {
                    return Err(Gone::Closed);
                }
                header.truncate(start + octets);
            }
        };
        let patience = self.gateway.settings.patience.preface;
        let proxied = timeout(patience, header).await.map_err(|_| Gone::Proxy)??;
        if let Proxied::Client { source, .. } = proxied {
            self.peer = source.ip().to_canonical();
            self.client.address = self.peer;
            self.client.port = Some(source.port());
        }
        Ok(())
    }

    async fn handshake(&mut self) -> Result<(), Gone> {
        let Some(acceptor) = self.gateway.tls.clone() else { return Ok(()) };
        let plain: Stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let patience = self.gateway.settings.patience.preface;
        let accepted = timeout(patience, acceptor.accept(plain)).await;
        let stream = accepted.map_err(|_| Gone::HandshakeTimeout)?.map_err(Gone::Handshake)?;
        self.stream = Box::new(stream);
        self.client.tls = true;
        Ok(())
    }

    /// RFC 3207 section 4.2: what was said before it is forgotten.
    async fn start_tls(&mut self) -> Result<(), Gone> {
        self.session.answer(&Reply::new(220, EnhancedStatus(2, 0, 0), "Go on with TLS"));
        self.flush().await?;
        self.handshake().await?;
        if !self.client.helo_is_stated {
            self.client.helo.clear();
        }
        Ok(())
    }

    async fn hello(&mut self, extended: bool, name: String) {
        self.end_transaction(None);
        if !self.client.helo_is_stated {
            self.client.helo = name;
            self.client.extended = extended;
        }
        let extensions = match extended {
            true => self.extensions().await,
            false => Extensions::default(),
        };
        self.session.welcome(&self.gateway.settings.hostname, extensions);
    }

    /// What we can keep: our own, and what the next hop offers.
    async fn extensions(&mut self) -> Extensions {
        self.state_client().await;
        let offered = match &mut self.route {
            Route::Maildir(_) => {
                Extensions { eight_bit_mime: true, smtputf8: true, ..Extensions::default() }
            }
            Route::Remote(link) => link.extensions().await.unwrap_or_else(|lost| {
                tracing::warn!("the next hop cannot be asked what it offers: {lost}");
                Extensions::default()
            }),
        };
        let settings = &self.gateway.settings;
        let size = offered.size.filter(|size| *size > 0).unwrap_or(u64::MAX);
        let tls = settings.tls.as_ref().is_some_and(|tls| tls.mode == TlsMode::StartTls);
        Extensions {
            size: Some(size.min(settings.size_max)),
            pipelining: true,
            enhanced_status_codes: true,
            eight_bit_mime: offered.eight_bit_mime,
            smtputf8: offered.smtputf8 && offered.eight_bit_mime,
            dsn: offered.dsn,
            chunking: true,
            starttls: tls && !self.client.tls,
            xclient: lists(&settings.xclient_from, self.peer),
        }
    }

    fn xclient(&mut self, stated: Xclient) {
        let client = &mut self.client;
        if let Some(Stated::Value(address)) = stated.address {
            client.address = address.to_canonical();
            // What was known belonged to another.
            (client.name, client.port, client.login) = (None, None, None);
        }
        merge(&mut client.name, stated.name);
        merge(&mut client.port, stated.port);
        merge(&mut client.login, stated.login);
        if let Some(Stated::Value(protocol)) = stated.protocol {
            client.extended = protocol == "ESMTP";
        }
        if let Some(Stated::Value(helo)) = stated.helo {
            client.helo = helo;
            client.helo_is_stated = true;
        }
        let reply = match self.sit_down(self.client.address) {
            true => Reply::plain(220, format!("{} ESMTP Quivive", self.gateway.settings.hostname)),
            false => TOO_MANY_CONNECTIONS,
        };
        self.session.answer(&reply);
    }

    /// Tells the next hop whom we speak for, where that is wanted.
    async fn state_client(&mut self) {
        let Route::Remote(link) = &mut self.route else { return };
        if !self.gateway.settings.xclient_to_next_hop {
            return;
        }
        let client = &self.client;
        let protocol = if client.extended { "ESMTP" } else { "SMTP" };
        let text = |text: &String| Stated::Value(text.clone());
        link.state_client(Xclient {
            name: Some(client.name.as_ref().map_or(Stated::Unavailable, text)),
            address: Some(Stated::Value(client.address)),
            port: Some(client.port.map_or(Stated::Unavailable, Stated::Value)),
            protocol: Some(Stated::Value(protocol.to_owned())),
            helo: Some(match client.helo.is_empty() {
                true => Stated::Unavailable,
                false => text(&client.helo),
            }),
            login: client.login.as_ref().map(text),
            ..Xclient::default()
        })
        .await;
    }
}

fn merge<T>(place: &mut Option<T>, stated: Option<Stated<T>>) {
    match stated {
        Some(Stated::Value(value)) => *place = Some(value),
        Some(Stated::Unavailable | Stated::TemporarilyUnavailable) => *place = None,
        None => {}
    }
}

/// Messages.
impl Conversation {
    async fn mail(&mut self, mail: Mail) {
        self.state_client().await;
        self.transaction = Some(Transaction::begin(&self.gateway, &self.client, mail).await);
        self.session.answer(&SENDER_OK);
    }

    /// A refusal for who sends is spoken here, so that the log knows for whom it was; else the next
    /// hop says whether it takes the recipient.
    async fn rcpt(&mut self, rcpt: Rcpt) -> Reply {
        let Some(transaction) = &mut self.transaction else { return NO_TRANSACTION };
        let reply =
            match recipients::refusal(&self.gateway.settings.recipient_domains, &rcpt.forward_path)
            {
                Some(refusal) => refusal,
                None => offer(&mut self.route, transaction, &rcpt).await,
            };
        if reply.is_positive() {
            transaction.recipients.push(rcpt.forward_path);
        } else {
            transaction.recipients_refused += 1;
        }
        reply
    }

    fn begin_message(&mut self) {
        self.message_at = Instant::now();
        let settings = &self.gateway.settings;
        if let Some(transaction) = &mut self.transaction {
            let spool = SpoolWriter::new(settings.spool_folder.clone(), settings.size_max);
            transaction.spool = Some(spool);
        }
    }

    async fn end_message(&mut self) -> Reply {
        let reply = match self.deliver().await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::error!("a message could not be handed on: {error}");
                error.reply()
            }
        };
        self.end_transaction(Some(&reply));
        reply
    }

    async fn deliver(&mut self) -> Result<Reply, DeliveryError> {
        let Some(transaction) = &mut self.transaction else { return Ok(NO_TRANSACTION) };
        if let Some(refusal) = transaction.judging.refusal().await {
            return Ok(refusal);
        }
        let writer = transaction.spool.take();
        let transaction = &*transaction;
        let (Some(writer), Some(judgement)) = (writer, transaction.judging.judgement()) else {
            return Ok(NO_TRANSACTION);
        };
        let Some(spool) = writer.finish().await? else { return Ok(TOO_LARGE) };
        match judgement.verdict.action {
            Action::Discard => return Ok(verdict_reply(judgement)),
            Action::Hold => return Ok(CANNOT_HOLD),
            _ => {}
        }
        let own_names = &self.gateway.own_names;
        if survey(&spool, own_names).await?.received >= RECEIVED_MAX {
            return Ok(LOOP);
        }
        let hostname = &self.gateway.settings.hostname;
        let fields = received::fields(hostname, &self.client, transaction, judgement);
        let message = EditedMessage::new(&spool, &fields, own_names);
        hand_on(&mut self.route, transaction, message).await
    }

    /// Closes the books on a transaction, if one is open.
    fn end_transaction(&mut self, answer: Option<&Reply>) {
        if let Route::Remote(link) = &mut self.route {
            link.reset();
        }
        if let Some(transaction) = self.transaction.take() {
            log(&self.client, &transaction, answer);
        }
    }
}

async fn take_content(transaction: Option<&mut Transaction>, content: &[u8]) -> Option<Reply> {
    let spool = transaction?.spool.as_mut()?;
    match spool.write(content).await {
        Ok(Fit::Kept) => None,
        Ok(Fit::TooLarge) => Some(TOO_LARGE),
        Err(error) => {
            tracing::error!("a message could not be taken: {error}");
            Some(NO_SPACE)
        }
    }
}

async fn offer(route: &mut Route, transaction: &mut Transaction, rcpt: &Rcpt) -> Reply {
    let Transaction { judging, mail, recipients, .. } = transaction;
    // What is refused anyway is nothing for the next hop.
    if judging.is_finished()
        && let Some(refusal) = judging.refusal().await
    {
        return refusal;
    }
    let link = match route {
        Route::Maildir(_) => return judging.refusal().await.unwrap_or(RECIPIENT_OK),
        Route::Remote(link) => link,
    };
    // Its answer to a message is one per recipient, and ours is one: they can only be one.
    if link.dialect() == Dialect::Lmtp && !recipients.is_empty() {
        return ONE_RECIPIENT;
    }
    let (refusal, answer) = tokio::join!(judging.refusal(), link.rcpt(mail, rcpt));
    refusal.unwrap_or_else(|| match answer {
        Ok(reply) => passed_on(reply),
        Err(lost) => {
            tracing::warn!("the next hop is lost: {lost}");
            lost.reply()
        }
    })
}

async fn hand_on(
    route: &mut Route,
    transaction: &Transaction,
    mut message: EditedMessage<'_>,
) -> Result<Reply, DeliveryError> {
    match route {
        Route::Remote(link) => Ok(passed_on(link.send(&mut message).await?)),
        Route::Maildir(maildir) => {
            let envelope = Envelope {
                reverse_path: &transaction.mail.reverse_path,
                recipients: &transaction.recipients,
            };
            maildir.deliver(envelope, message).await?;
            let text = format!("Taken as {}", transaction.id);
            Ok(Reply::with_text(250, EnhancedStatus(2, 0, 0), text))
        }
    }
}

/// The next hop's answer as our client hears it. 421 is between the next hop and us, and so is what
/// is no answer to this question.
fn passed_on(mut reply: Reply) -> Reply {
    if reply.code == 421 || reply.code / 100 == 3 {
        reply.code = 451;
        reply.enhanced = reply.enhanced.filter(|status| status.0 == 4);
    }
    let class = u8::try_from(reply.code / 100).unwrap_or(4);
    reply.enhanced.get_or_insert(EnhancedStatus(class, 0, 0));
    reply
}

/// Why a message was not handed on. All of it is ours or the next hop's, and may pass.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Maildir(#[from] MaildirError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl DeliveryError {
    fn reply(&self) -> Reply {
        match self {
            Self::Send(SendError::Lost(lost)) => lost.reply(),
            Self::Send(SendError::Message(_)) | Self::Maildir(_) | Self::Spool(_) => NO_SPACE,
        }
    }
}

/// One line a message. What a peer said is written as a quoted string, so that it cannot pass for
/// anything else.
fn log(client: &Client, transaction: &Transaction, answer: Option<&Reply>) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let judgement = transaction.judging.judgement();
    let results: Vec<String> = judgement
        .into_iter()
        .flat_map(|judgement| &judgement.findings)
        .map(|finding| format!("{}.{}={}", finding.method, finding.identity, finding.result))
        .collect();
    tracing::info!(
        id = %transaction.id,
        client = %client.address,
        helo = ?client.helo,
        mail_from = ?transaction.mail.reverse_path.address(),
        recipients = transaction.recipients.len(),
        recipients_refused = transaction.recipients_refused,
        results = %results.join(" "),
        verdict = judgement.map_or("none", |judgement| judgement.verdict.action.word()),
        answer = %answer.map_or_else(|| "none".to_owned(), Reply::to_string),
        tls = client.tls,
        early = client.early,
        "message"
    );
}

const SENDER_OK: Reply = Reply::new(250, EnhancedStatus(2, 1, 0), "Sender noted");
const RECIPIENT_OK: Reply = Reply::new(250, EnhancedStatus(2, 1, 5), "Recipient noted");
const ONE_RECIPIENT: Reply =
    Reply::new(452, EnhancedStatus(4, 5, 3), "One recipient a message: send the others separately");
const NO_TRANSACTION: Reply = Reply::new(503, EnhancedStatus(5, 5, 1), "Send MAIL first");
const TOO_LARGE: Reply =
    Reply::new(552, EnhancedStatus(5, 3, 4), "The message is larger than is taken here");
const NO_SPACE: Reply =
    Reply::new(452, EnhancedStatus(4, 3, 1), "The message cannot be stored now; try again later");
const CANNOT_HOLD: Reply =
    Reply::new(451, EnhancedStatus(4, 3, 3), "The message cannot be held here; try again later");
const LOOP: Reply =
    Reply::new(554, EnhancedStatus(5, 4, 6), "The message is going round in circles");
const TALKED_FIRST: Reply =
    Reply::new(554, EnhancedStatus(5, 5, 1), "You talked before the greeting. Closing");
const TOO_MANY_CONNECTIONS: Reply =
    Reply::new(421, EnhancedStatus(4, 7, 0), "Too many connections from your address, closing");
const CLOSING_DOWN: Reply =
    Reply::new(421, EnhancedStatus(4, 3, 2), "The server is going down; come again later");
const TOO_SLOW: Reply = Reply::new(421, EnhancedStatus(4, 4, 2), "You took too long, closing");
