//! viaspf as a measured program, with the files and the protocols of `quivive-bench-measure`:
//! `quivive-bench-viaspf FOLDER` checks with all answers in memory, `... FOLDER threads` with
//! several threads, `... FOLDER parse` parses records, `... FOLDER wire ADDRESS` asks a name server
//! through trust-dns.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quivive_bench_measure::{
    Known, Parsing, Query, Start, Status, Subject, check_in_lanes, read_answers, read_groups,
    serve, serve_threads, serve_wire,
};
use tokio::runtime::Runtime;
use trust_dns_resolver::TokioAsyncResolver;
use trust_dns_resolver::config::{NameServerConfigGroup, ResolverConfig, ResolverOpts};
use viaspf::lookup::{Lookup, LookupError, LookupResult, Name};
use viaspf::record::SpfRecord;
use viaspf::{Config, DomainName, Sender, SpfResult, evaluate_sender};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: quivive-bench-viaspf FOLDER [threads | parse | wire ADDRESS]";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let folder = Path::new(arguments.first().ok_or(USAGE)?);
    let groups = read_groups(folder)?;
    let runtime = runtime();
    let answers = || read_answers(&folder.join("answers.tsv"));
    match arguments[1..] {
        [] => {
            let memory = Memory::of(&answers()?)?;
            let subject = &mut Checks { runtime, memory, config: config(), groups: groups.clone() };
            Ok(serve(subject, &groups)?)
        }
        ["threads"] => threads(&groups[0], &Memory::of(&answers()?)?),
        ["parse"] => {
            let parses = |record: &str| black_box(record.parse::<SpfRecord>()).is_ok();
            Ok(serve(&mut Parsing::of(answers()?, &groups, parses), &groups)?)
        }
        ["wire", address] => over_the_wire(&runtime, &groups[0], address.parse()?),
        _ => Err(USAGE.into()),
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Several threads that share the answers.
fn threads(queries: &[Query], memory: &Memory) -> Result<()> {
    let config = config();
    let check = |runtime: &mut Runtime, place: usize| {
        runtime.block_on(check(memory, &config, &queries[place]))
    };
    Ok(serve_threads(queries, runtime, check)?)
}

fn config() -> Config {
    Config::builder().timeout(Duration::from_secs(60)).build()
}

async fn check(lookup: &impl Lookup, config: &Config, query: &Query) -> u8 {
    let Ok(address) = query.address.parse::<IpAddr>() else { return u8::MAX };
    // Without a sender it is the HELO name that is checked; what is neither has no record.
    let sender = match query.sender.is_empty() {
        true => Sender::from_domain(&query.helo),
        false => Sender::from_address(&query.sender),
    };
    let Ok(sender) = sender else { return 4 };
    let helo = DomainName::new(&query.helo).ok();
    let result = evaluate_sender(lookup, config, address, &sender, helo.as_ref()).await;
    match result.spf_result {
        SpfResult::Pass => 0,
        SpfResult::Fail(_) => 1,
        SpfResult::Softfail => 2,
        SpfResult::Neutral => 3,
        SpfResult::None => 4,
        SpfResult::Temperror => 5,
        SpfResult::Permerror => 6,
    }
}

struct Checks {
    runtime: Runtime,
    memory: Memory,
    config: Config,
    groups: Vec<Vec<Query>>,
}

impl Subject for Checks {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        let query = &self.groups[group][query];
        self.runtime.block_on(check(&self.memory, &self.config, query))
    }
}

/// All answers, by the names as viaspf writes them.
#[derive(Default)]
struct Memory {
    txt: HashMap<String, Vec<String>>,
    mx: HashMap<String, Vec<Name>>,
    ipv4: HashMap<String, Vec<Ipv4Addr>>,
    ipv6: HashMap<String, Vec<Ipv6Addr>>,
    ptr: HashMap<String, Vec<Name>>,
}

