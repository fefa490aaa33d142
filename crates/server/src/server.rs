//! The daemon: all listeners, and what signals do to them.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use quivive_console::{Console, Public};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::doors::Doors;
pub use crate::doors::Web;
use crate::gateway::Gateway;
use crate::http::Api;
use crate::listener::{Access, Address, Bound, listen};
use crate::maps::{Socketmap, TcpTable};
use crate::milter::Milter;
use crate::opensmtpd::Opensmtpd;
use crate::policy::PolicyService;

/// How long sessions may go on after the daemon was told to end.
pub const DRAIN_TIME: Duration = Duration::from_secs(30);

/// A listener as it is set up.
pub struct Listener {
    /// Where it listens.
    pub address: Address,
    /// Who may use it, if it is a UNIX socket.
    pub access: Access,
    /// What is behind it.
    pub door: Door,
}

/// What is behind a listener.
pub enum Door {
    /// SMTP, with the mail handed on.
    Gateway(Box<Gateway>),
    /// Programs that ask by HTTP.
    Http(Web<Api>),
    /// The milter protocol.
    Milter(Box<Milter>),
    /// OpenSMTPD's filter.
    Opensmtpd(Opensmtpd),
    /// The operator's pages.
    Console(Web<Console>),
    /// The strangers' pages.
    Public(Web<Public>),
    /// Policy questions of mail servers.
    Policy(Box<PolicyService>),
    /// Maps, asked by socketmap.
    Socketmap(Socketmap),
    /// A map, asked by tcp_table.
    TcpTable(TcpTable),
}

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError<E: fmt::Display + fmt::Debug> {
    /// Its configuration is not usable.
    #[error("{0}")]
    Load(E),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({source}); see that it is ours and free")]
    Bind {
        /// The address.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The system takes no signal handlers.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
}

/// Runs the daemon until SIGTERM or SIGINT, and drains it. SIGHUP loads again; what cannot be
/// loaded changes nothing.
///
/// `load` gives the listeners of the configuration as it is now. `announce` is told
/// `listening DOOR ADDRESS` for each, then `ready`.
///
/// # Errors
/// The daemon could not start. Nothing that happens later ends it.
pub async fn serve<E: fmt::Display + fmt::Debug>(
    mut load: impl AsyncFnMut() -> Result<Vec<Listener>, E>,
    mut announce: impl FnMut(&str),
) -> Result<(), ServeError<E>> {
    let mut hang_up = signal(SignalKind::hangup()).map_err(ServeError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    let listeners = load().await.map_err(ServeError::Load)?;
    let server = Server::start(listeners, DRAIN_TIME)
        .await
        .map_err(|(address, source)| ServeError::Bind { address, source })?;
    for (door, address) in server.addresses() {
        announce(&format!("listening {door} {address}"));
    }
    announce("ready");
    loop {
        tokio::select! {
            _ = hang_up.recv() => match load().await {
                Ok(listeners) => server.reload(listeners),
                Err(error) => tracing::error!("nothing was reloaded: {error}"),
            },
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("ending");
    server.drain().await;
    Ok(())
}

/// All listeners at work.
pub struct Server {
    running: Vec<Running>,
    drain: watch::Sender<bool>,
}

struct Running {
    /// As it was asked for.
    configured: Address,
    /// As it became.
    address: Address,
    current: Arc<Doors>,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds all addresses, then accepts clients. Draining takes `drain_time` at most.
    ///
    /// # Errors
    /// The first address that cannot be listened on.
    pub async fn start(
        listeners: Vec<Listener>,
        drain_time: Duration,
    ) -> Result<Self, (Address, io::Error)> {
        let mut bound = Vec::new();
        for Listener { address, access, door } in listeners {
            match Bound::bind(&address, &access).await {
                Ok(socket) => bound.push((address, socket, door)),
                Err(error) => return Err((address, error)),
            }
        }
        let (drain, draining) = watch::channel(false);
        let running = bound
            .into_iter()
            .map(|(configured, bound, door)| {
                let address = bound.address.clone();
                let current = Arc::new(Doors::new(door));
                let listening = listen(bound, current.clone(), draining.clone(), drain_time);
                Running { configured, address, current, task: tokio::spawn(listening) }
            })
            .collect();
        Ok(Self { running, drain })
    }

    /// The doors with the addresses they listen on.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &Address)> {
        self.running.iter().map(|running| (running.current.word(), &running.address))
    }

    /// New sessions find these settings; those that run keep theirs. Addresses do not change: what
    /// has no listener yet gets none, what is no longer named goes on as it was.
    pub fn reload(&self, mut listeners: Vec<Listener>) {
        for running in &self.running {
            let same = |listener: &Listener| listener.address == running.configured;
            match listeners.iter().position(same) {
                Some(index) => {
                    if !running.current.replace(listeners.remove(index).door) {
                        tracing::warn!(
                            address = %running.configured,
                            "a listener is of another kind now; it changes with a restart"
                        );
                    }
                }
                None => tracing::warn!(
                    address = %running.configured,
                    "a listener is no longer configured; it goes on until a restart"
                ),
            }
        }
        for listener in listeners {
            tracing::warn!(address = %listener.address, "a new listener begins with a restart");
        }
        tracing::info!("reloaded");
    }

    /// Accepts no more, tells idle clients to come again later, and waits for the others.
    pub async fn drain(self) {
        self.drain.send_replace(true);
        for running in self.running {
            if let Err(error) = running.task.await {
                tracing::error!("a listener was lost: {error}");
            }
        }
    }
}
