//! The listeners that a configuration describes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use quivive_config::{
    Address, Config, Door, FieldPrefix, Listen, MilterSrs, NextHop, Prepend, SocketMode, Tls,
    TlsMode,
};
use quivive_console::{Console, Password, Public, Throttle, World};
use quivive_resolver::Resolver;
use quivive_server::asking::Patience;
use quivive_server::check::Checker;
use quivive_server::gateway::{self, Gateway, Settings};
use quivive_server::http::{self, Api};
use quivive_server::listener::Access;
use quivive_server::logins::{LoginSource, Logins};
use quivive_server::maps::{Map, Socketmap, TcpTable};
use quivive_server::milter::{self, Milter};
use quivive_server::next_hop::{self, Dialect, Place, Target};
use quivive_server::opensmtpd::{self, Opensmtpd};
use quivive_server::policy::{self, PolicyService};
use quivive_server::server::Web;
use quivive_server::srs::{Manner, Rewriter, forward_map, reverse_map};
use quivive_server::tables::Tables;
use quivive_server::tls::TlsAcceptor;
use quivive_server::{Ledger, listener, server};

use crate::error::Error;
use crate::forwarding::{self, forwarding};
use crate::srs;

/// What outlives a reload, or is read anew by it.
pub(crate) struct Memory {
    /// What methods may look into.
    pub(crate) tables: Tables,
    /// Who has failed to log in.
    pub(crate) tries: Arc<Throttle>,
}

/// Makes every listener ready: certificates are read, Maildirs opened, nothing is bound yet.
pub(crate) async fn listeners(
    config: &Config,
    resolver: &Resolver,
    ledger: &Ledger,
    memory: &Memory,
) -> Result<Vec<server::Listener>, Error> {
    let Memory { tables, tries } = memory;
    let world = World {
        store: ledger.store.clone(),
        policy: Arc::new(config.policy()),
        resolver: resolver.clone(),
        metrics: ledger.metrics.clone(),
    };
    let checker = Checker::new(world.policy.clone(), resolver.clone());
    let checker = checker.with_tables(tables.clone());
    let rewriter = rewriter(config, ledger)?;
    let mut listeners = Vec::new();
    for listen in &config.listen {
        let hostname = config.hostname.as_str();
        let door = match (listen.door, &listen.next_hop) {
            (Door::Gateway, Some(hop)) => {
                let forwarding = forwarding(config, rewriter.as_ref())?;
                let settings = Settings { forwarding, ..settings(hostname, listen, next_hop(hop)) };
                let gateway = Gateway::new(settings, checker.clone()).await;
                let gateway = gateway.map_err(|error| Error::Serve(error.to_string()))?;
                server::Door::Gateway(Box::new(gateway.with_ledger(ledger.clone())))
            }
            (Door::Opensmtpd, _) => {
                let door = Opensmtpd::new(opensmtpd::Settings::new(hostname), checker.clone());
                server::Door::Opensmtpd(door.with_ledger(ledger.clone()))
            }
            (Door::Submission, Some(hop)) => {
                let settings = settings(hostname, listen, next_hop(hop));
                let logins = logins(config, listen, tables, tries)?;
                let gateway = Gateway::for_users(settings, checker.clone(), logins).await;
                let gateway = gateway.map_err(|error| Error::Serve(error.to_string()))?;
                server::Door::Gateway(Box::new(gateway.with_ledger(ledger.clone())))
            }
            (Door::Milter, _) => {
                let settings = milter_settings(config, listen, rewriter.as_ref())?;
                let milter = Milter::new(settings, checker.clone());
                server::Door::Milter(Box::new(milter.with_ledger(ledger.clone())))
            }
            (Door::Console, _) => server::Door::Console(Web {
                pages: console(&world, hostname, listen)?,
                tls: acceptor(listen)?,
            }),
            (Door::Http, _) => {
                let settings = http_settings(hostname, listen, rewriter.as_ref());
                let pages = Api::new(settings, checker.clone(), ledger.clone())?;
                server::Door::Http(Web { pages, tls: acceptor(listen)? })
            }
            (Door::Public, _) => {
                let url = listen.url.as_ref().map_or("", |url| url.as_str());
                let pages = Public::new(ledger.store.clone(), url, hostname);
                server::Door::Public(Web { pages, tls: acceptor(listen)? })
            }
            (Door::Policy, _) => {
                let service = PolicyService::new(policy(hostname, listen), checker.clone());
                server::Door::Policy(Box::new(service.with_ledger(ledger.clone())))
            }
            (Door::Socketmap, _) => {
                let maps = maps(rewriter.as_ref(), Manner::PostSrsd2);
                server::Door::Socketmap(Socketmap {
                    maps,
                    ledger: ledger.clone(),
                    ..Default::default()
                })
            }
            (Door::TcpTable, _) => {
                server::Door::TcpTable(tcp_table(rewriter.as_ref(), listen, ledger)?)
            }
            (door, _) => {
                return Err(Error::NotInThisVersion { what: "door", word: door.word() });
            }
        };
        let address = match &listen.address {
            Address::Tcp(address) => listener::Address::Tcp(*address),
            Address::Unix(path) => listener::Address::Unix(path.clone()),
        };
        let access = Access {
            mode: listen.socket_mode.map(SocketMode::bits),
            owner: listen.socket_owner.clone(),
            group: listen.socket_group.clone(),
        };
        listeners.push(server::Listener { address, access, door });
    }
    Ok(listeners)
}

