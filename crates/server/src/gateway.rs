//! The gateway's door: mail comes in by SMTP, is judged, and goes on to the next hop.
//!
//! The door decides nothing: what is refused for who sent it is the verdict's, what is refused for
//! whom it is to is the next hop's. Its own are the rules without which a server on the open
//! Internet does harm: never an open relay, strict framing, bounds on everything.
//!
//! A client that talks before its greeting is noted in the log, and goes on: a greeting that is
//! never delayed gives it no time to be caught by, and a dialogue that depends on the network's
//! timing helps nobody. With [`Settings::greeting_delay`] it is refused.

mod client;
mod conversation;
mod destination;
mod login;
mod message;
mod offering;
mod received;
mod recipients;
mod replies;
mod settings;
mod submitter;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use tokio_rustls::TlsAcceptor;

use self::conversation::Conversation;
pub(crate) use self::conversation::{Arrival, converse};
pub use self::destination::Forwarding;
pub use self::settings::{Patience, Settings, Tls, TlsMode};
use crate::check::Checker;
use crate::ledger::Ledger;
use crate::logins::Logins;
use crate::maildir::{Maildir, MaildirError};
use crate::next_hop::{Dialect, Link, NextHop, RemoteHop};
use crate::srs::Returns;
use crate::tls::{self, TlsError};

/// A gateway that is ready for clients. A reload makes a new one; sessions keep theirs.
pub struct Gateway {
    settings: Settings,
    /// The names under which no field may come in that we write ourselves.
    own_names: Vec<String>,
    checker: Checker,
    hop: Hop,
    /// The way out for what leads elsewhere.
    relay: Option<Arc<RemoteHop>>,
    /// What comes back to addresses that we rewrote.
    returns: Returns,
    tls: Option<TlsAcceptor>,
    /// Those who may log in, and have to. None: nobody can, and nobody has to.
    logins: Option<Arc<Logins>>,
    ledger: Ledger,
}

enum Hop {
    Remote(Arc<RemoteHop>),
    Maildir(Arc<Maildir>),
}

/// What only those write who take mail from elsewhere: results of checks, seals, the state of a
/// challenge. A user's mail comes from nowhere else.
const NOT_FOR_USERS: &[&str] = &["Received-SPF", "RMXPP-Receipt", "X-TMDA-*", "ARC-*"];

/// Why a gateway cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Anybody could send mail to anybody.
    #[error("the gateway would relay for everybody; name its recipient domains")]
    OpenRelay,
    /// Its certificate or key is not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its Maildir is not usable.
    #[error(transparent)]
    Maildir(#[from] MaildirError),
    /// An alias leads where one message cannot go.
    #[error("the alias `{alias}` cannot be: {problem}")]
    Alias {
        /// The alias.
        alias: String,
        /// Why, with the cure.
        problem: &'static str,
    },
    /// Messages cannot wait here.
    #[error("the spool folder {folder} cannot be used ({source}); see that it exists")]
    Spool {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Gateway {
    /// Makes a gateway ready: reads certificates, opens the Maildir.
    ///
    /// # Errors
    /// What of the settings cannot be used.
    pub async fn new(settings: Settings, checker: Checker) -> Result<Self, GatewayError> {
        let stays_here = matches!(settings.next_hop, NextHop::Maildir(_));
        if settings.recipient_domains.is_empty() && !stays_here {
            return Err(GatewayError::OpenRelay);
        }
        Self::build(settings, checker, None).await
    }

    /// A gateway for users, who log in and then send to everybody, or to the recipient domains if
    /// there are some.
    ///
    /// # Errors
    /// What of the settings cannot be used.
    pub async fn for_users(
        settings: Settings,
        checker: Checker,
        logins: Arc<Logins>,
    ) -> Result<Self, GatewayError> {
        Self::build(settings, checker, Some(logins)).await
    }

    async fn build(
        settings: Settings,
        checker: Checker,
        logins: Option<Arc<Logins>>,
    ) -> Result<Self, GatewayError> {
        let folder = &settings.spool_folder;
        let spool = |source| GatewayError::Spool { folder: folder.clone(), source };
        if !tokio::fs::metadata(folder).await.map_err(spool)?.is_dir() {
            return Err(spool(io::ErrorKind::NotADirectory.into()));
        }
        let tls = match &settings.tls {
            Some(Tls { certificate, key, client_authorities, .. }) => {
                Some(tls::acceptor_of_clients(certificate, key, client_authorities.as_deref())?)
            }
            None => None,
        };
        let hostname = &settings.hostname;
        let hop = match &settings.next_hop {
            NextHop::Maildir(path) => {
                Hop::Maildir(Arc::new(Maildir::open(path.clone(), hostname).await?))
            }
            NextHop::Remote(target) => {
                let patience = settings.patience.next_hop;
                Hop::Remote(Arc::new(RemoteHop::new(target.clone(), hostname, patience)))
            }
        };
        let relay = settings.forwarding.relay.clone().map(|(target, security)| {
            let relay = RemoteHop::new(target, hostname, settings.patience.next_hop);
            Arc::new(relay.with_security(security))
        });
        let own_names = vec![checker.policy().authserv_id.clone(), hostname.clone()];
        let returns = Returns::new();
        let ledger = Ledger::default();
        let gateway =
            Self { settings, own_names, checker, hop, relay, returns, tls, logins, ledger };
        match destination::impossible(&gateway, gateway.is_before_lmtp()) {
            None => Ok(gateway),
            Some((alias, problem)) => Err(GatewayError::Alias { alias, problem }),
        }
    }

    /// The gateway, writing down what it judges.
    #[must_use]
    pub fn with_ledger(self, ledger: Ledger) -> Self {
        Self { ledger, ..self }
    }

    /// Its name in the configuration.
    pub(crate) fn word(&self) -> &'static str {
        if self.logins.is_some() { "submission" } else { "gateway" }
    }

    /// The names of fields that are not for its clients to write.
    fn unwanted(&self) -> &'static [&'static str] {
        if self.logins.is_some() { NOT_FOR_USERS } else { &[] }
    }

    /// How it was set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether so many connections of this peer are no matter: loopback, and listed upstreams.
    pub(crate) fn is_exempt(&self, peer: IpAddr) -> bool {
        peer.is_loopback()
            || lists(&self.settings.proxy_from, peer)
            || lists(&self.settings.xclient_from, peer)
    }

    /// What is said to a connection for which there is no place.
    pub(crate) fn too_many(&self) -> Vec<u8> {
        let mut word = Vec::new();
        let is_plain = |tls: &Tls| tls.mode == TlsMode::StartTls;
        if self.settings.tls.as_ref().is_none_or(is_plain) {
            replies::NO_PLACE.write(&mut word);
        }
        word
    }

    fn is_before_lmtp(&self) -> bool {
        match &self.settings.next_hop {
            NextHop::Remote(target) => target.dialect == Dialect::Lmtp,
            NextHop::Maildir(_) => false,
        }
    }

    fn link(&self) -> Route {
        match &self.hop {
            Hop::Remote(hop) => Route::Remote(Box::new(Link::new(hop.clone()))),
            Hop::Maildir(maildir) => Route::Maildir(maildir.clone()),
        }
    }
}

/// A session's way to the next hop.
enum Route {
    Remote(Box<Link>),
    Maildir(Arc<Maildir>),
}

/// Whether an address is in one of the networks.
fn lists(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address.to_canonical()))
}
