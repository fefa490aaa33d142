use std::net::IpAddr;
use std::sync::Arc;

use quivive_resolver::Resolver;
use quivive_store::Store;
use quivive_verdict::Policy;

use crate::access::{Access, Password};
use crate::metrics::Metrics;

/// What the pages show.
#[derive(Clone)]
pub struct World {
    /// Where cases are kept, if they are.
    pub store: Option<Store>,
    /// What verdicts go by now.
    pub policy: Arc<Policy>,
    /// Who answers DNS questions.
    pub resolver: Resolver,
    /// What was counted.
    pub metrics: Arc<Metrics>,
}

/// How a console is set up.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The names under which it is asked for, beside those of loopback: against DNS rebinding.
    pub hosts: Vec<String>,
    /// What opens it. `None` opens it to everybody who reaches it: for loopback addresses only.
    pub password: Option<Password>,
    /// Our name, shown at the foot of each page.
    pub receiver: String,
    /// Browsers reach it by TLS: they are to send its cookie over nothing else.
    pub is_secure: bool,
}

/// The operator's pages. Clones share everything.
#[derive(Clone)]
pub struct Console(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) access: Arc<Access>,
}

/// Who asks: the client's address, if it has one. A UNIX socket has none.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub Option<IpAddr>);

impl Console {
    /// A console without sessions.
    pub fn new(world: World, settings: Settings) -> Self {
        Self(Arc::new(Inner { world, settings, access: Arc::new(Access::new()) }))
    }

    /// The console that takes the place of an older one: who was let in stays so, unless the
    /// password is another one.
    #[must_use]
    pub fn in_place_of(self, older: &Self) -> Self {
        let access = older.0.access.clone();
        if self.0.settings.password != older.0.settings.password {
            access.end_all();
        }
        let (world, settings) = (self.0.world.clone(), self.0.settings.clone());
        Self(Arc::new(Inner { world, settings, access }))
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }
}