/// Who may log in at a listener.
pub(crate) fn logins(
    config: &Config,
    listen: &Listen,
    tables: &Tables,
    tries: &Arc<Throttle>,
) -> Result<Arc<Logins>, Error> {
    let source = match (&listen.users, &listen.dovecot_auth) {
        (Some(path), _) => LoginSource::Users(path.clone()),
        (None, Some(path)) => LoginSource::Dovecot(path.clone()),
        (None, None) => LoginSource::Certificates,
    };
    let rules = Arc::new(config.binding.rules());
    let logins = Logins::new(&source, tables.clone(), rules, tries.clone());
    Ok(Arc::new(logins?))
}

fn milter_settings(
    config: &Config,
    listen: &Listen,
    rewriter: Option<&Rewriter>,
) -> Result<milter::Settings, Error> {
    let mut settings = milter::Settings::new(config.hostname.as_str());
    let seconds = u64::try_from(listen.progress_seconds).unwrap_or(u64::MAX);
    settings.patience.progress = Duration::from_secs(seconds);
    let Some(rewriter) = rewriter.filter(|_| listen.srs != MilterSrs::Off) else {
        return Ok(settings);
    };
    let forwarding = milter::Forwarding {
        aliases: forwarding::aliases(config)?,
        rewriter: rewriter.clone(),
        is_all: listen.srs == MilterSrs::Alone,
    };
    if let Some(alias) = forwarding.parted_alias() {
        return Err(Error::Serve(format!(
            "the alias `{alias}` leads to addresses here and elsewhere, and one message has one \
             sender; let a milter with `srs = \"alone\"` rewrite where the mail server has \
             expanded aliases already, or part the alias"
        )));
    }
    Ok(milter::Settings { forwarding: Some(forwarding), ..settings })
}

fn policy(hostname: &str, listen: &Listen) -> policy::Settings {
    let prepend = listen.prepend.iter().map(|field| match field {
        Prepend::AuthenticationResults => policy::Prepend::AuthenticationResults,
        Prepend::ReceivedSpf => policy::Prepend::ReceivedSpf,
    });
    let prefix = listen.prepend_prefix.as_ref().map_or("", FieldPrefix::as_str).into();
    policy::Settings { prepend: prepend.collect(), prefix, ..policy::Settings::new(hostname) }
}

/// What rewrites addresses, if the configuration has it.
fn rewriter(config: &Config, ledger: &Ledger) -> Result<Option<Rewriter>, Error> {
    let forwarder = srs::forwarder(config)?;
    Ok(forwarder.map(|forwarder| Rewriter::new(forwarder, ledger.metrics.clone())))
}

