use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_binding::Rules;
use quivive_config::Config;
use quivive_console::Throttle;
use quivive_resolver::Resolver;
use quivive_server::Ledger;
use quivive_server::grants::Usage;
use quivive_server::logins::Logins;
use quivive_server::server::{Listener, ServeError, serve};
use quivive_store::Store;
use serde::Serialize;

use crate::command_line::Global;
use crate::error::Error;
use crate::listeners::Memory;
use crate::{grants, json, listeners, world};

/// What `--json` says instead of `listening DOOR ADDRESS` and `ready`.
#[derive(Serialize)]
struct AnnouncementJson<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    door: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

/// Runs the daemon until it is told to end.
pub(crate) fn run(global: &Global) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut loader = Loader {
        global,
        network: None,
        ledger: None,
        usage: Arc::default(),
        tries: Logins::tries(),
    };
    let announce = |line: &str| {
        if let Err(error) = announce(global.json, line) {
            tracing::warn!("nobody hears that we are {line}: {error}");
        }
    };
    let served = runtime.block_on(async {
        let served = serve(async || loader.load().await, announce).await;
        // What was judged last is written too.
        if let Some(store) = loader.ledger.take().and_then(|(_, ledger)| ledger.store) {
            store.close().await;
        }
        served
    });
    served.map_err(|error| match error {
        ServeError::Load(error) => error,
        other => Error::Serve(other.to_string()),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Loads the configuration at the start and for each reload.
struct Loader<'a> {
    global: &'a Global,
    /// The resolver that asks these servers: as long as they stay, so does what it remembers.
    network: Option<(Vec<SocketAddr>, Resolver)>,
    /// Where everything is written down, as the first configuration said.
    ledger: Option<(quivive_config::Store, Ledger)>,
    /// What identities use is counted from the start.
    usage: Arc<Usage>,
    /// So are failed logins.
    tries: Arc<Throttle>,
}

impl Loader<'_> {
    async fn load(&mut self) -> Result<Vec<Listener>, Error> {
        let config = world::daemon_config(self.global)?;
        if config.listen.is_empty() {
            let text = "the configuration has no [[listen]]: there is nothing to serve";
            return Err(Error::Serve(text.to_owned()));
        }
        let resolver = self.resolver(&config)?;
        let is_new = self.ledger.is_none();
        let ledger = self.ledger(&config.store).await?;
        if let Some(store) = ledger.store.clone().filter(|_| is_new) {
            tokio::spawn(recall(self.usage.clone(), store, config.binding.rules(), unix_now()));
        }
        let tables = grants::tables(&config.binding, self.usage.clone()).await?;
        let memory = Memory { tables, tries: self.tries.clone() };
        listeners::listeners(&config, &resolver, &ledger, &memory).await
    }

    /// The store is opened once: what the file says of it later counts after a restart.
    async fn ledger(&mut self, config: &quivive_config::Store) -> Result<Ledger, Error> {
        if let Some((known, ledger)) = &self.ledger {
            if known != config {
                tracing::warn!("[store] has changed; that counts after a restart");
            }
            return Ok(ledger.clone());
        }
        let ledger = world::ledger(config).await?;
        self.ledger = Some((config.clone(), ledger.clone()));
        Ok(ledger)
    }

    fn resolver(&mut self, config: &Config) -> Result<Resolver, Error> {
        let of_config = &config.resolver;
        let servers = (self.global.zone.is_none() && of_config.zone.is_none())
            .then(|| self.global.resolver.map_or(of_config.servers.clone(), |server| vec![server]));
        if let (Some(servers), Some((known, resolver))) = (&servers, &self.network)
            && servers == known
        {
            return Ok(resolver.clone());
        }
        let resolver = world::resolver(self.global, config)?;
        self.network = servers.map(|servers| (servers, resolver.clone()));
        Ok(resolver)
    }
}

/// Recalls what identities used before, beside the mail that comes.
async fn recall(usage: Arc<Usage>, store: Store, rules: Rules, now: u64) {
    match quivive_server::grants::recall(&usage, &store, &rules, now).await {
        Ok(0) => {}
        Ok(messages) => tracing::info!(messages, "what identities used before is known"),
        Err(error) => tracing::warn!("what identities used before is not known: {error}"),
    }
}

/// The time, in seconds since 1970.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// `listening DOOR ADDRESS` or `ready`, at once.
fn announce(as_json: bool, line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let mut words = line.splitn(3, ' ');
        let event = words.next().unwrap_or_default();
        let announcement = AnnouncementJson { event, door: words.next(), address: words.next() };
        out.write_all(&json::line(&announcement))?;
    } else {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
