//! What is behind a listener, and how a reload changes it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use quivive_console::{Console, Pages, Public, console_router, public_router};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::asking::ASKERS_MAX;
use crate::gateway::{Arrival, Gateway, converse};
use crate::http::{self, Api};
use crate::maps::{self, Door as _, Socketmap, TcpTable};
use crate::milter::{self, Milter};
use crate::opensmtpd::{self, Opensmtpd};
use crate::policy::{self, PolicyService};
use crate::server::Door;
use crate::stream::Stream;

/// How many connections a listener of pages takes at a time.
const PAGES_CONNECTIONS_MAX: usize = 256;

/// How many connections a listener of the HTTP interface takes at a time.
const HTTP_CONNECTIONS_MAX: usize = 1_000;

/// How long whoever speaks HTTP has for its TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(15);

/// A door as it is now.
pub(crate) enum Doors {
    Gateway(ArcSwap<Gateway>),
    Http(ArcSwap<Web<Api>>),
    Milter(ArcSwap<Milter>),
    Opensmtpd(ArcSwap<Opensmtpd>),
    Console(ArcSwap<Web<Console>>),
    Public(ArcSwap<Web<Public>>),
    Policy(Arc<ArcSwap<PolicyService>>),
    Socketmap(Arc<ArcSwap<Socketmap>>),
    TcpTable(Arc<ArcSwap<TcpTable>>),
}

/// What is asked by HTTP, and how it is reached: by TLS, or in the clear.
pub struct Web<T> {
    /// The pages, or the interface.
    pub pages: T,
    /// What takes TLS connections; none: HTTP in the clear.
    pub tls: Option<TlsAcceptor>,
}

impl Doors {
    pub(crate) fn new(door: Door) -> Self {
        match door {
            Door::Gateway(gateway) => Self::Gateway(ArcSwap::from_pointee(*gateway)),
            Door::Http(api) => Self::Http(ArcSwap::from_pointee(api)),
            Door::Milter(milter) => Self::Milter(ArcSwap::from_pointee(*milter)),
            Door::Opensmtpd(door) => Self::Opensmtpd(ArcSwap::from_pointee(door)),
            Door::Console(console) => Self::Console(ArcSwap::from_pointee(console)),
            Door::Public(public) => Self::Public(ArcSwap::from_pointee(public)),
            Door::Policy(door) => Self::Policy(Arc::new(ArcSwap::from_pointee(*door))),
            Door::Socketmap(door) => Self::Socketmap(Arc::new(ArcSwap::from_pointee(door))),
            Door::TcpTable(door) => Self::TcpTable(Arc::new(ArcSwap::from_pointee(door))),
        }
    }

