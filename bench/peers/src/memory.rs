//! Checks with all answers in memory: records come through mail-auth's cache traits, parsed
//! beforehand. What only mail-auth asks for comes from the cache of hickory-resolver beneath,
//! filled in the first pass by a server on loopback that knows no name.

use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::str::FromStr;
use std::sync::Arc;

use mail_auth::dns::TxtRecordParser;
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::SpfRecord;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    DnsError, DnssecStatus, MessageAuthenticator, Mx, Negative, Parameters, RecordSet, TxtRecord,
};
use quivive_bench_measure::{Known, Query, Status, Subject};
use tokio::runtime::Runtime;

use crate::cache::{Caches, Filled};
use crate::{RECEIVER, Result, authenticator, number};

/// Measures each group as asked on standard input.
pub(crate) fn serve_groups(groups: &[Vec<Query>], answers: &[Known]) -> Result<()> {
    let world = World::new(groups, answers)?;
    let runtime = runtime();
    Ok(quivive_bench_measure::serve(&mut Groups { world, runtime }, groups)?)
}

/// Measures several threads that share the caches.
pub(crate) fn serve_threads(queries: &[Query], answers: &[Known]) -> Result<()> {
    let world = World::new(&[queries.to_vec()], answers)?;
    let check = |runtime: &mut Runtime, place: usize| runtime.block_on(world.check(0, place));
    Ok(quivive_bench_measure::serve_threads(queries, runtime, check)?)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

struct Groups {
    world: World,
    runtime: Runtime,
}

impl Subject for Groups {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        self.runtime.block_on(self.world.check(group, query))
    }
}

struct World {
    authenticator: MessageAuthenticator,
    caches: Caches<Filled>,
    groups: Vec<Vec<(IpAddr, Query)>>,
}

impl World {
    fn new(groups: &[Vec<Query>], answers: &[Known]) -> Result<Self> {
        let server = know_no_name()?;
        let authenticator = runtime().block_on(async { authenticator(server, CACHE_SIZE) })?;
        let parsed = |query: &Query| Ok((query.address.parse()?, query.clone()));
        let groups: Result<Vec<Vec<(IpAddr, Query)>>> =
            groups.iter().map(|group| group.iter().map(parsed).collect()).collect();
        Ok(Self { authenticator, caches: caches(answers)?, groups: groups? })
    }

    async fn check(&self, group: usize, query: usize) -> u8 {
        let (address, query) = &self.groups[group][query];
        let sender = SpfParameters::mail_from(*address, &query.helo, RECEIVER, &query.sender);
        let parameters = Parameters::new(sender).with_cache(&self.caches);
        number(self.authenticator.check_host(parameters).await.result())
    }
}

/// How many answers hickory-resolver keeps.
const CACHE_SIZE: u64 = 1 << 20;

/// A name server to which no name exists, for a day.
fn know_no_name() -> Result<SocketAddr> {
    // The authority section: the root's SOA with a minimum of a day (RFC 2308 section 5).
    const AUTHORITY: &[u8] = &[
        0, 0, 6, 0, 1, 0, 1, 0x51, 0x80, 0, 22, 0, 0, 0, 0, 0, 1, 0, 1, 0x51, 0x80, 0, 1, 0x51,
        0x80, 0, 1, 0x51, 0x80, 0, 1, 0x51, 0x80,
    ];
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    std::thread::spawn(move || {
        let mut message = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut message) {
            let Some(end) = question_end(&message[..length]) else { continue };
            let mut reply = message[..end].to_vec();
            // A response, authoritative, NXDOMAIN; one question, one record of authority.
            reply[2..12].copy_from_slice(&[0x85, 0x83, 0, 1, 0, 0, 0, 1, 0, 0]);
            reply.extend_from_slice(AUTHORITY);
            let _ = socket.send_to(&reply, client);
        }
    });
    Ok(address)
}

/// Where the question of a message ends (RFC 1035 section 4.1.2).
fn question_end(message: &[u8]) -> Option<usize> {
    let mut at = 12;
    while *message.get(at)? != 0 {
        at += 1 + usize::from(message[at]);
    }
    Some(at + 5).filter(|end| *end <= message.len())
}

fn caches(answers: &[Known]) -> Result<Caches<Filled>> {
    let mut caches: Caches<Filled> = Caches::default();
    for known in answers {
        let name: Box<str> = format!("{}.", known.name).into();
        match known.record_type.as_str() {
            "TXT" => drop(caches.txt.0.insert(name, txt(known))),
            "MX" => drop(caches.mx.0.insert(name, found(known, mx)?)),
            "AAAA" => drop(caches.ipv6.0.insert(name, found(known, parsed)?)),
            "A" => drop(caches.ipv4.0.insert(name, found(known, parsed)?)),
            "PTR" => {
                if let Some(address) = reversed(&known.name) {
                    caches.ptr.0.insert(address, found(known, names)?);
                }
            }
            _ => {}
        }
    }
    // For `exists` it asks for AAAA too, where there is no A: there is none of those either.
    let negative: Vec<_> = caches
        .ipv4
        .0
        .iter()
        .filter_map(|(name, answer)| Some((name.clone(), *answer.as_ref().err()?)))
        .collect();
    for (name, negative) in negative {
        caches.ipv6.0.entry(name).or_insert(Err(negative));
    }
    Ok(caches)
}

