//! mail-auth as a measured program, with the files and the protocols of `quivive-bench-measure`:
//! `quivive-bench-peers FOLDER` checks with all answers in memory, `... FOLDER threads` with
//! several threads, `... FOLDER parse` parses records, `... FOLDER wire ADDRESS [cache]` asks a
//! name server.

mod cache;
mod memory;
mod wire;

use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use mail_auth::MessageAuthenticator;
use mail_auth::SpfResult;
use mail_auth::dns::TxtRecordParser;
use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use mail_auth::spf::SpfRecord;
use quivive_bench_measure::{Parsing, read_answers, read_groups, serve};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: quivive-bench-peers FOLDER [threads | parse | wire ADDRESS [cache]]";

/// The name of the host that checks: the macro `r`.
pub(crate) const RECEIVER: &str = "receiver.bench.test";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let folder = Path::new(arguments.first().ok_or(USAGE)?);
    let groups = read_groups(folder)?;
    let answers = || read_answers(&folder.join("answers.tsv"));
    match arguments[1..] {
        [] => memory::serve_groups(&groups, &answers()?),
        ["threads"] => memory::serve_threads(&groups[0], &answers()?),
        ["parse"] => {
            let parses = |record: &str| black_box(SpfRecord::parse(record.as_bytes())).is_ok();
            Ok(serve(&mut Parsing::of(answers()?, &groups, parses), &groups)?)
        }
        ["wire", address] => wire::serve(&groups[0], address.parse()?, false),
        ["wire", address, "cache"] => wire::serve(&groups[0], address.parse()?, true),
        _ => Err(USAGE.into()),
    }
}

/// The number of a result.
pub(crate) fn number(result: SpfResult) -> u8 {
    match result {
        SpfResult::Pass => 0,
        SpfResult::Fail => 1,
        SpfResult::SoftFail => 2,
        SpfResult::Neutral => 3,
        SpfResult::None => 4,
        SpfResult::TempError => 5,
        SpfResult::PermError => 6,
    }
}

/// It asks this name server alone, and keeps `cache_size` answers in hickory-resolver.
pub(crate) fn authenticator(server: SocketAddr, cache_size: u64) -> Result<MessageAuthenticator> {
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let mut server = NameServerConfig::udp(server.ip());
    server.connections = vec![connection];
    let mut options = ResolverOpts::default();
    options.cache_size = cache_size;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = Duration::from_secs(2);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    Ok(MessageAuthenticator::new(config, options)?)
}
