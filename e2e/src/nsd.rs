//! NSD, an authoritative name server, as the whole of DNS: it serves the root zone. Or of one zone
//! alone.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::dns;
use crate::peer::Peer;

const SOA: u16 = 6;

/// Starts a name server with these records, in master form with absolute names; lines
/// `;!servfail NAME` make it answer SERVFAIL for that name and all below.
///
/// # Panics
/// When the text holds a failure that NSD cannot produce, or when NSD refuses it.
pub fn start(records: &str) -> Peer {
    start_server(None, records)
}

/// As [`start`], at this address.
///
/// # Panics
/// When the address is not free, too.
pub fn start_at(address: SocketAddr, records: &str) -> Peer {
    start_server(Some(address), records)
}

/// Starts a name server for one zone, given whole.
///
/// # Panics
/// When NSD refuses it.
pub fn start_zone(origin: &str, zone: &str) -> Peer {
    serve(None, (origin, zone), &[])
}

fn start_server(address: Option<SocketAddr>, records: &str) -> Peer {
    let zone = format!(
        "$TTL 300\n$ORIGIN .\n. SOA ns. hostmaster. 1 3600 600 86400 300\n. NS ns.\n{records}\n"
    );
    serve(address, (".", &zone), &failing_names(records))
}

fn serve(address: Option<SocketAddr>, (origin, zone): (&str, &str), failing: &[&str]) -> Peer {
    let prepare = |folder: &Path, address: SocketAddr| {
        fs::write(folder.join("served.zone"), zone).expect("the folder is ours");
        let settings = settings(folder, address, origin, failing);
        fs::write(folder.join("nsd.conf"), settings).expect("the folder is ours");
        let words = ["nsd", "-d", "-V", "2", "-c"].map(str::to_owned);
        words.into_iter().chain([folder.join("nsd.conf").display().to_string()]).collect()
    };
    let is_ready = |address| matches!(dns::ask(address, origin, SOA), Some((0, _)));
    match address {
        Some(address) => Peer::start_at(address, "nsd", prepare, is_ready),
        None => Peer::start("nsd", prepare, is_ready),
    }
}

fn settings(folder: &Path, address: SocketAddr, origin: &str, failing: &[&str]) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    let mut text = format!(
        r#"server:
  ip-address: {ip}@{port}
  server-count: 1
  username: ""
  rrl-ratelimit: 0
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
remote-control:
  control-enable: no
zone:
  name: "{origin}"
  zonefile: "served.zone"
"#
    );
    for name in failing {
        // A zone that is configured and cannot be read is answered with SERVFAIL.
        text += &format!("zone:\n  name: \"{name}\"\n  zonefile: \"missing\"\n");
    }
    text
}

/// Whether NSD can do all that these records ask for: it can fail for a name and all below with
/// SERVFAIL, and in no other way.
pub fn can_serve(records: &str) -> bool {
    failures(records).all(|failure| matches!(failure[..], ["servfail", _]))
}

fn failures(records: &str) -> impl Iterator<Item = Vec<&str>> {
    let comments = records.lines().filter_map(|line| line.trim().strip_prefix(";!"));
    comments.map(|failure| failure.split_whitespace().collect())
}

fn failing_names(records: &str) -> Vec<&str> {
    let name = |failure: Vec<_>| match failure[..] {
        ["servfail", name] => name,
        _ => panic!("NSD cannot do this: {failure:?}"),
    };
    failures(records).map(name).collect()
}