/// As mail-auth itself makes a cache entry: the first record that it can parse.
fn txt(known: &Known) -> TxtRecord {
    if let Some(negative) = negative(known) {
        return TxtRecord::Error(negative.into());
    }
    let mut result = Err(mail_auth::Error::Dns(DnsError::InvalidRecordType));
    for record in &known.records {
        result = SpfRecord::parse(record.as_bytes());
        if result.is_ok() {
            break;
        }
    }
    result.into()
}

fn negative(known: &Known) -> Option<Negative> {
    let code = match known.status {
        Status::Found => return None,
        Status::NoName => ResponseCode::NXDomain,
        Status::NoData => ResponseCode::NoError,
    };
    Some(Negative { code })
}

fn found<T>(
    known: &Known,
    read: impl Fn(&[String]) -> Result<Vec<T>>,
) -> Result<std::result::Result<RecordSet<T>, Negative>> {
    if let Some(negative) = negative(known) {
        return Ok(Err(negative));
    }
    let records = Arc::from(read(&known.records)?);
    Ok(Ok(RecordSet { records, dnssec_status: DnssecStatus::Indeterminate }))
}

/// Those of one preference together, the lowest first.
fn mx(records: &[String]) -> Result<Vec<Mx>> {
    let mut hosts: HashMap<u16, Vec<Box<str>>> = HashMap::new();
    for record in records {
        let (preference, exchange) = record.split_once(' ').ok_or("an MX without preference")?;
        hosts.entry(preference.parse()?).or_default().push(format!("{exchange}.").into());
    }
    let of_one =
        |(preference, exchanges): (u16, Vec<_>)| Mx { preference, exchanges: exchanges.into() };
    let mut records: Vec<Mx> = hosts.into_iter().map(of_one).collect();
    records.sort_by_key(|record| record.preference);
    Ok(records)
}

fn names(records: &[String]) -> Result<Vec<Box<str>>> {
    Ok(records.iter().map(|name| format!("{name}.").into()).collect())
}

fn parsed<T: FromStr>(records: &[String]) -> Result<Vec<T>>
where
    T::Err: Error + 'static,
{
    let records: std::result::Result<Vec<T>, T::Err> =
        records.iter().map(|record| record.parse()).collect();
    Ok(records?)
}

/// The address of a name of the reverse tree.
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let octets: Vec<&str> = labels.rsplit('.').collect();
        return octets.join(".").parse().ok();
    }
    let nibbles: String = name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
    Some(IpAddr::from(u128::from_str_radix(&nibbles, 16).ok()?.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_cached_as_they_are() {
        let known = |name: &str, record_type: &str, status, records: &[&str]| Known {
            name: name.to_owned(),
            record_type: record_type.to_owned(),
            status,
            records: records.iter().map(|record| (*record).to_owned()).collect(),
        };
        let answers = [
            known("a.test", "MX", Status::Found, &["20 c.test", "10 b.test", "20 d.test"]),
            known("a.test", "A", Status::NoData, &[]),
            known("b.test", "A", Status::Found, &["192.0.2.1"]),
            known("1.2.0.192.in-addr.arpa", "PTR", Status::Found, &["b.test"]),
        ];
        let caches = caches(&answers).unwrap();
        let mx = caches.mx.0["a.test."].as_ref().unwrap();
        let exchanges: Vec<_> =
            mx.records.iter().map(|mx| (mx.preference, mx.exchanges.join(" "))).collect();
        assert_eq!(exchanges, [(10, "b.test.".to_owned()), (20, "c.test. d.test.".to_owned())]);
        assert!(caches.ipv4.0["a.test."].is_err() && caches.ipv6.0["a.test."].is_err());
        assert!(caches.ipv4.0["b.test."].is_ok() && !caches.ipv6.0.contains_key("b.test."));
        assert!(caches.ptr.0.contains_key(&IpAddr::from([192, 0, 2, 1])));
    }

    #[test]
    fn a_question_ends_behind_its_class() {
        let message = [&[0; 12][..], b"\x01a\x04test\0", &[0, 1, 0, 1], b"more"].concat();
        assert_eq!(question_end(&message), Some(24));
        assert_eq!(question_end(&message[..23]), None);
        assert_eq!(question_end(&message[..14]), None);
    }

    #[test]
    fn names_of_the_reverse_tree_are_read() {
        let name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(reversed(name), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(reversed("1.2.0.192.in-addr.arpa"), Some([192, 0, 2, 1].into()));
        assert_eq!(reversed("a.test"), None);
    }
}