    /// Its name in the configuration.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Gateway(gateway) => gateway.load().word(),
            Self::Http(_) => "http",
            Self::Milter(_) => "milter",
            Self::Opensmtpd(_) => "opensmtpd",
            Self::Console(_) => "console",
            Self::Public(_) => "public",
            Self::Policy(_) => "policy",
            Self::Socketmap(_) => Socketmap::WORD,
            Self::TcpTable(_) => TcpTable::WORD,
        }
    }

    pub(crate) fn connections_max(&self) -> usize {
        match self {
            Self::Gateway(gateway) => gateway.load().settings().connections_max,
            Self::Http(_) => HTTP_CONNECTIONS_MAX,
            Self::Milter(milter) => milter.load().settings().connections_max,
            Self::Console(_) | Self::Public(_) => PAGES_CONNECTIONS_MAX,
            Self::Opensmtpd(_) => ASKERS_MAX,
            Self::Policy(_) | Self::Socketmap(_) | Self::TcpTable(_) => ASKERS_MAX,
        }
    }

    /// What a connection beyond [`Doors::connections_max`] is told before it is closed; nothing
    /// before TLS. None: it waits, as whoever looks at pages would rather.
    pub(crate) fn too_many(&self) -> Option<Vec<u8>> {
        match self {
            Self::Gateway(gateway) => Some(gateway.load().too_many()),
            Self::Http(current) => {
                let word = if current.load().tls.is_none() { http::NO_PLACE } else { b"" };
                Some(word.to_vec())
            }
            // Nothing can be said there before the mail server has said something; and a filter
            // needs to hear nothing.
            Self::Milter(_) | Self::Opensmtpd(_) => Some(Vec::new()),
            Self::Console(_) | Self::Public(_) => None,
            Self::Policy(_) => Some(PolicyService::too_many()),
            Self::Socketmap(_) => Some(Socketmap::too_many()),
            Self::TcpTable(_) => Some(TcpTable::too_many()),
        }
    }

    /// Whether much of what is said here has no answer.
    pub(crate) fn leaves_unanswered(&self) -> bool {
        matches!(self, Self::Milter(_))
    }

    /// New sessions find this one; false if it is another kind of door.
    pub(crate) fn replace(&self, door: Door) -> bool {
        match (self, door) {
            (Self::Gateway(current), Door::Gateway(gateway)) => current.store(Arc::from(gateway)),
            (Self::Http(current), Door::Http(api)) => {
                let pages = api.pages.in_place_of(&current.load().pages);
                current.store(Arc::new(Web { pages, ..api }));
            }
            (Self::Milter(current), Door::Milter(milter)) => current.store(Arc::from(milter)),
            (Self::Opensmtpd(current), Door::Opensmtpd(door)) => current.store(Arc::new(door)),
            (Self::Console(current), Door::Console(console)) => {
                let pages = console.pages.in_place_of(&current.load().pages);
                current.store(Arc::new(Web { pages, ..console }));
            }
            (Self::Public(current), Door::Public(public)) => {
                let pages = public.pages.in_place_of(&current.load().pages);
                current.store(Arc::new(Web { pages, ..public }));
            }
            (Self::Policy(current), Door::Policy(service)) => {
                let service = service.in_place_of(&current.load());
                current.store(Arc::new(service));
            }
            (Self::Socketmap(current), Door::Socketmap(door)) => current.store(Arc::new(door)),
            (Self::TcpTable(current), Door::TcpTable(door)) => current.store(Arc::new(door)),
            _ => return false,
        }
        true
    }

    /// All clients are gone, and there will be no others.
    pub(crate) fn end(&self) {
        if let Self::Policy(current) = self {
            current.load().end();
        }
    }

    /// Talks with a client until it is gone.
    pub(crate) fn converse(&self, arrival: Arrival) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self {
            Self::Gateway(current) => Box::pin(converse(current.load_full(), arrival)),
            Self::Http(current) => {
                let Web { pages, tls } = &*current.load_full();
                Box::pin(http::converse(pages.clone(), tls.clone(), arrival))
            }
            Self::Opensmtpd(current) => Box::pin(opensmtpd::converse(current.load_full(), arrival)),
            Self::Milter(current) => Box::pin(milter::converse(current.load_full(), arrival)),
            Self::Console(current) => {
                let Web { pages, tls } = &*current.load_full();
                Box::pin(show(console_router(pages.clone()), tls.clone(), arrival))
            }
            Self::Public(current) => {
                let Web { pages, tls } = &*current.load_full();
                Box::pin(show(public_router(pages.clone()), tls.clone(), arrival))
            }
            Self::Policy(current) => Box::pin(policy::converse(current.clone(), arrival)),
            Self::Socketmap(current) => Box::pin(maps::converse(current.clone(), arrival)),
            Self::TcpTable(current) => Box::pin(maps::converse(current.clone(), arrival)),
        }
    }
}

async fn show(pages: Pages, tls: Option<TlsAcceptor>, arrival: Arrival) {
    let Arrival { stream, peer, mut drain, .. } = arrival;
    let told_to_end = async move {
        // A sender that is gone wants it too.
        let _ = drain.wait_for(|drain| *drain).await;
    };
    let peer = peer.map(|peer| peer.ip().to_canonical());
    if let Some(stream) = secured(stream, tls, peer).await {
        quivive_console::converse(pages, stream, peer, told_to_end).await;
    }
}

/// The stream behind a TLS handshake, where there is TLS; none if that fails.
pub(crate) async fn secured(
    stream: Stream,
    tls: Option<TlsAcceptor>,
    peer: Option<IpAddr>,
) -> Option<Stream> {
    let Some(acceptor) = tls else { return Some(stream) };
    match timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some(Box::new(stream)),
        Ok(Err(error)) => tracing::debug!(client = ?peer, "the TLS handshake failed: {error}"),
        Err(_) => tracing::debug!(client = ?peer, "the TLS handshake took too long"),
    }
    None
}
