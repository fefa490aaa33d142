//! The listeners that a configuration describes.

use std::sync::Arc;

use quivive_config::{Address, Config, Door, Listen, NextHop, TlsMode};
use quivive_resolver::Resolver;
use quivive_server::check::Checker;
use quivive_server::gateway::{self, Gateway, Settings};
use quivive_server::next_hop::{self, Dialect, Place, Target};
use quivive_server::{listener, server};

use crate::error::Error;

/// Makes every listener ready: certificates are read, Maildirs opened, nothing is bound yet.
pub(crate) async fn listeners(
    config: &Config,
    resolver: &Resolver,
) -> Result<Vec<server::Listener>, Error> {
    let checker = Checker::new(Arc::new(config.policy()), resolver.clone());
    let mut listeners = Vec::new();
    for listen in &config.listen {
        if listen.door != Door::Gateway {
            return Err(Error::NotInThisVersion { what: "door", word: listen.door.word() });
        }
        let settings = settings(config.hostname.as_str(), listen);
        let gateway = Gateway::new(settings, checker.clone()).await;
        let gateway = gateway.map_err(|error| Error::Serve(error.to_string()))?;
        let address = match &listen.address {
            Address::Tcp(address) => listener::Address::Tcp(*address),
            Address::Unix(path) => listener::Address::Unix(path.clone()),
        };
        let door = server::Door::Gateway(Box::new(gateway));
        listeners.push(server::Listener { address, door });
    }
    Ok(listeners)
}

fn settings(hostname: &str, listen: &Listen) -> Settings {
    let domains = listen.recipient_domains.iter();
    let tls = listen.tls.as_ref().map(|tls| gateway::Tls {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        mode: match tls.mode {
            TlsMode::StartTls => gateway::TlsMode::StartTls,
            TlsMode::Implicit => gateway::TlsMode::Implicit,
        },
    });
    Settings {
        recipient_domains: domains.map(|domain| domain.as_str().to_owned()).collect(),
        proxy_from: listen.proxy_from.clone(),
        xclient_from: listen.xclient_from.clone(),
        xclient_to_next_hop: listen.xclient_to_next_hop,
        tls,
        size_max: listen.size_max as u64,
        connections_per_address: listen.connections_per_address,
        ..Settings::new(hostname, next_hop(&listen.next_hop))
    }
}

fn next_hop(hop: &NextHop) -> next_hop::NextHop {
    let tcp = |host: &String, port: u16| Place::Tcp(host.clone(), port);
    let (dialect, place) = match hop {
        NextHop::Maildir(path) => return next_hop::NextHop::Maildir(path.clone()),
        NextHop::Smtp { host, port } => (Dialect::Smtp, tcp(host, *port)),
        NextHop::LmtpTcp { host, port } => (Dialect::Lmtp, tcp(host, *port)),
        NextHop::LmtpUnix(path) => (Dialect::Lmtp, Place::Unix(path.clone())),
    };
    next_hop::NextHop::Remote(Target { dialect, place })
}