impl Memory {
    fn of(answers: &[Known]) -> Result<Self> {
        let mut memory = Self::default();
        for known in answers.iter().filter(|known| known.status == Status::Found) {
            let (name, records) = (format!("{}.", known.name), &known.records);
            let names = |texts: Vec<&str>| -> Vec<Name> {
                texts.into_iter().filter_map(|text| Name::new(text).ok()).collect()
            };
            match known.record_type.as_str() {
                "TXT" => drop(memory.txt.insert(name, records.clone())),
                "A" => {
                    let addresses: std::result::Result<_, _> =
                        records.iter().map(|record| record.parse()).collect();
                    memory.ipv4.insert(name, addresses?);
                }
                "AAAA" => {
                    let addresses: std::result::Result<_, _> =
                        records.iter().map(|record| record.parse()).collect();
                    memory.ipv6.insert(name, addresses?);
                }
                "MX" => {
                    let hosts = records.iter().filter_map(|record| record.split_once(' '));
                    memory.mx.insert(name, names(hosts.map(|(_, host)| host).collect()));
                }
                "PTR" => {
                    memory.ptr.insert(name, names(records.iter().map(String::as_str).collect()));
                }
                _ => {}
            }
        }
        Ok(memory)
    }
}

fn known<T: Clone>(records: &HashMap<String, Vec<T>>, name: &str) -> LookupResult<Vec<T>> {
    match name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        true => records.get(&name.to_ascii_lowercase()),
        false => records.get(name),
    }
    .cloned()
    .ok_or(LookupError::NoRecords)
}

#[async_trait]
impl Lookup for Memory {
    async fn lookup_a<'lookup, 'a>(&'lookup self, name: &'a Name) -> LookupResult<Vec<Ipv4Addr>> {
        known(&self.ipv4, name.as_str())
    }

    async fn lookup_aaaa<'lookup, 'a>(
        &'lookup self,
        name: &'a Name,
    ) -> LookupResult<Vec<Ipv6Addr>> {
        known(&self.ipv6, name.as_str())
    }

    async fn lookup_mx<'lookup, 'a>(&'lookup self, name: &'a Name) -> LookupResult<Vec<Name>> {
        known(&self.mx, name.as_str())
    }

    async fn lookup_txt<'lookup, 'a>(&'lookup self, name: &'a Name) -> LookupResult<Vec<String>> {
        known(&self.txt, name.as_str())
    }

    async fn lookup_ptr<'lookup>(&'lookup self, address: IpAddr) -> LookupResult<Vec<Name>> {
        known(&self.ptr, &reverse_name(address))
    }
}

fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev();
            let labels = nibbles.map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
            labels.collect::<String>() + "ip6.arpa."
        }
    }
}

/// So many checks at once, each of the next query.
fn over_the_wire(runtime: &Runtime, queries: &[Query], address: SocketAddr) -> Result<()> {
    let queries: Arc<[Query]> = queries.into();
    let mut kept = runtime.block_on(async { resolver(address) });
    Ok(serve_wire(|request| {
        if request.start == Start::Cold {
            kept = runtime.block_on(async { resolver(address) });
        }
        let kept = (request.start != Start::Fresh).then(|| kept.clone());
        let subject = move || kept.clone().unwrap_or_else(|| resolver(address));
        let config = Arc::new(config());
        let check = move |resolver: TokioAsyncResolver, queries: Arc<[Query]>, place: usize| {
            let config = config.clone();
            async move { (check(&resolver, &config, &queries[place]).await, 0) }
        };
        Ok(runtime.block_on(check_in_lanes(request, &queries, subject, check)))
    })?)
}

fn resolver(address: SocketAddr) -> TokioAsyncResolver {
    let group = NameServerConfigGroup::from_ips_clear(&[address.ip()], address.port(), true);
    let mut options = ResolverOpts::default();
    options.cache_size = 1 << 17;
    options.use_hosts_file = false;
    options.edns0 = true;
    TokioAsyncResolver::tokio(ResolverConfig::from_parts(None, Vec::new(), group), options)
}
