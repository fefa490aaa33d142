//! SPF checks over a real name server: NSD on loopback, near and far away.
//!
//! Everything runs in a network of its own, where port 53 is free: some of what is compared asks
//! whom /etc/resolv.conf names, and nobody else.

mod delay;
mod peers;
mod rounds;
pub mod subject;

use std::fmt::Write;
use std::io::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use quivive_bench_measure::{Known, Start, Status, WireRequest, read_answers};
use quivive_e2e::{nsd, peer};

use crate::corpus::{self, Corpus};
use crate::progress;

/// Where the name server is, and where it is far away.
const NEAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53);
const FAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), 53);

/// How much later answers come from far away.
const DELAY: Duration = Duration::from_millis(20);

/// How many queries a pass takes, and one over the name server far away.
const QUERIES: usize = 4000;
const FAR_QUERIES: usize = 800;

/// How many checks are under way at once, where it is not one; and far away, where that many would
/// wait for the processor too.
const AT_ONCE: usize = 64;
const FAR_AT_ONCE: usize = 8;

/// Makes the network, names its name server, and becomes the rest of the arguments.
const ENTER: &str = r#"
ip link set lo up && mount --bind "$1" /etc/resolv.conf || exit 97
shift
exec "$@"
"#;

/// Names another name server, and becomes the rest of the arguments.
const NAME_THE_SERVER: &str = r#"
mount --bind "$1" /etc/resolv.conf || exit 97
shift
exec "$@"
"#;

fn resolv_conf(server: IpAddr) -> String {
    format!("nameserver {server}\noptions timeout:2 attempts:2\n")
}

/// Measures in a network of its own; the tables go to standard output.
///
/// # Errors
/// The network cannot be made, or our own programs do not run.
pub fn enter(rounds: usize) -> Result<()> {
    let folder = folder()?;
    corpus::find()?.write(&folder)?;
    // What has to be built or fetched needs the network that there is here.
    peers::fetch(&folder);
    let resolv_conf = folder.join("resolv.conf");
    std::fs::write(&resolv_conf, self::resolv_conf(NEAR.ip()))?;
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "sh", "-c", ENTER, "sh"]).arg(&resolv_conf);
    command.arg(std::env::current_exe()?);
    command.args(["wire-inside", "--rounds", &rounds.to_string()]);
    command.env(peer::RESOLV_CONF, &resolv_conf);
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("{command:?}: {status}"))) }
}

/// A way to check.
struct Way {
    title: &'static str,
    at_once: usize,
    start: Start,
}

const WAYS: &[Way] = &[
    Way { title: "One at a time, cold", at_once: 1, start: Start::Cold },
    Way { title: "64 at once, cold", at_once: AT_ONCE, start: Start::Cold },
    Way { title: "One at a time, repeated", at_once: 1, start: Start::Warm },
    Way { title: "64 at once, repeated", at_once: AT_ONCE, start: Start::Warm },
];

/// Measures in the network that was made.
///
/// # Errors
/// Our own programs do not run.
pub fn inside(rounds: usize) -> Result<String> {
    let folder = folder()?;
    let corpus = corpus::find()?;
    let _nsd = nsd::start_at(NEAR, &zone(&read_answers(&folder.join("answers.tsv"))?));
    delay::start(UdpSocket::bind(FAR)?, NEAR, DELAY)?;
    let bar = progress::bar(WAYS.len() + 1, "tables");
    bar.tick();
    let (mut programs, skipped) = peers::programs(&folder, NEAR)?;
    let mut report = heading(&corpus, rounds);
    for way in WAYS {
        let queries = QUERIES.min(corpus.mix.len());
        let request = WireRequest { at_once: way.at_once, start: way.start, queries, repeats: 1 };
        let table = rounds::near(&mut programs, request, rounds)?;
        write!(report, "\n{}.\n\n{table}", way.title).ok();
        bar.inc(1);
    }
    drop(programs);
    let (mut programs, _) = peers::programs(&folder, FAR)?;
    let queries = FAR_QUERIES.min(corpus.mix.len());
    let chain = rounds::chain(&corpus, queries);
    let request = WireRequest { at_once: FAR_AT_ONCE, start: Start::Fresh, queries, repeats: 1 };
    write!(
        report,
        "\nEvery answer {} ms later, nothing known before any check, {FAR_AT_ONCE} at once. The \
         answers that a check needs hang on each\nother in {chain:.2} steps in the mean; beyond: \
         what a check takes longer than these.\n\n{}",
        DELAY.as_millis(),
        rounds::far(&mut programs, request, chain)?
    )
    .ok();
    bar.finish_and_clear();
    for reason in skipped {
        write!(report, "\nskipped: {reason}\n").ok();
    }
    Ok(report)
}

fn heading(corpus: &Corpus, rounds: usize) -> String {
    format!(
        "SPF over NSD on loopback: the first {QUERIES} queries ({}), {rounds} interleaved rounds. \
         Names repeat among them:\nonly the first of each is cold. repeated: all was asked for \
         before. us: microseconds a check by the clock on the\nwall, and of the processor, the \
         name server's not counted; speeds are ratios to the first row.\n",
        corpus.origin
    )
}

/// How long answers are good, in seconds: longer than all is measured.
const TTL: u32 = 86_400;

/// The answers as lines of a master file.
fn zone(answers: &[Known]) -> String {
    let mut text = String::new();
    for known in answers.iter().filter(|known| known.status == Status::Found) {
        for record in &known.records {
            let data = match known.record_type.as_str() {
                "TXT" => strings(record),
                "PTR" => format!("{record}."),
                "MX" if record.ends_with('.') => record.clone(),
                "MX" => format!("{record}."),
                _ => record.clone(),
            };
            writeln!(text, "{}. {TTL} {} {data}", known.name, known.record_type).ok();
        }
    }
    text
}

/// Text as character-strings (RFC 1035 section 5.1).
fn strings(text: &str) -> String {
    let mut strings = String::new();
    for part in text.as_bytes().chunks(255) {
        strings.push_str(" \"");
        for octet in part {
            match octet {
                b'"' | b'\\' => write!(strings, "\\{}", char::from(*octet)).ok(),
                b' '..=b'~' => write!(strings, "{}", char::from(*octet)).ok(),
                _ => write!(strings, "\\{octet:03}").ok(),
            };
        }
        strings.push('"');
    }
    strings
}

fn folder() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&folder)?;
    folder.canonicalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_lines_of_a_master_file() {
        let known = |record_type: &str, record: &str| Known {
            name: "a.test".to_owned(),
            record_type: record_type.to_owned(),
            status: Status::Found,
            records: vec![record.to_owned()],
        };
        let answers =
            [known("MX", "10 b.test"), known("MX", "0 ."), known("TXT", "say \"\\\"\u{7f}")];
        let expected = "a.test. 86400 MX 10 b.test.\na.test. 86400 MX 0 .\n\
                        a.test. 86400 TXT  \"say \\\"\\\\\\\"\\127\"\n";
        assert_eq!(zone(&answers), expected);
        assert_eq!(strings(&"a".repeat(256)), format!(" \"{}\" \"a\"", "a".repeat(255)));
    }
}
