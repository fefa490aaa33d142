use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use quivive_smtp::{Event, Reply, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::client::Client;
use super::replies::{CLOSING_DOWN, TALKED_FIRST, TOO_MANY_CONNECTIONS, TOO_SLOW};
use super::transaction::Transaction;
use super::{Gateway, Route, TlsMode, lists, message};
use crate::logins::Dialogue;
use crate::next_hop::Link;
use crate::seats::{Seat, Seats};
use crate::stream::{Stream, at_once};
use crate::watchdog::Watchdog;

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

/// Why there is nobody to talk with any more. None of it is an error of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum Gone {
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

pub(super) struct Conversation {
    pub(super) gateway: Arc<Gateway>,
    pub(super) seats: Arc<Seats>,
    pub(super) seat: Option<Seat>,
    pub(super) drain: watch::Receiver<bool>,
    pub(super) stream: Stream,
    pub(super) watchdog: Watchdog,
    pub(super) session: Session,
    /// Whoever is at the other end of the connection, or of its proxy's.
    pub(super) peer: IpAddr,
    pub(super) client: Client,
    pub(super) route: Route,
    /// The way out for what leads elsewhere, if there is one.
    pub(super) relay: Option<Box<Link>>,
    pub(super) transaction: Option<Transaction>,
    /// Who is logging in.
    pub(super) dialogue: Option<Dialogue>,
    /// How many logins have failed.
    pub(super) failures: usize,
    /// When the last whole command came.
    pub(super) command_at: Instant,
    /// When the message that is coming began.
    pub(super) message_at: Instant,
    /// When the last message was taken.
    pub(super) taken_at: Instant,
}

/// Talks with a client until it is gone.
pub(crate) async fn converse(gateway: Arc<Gateway>, arrival: Arrival) {
    let _counted = gateway.ledger.session(gateway.word());
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
            client: Client::new(address, arrival.peer.map(|peer| peer.port())),
            route: gateway.link(),
            relay: gateway.relay.clone().map(|relay| Box::new(Link::new(relay))),
            transaction: None,
            dialogue: None,
            failures: 0,
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
    pub(super) fn sit_down(&mut self, address: IpAddr) -> bool {
        self.seat = None;
        if self.gateway.is_exempt(address) {
            return true;
        }
        self.seat = self.seats.take(address, self.gateway.settings.connections_per_address);
        self.seat.is_some()
    }

    async fn greet(&mut self) -> Result<(), Gone> {
        let delay = self.gateway.settings.greeting_delay;
        let early = {
            let read = pin!(self.stream.read(self.session.space()));
            match delay.is_zero() {
                // What is there already is read. The clock's shortest time is a millisecond.
                true => at_once(read).await,
                false => timeout(delay, read).await.ok(),
            }
        };
        match early {
            None => {}
            Some(Ok(0)) => return Err(Gone::Closed),
            Some(read) => {
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
                    let refusal = message::take_content(self.transaction.as_mut(), content).await;
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
                Event::Reset => self.end_transaction(None).await,
                Event::StartTls => self.start_tls().await?,
                Event::Xclient(xclient) => self.xclient(*xclient),
                Event::Auth { mechanism, initial_response } => {
                    self.log_in(mechanism, initial_response).await?;
                }
                Event::Response(response) => self.log_in_further(Some(response)).await?,
                Event::AuthEnded => self.cancel_login(),
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

    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
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
        self.end_transaction(None).await;
        if let Route::Remote(link) = &mut self.route {
            link.release().await;
        }
        if let Some(relay) = &mut self.relay {
            relay.release().await;
        }
    }
}
