use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use quivive_evidence::{Method, Publication, Publish, Senders, ZoneRecord, reverse_name};

use super::only_fails;
use crate::dmp::{LABEL, NAME_OCTETS_MAX_IPV4, NAME_OCTETS_MAX_IPV6, base_name};

/// How many names an IPv4 network may become that does not end where a label does: those of a /9.
const NAMES_MAX_IPV4: usize = 128;

/// How many names an IPv6 network may become: those of a prefix one bit behind a label.
const NAMES_MAX_IPV6: usize = 8;

/// Writes the base record, the default, a name for each address or network, and for IPv4 what
/// closes the holes of the default: a wildcard does not cover what stands under a name that exists
/// (RFC 4592 section 2.2.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct DmpPublish;

impl Publish for DmpPublish {
    fn method(&self) -> Method {
        Method::Dmp
    }

    fn needs_networks(&self) -> bool {
        true
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let domain = &senders.domain;
        let base = base_name(domain);
        let mut warnings = vec![
            "each sending host needs such records under its own name too, for bounces: run this \
             again for the names that hosts use in HELO"
                .to_owned(),
        ];
        only_fails(senders, "DMP", &mut warnings);
        let networks = IpNet::aggregate(&senders.networks);
        let mut values: BTreeMap<String, &str> = BTreeMap::new();
        for network in &networks {
            let longest = match network {
                IpNet::V4(_) => NAME_OCTETS_MAX_IPV4,
                IpNet::V6(_) => NAME_OCTETS_MAX_IPV6,
            };
            if domain.len() > longest {
                warnings.push(format!("the domain is too long to list {network}"));
                continue;
            }
            if network.prefix_len() == 0 {
                warnings.push(format!("{network} allows everybody, whom receivers may refuse"));
            }
            values.extend(labels(*network).into_iter().map(|labels| (labels, "dmp=allow")));
        }
        close_holes(&mut values);
        let mut records =
            vec![ZoneRecord::txt(&base, "dmp="), ZoneRecord::txt(&format!("*.{base}"), "dmp=deny")];
        records.extend(
            values.iter().map(|(labels, value)| {
                ZoneRecord::txt(&format!("{labels}.{LABEL}.{domain}"), *value)
            }),
        );
        Publication { records, warnings }
    }
}

/// The labels before `_smtp-client` for a network: split so that each part ends where a label does.
fn labels(network: IpNet) -> Vec<String> {
    let (bits, most) = match network {
        IpNet::V4(_) => (8, NAMES_MAX_IPV4),
        IpNet::V6(_) => (4, NAMES_MAX_IPV6),
    };
    let edge = network.prefix_len().div_ceil(bits) * bits;
    let parts = network.subnets(edge).expect("the edge is no shorter than the prefix");
    parts.take(most).map(|part| name(part, edge / bits)).collect()
}

/// The labels of a network of so many whole labels, with a wildcard for the rest.
fn name(network: IpNet, count: u8) -> String {
    let reverse = reverse_name(network.addr());
    let reverse = reverse.trim_end_matches(".arpa");
    let all: Vec<&str> = reverse.split('.').collect();
    let whole = all.len() - 1;
    let kept = &all[whole - usize::from(count)..];
    let wildcard = if usize::from(count) < whole { "*." } else { "" };
    format!("{wildcard}{}", kept.join("."))
}

/// Below every name that exists only because others stand under it, a wildcard of its own.
fn close_holes(values: &mut BTreeMap<String, &str>) {
    let mut empty = BTreeSet::new();
    for labels in values.keys().filter(|labels| labels.ends_with("in-addr")) {
        let mut rest = labels.split_once('.').map(|(_, parent)| parent);
        while let Some(parent) = rest {
            empty.insert(parent.to_owned());
            rest = parent.split_once('.').map(|(_, parent)| parent);
        }
    }
    for parent in empty {
        values.entry(format!("*.{parent}")).or_insert("dmp=deny");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(network: &str) -> Vec<String> {
        labels(network.parse().unwrap())
    }

    #[test]
    fn networks_become_names() {
        assert_eq!(all("192.0.2.1/32"), ["1.2.0.192.in-addr"]);
        assert_eq!(all("192.0.2.0/24"), ["*.2.0.192.in-addr"]);
        assert_eq!(all("192.0.2.0/31"), ["0.2.0.192.in-addr", "1.2.0.192.in-addr"]);
        assert_eq!(all("0.0.0.0/0"), ["*.in-addr"]);
        assert_eq!(all("2001:db8::/32"), ["*.8.b.d.0.1.0.0.2.ip6"]);
        assert_eq!(all("10.0.0.0/9").len(), NAMES_MAX_IPV4);
        assert_eq!(all("2001:db8::/33").len(), NAMES_MAX_IPV6);
    }
}
