//! mail-auth as a measured program: `quivive-bench-peers FOLDER`, with the files and the protocol
//! of `quivive-bench-measure`.
//!
//! All answers come from memory: records through mail-auth's cache traits, parsed beforehand. Its
//! caches cannot say that a name has no address (`exists` takes any entry for a match); that comes
//! from the cache of hickory-resolver beneath it, filled in the first pass by a server on loopback
//! that knows no name.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::error::Error;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::Spf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    DnsError, DnssecStatus, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache,
    SpfResult, Txt,
};
use quivive_bench_measure::{Known, Query, Status, Subject, read_answers, read_queries, serve};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).ok_or("usage: quivive-bench-peers FOLDER")?;
    let folder = Path::new(&folder);
    let files = (0..).map(|group| folder.join(format!("queries-{group}.tsv")));
    let groups: std::io::Result<Vec<Vec<Query>>> =
        files.take_while(|file| file.is_file()).map(|file| read_queries(&file)).collect();
    let groups = groups?;
    let mut subject = MailAuth::new(&groups, &read_answers(&folder.join("answers.tsv"))?)?;
    Ok(serve(&mut subject, &groups)?)
}

struct MailAuth {
    runtime: tokio::runtime::Runtime,
    authenticator: MessageAuthenticator,
    caches: Caches,
    groups: Vec<Vec<(IpAddr, Query)>>,
}

#[derive(Default)]
struct Caches {
    txt: Cache<Box<str>, Txt>,
    mx: Cache<Box<str>, RecordSet<MX>>,
    ipv4: Cache<Box<str>, RecordSet<Ipv4Addr>>,
    ipv6: Cache<Box<str>, RecordSet<Ipv6Addr>>,
    ptr: Cache<IpAddr, RecordSet<Box<str>>>,
}

impl MailAuth {
    fn new(groups: &[Vec<Query>], answers: &[Known]) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        let mut connection = ConnectionConfig::udp();
        connection.port = know_no_name()?;
        server.connections = vec![connection];
        let mut options = ResolverOpts::default();
        options.cache_size = 1 << 20;
        options.use_hosts_file = ResolveHosts::Never;
        options.edns0 = false;
        options.timeout = Duration::from_secs(2);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let authenticator =
            runtime.block_on(async { MessageAuthenticator::new(config, options) })?;
        let parsed = |query: &Query| Ok((query.address.parse()?, query.clone()));
        let groups: Result<Vec<Vec<_>>> =
            groups.iter().map(|group| group.iter().map(parsed).collect()).collect();
        Ok(Self { runtime, authenticator, caches: Caches::of(answers)?, groups: groups? })
    }
}

impl Subject for MailAuth {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        let (address, query) = &self.groups[group][query];
        let caches = &self.caches;
        let sender = SpfParameters::verify_mail_from(
            *address,
            &query.helo,
            "receiver.bench.test",
            &query.sender,
        );
        let parameters = Parameters::new(sender)
            .with_txt_cache(&caches.txt)
            .with_mx_cache(&caches.mx)
            .with_ipv4_cache(&caches.ipv4)
            .with_ipv6_cache(&caches.ipv6)
            .with_ptr_cache(&caches.ptr);
        let output = self.runtime.block_on(self.authenticator.check_host(parameters));
        match output.result() {
            SpfResult::Pass => 0,
            SpfResult::Fail => 1,
            SpfResult::SoftFail => 2,
            SpfResult::Neutral => 3,
            SpfResult::None => 4,
            SpfResult::TempError => 5,
            SpfResult::PermError => 6,
        }
    }
}

impl Caches {
    fn of(answers: &[Known]) -> Result<Self> {
        let mut caches = Self::default();
        for known in answers {
            let name: Box<str> = format!("{}.", known.name).into();
            match known.record_type.as_str() {
                "TXT" => drop(caches.txt.0.insert(name, txt(known))),
                "MX" => drop(caches.mx.0.insert(name, mx(known)?)),
                "AAAA" => drop(caches.ipv6.0.insert(name, parsed(known)?)),
                "A" if known.status == Status::Found => {
                    drop(caches.ipv4.0.insert(name, parsed(known)?));
                }
                _ => {}
            }
        }
        Ok(caches)
    }
}

/// As mail-auth itself makes a cache entry: the first record that it can parse.
fn txt(known: &Known) -> Txt {
    if known.status != Status::Found {
        let code = match known.status {
            Status::NoName => ResponseCode::NXDomain,
            _ => ResponseCode::NoError,
        };
        return Txt::Error(mail_auth::Error::Dns(DnsError::RecordNotFound(code)));
    }
    let mut result = Err(mail_auth::Error::Dns(DnsError::InvalidRecordType));
    for record in &known.records {
        result = Spf::parse(record.as_bytes());
        if result.is_ok() {
            break;
        }
    }
    result.into()
}

fn mx(known: &Known) -> Result<RecordSet<MX>> {
    let mut records: Vec<MX> = Vec::new();
    for record in &known.records {
        let (preference, exchange) = record.split_once(' ').ok_or("an MX without preference")?;
        let (preference, exchange) = (preference.parse()?, format!("{exchange}.").into());
        match records.iter_mut().find(|known| known.preference == preference) {
            Some(known) => {
                let exchanges = std::mem::take(&mut known.exchanges);
                known.exchanges = exchanges.into_iter().chain([exchange]).collect();
            }
            None => records.push(MX { preference, exchanges: [exchange].into() }),
        }
    }
    records.sort_by_key(|record| record.preference);
    Ok(record_set(records))
}

fn parsed<T: FromStr>(known: &Known) -> Result<RecordSet<T>>
where
    T::Err: Error + 'static,
{
    let records: std::result::Result<Vec<T>, T::Err> =
        known.records.iter().map(|record| record.parse()).collect();
    Ok(record_set(records?))
}

fn record_set<T>(records: Vec<T>) -> RecordSet<T> {
    RecordSet { rrset: Arc::from(records), dnssec_status: DnssecStatus::Indeterminate }
}

/// A cache that is filled beforehand and takes nothing more. No lock: one thread has it.
struct Cache<K, V>(HashMap<K, V>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Cache<K, V> {
    fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(key).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

/// A name server to which no name exists, for a day; its port.
fn know_no_name() -> Result<u16> {
    // The authority section: the root's SOA with a minimum of a day (RFC 2308 section 5).
    const AUTHORITY: &[u8] = &[
        0, 0, 6, 0, 1, 0, 1, 0x51, 0x80, 0, 22, 0, 0, 0, 0, 0, 1, 0, 1, 0x51, 0x80, 0, 1, 0x51,
        0x80, 0, 1, 0x51, 0x80, 0, 1, 0x51, 0x80,
    ];
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = socket.local_addr()?.port();
    std::thread::spawn(move || {
        let mut message = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut message) {
            let mut reply = message[..length].to_vec();
            let Some(header) = reply.get_mut(2..12) else { continue };
            // A response, authoritative, NXDOMAIN; one question, one record of authority.
            header.copy_from_slice(&[0x85, 0x83, 0, 1, 0, 0, 0, 1, 0, 0]);
            reply.extend_from_slice(AUTHORITY);
            let _ = socket.send_to(&reply, client);
        }
    });
    Ok(port)
}