/// The maps that mail servers may look addresses up in, by name.
fn maps(rewriter: Option<&Rewriter>, manner: Manner) -> BTreeMap<String, Arc<dyn Map>> {
    let Some(rewriter) = rewriter else { return BTreeMap::new() };
    let forward = ("forward".to_owned(), forward_map(rewriter, manner));
    let reverse = ("reverse".to_owned(), reverse_map(rewriter, manner));
    [forward, reverse].into()
}

fn tcp_table(
    rewriter: Option<&Rewriter>,
    listen: &Listen,
    ledger: &Ledger,
) -> Result<TcpTable, Error> {
    let name = listen.map.map_or("", |map| map.word());
    let map = maps(rewriter, Manner::PostSrsd1).remove(name);
    let map = map.ok_or_else(|| Error::Serve(format!("there is no map `{name}` to look in")))?;
    Ok(TcpTable { map, patience: Patience::default(), ledger: ledger.clone() })
}

/// The operator's pages: under the names of the configuration, and their own address.
fn console(world: &World, hostname: &str, listen: &Listen) -> Result<Console, Error> {
    let password = password(listen)?;
    let named = listen.hosts.iter().map(|host| host.as_str().to_owned());
    let own = match &listen.address {
        Address::Tcp(address) if !address.ip().is_unspecified() => Some(match address.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }),
        _ => None,
    };
    let settings = quivive_console::Settings {
        hosts: named.chain(own).collect(),
        password,
        receiver: hostname.to_owned(),
        is_secure: listen.tls.is_some(),
    };
    Ok(Console::new(world.clone(), settings))
}

/// What opens the operator's pages, if anything must.
pub(crate) fn password(listen: &Listen) -> Result<Option<Password>, Error> {
    let Some(path) = &listen.password_file else { return Ok(None) };
    let unusable = |reason: String| {
        Error::Serve(format!("the password file {} cannot be used: {reason}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    Password::parse(&text).map(Some).map_err(|error| unusable(error.to_string()))
}

fn http_settings(hostname: &str, listen: &Listen, rewriter: Option<&Rewriter>) -> http::Settings {
    http::Settings {
        receiver: hostname.to_owned(),
        token_file: listen.token_file.clone().unwrap_or_default(),
        requests_per_minute: u32::try_from(listen.requests_per_minute).unwrap_or(u32::MAX),
        connections_per_address: listen.connections_per_address,
        rewriter: rewriter.cloned(),
    }
}

/// What takes the TLS connections of pages; a page knows no STARTTLS.
fn acceptor(listen: &Listen) -> Result<Option<TlsAcceptor>, Error> {
    let acceptor = |tls: &Tls| quivive_server::tls::acceptor(&tls.certificate, &tls.key);
    let acceptor = listen.tls.as_ref().map(acceptor).transpose();
    acceptor.map_err(|error| Error::Serve(error.to_string()))
}

fn settings(hostname: &str, listen: &Listen, next_hop: next_hop::NextHop) -> Settings {
    let domains = listen.recipient_domains.iter();
    let tls = listen.tls.as_ref().map(|tls| gateway::Tls {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        mode: match tls.mode {
            TlsMode::StartTls => gateway::TlsMode::StartTls,
            TlsMode::Implicit => gateway::TlsMode::Implicit,
        },
        client_authorities: listen.client_ca_file.clone(),
    });
    Settings {
        recipient_domains: domains.map(|domain| domain.as_str().to_owned()).collect(),
        proxy_from: listen.proxy_from.clone(),
        xclient_from: listen.xclient_from.clone(),
        auth_from: listen.auth_from.clone(),
        xclient_to_next_hop: listen.xclient_to_next_hop,
        tls,
        size_max: listen.size_max as u64,
        connections_per_address: listen.connections_per_address,
        ..Settings::new(hostname, next_hop)
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
