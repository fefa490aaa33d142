//! Unbound, a resolver that validates, in front of a zone that is signed with LDNS's tools: the one
//! trust anchor that it has is the zone's own key.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::peer::{self, Peer};
use crate::{dns, nsd};

/// A zone of which some records are signed wrongly, and one that is not signed at all, behind a
/// resolver that validates.
pub struct Validated {
    /// The resolver.
    pub resolver: Peer,
    /// The servers of the two zones.
    pub servers: [Peer; 2],
}

const SOA: u16 = 6;

/// Starts them. `records` belong to `signed`, and `plain` to the domain `unsigned`; all names are
/// absolute. Behind the signing each text of `forgery` is replaced by the one beside it.
///
/// # Panics
/// When the zone cannot be signed, or a server does not start.
pub fn start(
    (signed, records): (&str, &str),
    (unsigned, plain): (&str, &str),
    forgery: (&str, &str),
) -> Validated {
    let folder = peer::open_folder();
    let zone = zone(signed, records);
    let (signed_zone, anchor) = sign(folder.path(), signed, &zone);
    assert!(signed_zone.contains(forgery.0), "there is something to forge: {signed_zone}");
    let forged = signed_zone.replace(forgery.0, forgery.1);
    let servers =
        [nsd::start_zone(signed, &forged), nsd::start_zone(unsigned, &self::zone(unsigned, plain))];
    let stubs = [(signed, servers[0].address), (unsigned, servers[1].address)];
    let prepare = |folder: &Path, address: SocketAddr| {
        fs::write(folder.join("anchor"), &anchor).expect("the folder is ours");
        fs::write(folder.join("unbound.conf"), settings(folder, address, &stubs))
            .expect("the folder is ours");
        let words = ["unbound", "-d", "-c"].map(str::to_owned);
        words.into_iter().chain([folder.join("unbound.conf").display().to_string()]).collect()
    };
    let is_ready = |address| matches!(dns::ask(address, signed, SOA), Some((0, _)));
    let resolver = Peer::start("unbound", prepare, is_ready);
    Validated { resolver, servers }
}

fn zone(origin: &str, records: &str) -> String {
    format!(
        "$TTL 300\n$ORIGIN {origin}.\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\n\
         ns A 127.0.0.1\n{records}\n"
    )
}

/// The zone as it is published, and its key.
fn sign(folder: &Path, origin: &str, zone: &str) -> (String, String) {
    fs::write(folder.join("zone"), zone).expect("the folder is ours");
    let run = |words: &[&str]| {
        let mut command = peer::command("unbound", words);
        let output = command.current_dir(folder).output().expect("the tools start");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).expect("a name is text").trim().to_owned()
    };
    let key = run(&["ldns-keygen", "-k", "-a", "ECDSAP256SHA256", "-r", "/dev/urandom", origin]);
    run(&["ldns-signzone", "-o", origin, "-f", "signed", "zone", &key]);
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("it was written");
    (read("signed"), read(&format!("{key}.key")))
}

fn settings(folder: &Path, address: SocketAddr, stubs: &[(&str, SocketAddr)]) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    let mut text = format!(
        r#"server:
  interface: {ip}@{port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  do-daemonize: no
  use-syslog: no
  logfile: ""
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  module-config: "validator iterator"
  trust-anchor-file: "{folder}/anchor"
  num-threads: 1
remote-control:
  control-enable: no
"#
    );
    for (name, server) in stubs {
        let (ip, port) = (server.ip(), server.port());
        text += &format!("stub-zone:\n  name: \"{name}\"\n  stub-addr: {ip}@{port}\n");
    }
    text
}
