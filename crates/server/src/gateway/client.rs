//! Who the client is: by its connection, by its proxy's word, by XCLIENT, by its own.

use std::net::IpAddr;

use quivive_mail::EnhancedStatus;
use quivive_smtp::proxy::{self, Proxied};
use quivive_smtp::sasl::Mechanisms;
use quivive_smtp::{Extensions, Reply, Stated, Xclient};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::conversation::{Conversation, Gone};
use super::replies::{NO_LOGINS_NOW, NO_NEXT_HOP, TOO_MANY_CONNECTIONS};
use super::{Route, TlsMode, lists};
use crate::logins::{Denied, certificate_name};
use crate::stream::Stream;

/// Whom we talk with, as far as it was stated by whoever may state it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// Whoever stated the client could not say its address; `address` is not the client's then.
    pub(super) is_unknown: bool,
    pub(super) port: Option<u16>,
    pub(super) name: Option<String>,
    pub(super) helo: String,
    pub(super) extended: bool,
    pub(super) tls: bool,
    pub(super) login: Option<String>,
    /// The name in its certificate, which was verified.
    pub(super) certificate: Option<String>,
    /// The HELO was stated by XCLIENT: what the one who stated it says of himself does not count.
    pub(super) helo_is_stated: bool,
    /// The same of HELO or EHLO.
    pub(super) protocol_is_stated: bool,
    /// It talked before its greeting.
    pub(super) early: bool,
}

impl Client {
    /// Of whom nothing is known but this.
    pub(super) fn new(address: IpAddr, port: Option<u16>) -> Self {
        Self {
            address,
            is_unknown: false,
            port,
            name: None,
            helo: String::new(),
            extended: false,
            tls: false,
            login: None,
            certificate: None,
            helo_is_stated: false,
            protocol_is_stated: false,
            early: false,
        }
    }

    /// Another client over the same connection; what was known belonged to this one.
    fn replaced(&self, address: IpAddr) -> Self {
        Self { tls: self.tls, early: self.early, ..Self::new(address, None) }
    }
}

impl Conversation {
    pub(super) async fn read_proxy_header(&mut self) -> Result<(), Gone> {
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

    pub(super) async fn handshake(&mut self) -> Result<(), Gone> {
        let Some(acceptor) = self.gateway.tls.clone() else { return Ok(()) };
        let plain: Stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let patience = self.gateway.settings.patience.preface;
        let accepted = timeout(patience, acceptor.accept(plain)).await;
        let stream = accepted.map_err(|_| Gone::HandshakeTimeout)?.map_err(Gone::Handshake)?;
        let certificates = stream.get_ref().1.peer_certificates();
        let certificate = certificates.and_then(<[_]>::first).and_then(certificate_name);
        self.client.certificate = certificate;
        self.stream = Box::new(stream);
        self.client.tls = true;
        Ok(())
    }

    /// RFC 3207 section 4.2: what was said before it is forgotten.
    pub(super) async fn start_tls(&mut self) -> Result<(), Gone> {
        self.session.answer(&Reply::new(220, EnhancedStatus(2, 0, 0), "Go on with TLS"));
        self.flush().await?;
        self.handshake().await?;
        if !self.client.helo_is_stated {
            self.client.helo.clear();
        }
        Ok(())
    }

    pub(super) async fn hello(&mut self, extended: bool, name: String) {
        self.end_transaction(None).await;
        if !self.client.helo_is_stated {
            self.client.helo = name;
        }
        if !self.client.protocol_is_stated {
            self.client.extended = extended;
        }
        let extensions = match extended {
            true => self.extensions().await,
            false => Ok(Extensions::default()),
        };
        match extensions {
            Ok(extensions) => {
                self.session.welcome(&self.gateway.settings.hostname, extensions);
            }
            Err(reply) => self.session.answer(&reply),
        }
    }

    /// What we can keep: our own, and what the next hop offers. Nothing if that was never known, or
    /// if nobody can log in now: to offer less would have mail refused for good.
    async fn extensions(&mut self) -> Result<Extensions, Reply> {
        let offered = match &mut self.route {
            Route::Maildir(_) => {
                Extensions { eight_bit_mime: true, smtputf8: true, ..Extensions::default() }
            }
            Route::Remote(link) => link.extensions().await.map_err(|_| NO_NEXT_HOP)?,
        };
        let auth = self.mechanisms().await.map_err(|_| NO_LOGINS_NOW)?;
        let settings = &self.gateway.settings;
        let size = offered.size.filter(|size| *size > 0).unwrap_or(u64::MAX);
        let tls = settings.tls.as_ref().is_some_and(|tls| tls.mode == TlsMode::StartTls);
        Ok(Extensions {
            size: Some(size.min(settings.size_max)),
            pipelining: true,
            enhanced_status_codes: true,
            eight_bit_mime: offered.eight_bit_mime,
            smtputf8: offered.smtputf8 && offered.eight_bit_mime,
            dsn: offered.dsn,
            chunking: true,
            starttls: tls && !self.client.tls,
            xclient: lists(&settings.xclient_from, self.peer),
            submitter: self.gateway.checker.policy().offers_submitter(),
            auth,
        })
    }

    /// By what a client can log in; by nothing before TLS (RFC 8314 section 3.3), and when it has.
    async fn mechanisms(&mut self) -> Result<Option<Mechanisms>, Denied> {
        let Client { tls, login, .. } = &self.client;
        let logins = self.gateway.logins.clone().filter(|_| *tls && login.is_none());
        let applicant = self.client.applicant();
        match logins {
            Some(logins) => logins.mechanisms(&applicant).await.map(Some),
            None => Ok(None),
        }
    }

    /// An address, or that there is none, begins a new client. Without it more is said of the same
    /// one: what is too long for a line comes in several.
    pub(super) fn xclient(&mut self, stated: Xclient) {
        let client = &mut self.client;
        if let Some(address) = stated.address {
            *client = match address {
                Stated::Value(address) => client.replaced(address.to_canonical()),
                Stated::Unavailable | Stated::TemporarilyUnavailable => {
                    Client { is_unknown: true, ..client.replaced(self.peer) }
                }
            };
        }
        merge(&mut client.name, stated.name);
        merge(&mut client.port, stated.port);
        merge(&mut client.login, stated.login);
        if let Some(protocol) = stated.protocol {
            client.protocol_is_stated = matches!(protocol, Stated::Value(_));
            client.extended = protocol == Stated::Value("ESMTP".to_owned());
        }
        if let Some(helo) = stated.helo {
            client.helo_is_stated = matches!(helo, Stated::Value(_));
            client.helo = match helo {
                Stated::Value(helo) => helo,
                Stated::Unavailable | Stated::TemporarilyUnavailable => String::new(),
            };
        }
        let reply = match self.sit_down(self.client.address) {
            true => Reply::plain(220, format!("{} ESMTP Quivive", self.gateway.settings.hostname)),
            false => TOO_MANY_CONNECTIONS,
        };
        self.session.answer(&reply);
    }

    /// Tells the next hop whom we speak for, where that is wanted.
    pub(super) async fn state_client(&mut self) {
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
