//! The contract's own block, with what this version makes of it.

use std::path::PathBuf;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::{Action, Mode};

use super::config;
use crate::{Door, NextHop, TlsMode};

/// The block of the contract.
pub(super) const CONTRACT: &str = r#"hostname = "mx.example.test"           # greeting, Received, EHLO
authserv_id = "mx.example.test"        # default: hostname
[resolver]
servers = ["127.0.0.1:5300"]           # empty: the system's
# zone = "world.zone"                  # instead of servers
[store]
path = "quivive.db"                    # "" = none; later also postgres://
retain_days = 30
retain_mib = 1024
[outgoing]
allow_private = []                     # networks that probes and fetches may reach although private
# relay = "smtp:127.0.0.1:587"
# ca_file = "ca.pem"
# [service]
# domain = "q.example.test"
[[listen]]
door = "gateway"
address = "127.0.0.1:2525"
recipient_domains = ["example.test"]
next_hop = "smtp:127.0.0.1:2526"
proxy_from = []
xclient_from = []
tls = { certificate = "c.pem", key = "k.pem" }
[methods]
spf = "enforce"
rmx = "report"
[actions.spf.mailfrom]
fail = "reject"
temperror = "defer"
[[exception]]
domains = ["partner.test"]
actions.spf.mailfrom = { softfail = "reject" }
[srs]
domain = "fwd.example"
secret_file = "srs.secret"
"#;

#[test]
fn the_contract_holds() {
    let config = config(CONTRACT);
    assert_eq!(config.hostname.as_str(), "mx.example.test");
    assert_eq!(config.resolver.servers, [([127, 0, 0, 1], 5300).into()]);
    let [listen] = &config.listen[..] else { panic!("one listener") };
    assert_eq!(listen.door, Door::Gateway);
    assert_eq!(listen.address.to_string(), "127.0.0.1:2525");
    assert_eq!(listen.recipient_domains[0].as_str(), "example.test");
    assert_eq!(listen.next_hop, Some(NextHop::Smtp { host: "127.0.0.1".into(), port: 2526 }));
    assert_eq!((listen.size_max, listen.connections_per_address), (50 << 20, 50));
    assert!(!listen.xclient_to_next_hop);
    let tls = listen.tls.as_ref().unwrap();
    assert_eq!(tls.certificate, PathBuf::from("/etc/quivive/c.pem"));
    assert_eq!(tls.key, PathBuf::from("/etc/quivive/k.pem"));
    assert_eq!(tls.mode, TlsMode::StartTls);
    assert_eq!(config.srs.domain.unwrap().as_str(), "fwd.example");
    assert_eq!(config.srs.secret_file, Some(PathBuf::from("/etc/quivive/srs.secret")));
}

#[test]
fn the_policy_is_what_the_contract_says() {
    let policy = config(CONTRACT).policy();
    assert_eq!(policy.authserv_id, "mx.example.test");
    assert_eq!(policy.mode(Method::Spf), Mode::Enforce);
    assert_eq!(policy.mode(Method::Rmx), Mode::Report);
    assert_eq!(policy.mode(Method::Dmp), Mode::Off);
    let spf = |result| policy.actions.get(Method::Spf, Identity::Mailfrom, result);
    assert_eq!(spf(FindingResult::Fail), Some(Action::Reject));
    assert_eq!(spf(FindingResult::Temperror), Some(Action::Defer));
    assert_eq!(spf(FindingResult::Softfail), None);
    let [exception] = &policy.exceptions[..] else { panic!("one exception") };
    assert_eq!(exception.domains, ["partner.test"]);
    let actions = &exception.actions;
    let softfail = actions.get(Method::Spf, Identity::Mailfrom, FindingResult::Softfail);
    assert_eq!(softfail, Some(Action::Reject));
    assert_eq!(policy.spf_void_lookups_max, 2);
}
